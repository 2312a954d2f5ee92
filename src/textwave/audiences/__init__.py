"""Rules, their compilation, estimates and snapshots."""
