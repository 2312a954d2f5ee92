"""Campaigns that come again: their rhythm and their runs."""
