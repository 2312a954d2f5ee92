"""The command line: starting and stopping an installation, and its API from a terminal."""
