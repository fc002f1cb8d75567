"""What people decide, in files that a spreadsheet opens."""
