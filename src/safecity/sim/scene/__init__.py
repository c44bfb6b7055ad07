"""Rendered streets with known ground truth: what the simulated cameras see."""
