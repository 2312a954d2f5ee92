"""What is said: texts with variables, click tokens, and the checks before a review."""
