"""What the clients of both APIs are, in neither API's words."""
