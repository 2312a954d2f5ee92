"""Plans: who gets a message and who does not, in blocks, on whatever engine holds the data."""
