"""Searching recorded pictures for movement (docs/design/0015-movement.md)."""
