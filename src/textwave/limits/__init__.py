"""What people get at most: fatigue rules, quiet hours, holidays, the allowlist."""
