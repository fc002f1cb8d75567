"""Limiters in virtual time and between real processes: the tables of docs/limits.md."""
