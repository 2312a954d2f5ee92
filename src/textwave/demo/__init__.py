"""What the demo needs: a shop that was never there."""
