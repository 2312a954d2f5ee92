"""Organizations, workspaces, API keys, audit and long-running operations."""
