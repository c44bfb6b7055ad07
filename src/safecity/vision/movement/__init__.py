"""Searching recorded pictures for movement (docs/design/0016-movement.md)."""
