"""Profiles: in what the people of an audience differ from everyone, or from another audience."""
