"""What a template reads like for named customers, and what it comes to for an audience."""
