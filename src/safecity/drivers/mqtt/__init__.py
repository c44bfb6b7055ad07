"""Positions from a city's MQTT broker."""
