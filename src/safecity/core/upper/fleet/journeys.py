"""Where a vehicle was: its positions in order, where it stood, and where nobody knows what it did. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from safecity.kit.clock import SECOND_US
from safecity.kit.earth import metres_between

GAP_US: Final = 120 * SECOND_US
GAP_METRES: Final = 100.0
"""Whoever was silent for longer and is somewhere else afterwards: what lies between is not known."""
STAND_METRES: Final = 60.0
STAND_US: Final = 120 * SECOND_US


class Step(NamedTuple):
    """A position of a journey. `gap`: how it came here from the one before is not known; `late`: it was kept by the
    terminal and came afterwards."""

    at: int
    longitude: float
    latitude: float
    speed_kmh: float | None = None
    direction: float | None = None
    late: bool = False
    gap: bool = False

    @property
    def place(self) -> tuple[float, float]:
        """Longitude and latitude."""
        return self.longitude, self.latitude


class Stand(NamedTuple):
    """It stood there, from the step `first` to the step `last`."""

    first: int
    last: int
    start: int
    end: int
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class Journey:
    """`metres` are those it was seen to drive: without gaps, and without the wandering of a fix at rest. `more`: there
    are older positions in the time than these."""

    steps: tuple[Step, ...]
    stands: tuple[Stand, ...]
    metres: float
    gaps: int
    more: bool


def journey(steps: Sequence[Step], *, more: bool = False) -> Journey:
    """From positions in any order; what was told twice counts once."""
    ordered = sorted({step.at: step for step in steps}.values(), key=lambda step: step.at)
    marked = [step._replace(gap=index > 0 and _is_gap(ordered[index - 1], step)) for index, step in enumerate(ordered)]
    stands = _stands(marked)
    resting = {index for stand in stands for index in range(stand.first + 1, stand.last + 1)}
    metres = sum(
        metres_between(marked[index - 1].place, step.place)
        for index, step in enumerate(marked)
        if index > 0 and not step.gap and index not in resting
    )
    return Journey(tuple(marked), tuple(stands), metres, sum(step.gap for step in marked), more)


def _is_gap(one: Step, other: Step) -> bool:
    return other.at - one.at > GAP_US and metres_between(one.place, other.place) > GAP_METRES


def _stands(steps: Sequence[Step]) -> list[Stand]:
    """The longest runs that stay within a few metres of where they began."""
    found: list[Stand] = []
    first = left = 0
    while first < len(steps) and steps[-1].at - steps[first].at >= STAND_US:
        # Where the run before this one ended mostly ends this one as well: thousands of positions in two minutes, from
        # whoever wishes us ill, are not each held against all the others.
        is_far = first < left < len(steps) and metres_between(steps[first].place, steps[left].place) > STAND_METRES
        if is_far and steps[left - 1].at - steps[first].at < STAND_US:
            first += 1
            continue
        last = first
        while last + 1 < len(steps) and metres_between(steps[first].place, steps[last + 1].place) <= STAND_METRES:
            last += 1
        left = last + 1
        here = steps[first]
        if steps[last].at - here.at >= STAND_US:
            found.append(Stand(first, last, here.at, steps[last].at, here.longitude, here.latitude))
            first = last + 1
        else:
            first += 1
    return found
