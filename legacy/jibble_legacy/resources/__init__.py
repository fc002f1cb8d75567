"""The calls of the old API."""
