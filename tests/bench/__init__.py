"""Benchmarks: each prints one JSON line with its baseline, measured in the same run."""
