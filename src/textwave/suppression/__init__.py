"""Who must not get a message: opt-outs."""
