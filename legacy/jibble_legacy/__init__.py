"""The place of the adapter for Jibble's old API; empty in this release."""
