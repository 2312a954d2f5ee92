"""Textwave: a self-hosted SMS marketing system."""

__version__ = "0.1.0"
