"""Licence plates: found in a picture, straightened, read, and weighed against how plates are written."""
