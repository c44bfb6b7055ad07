"""Passages: one vehicle at one tollgate, fused from everything that saw it there."""
