"""Parts on the disk, the journal that tells of them, and what they become in the end."""
