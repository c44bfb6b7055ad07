"""How much footage a search for movement looks through: `python -m benchmarks.movement [--minutes 60] [--fps 25]`.

A street of 1280 x 720 in H.264 with a key frame every two seconds is recorded by the real recorder (the same 20 s again
and again, on a clock of its own), and then searched as a vision slot does: reading and checking the chunks from the
shelf, decoding key frames in the child, comparing, keeping. CPU time of the slot and its child together, for each
minute of it: `hours_first` hours of footage looked through the first time, `hours_kept` from kept heat maps;
`ms_per_frame` of the first time, `kept_bytes_per_hour` on the disk, `page_seconds_worst` the longest that anybody
else waits for a turn. One line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import tempfile
import time
from pathlib import Path

from benchmarks.all import cpu_name
from benchmarks.vision import street
from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.clock import SECOND_US, FakeClock, SystemClock
from safecity.kit.ids import fresh
from safecity.media.playback.keys import ShelfKeys
from safecity.media.record.recorder import TURN_SECONDS, Recorder
from safecity.model.facts.media_calls import RecordPolicy, VolumeSpec
from safecity.model.facts.vision_calls import MovementFound, SearchMovement
from safecity.model.values.media import Quality, StreamKey
from safecity.sim.encode import VideoSpec
from safecity.vision.movement.kept import KeptMaps
from safecity.vision.movement.search import MovementSearch

DRAWN_SECONDS = 20.0
ROAD = (0.05, 0.35, 0.95, 0.9)
CROSSING = (0.3, 0.7, 0.7, 0.9)


def record(folder: Path, spec: VideoSpec, minutes: float) -> tuple[StreamKey, int, int]:
    """The stream, and when its footage begins and ends."""
    drawn = street(spec, DRAWN_SECONDS)
    clock = FakeClock()
    volume = VolumeSpec("bench", str(folder), layout="channel", max_bytes=64 << 30)
    recorder = Recorder(0, (volume,), clock=clock, open_sql=open_file, memory=folder / "volumes.json")
    recorder.turn()
    key = StreamKey(fresh("ch"), Quality.MAIN)
    stream = recorder.open(key, RecordPolicy(), 1)
    begin, due, step = clock.now_us(), 0.0, SECOND_US // round(spec.fps)
    for number in range(round(minutes * 60 * spec.fps)):
        unit, dts = drawn[number % len(drawn)], number * step * 9 // 100
        stream.offer(unit._replace(pts=dts, dts=dts, arrived_us=clock.now_us()))
        clock.advance(1 / spec.fps)
        if clock.monotonic() >= due:
            due = clock.monotonic() + TURN_SECONDS
            recorder.turn()
    recorder.close()
    return key, begin, clock.now_us()


def spent() -> float:
    """CPU seconds of this process and of the children that have ended."""
    return sum(one.ru_utime + one.ru_stime for one in map(resource.getrusage, _WHO))


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


async def look(
    search: MovementSearch, key: StreamKey, folder: Path, start: int, end: int, region: tuple[float, ...]
) -> tuple[list[MovementFound], float, float]:
    """All pages, CPU seconds, and the longest page."""
    left, top, right, bottom = region
    ask = SearchMovement(key.channel, key.quality, start, end, (str(folder),), ((left, top, right, bottom),))
    pages: list[MovementFound] = []
    before, worst, at = spent(), 0.0, start
    while at:
        began = time.monotonic()
        ask = SearchMovement(ask.channel, ask.quality, at, end, ask.volumes, ask.regions)
        pages.append(await search.answer(ask))
        worst, at = max(worst, time.monotonic() - began), pages[-1].next
    return pages, spent() - before, worst


async def measure(folder: Path, spec: VideoSpec, minutes: float) -> dict[str, float | int]:
    """Once for the first time and once from what was kept."""
    key, start, end = record(folder, spec, minutes)
    maps = KeptMaps(open_file(folder / "maps.db"), SystemClock())
    search = MovementSearch(
        lambda volumes: ShelfKeys(volumes, open_reader), maps, SystemClock(), lambda _channel, _quality, _status: None
    )
    first, first_cpu, worst = await look(search, key, folder, start, end, ROAD)
    again, again_cpu, _ = await look(search, key, folder, start, end, CROSSING)
    frames = sum(one.frames for one in first)
    return {
        "frames": frames,
        "unreadable": sum(one.unreadable for one in first),
        "kept_share": round(sum(one.kept for one in again) / max(1, sum(one.frames for one in again)), 3),
        "hours_first": round(minutes / max(first_cpu, 1e-6), 2),
        "hours_kept": round(minutes / max(again_cpu, 1e-6), 1),
        "ms_per_frame": round(1000 * first_cpu / max(frames, 1), 2),
        "kept_bytes_per_hour": round(maps.bytes / minutes * 60),
        "page_seconds_worst": round(worst, 2),
        "finds": sum(len(one.found) for one in first),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--fps", type=int, default=25)
    options = parser.parse_args()
    spec = VideoSpec(width=1280, height=720, fps=options.fps, kbps=2000, gop_seconds=2.0)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), spec, options.minutes))
    said = {"stream": f"1280x720 H.264 {options.fps:g} fps 2 Mbit/s, a key frame each 2 s", "cpu": cpu_name()}
    print(json.dumps({**found, **said}))


if __name__ == "__main__":
    main()
