"""Run every benchmark, or those whose names contain a word given; exits with 1 if one did not keep its limits."""

import pkgutil
import subprocess
import sys

import benchmarks

names = [
    each.name for each in pkgutil.iter_modules(benchmarks.__path__) if each.name not in {"common", "__main__"}
]
words = sys.argv[1:] or [""]
results = [
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False)
    for name in sorted(names)
    if any(word in name for word in words)
]
sys.exit(any(result.returncode for result in results))
