"""Footage leaves the platform: as evidence (the original bytes) or as a viewing copy (one plain MP4)."""
