"""Tests of textwave.callbacks."""
