"""What is measured now and what is usual, together; and what is usual where little is known. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from safecity.kit.errors import InvalidError
from safecity.roads.compiled import F32, F64, I32
from safecity.roads.network.arrays import RoadNetwork, free_speeds

DAY_KINDS: Final = 3
"""Working day, Saturday, Sunday and holidays."""
QUARTERS: Final = 96
HOURS: Final = 24
USUAL_WEIGHT: Final = 3.0
"""How many vehicles the usual day counts as."""
FADE_SECONDS: Final = 600.0


def blended(
    speed: ArrayLike, count: ArrayLike, age_seconds: ArrayLike, usual: ArrayLike,
    usual_weight: float = USUAL_WEIGHT, fade_seconds: float = FADE_SECONDS,
) -> F64:  # fmt: skip
    """1/v = (n e^(-age/tau) / v_now + k / v_usual) / (n e^(-age/tau) + k), m/s, [n]: times are blended, since times are
    what is foretold. A mean of speeds would say that half the traffic waiting at a red light costs next to nothing.

    `count` vehicles that `speed` was measured from, `age_seconds` ago; where one of the three is no number, or there is
    no vehicle, the usual one is the answer.
    """
    v, n, age = (np.asarray(one, np.float64) for one in (speed, count, age_seconds))
    known = np.isfinite(v) & (v > 0) & np.isfinite(n) & (n > 0) & np.isfinite(age)
    weight = np.where(known, n * np.exp(-np.maximum(age, 0) / fade_seconds), 0.0)
    pace = weight / np.where(weight > 0, v, 1.0) + usual_weight / np.asarray(usual, np.float64)
    return (weight + usual_weight) / pace


def half_width(variance: ArrayLike, count: ArrayLike) -> F64:
    """Of the interval of 80 % around a mean speed, m/s; inf below two vehicles."""
    n = np.asarray(count, np.float64)
    return np.where(
        n >= 2, 1.2816 * np.sqrt(np.maximum(np.asarray(variance, np.float64), 0) / np.maximum(n, 1)), np.inf
    )


@dataclass(frozen=True, slots=True)
class UsualDays:
    """Speeds of usual days, m/s, NaN where too little is known.

    by_edge [U, DAY_KINDS, QUARTERS] for the edges whose row [E] is not -1; by_class [Z, C, DAY_KINDS, HOURS] for the
    zone of an edge [E] and its class. Where both are silent: the free speed times `factor`.
    """

    network: RoadNetwork
    row: I32
    by_edge: F32
    zone: I32
    by_class: F32
    factor: float = 0.8

    def __post_init__(self) -> None:
        edges, classes = self.network.edges, int(self.network.arrays.edge_class.max()) + 1
        fits = (
            self.row.shape == self.zone.shape == (edges,)
            and self.by_edge.shape[1:] == (DAY_KINDS, QUARTERS)
            and self.by_class.ndim == 4
            and self.by_class.shape[1] >= classes
            and self.by_class.shape[2:] == (DAY_KINDS, HOURS)
            and self.row.min() >= -1
            and self.row.max() < len(self.by_edge)
            and self.zone.min() >= 0
            and self.zone.max() < len(self.by_class)
        )
        if not fits:
            raise InvalidError("usual days of other shapes than the network", code="usual_days")

    def speeds(self, day_kind: int, second_of_day: float) -> F64:
        """Of all edges, [E]: of the edge itself, else of its class in its zone, else from its limit."""
        quarter, hour = int(second_of_day // 900) % QUARTERS, int(second_of_day // 3600) % HOURS
        guess = free_speeds(self.network).astype(np.float64) * self.factor
        common = self.by_class[self.zone, self.network.arrays.edge_class, day_kind, hour]
        speed = np.where(np.isfinite(common) & (common > 0), common, guess)
        own = np.full(self.network.edges, np.nan)
        named = self.row >= 0
        own[named] = self.by_edge[self.row[named], day_kind, quarter]
        return np.where(np.isfinite(own) & (own > 0), own, speed)
