"""Files that are whole, or not there at all, and the thread that writes them."""
