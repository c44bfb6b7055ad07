"""Forbidden turns."""

from __future__ import annotations

from typing import Any

import numpy as np

from safecity.roads.compiled import I64, compiled


@compiled
def is_banned(ban: I64, edge: Any, following: Any) -> bool:
    """Whether the turn from one edge into the other is forbidden; `ban` as in `RoadArrays`."""
    wanted = (np.int64(edge) << 32) | following
    low, high = 0, len(ban)
    while low < high:
        middle = (low + high) >> 1
        if ban[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low < len(ban) and ban[low] == wanted
