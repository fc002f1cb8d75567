"""Rolling windows: one policy, counted in this process, in a file, or in Redis."""
