"""Watches: standing orders to alarm when a vehicle appears, their hits, and the duties that follow."""

from safecity.core.upper.watches.answered import Hits
from safecity.core.upper.watches.asked import Asked
from safecity.core.upper.watches.decide import (
    METHOD,
    Hit,
    HitState,
    Watch,
    WatchSettings,
    WatchState,
    check_plate,
)
from safecity.core.upper.watches.duties import WatchDuties
from safecity.core.upper.watches.following import WatchFollower
from safecity.core.upper.watches.matching import Looked, WatchIndex, differs
from safecity.core.upper.watches.sending import WatchSending
from safecity.core.upper.watches.service import HitSeen, Watches
from safecity.core.upper.watches.store import any_of, any_under
from safecity.core.upper.watches.telling import met

__all__ = [
    "METHOD",
    "Asked",
    "Hit",
    "HitSeen",
    "HitState",
    "Hits",
    "Looked",
    "Watch",
    "WatchDuties",
    "WatchFollower",
    "WatchIndex",
    "WatchSending",
    "WatchSettings",
    "WatchState",
    "Watches",
    "any_of",
    "any_under",
    "check_plate",
    "differs",
    "met",
]
