"""Accounts at SMS platforms: what is configured, what they can, and opening them."""
