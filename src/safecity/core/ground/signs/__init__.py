"""Guidance signs: what is to stand on them, by whom and until when, and what really does."""
