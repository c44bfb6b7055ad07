"""How often the colour of a vehicle is told, and right, in rendered streets: `python -m benchmarks.body_colours`.

A street by day, by night and in the rain, each with paints of eleven names in several shades, compressed as cameras
send it; corners of plates are those of the truth, off by a random part of a plate as a locator's are, so that what is
measured is colours and not plates. Each vehicle counts once, by the vote of its looks (five a second, as a camera has
them). `told`: of all vehicles; `right`: of those that were told; `confusions`: what was told instead, the most frequent
first. Seeds from 100 on were never looked at while the bounds were set. One line of JSON.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from random import Random
from typing import Any

import numpy as np

from benchmarks.weathers import WEATHERS, film, main, whole
from safecity.vision.vehicles.colour import BodyColour, body_colour, light_of, told_together

LEAST_WIDTH = 60
"""Pixels of a plate's width from which on a vehicle is looked at."""


def measure(weather: str, seeds: range, seconds: int) -> dict[str, Any]:
    """The figures of one weather."""
    light, rain = WEATHERS[weather]
    looks: dict[tuple[int, str], list[BodyColour]] = defaultdict(list)
    true: dict[tuple[int, str], str] = {}
    took: list[float] = []
    for seed in seeds:
        dice = Random(seed)
        for _, picture, truth in film(seed, light, seconds, rain=rain):
            light_there = light_of(picture)
            for thing in truth.objects:
                if not thing.plate_box or thing.plate_box[2] < LEAST_WIDTH or not whole(thing.plate_box):
                    continue
                left, top, wide, high = thing.plate_box
                corners = np.array([[left, top], [left + wide, top], [left + wide, top + high], [left, top + high]])
                off = [[dice.gauss(0, 0.06 * high), dice.gauss(0, 0.06 * high)] for _ in range(4)]
                began = time.thread_time()
                seen = body_colour(picture, (corners + off).astype(np.float32), light_there)
                took.append(1000 * (time.thread_time() - began))
                looks[seed, thing.id].append(seen)
                true[seed, thing.id] = thing.colour
    told = {name: told_together(seen) for name, seen in looks.items()}
    said = {name: one for name, one in told.items() if one.colour}
    right = sum(one.colour == true[name] for name, one in said.items())
    sure = [one.sure for name, one in said.items() if one.colour == true[name]]
    wrong = Counter(f"{true[name]} as {one.colour}" for name, one in said.items() if one.colour != true[name])
    return {
        "weather": weather,
        "vehicles": len(told),
        "told": round(len(said) / max(len(told), 1), 3),
        "right": round(right / max(len(said), 1), 3),
        "sure_right_p50": round(float(np.median(sure or [0])), 2),
        "sure_wrong_max": max((one.sure for name, one in said.items() if one.colour != true[name]), default=0.0),
        "doubts": dict(Counter(f"{true[name]}: {one.doubt}" for name, one in told.items() if not one.colour)),
        "confusions": dict(wrong.most_common(8)),
        "cpu_ms_look_p50": round(float(np.median(took)), 2),
    }


if __name__ == "__main__":
    main(__doc__, measure)
