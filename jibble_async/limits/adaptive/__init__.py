"""The limiter for a quota that nobody published."""
