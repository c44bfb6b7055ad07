"""Rendered streets by day, by night and in the rain, as cameras send them: what is measured in them says so itself."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import cv2

from benchmarks.all import cpu_name
from safecity.kit.clock import SECOND_US
from safecity.sim.scene.street import DAY, NIGHT, Street

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
WEATHERS = {"day": (DAY, False), "night": (NIGHT, False), "rain": (DAY, True), "rain_night": (NIGHT, True)}


def film(seed: int, light: float, seconds: int, *, rain: bool, pace: float = 1.0) -> Any:
    """(moment, picture, truth) as they come out of an H.264 decoder; in the street time runs at this `pace`."""
    street = Street(seed=seed, channel=1, light=light, rain=rain, paints=PAINTS)
    start = 1_790_000_000 * SECOND_US
    coder: Any = av.CodecContext.create("libx264", "w")
    coder.width, coder.height, coder.pix_fmt, coder.bit_rate = WIDTH, HEIGHT, "yuv420p", 3_000_000
    coder.time_base, coder.options = Fraction(1, FPS), {"preset": "veryfast", "tune": "zerolatency"}
    decoder: Any = av.CodecContext.create("h264", "r")
    for number in range(seconds * FPS):
        at = start + round(number * pace * SECOND_US / FPS)
        frame: Any = av.VideoFrame.from_ndarray(
            street.render(at, WIDTH, HEIGHT).buffer.reshape(-1, WIDTH), format="yuv420p"
        )
        frame.pts = number
        for packet in coder.encode(frame):
            for shown in decoder.decode(packet):
                moment, there = (start + round(shown.pts * each * SECOND_US / FPS) for each in (1.0, pace))
                yield moment, shown.to_ndarray(format="bgr24"), street.truth(there, WIDTH, HEIGHT)


def whole(box: tuple[int, int, int, int]) -> bool:
    """Whether a vehicle is all in the picture, above the line of writing."""
    left, top, wide, high = box
    return left >= 0 and top >= 0 and left + wide <= WIDTH and top + high <= HEIGHT * 14 // 15


def main(doc: str | None, measure: Callable[[str, range, int], dict[str, Any]]) -> None:
    """The command line of a measurement: weather, seeds of streets, seconds of each. One line of JSON."""
    parser = argparse.ArgumentParser(description=(doc or "").splitlines()[0])
    parser.add_argument("--first-seed", type=int, default=100)
    parser.add_argument("--streets", type=int, default=4)
    parser.add_argument("--seconds", type=int, default=40)
    parser.add_argument("--weather", choices=tuple(WEATHERS), action="append")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    seeds = range(options.first_seed, options.first_seed + options.streets)
    results = [measure(name, seeds, options.seconds) for name in options.weather or WEATHERS]
    print(json.dumps({"weathers": results, "cpu": cpu_name()}, ensure_ascii=False))
