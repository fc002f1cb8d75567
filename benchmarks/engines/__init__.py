"""What engines may expect of a quota, and what it costs to feed them: see `docs/engines.md`."""
