"""How long a test waits for another process or thread before it takes it for stuck."""

PATIENCE = 500.0
"""Seconds; less than pytest's own limit. Nothing is measured by it: a machine may be busy."""
