"""Counters and effect reports."""
