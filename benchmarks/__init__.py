"""Benchmarks, each run as `python -m benchmarks.<name>`; what they generate stays in ``var/bench``."""
