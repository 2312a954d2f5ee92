"""The short-link redirect."""
