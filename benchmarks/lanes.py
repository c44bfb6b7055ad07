"""Lanes, whole vehicles and unread ones in rendered streets: `python -m benchmarks.lanes`.

A street of four lanes, each with a zone, by day, by night and in the rain, looked at five times a second by what a
camera of the platform has; every other plate is dirty, the others are read at once (what readers do is measured by
`benchmarks.plates_film`). `lane_right` of vehicles that were told with a plate, `lane_none` of them; `box_overlap_p50`
and `_p10`: intersection over union of the whole vehicle in its best picture with the truth; `box_guessed`: boxes that
say no more than the plate's size; `unread_found` of the dirty ones that were in a zone in five pictures or more,
`unread_extra`: told beside them, as a share of those. One line of JSON.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import numpy as np

from benchmarks.weathers import HEIGHT, WEATHERS, WIDTH, film, main, whole
from safecity.model.facts.vision_calls import LaneZone
from safecity.sim.scene.street import LANES, TruthObject
from safecity.sim.scene.world import GROUND, VANISH, VIEW
from safecity.vision.enforcement.geometry import inside
from safecity.vision.plates.recognise import PlateRead, SignRead
from safecity.vision.plates.watching import Passed, PassedUnread, PlateWatch
from safecity.vision.vehicles.bodies import PLATE

LEAST_WIDTH = 50
"""Pixels of a plate that is read."""


def zone(offset: float, number: int) -> LaneZone:
    """A lane of the street from its back to the front of the picture."""
    ends = ((-160.0, 0.3), (160.0, 0.3), (160.0, 0.98), (-160.0, 0.98))
    corners = (
        ((VANISH[0] + (offset + aside) * scale) / VIEW[0], (VANISH[1] + GROUND * scale) / VIEW[1])
        for aside, scale in ends
    )
    area = tuple((min(max(x, 0.0), 1.0), min(y, 1.0)) for x, y in corners)
    return LaneZone(number, area, unread=True)


ZONES = tuple(zone(lane.offset, lane.number + 1) for lane in LANES)


class Truthful:
    """Stands for a recogniser: reads what the truth of a picture says."""

    second = None
    networks = ()

    def __init__(self) -> None:
        self.now: list[TruthObject] = []

    def frame(self, picture: Any, opinions: int = 0) -> list[PlateRead]:
        return [_read(one) for one in self.now if legible(one) and not dirty(one)]

    def read(self, picture: Any, found: Any) -> list[PlateRead]:
        return []


def legible(thing: TruthObject) -> bool:
    return thing.plate_box is not None and thing.plate_box[2] >= LEAST_WIDTH and whole(thing.plate_box)


def dirty(thing: TruthObject) -> bool:
    return sum(map(ord, thing.plate)) % 2 == 0


def _read(thing: TruthObject) -> PlateRead:
    assert thing.plate_box is not None
    left, top, wide, high = thing.plate_box
    corners = np.array([[left, top], [left + wide, top], [left + wide, top + high], [left, top + high]], np.float32)
    signs = tuple(SignRead(sign, 0.98, corners) for sign in thing.plate)
    return PlateRead(thing.plate, 0.9, None, corners, 0.0, 1, signs, (), 0.9, written=True, doubtful=False)


def overlap(box: tuple[float, ...], thing: TruthObject) -> float:
    left, top, wide, high = thing.box
    true = max(left, 0), max(top, 0), min(left + wide, WIDTH), min(top + high, HEIGHT)
    told = box[0] * WIDTH, box[1] * HEIGHT, box[2] * WIDTH, box[3] * HEIGHT
    across, tall = min(true[2], told[2]) - max(true[0], told[0]), min(true[3], told[3]) - max(true[1], told[1])
    both = max(across, 0.0) * max(tall, 0.0)
    return both / (sum((one[2] - one[0]) * (one[3] - one[1]) for one in (true, told)) - both)


def measure(weather: str, seeds: range, seconds: int) -> dict[str, Any]:
    light, rain = WEATHERS[weather]
    counts: Counter[str] = Counter()
    shares: list[float] = []
    took: list[float] = []
    for seed in seeds:
        reader: Any = Truthful()
        watch = PlateWatch(reader, zones=ZONES)
        passed, unread = list[Passed](), list[PassedUnread]()
        places: dict[tuple[str, int], TruthObject] = {}
        lanes: dict[str, int] = {}
        missing: dict[tuple[str, int], list[int]] = {}
        for at, picture, truth in film(seed, light, seconds, rain=rain):
            reader.now = [one for one in truth.objects if one.plate]
            for one in reader.now:
                places[one.plate, at], lanes[one.plate] = one, int(one.id.split("-")[0]) + 1
                foot = (one.box[0] + one.box[2] / 2) / WIDTH, (one.box[1] + one.box[3]) / HEIGHT
                if dirty(one) and inside(ZONES[lanes[one.plate] - 1].area, foot):
                    missing.setdefault((one.plate, lanes[one.plate]), []).append(at)
            began = time.thread_time()
            passed += watch.look(at, picture)
            took.append(1000 * (time.thread_time() - began))
            unread += watch.unread()
        passed += watch.end()
        unread += watch.unread()
        for one in passed:
            counts["told"] += 1
            counts["lane_right"] += one.lane == lanes[one.seen.text]
            counts["lane_none"] += one.lane is None
            assert one.body is not None
            counts["guessed"] += one.body.found_by == PLATE
            shares.append(overlap(one.body.box, places[one.seen.text, one.at]))
        left = list(unread)
        for (_, lane), moments in missing.items():
            fits = [
                each for each in left if each.lane == lane and each.first <= moments[-1] and each.last >= moments[0]
            ]
            if fits:
                left.remove(fits[0])
            if len(moments) >= 5:
                counts["dirty"] += 1
                counts["found"] += bool(fits)
        counts["extra"] += len(left)
    return {
        "weather": weather,
        "told": counts["told"],
        "lane_right": round(counts["lane_right"] / max(counts["told"], 1), 3),
        "lane_none": round(counts["lane_none"] / max(counts["told"], 1), 3),
        "box_overlap_p50": round(float(np.median(shares or [0])), 3),
        "box_overlap_p10": round(float(np.percentile(shares or [0], 10)), 3),
        "box_guessed": round(counts["guessed"] / max(counts["told"], 1), 3),
        "dirty": counts["dirty"],
        "unread_found": round(counts["found"] / max(counts["dirty"], 1), 3),
        "unread_extra": round(counts["extra"] / max(counts["dirty"], 1), 3),
        "cpu_ms_look_p50": round(float(np.median(took)), 2),
    }


if __name__ == "__main__":
    main(__doc__, measure)
