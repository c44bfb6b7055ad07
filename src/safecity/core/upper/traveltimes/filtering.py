"""Which travel times of a section speak for the road, and what they say. Pure.

Some drivers stop for petrol or take another way. What they took says nothing of the road, but looks like any other
time, and there is no bound that tells it from a jam. So a time is held against the others: it counts while it lies
within three scaled median absolute deviations of the median (the robust rule of Rousseeuw and Croux, 1993, asked here
of logarithms, for travel times are skewed to the right). Windows alone, as in TransGuide (Southwest Research
Institute, 1998), shut out a jam that begins suddenly; as Dion and Rakha found (Transportation Research B 40, 2006),
several in a row on the same side are no chance but a change, and are believed: here while they are the last ones, and
agree with one another, as drivers who stopped somewhere do not.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

from safecity.core.upper.traveltimes.decide import PERIOD_US, Trip

ENOUGH: Final = 5
"""So many in a bucket are judged by themselves; fewer together with those that arrived before them."""
FEW: Final = 3
"""Fewer say nothing of what is usual among them; so many that arrived last and agree are a change."""
SPREADS: Final = 3.0
NORMAL: Final = 1.4826
"""Median absolute deviations in a standard deviation, where they are normal."""
LEAST_REACH: Final = math.log(1.25)
"""Who drives in a platoon differs by nothing, and a lorry behind it still counts."""


@dataclass(frozen=True, slots=True)
class Times:
    """Of the vehicles that counted: how many different ones at least, how many drives were left out, the median and
    between what the middle 80 of 100 lie, in microseconds."""

    vehicles: int
    left_out: int
    median_us: int
    low_us: int
    high_us: int


def times(own: Sequence[Trip], before: Sequence[Trip]) -> Times | None:
    """Of the drives of a bucket; `before`: those that arrived in the quarter of an hour before it. None where none
    counts."""
    own = sorted(own, key=lambda one: (one.at, one.exit))
    earlier = [] if len(own) >= ENOUGH else sorted(before, key=lambda one: (one.at, one.exit))
    good = believed([one.travel_us for one in (*earlier, *own)])[len(earlier) :]
    kept = [one for one, counts in zip(own, good, strict=True) if counts]
    if not kept:
        return None
    taken = [one.travel_us for one in kept]
    low, high = _tenths(taken)
    return Times(different(kept), len(own) - len(kept), round(median(taken)), low, high)


def believed(taken: Sequence[int]) -> list[bool]:
    """Of travel times in the order of arrival."""
    if len(taken) < FEW:
        return [True] * len(taken)
    logs = [math.log(one) for one in taken]
    middle = median(logs)
    reach = max(SPREADS * NORMAL * median(abs(one - middle) for one in logs), LEAST_REACH)
    sides = [0 if abs(one - middle) <= reach else 1 if one > middle else -1 for one in logs]
    good = [side == 0 for side in sides]
    run = len(sides) - next((n for n, side in enumerate(reversed(sides)) if side != sides[-1]), len(sides))
    if _agree(logs[run:]):  # a jam lasts: those who say so are the last ones
        good[run:] = [True] * (len(sides) - run)
    return good


def different(kept: Iterable[Trip]) -> int:
    """How many vehicles there were at least: one that drove on into the next period has another pseudonym there."""
    seen: defaultdict[int, set[bytes]] = defaultdict(set)
    for one in kept:
        seen[one.at // PERIOD_US].add(one.vehicle)
    return max((len(vehicles) for vehicles in seen.values()), default=0)


def _agree(logs: Sequence[float]) -> bool:
    middle = median(logs)
    return len(logs) >= FEW and all(abs(one - middle) <= LEAST_REACH for one in logs)


def _tenths(taken: Sequence[int]) -> tuple[int, int]:
    if len(taken) < 2:
        return taken[0], taken[0]
    cuts = quantiles(taken, n=10, method="inclusive")
    return round(cuts[0]), round(cuts[-1])
