"""How a call is made, in no API's words."""
