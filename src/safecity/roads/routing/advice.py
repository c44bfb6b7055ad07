"""Whom to send where, when everybody hears the same advice. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from safecity.roads.compiled import F64
from safecity.roads.routing.router import Route

LEAST_GAIN_SECONDS: Final = 180.0
LEAST_GAIN_SHARE: Final = 0.1


def worth_switching(seconds: float, other_seconds: float) -> bool:
    """Whether another route gains enough to leave the present one for it: more than three minutes and a tenth. Less is
    within the error of both. A route that is closed takes infinitely long."""
    return other_seconds < seconds - LEAST_GAIN_SECONDS and other_seconds < (1 - LEAST_GAIN_SHARE) * seconds


def shares(routes: Sequence[Route], *, even: float = 0.1) -> F64:
    """What share of the drivers to send over each route, [n], sum 1 (logit): a route that takes `even` of the time
    longer than the best gets 1/e of its share, so that not everybody jumps onto the same one."""
    cost = np.array([route.cost for route in routes], dtype=np.float64)
    least = cost.min()
    weight: F64 = np.exp(-(cost - least) / max(even * least, 1e-6))
    return weight / weight.sum()
