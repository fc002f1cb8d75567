"""Who and what goes where, decided from the ledger; what decides is pure."""
