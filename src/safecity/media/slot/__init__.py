"""One media slot: what it was told, what it needs, what it answers; assembled in `server/roles/media.py`."""
