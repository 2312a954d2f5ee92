"""Downloads: the customers of an audience as a file."""
