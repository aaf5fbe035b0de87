"""Run every benchmark, or those whose names contain a word given, and write docs/performance.md and docs/scaling.md.

Exits with 1 if one missed a bar, or did not come to its end.
"""

import subprocess
import sys

from benchmarks import report

words = sys.argv[1:] or [""]
chosen = [name for name in report.BENCHES if any(word in name for word in words)]
results, ran = list[subprocess.CompletedProcess[bytes]](), list[str]()
for name in chosen:
    report.forget(name)
    results.append(subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False))
    ran.append(name)
    report.write(ran)  # the next one may reckon with it
reckoned = subprocess.run([sys.executable, "-m", "benchmarks.scaling"], check=False)
if any(word in "scaling" for word in words):
    results.append(reckoned)
sys.exit(any(result.returncode for result in results))
