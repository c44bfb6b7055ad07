"""Frames in, facts about what is seen out."""
