"""The new account, read back: against what was written, or to find what was."""
