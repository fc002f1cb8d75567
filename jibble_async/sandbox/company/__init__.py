"""The made-up company that a sandbox begins with."""
