"""The REST API: its routes, what they take and give, and how refusals become HTTP."""
