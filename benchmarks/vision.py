"""How many cameras one core reads plates for: `python -m benchmarks.vision [--seconds 30] [--fps 5]`.

A street of 1280 x 720 in H.264 at 25 pictures a second, as a camera sends it, goes through the very parts of a vision
slot: the decoding child with its motion gate, then locating, reading and voting on what it shows. CPU time, decoding
and analysis apart: `decode_ms_per_second` of the child for each second of the stream, `look_ms` for each picture that
was looked at, `looked_per_second`, `still_ratio` of those due that the gate held back, and `streams_per_core` = a
second over what a second of one stream costs. One line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time

from benchmarks.all import cpu_name
from safecity.backends.inference import OnnxInference
from safecity.kit.clock import SECOND_US
from safecity.model.values.media import VIDEO, Unit
from safecity.protocols.pictures import pictures_for
from safecity.sim.encode import VideoEncoder, VideoSpec
from safecity.sim.scene.street import Street
from safecity.vision.live.decoder import LiveDecoder
from safecity.vision.plates.recognise import open_recogniser
from safecity.vision.plates.watching import PlateWatch

START_US = 1_790_000_000 * SECOND_US
AHEAD = 12
"""Units given before a picture is taken: a camera sends no faster than it sees."""


def street(spec: VideoSpec, seconds: float) -> list[Unit]:
    """Access units as the media plane hands them on."""
    scene = Street(seed=7, channel=1, title="Benchmark", light=1.0)
    encoder, pictures = VideoEncoder(spec), pictures_for(spec.codec)
    units: list[Unit] = []
    for number in range(round(seconds * spec.fps)):
        at = START_US + number * SECOND_US // spec.fps
        coded = encoder.encode(scene.render(at, spec.width, spec.height), at)
        picture = None if coded is None else pictures.convert(coded.data, 0, len(coded.data))
        assert picture is not None
        assert pictures.parameters is not None
        units.append(Unit(VIDEO, picture[0], at * 9 // 100, at * 9 // 100, picture[1], False, at, pictures.parameters))
    return units


async def measure(units: list[Unit], seconds: float, fps: float) -> dict[str, float | int]:
    """One stream through the parts of a slot."""
    watch = PlateWatch(open_recogniser(OnnxInference(1), countries=frozenset({"cn"})))
    live = LiveDecoder("benchmark", fps)
    running = asyncio.create_task(live.run())
    looked, spent, vehicles = 0, 0.0, 0
    last = units[-1].arrived_us - SECOND_US
    for start in range(0, len(units), AHEAD):
        for unit in units[start : start + AHEAD]:
            live.offer(unit)
        wanted = min(units[min(start + AHEAD, len(units)) - 1].arrived_us - SECOND_US, last)
        while live.figures.at < wanted:
            try:
                shown = await asyncio.wait_for(live.picture(), 0.05)
            except TimeoutError:
                continue
            began = time.thread_time()
            vehicles += len(watch.look(shown.at, shown.picture))
            spent += time.thread_time() - began
            looked += 1
    vehicles += len(watch.end())
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    figures = live.figures
    decode = figures.cpu_seconds / seconds
    due = figures.shown + figures.still
    look = spent / max(looked, 1)
    per_second = decode + spent / seconds
    return {
        "streams_per_core": round(1 / per_second, 2),
        "decode_ms_per_second": round(1000 * decode, 1),
        "look_ms": round(1000 * look, 2),
        "looked_per_second": round(looked / seconds, 2),
        "still_ratio": round(figures.still / max(due, 1), 3),
        "pictures_missed": figures.missed,
        "vehicles": vehicles,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--fps", type=float, default=5.0)
    options = parser.parse_args()
    spec = VideoSpec(width=1280, height=720, fps=25, kbps=2000, gop_seconds=2.0)
    found = asyncio.run(measure(street(spec, options.seconds), options.seconds, options.fps))
    said = {"stream": "1280x720 H.264 25 fps 2 Mbit/s", "analysed_fps": options.fps, "cpu": cpu_name()}
    print(json.dumps({**found, **said}))


if __name__ == "__main__":
    main()
