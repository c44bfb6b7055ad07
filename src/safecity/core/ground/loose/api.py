"""Blobs that no row names: on their way into one, left behind when a process died between the two, or not wanted any
more."""

from safecity.core.ground.loose.service import Loose
from safecity.core.ground.loose.store import named, unnamed

__all__ = ["Loose", "named", "unnamed"]
