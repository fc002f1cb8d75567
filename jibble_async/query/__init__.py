"""How to ask, in neither API's words: conditions, fields, and what is to come with them."""
