"""How fast: limiters that keep a client within the server's quota."""
