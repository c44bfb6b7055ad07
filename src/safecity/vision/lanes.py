"""Which lane a vehicle drove in, where a camera looks at several: by zones drawn on its picture. Pure.

A zone is where the lane's road lies in the picture, and a vehicle is where it touches the road. It belongs to the lane
in whose zone it was seen most often: a wheel on the line and a plate that trembles change nothing. Who was in no zone,
or as often in one as in another, belongs to none: the passage is kept without a lane, for nobody would doubt a wrong
one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from safecity.model.facts.vision_calls import LaneZone
from safecity.vision.enforcement.geometry import Point, inside


def lane_of(zones: Sequence[LaneZone], feet: Iterable[Point]) -> int | None:
    """`feet`: where the vehicle touched the road in each picture, as shares of it."""
    seen = Counter(zone.number for foot in feet for zone in zones if inside(zone.area, foot))
    order = seen.most_common(2)
    if not order or (len(order) > 1 and order[0][1] == order[1][1]):
        return None
    return order[0][0]
