"""What is known of vehicles beyond their plates, while they are in sight: where all of each is, and its colour. Not
thread-safe."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from safecity.kit.clock import SECOND_US
from safecity.model.facts.vision_calls import LaneZone
from safecity.vision.enforcement.geometry import Point
from safecity.vision.enforcement.watching import vehicle_box
from safecity.vision.plates.recognise import PlateRead
from safecity.vision.vehicles.bodies import Body, body_of
from safecity.vision.vehicles.colour import BodyColour, Light, body_colour, light_of, told_together
from safecity.vision.vehicles.foreground import Foreground
from safecity.vision.vehicles.unread import Unread, UnreadWatch

MOST_BOXES = 100
"""Of one vehicle; who stands longer is known by its last ones."""
MOST_LOOKS = 12
"""At its colour: the last ones, in which most of it is seen."""
COLOUR_EVERY_US = 3 * SECOND_US // 10
LIGHT_EVERY_US = SECOND_US
"""Paint does not change, nor does daylight within a second: each costs as much as following what moves."""


@dataclass(slots=True)
class _Seen:
    bodies: dict[int, Body] = field(default_factory=dict[int, Body])
    colours: deque[BodyColour] = field(default_factory=lambda: deque(maxlen=MOST_LOOKS))
    coloured: int | None = None
    """When its colour was looked at last."""


class VehicleWatch:
    """Pictures of one camera, of one size, in order of time. Vehicles have the numbers of their plates' tracks."""

    def __init__(self, zones: Sequence[LaneZone] = ()) -> None:
        """`zones`: through which vehicles are counted, those that nobody can read, too."""
        self._foreground = Foreground()
        self._unread = UnreadWatch(zones) if zones else None
        self._seen: dict[int, _Seen] = {}
        self._light: tuple[int, Light] | None = None

    def look(self, at: int, picture: NDArray[np.uint8], read: Sequence[tuple[int, PlateRead]]) -> None:
        """The next picture, and the plates that were read in it."""
        moving = self._foreground.look(at, picture)
        size: tuple[int, int] = (picture.shape[1], picture.shape[0])
        if self._unread is not None:
            feet = [(number, _foot(one, size)) for number, one in read]
            self._unread.look(at, moving.mask, feet, picture)
        if not read:
            return
        plates = [one.corners.tolist() for _, one in read]
        for place, (number, one) in enumerate(read):
            seen = self._seen.setdefault(number, _Seen())
            seen.bodies[at] = body_of(plates[place], plates[:place] + plates[place + 1 :], moving.mask, size)
            if len(seen.bodies) > MOST_BOXES:
                del seen.bodies[next(iter(seen.bodies))]
            if seen.coloured is None or not 0 <= at - seen.coloured < COLOUR_EVERY_US:
                seen.coloured = at
                plate_colour = (one.kind.colour or "") if one.kind is not None else ""
                seen.colours.append(body_colour(picture, one.corners, self._light_at(at, picture), plate_colour))

    def _light_at(self, at: int, picture: NDArray[np.uint8]) -> Light:
        if self._light is None or not 0 <= at - self._light[0] < LIGHT_EVERY_US:
            self._light = at, light_of(picture)
        return self._light[1]

    def bodies(self, number: int) -> dict[int, Body]:
        """Where a vehicle was, by moment."""
        seen = self._seen.get(number)
        return {} if seen is None else dict(seen.bodies)

    def colour(self, number: int) -> BodyColour:
        """As far as it was seen by now."""
        seen = self._seen.get(number)
        return told_together(() if seen is None else tuple(seen.colours))

    def left(self, number: int, *, told: bool) -> None:
        """It is out of sight; `told`: as a vehicle."""
        self._seen.pop(number, None)
        if self._unread is not None:
            self._unread.resolved(number, told=told)

    def idle(self, at: int) -> None:
        """Nothing moved until `at`."""
        if self._unread is not None:
            self._unread.idle(at)

    def end(self) -> None:
        """Nothing more comes."""
        if self._unread is not None:
            self._unread.end()

    def unread(self) -> list[Unread]:
        """Vehicles that passed a zone and whose plate nobody read, since this was asked last."""
        return self._unread.found() if self._unread is not None else []


def _foot(read: PlateRead, size: tuple[int, int]) -> Point:
    """Where the vehicle of a plate touches the road."""
    left, _, right, bottom = vehicle_box(read.corners.tolist(), size)
    return (left + right) / 2, bottom
