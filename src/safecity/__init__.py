"""Safecity: an open platform that lets a city see, remember, understand and act."""

__version__ = "0.1.0"
