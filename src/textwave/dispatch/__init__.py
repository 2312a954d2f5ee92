"""Sending: batches, gate, pacing, requests, in doubt."""
