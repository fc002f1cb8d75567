"""Tables of rows, derived from the class of a row: columns, Arrow's schema, and contents."""
