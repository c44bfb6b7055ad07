"""See api.py."""
