"""Settings that may change while running, places of consumers, and the revision of the desired state."""

from safecity.core.ground.settings.service import DIGESTS, Platform, Settings, VolumeWish
from safecity.core.ground.settings.store import DESIRED, get, move, position, put, touch_desired

__all__ = [
    "DESIRED",
    "DIGESTS",
    "Platform",
    "Settings",
    "VolumeWish",
    "get",
    "move",
    "position",
    "put",
    "touch_desired",
]
