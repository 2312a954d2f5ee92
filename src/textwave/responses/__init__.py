"""What comes back: receipts, replies, clicks."""
