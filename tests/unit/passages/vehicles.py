"""Places, and what is seen there."""

from __future__ import annotations

from typing import Any

from safecity.core.ground.passages.api import Place, Sighting, Source
from safecity.kit.clock import SECOND_US
from safecity.kit.ids import fresh

NOON = 1_700_000_000 * SECOND_US
WINDOW = 4 * SECOND_US


def gate(**more: Any) -> Place:
    """A tollgate of its own."""
    name = fresh("tg")
    values: dict[str, Any] = {
        "id": name, "tollgate": name, "device": None, "area_path": "/34/", "organisation_path": "/",
        "purposes": frozenset({"traffic"}), "restricted": False, "retention_days": 30, "window_us": WINDOW,
    }  # fmt: skip
    return Place(**{**values, **more})


def seen(number: int, after: float = 0.0, **more: Any) -> Sighting:
    """What camera `camera` said as its `number`, so many seconds after noon."""
    at = NOON + round(after * SECOND_US)
    values: dict[str, Any] = {"source": Source.CAMERA, "origin": "camera", "lane": 1, "at": at, "seen": at}
    return Sighting(id=fresh("sg"), reference=str(number), **{**values, **more})
