"""What the client costs, in ratios from one interleaved run: see `docs/performance.md`."""
