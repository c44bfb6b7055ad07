"""How often the colour of a vehicle is told, and right, in rendered streets: `python -m benchmarks.body_colours`.

A street by day, by night and in the rain, each with paints of eleven names in several shades, compressed as cameras
send it; corners of plates are those of the truth, off by a random part of a plate as a locator's are, so that what is
measured is colours and not plates. Each vehicle counts once, by the vote of its looks (five a second, as a camera has
them). `told`: of all vehicles; `right`: of those that were told; `confusions`: what was told instead, the most frequent
first. Seeds from 100 on were never looked at while the bounds were set. One line of JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter, defaultdict
from fractions import Fraction
from random import Random
from typing import Any

import av
import cv2
import numpy as np

from benchmarks.all import cpu_name
from safecity.kit.clock import SECOND_US
from safecity.sim.scene.street import DAY, NIGHT, Street
from safecity.vision.vehicles.colour import BodyColour, body_colour, light_of, told_together

PAINTS: dict[tuple[int, int, int], str] = {
    (245, 245, 245): "white", (225, 230, 232): "white", (210, 215, 215): "white",
    (28, 26, 26): "black", (45, 42, 40): "black", (58, 56, 55): "black",
    (165, 165, 165): "grey", (130, 128, 125): "grey", (110, 112, 112): "grey", (150, 155, 160): "grey",
    (40, 40, 190): "red", (30, 25, 140): "red", (60, 50, 215): "red",
    (170, 90, 30): "blue", (130, 60, 25): "blue", (200, 130, 60): "blue",
    (60, 200, 240): "yellow", (60, 150, 200): "yellow", (40, 175, 225): "yellow",
    (90, 130, 60): "green", (70, 110, 35): "green", (110, 190, 90): "green",
    (30, 110, 235): "orange", (50, 125, 240): "orange",
    (45, 70, 100): "brown", (35, 60, 85): "brown",
    (140, 60, 110): "purple", (110, 45, 95): "purple",
    (170, 150, 60): "cyan", (190, 190, 90): "cyan",
    (185, 150, 235): "pink", (165, 130, 225): "pink",
}  # fmt: skip
WIDTH, HEIGHT, FPS = 1280, 720, 5
LEAST_WIDTH = 60
"""Pixels of a plate's width from which on a vehicle is looked at."""
WEATHERS = {"day": (DAY, False), "night": (NIGHT, False), "rain": (DAY, True), "rain_night": (NIGHT, True)}


def film(seed: int, light: float, seconds: int, *, rain: bool) -> Any:
    """(moment, picture, truth) as they come out of an H.264 decoder."""
    street = Street(seed=seed, channel=1, light=light, rain=rain, paints=PAINTS)
    start = 1_790_000_000 * SECOND_US
    coder: Any = av.CodecContext.create("libx264", "w")
    coder.width, coder.height, coder.pix_fmt, coder.bit_rate = WIDTH, HEIGHT, "yuv420p", 3_000_000
    coder.time_base, coder.options = Fraction(1, FPS), {"preset": "veryfast", "tune": "zerolatency"}
    decoder: Any = av.CodecContext.create("h264", "r")
    for number in range(seconds * FPS):
        at = start + number * SECOND_US // FPS
        frame: Any = av.VideoFrame.from_ndarray(
            street.render(at, WIDTH, HEIGHT).buffer.reshape(-1, WIDTH), format="yuv420p"
        )
        frame.pts = number
        for packet in coder.encode(frame):
            for shown in decoder.decode(packet):
                moment = start + shown.pts * SECOND_US // FPS
                yield moment, shown.to_ndarray(format="bgr24"), street.truth(moment, WIDTH, HEIGHT)


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


def whole(box: tuple[int, int, int, int]) -> bool:
    left, top, wide, high = box
    return left >= 0 and top >= 0 and left + wide <= WIDTH and top + high <= HEIGHT * 14 // 15


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--streets", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--weather", choices=tuple(WEATHERS), action="append")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    seeds = range(options.first_seed, options.first_seed + options.streets)
    results = [measure(name, seeds, options.seconds) for name in options.weather or WEATHERS]
    print(json.dumps({"weathers": results, "cpu": cpu_name()}, ensure_ascii=False))


if __name__ == "__main__":
    main()
