"""The file that a migration is kept in."""
