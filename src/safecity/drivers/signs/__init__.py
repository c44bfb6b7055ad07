"""Guidance signs that speak the platform's own wire over HTTP."""
