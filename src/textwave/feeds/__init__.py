"""Feeds: tables that are brought up to date from a database or a folder."""
