"""Counts of vehicles."""

from safecity.core.upper.counts.decide import (
    BUCKET_US,
    Counted,
    CountPoint,
    CountReport,
    CountSettings,
    VehicleKind,
)
from safecity.core.upper.counts.following import ORIGIN, CountFollower
from safecity.core.upper.counts.service import Counts, Filed, ShownPoint, Step, Told
from safecity.core.upper.counts.tables import any_of, any_under
from safecity.core.upper.counts.telling import CountTeller

__all__ = [
    "BUCKET_US",
    "ORIGIN",
    "CountFollower",
    "CountPoint",
    "CountReport",
    "CountSettings",
    "CountTeller",
    "Counted",
    "Counts",
    "Filed",
    "ShownPoint",
    "Step",
    "Told",
    "VehicleKind",
    "any_of",
    "any_under",
]
