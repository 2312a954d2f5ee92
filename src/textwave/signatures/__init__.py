"""Signatures: who speaks, as approved by platforms and registered at carriers."""
