"""Simulated checkpoint cameras that read plates themselves, on the platform's own protocol code."""
