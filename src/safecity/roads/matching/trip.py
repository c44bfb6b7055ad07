"""A whole trip at once: every position is decided with all that came after it."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from safecity.kit.errors import InvalidError
from safecity.roads.compiled import U8
from safecity.roads.matching.online import Matched, Matcher
from safecity.roads.matching.settings import MatchSettings
from safecity.roads.network.arrays import RoadNetwork

MAX_TRIP: Final = 50_000
"""Positions: a day and night at one a second is fed to a `Matcher` instead."""


def match_trip(
    network: RoadNetwork, us: ArrayLike, lon: ArrayLike, lat: ArrayLike, settings: MatchSettings | None = None
) -> tuple[Matched, U8]:
    """Positions of one vehicle in the order of time, all [n]: what was decided (vehicle 0), and a `Verdict` for each.

    InvalidError `matching_trip` above `MAX_TRIP` positions.
    """
    times = np.asarray(us, np.int64).reshape(-1)
    if len(times) > MAX_TRIP:
        raise InvalidError(f"{len(times)} positions are more than {MAX_TRIP}", code="matching_trip")
    matcher = Matcher(network, 1, settings, ring=len(times) + 2)
    early, verdicts = matcher.feed(np.zeros(len(times), np.int32), times, lon, lat)  # trips that ended within it
    return Matched.together([early, matcher.flush([0])]), verdicts
