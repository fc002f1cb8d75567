"""The new account, written to: what a lost answer means, and when to stop."""
