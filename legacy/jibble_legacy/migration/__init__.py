"""The move from an old account to a new one: every step from one ledger, and each can be resumed."""
