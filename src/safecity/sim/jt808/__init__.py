"""Simulated vehicle terminals (JT/T 808), on the same protocol code as the platform's side."""
