"""The move from an old account to a new one: steps over one ledger, each of which resumes."""
