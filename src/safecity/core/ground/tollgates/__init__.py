"""Tollgates: fixed places that record every passing vehicle, and their lanes."""
