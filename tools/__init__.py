"""What is done to this project itself, by `make`."""
