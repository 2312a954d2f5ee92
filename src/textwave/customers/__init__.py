"""Customer data: tables, import, mobile numbers."""
