"""Vehicles that are to be taken away."""
