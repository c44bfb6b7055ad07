"""Whom to send where, when everybody hears the same advice. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from safecity.roads.compiled import F64
from safecity.roads.routing.router import Gain, Route

SURE: Final = 1.0
"""Deviations of what is gained that a gain must exceed. The best of several uncertain times is mostly one that was
foretold too short: whoever follows it for less than that loses on average."""
LEAST_GAIN_SHARE: Final = 0.05
"""Of the time that the present way takes: for less nobody learns another one."""


def worth_switching(present: Route, gain: Gain) -> bool:
    """Whether another way gains enough to leave the present one for it: more than is known of the difference between
    the two, and a twentieth of the time. A present way that is closed takes infinitely long."""
    if not math.isfinite(present.seconds):
        return gain.seconds > 0
    return gain.seconds > SURE * gain.deviation and gain.seconds > LEAST_GAIN_SHARE * present.seconds


def advised(present: Route, routes: Sequence[Route], gain: Callable[[Route, Route], Gain]) -> F64:
    """What share of those who would drive the present way to send over each route, [n]: over those alone that are
    worth it, and nobody (all 0) where none is: where nothing is wrong people keep their way."""
    worth = [n for n, route in enumerate(routes) if worth_switching(present, gain(present, route))]
    found = np.zeros(len(routes))
    if worth:
        found[worth] = shares([routes[n] for n in worth])
    return found


def shares(routes: Sequence[Route], *, even: float = 0.1) -> F64:
    """What share of the drivers to send over each route, [n], sum 1 (logit): a route that takes `even` of the time
    longer than the best gets 1/e of its share, so that not everybody jumps onto the same one."""
    cost = np.array([route.cost for route in routes], dtype=np.float64)
    least = cost.min()
    weight: F64 = np.exp(-(cost - least) / max(even * least, 1e-6))
    return weight / weight.sum()
