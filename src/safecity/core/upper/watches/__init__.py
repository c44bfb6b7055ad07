"""Watches: standing orders to alarm when a vehicle appears. See api.py."""
