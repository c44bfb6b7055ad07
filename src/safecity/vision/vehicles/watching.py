"""What is known of vehicles beyond their plates, while they are in sight: where all of each is, and its colour. Not
thread-safe."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from safecity.vision.plates.recognise import PlateRead
from safecity.vision.vehicles.bodies import Body, body_of
from safecity.vision.vehicles.colour import BodyColour, body_colour, light_of, told_together
from safecity.vision.vehicles.foreground import Foreground

MOST_BOXES = 100
"""Of one vehicle; who stands longer is known by its last ones."""
MOST_LOOKS = 12
"""At its colour: the last ones, in which most of it is seen."""


@dataclass(slots=True)
class _Seen:
    bodies: dict[int, Body] = field(default_factory=dict[int, Body])
    colours: deque[BodyColour] = field(default_factory=lambda: deque(maxlen=MOST_LOOKS))


class VehicleWatch:
    """Pictures of one camera, of one size, in order of time. Vehicles have the numbers of their plates' tracks."""

    def __init__(self) -> None:
        self._foreground = Foreground()
        self._seen: dict[int, _Seen] = {}

    def look(self, at: int, picture: NDArray[np.uint8], read: Sequence[tuple[int, PlateRead]]) -> None:
        """The next picture, and the plates that were read in it."""
        moving = self._foreground.look(at, picture)
        if not read:
            return
        size: tuple[int, int] = (picture.shape[1], picture.shape[0])
        light = light_of(picture)
        plates = [one.corners.tolist() for _, one in read]
        for place, (number, one) in enumerate(read):
            seen = self._seen.setdefault(number, _Seen())
            seen.bodies[at] = body_of(plates[place], plates[:place] + plates[place + 1 :], moving.mask, size)
            if len(seen.bodies) > MOST_BOXES:
                del seen.bodies[next(iter(seen.bodies))]
            plate_colour = (one.kind.colour or "") if one.kind is not None else ""
            seen.colours.append(body_colour(picture, one.corners, light, plate_colour))

    def bodies(self, number: int) -> dict[int, Body]:
        """Where a vehicle was, by moment."""
        seen = self._seen.get(number)
        return {} if seen is None else dict(seen.bodies)

    def colour(self, number: int) -> BodyColour:
        """As far as it was seen by now."""
        seen = self._seen.get(number)
        return told_together(() if seen is None else tuple(seen.colours))

    def forget(self, number: int) -> None:
        """It has left."""
        self._seen.pop(number, None)
