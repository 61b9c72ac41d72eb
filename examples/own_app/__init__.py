"""A small program and its tests, as a pattern for one's own."""
