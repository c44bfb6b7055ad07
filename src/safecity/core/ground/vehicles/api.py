"""Looking for vehicles: by plate, by place and time, by what they did."""

from safecity.core.ground.vehicles.decide import Clone, Companion, Leg, Meeting, Stay, Stop
from safecity.core.ground.vehicles.index import PlateIndex
from safecity.core.ground.vehicles.pattern import Pattern, read_pattern
from safecity.core.ground.vehicles.service import FASTEST_KMH, Found, Looked, Movement, Vehicles, Wish, asked_of

__all__ = [
    "FASTEST_KMH",
    "Clone",
    "Companion",
    "Found",
    "Leg",
    "Looked",
    "Meeting",
    "Movement",
    "Pattern",
    "PlateIndex",
    "Stay",
    "Stop",
    "Vehicles",
    "Wish",
    "asked_of",
    "read_pattern",
]
