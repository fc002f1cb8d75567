"""Ten years in the old account of a company that begins with the current API."""
