"""Scenes: lanes, lines and zones that are drawn on the picture of a camera, for what judges the ways of vehicles."""

from safecity.core.ground.scenes.service import Drawn, Scenes
from safecity.core.ground.scenes.store import everything, of_signal

__all__ = ["Drawn", "Scenes", "everything", "of_signal"]
