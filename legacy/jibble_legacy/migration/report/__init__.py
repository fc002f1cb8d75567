"""What a migration has to show for itself: one set of numbers, as a page, as JSON and as tables."""
