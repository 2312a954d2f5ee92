"""Lists of ids that people upload: read, matched with customers, kept, and made an audience."""
