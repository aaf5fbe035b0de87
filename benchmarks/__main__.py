"""Run every benchmark, or those whose names contain a word given, and write docs/performance.md.

Exits with 1 if one did not keep its limits.
"""

import subprocess
import sys

from benchmarks import report

words = sys.argv[1:] or [""]
results = [
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False)
    for name in report.BENCHES
    if any(word in name for word in words)
]
report.write()
sys.exit(any(result.returncode for result in results))
