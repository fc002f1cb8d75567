"""The old account, read into the ledger, and read again when all is written."""
