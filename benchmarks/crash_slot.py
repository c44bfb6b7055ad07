"""What a killed media slot leaves behind in a whole platform under load: the second half of `benchmarks.crash`.

Simulated cameras send to a platform with several slots, all recorded. Again and again one slot is killed with -9. The
supervisor starts it anew on the same sockets; the cameras are not asked again. Measured from outside, by reading what
lies on the disk: `hole_*_seconds` is what is missing of each of its streams around the kill (what was not durable yet,
and what came before the next key frame), `again_*_seconds` how long after the kill its recording goes on.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.soak import admit, running
from benchmarks.whole import Platform, until
from safecity.backends.sqlitefile import open_reader
from safecity.media.record.reading import Archive
from safecity.sim.load import Load, LoadOptions

T = TypeVar("T")
SLOTS = 3
SPACING_SECONDS = 11.0
"""A slot is killed again after three of these: three deaths within a minute would move its channels."""
SETTLE_SECONDS = 8.0
SECOND = 1_000_000


class Cameras:
    """A load in a thread of its own."""

    def __init__(self, options: LoadOptions) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cameras", daemon=True)
        self._thread.start()
        self.load = Load(options)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def invites(self) -> int:
        async def count() -> int:
            return int(self.load.figures()["invites"])

        return self.run(count())

    def close(self) -> None:
        async def end() -> None:
            await self.load.stop()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.run(end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def holes(archive: Archive, channel: str, start: int, end: int) -> list[tuple[int, int]]:
    """What is missing within [start, end) microseconds, beyond what rounding explains."""
    found: list[tuple[int, int]] = []
    at = start
    for ref in archive.chunks(channel, start, end):
        if ref.start - at > 60_000:
            found.append((at, ref.start))
        at = max(at, ref.end)
    if end - at > 60_000:
        found.append((at, end))
    return found


def measure_slots(kills: int, streams: int, folder: Path, seed: int) -> dict[str, object]:
    """Kill slots of a whole platform, one after the other."""
    chance = random.Random(seed)
    platform = Platform(folder / "data", "--slots", str(SLOTS))
    cameras: Cameras | None = None
    missing: list[float] = []
    again: list[float] = []
    beyond: list[float] = []
    others: list[float] = []
    try:
        platform.start().setup()
        port = platform.state()["ports"]["sip-udp"]
        options = LoadOptions(host="127.0.0.1", port=port, count=streams)
        admit(platform, options)
        cameras = Cameras(options)
        cameras.run(cameras.load.start())
        until(lambda: len(running(platform)) == streams, "all streams run", 300)
        time.sleep(SETTLE_SECONDS)
        placed = {channel["id"]: channel["slot"] for channel in platform.channels()}
        invites, pids = cameras.invites(), duties(platform)
        archive = Archive(lambda: [platform.data / "volumes" / "main"], open_reader)
        for kill in range(kills):
            slot = f"media-{kill % SLOTS}"
            time.sleep(chance.uniform(0.0, 2.0))
            killed = time.time_ns() // 1000
            platform.kill(slot)
            time.sleep(SETTLE_SECONDS)
            for channel, where in placed.items():
                found = holes(archive, channel, killed - 4 * SECOND, killed + 5 * SECOND)
                if where != slot:
                    others.append(sum(end - start for start, end in found) / SECOND)
                    continue
                touching = [hole for hole in found if hole[0] <= killed + SECOND // 2 and hole[1] > killed - 3 * SECOND]
                missing.append(sum(end - start for start, end in touching) / SECOND)
                again.append((max((end for _, end in touching), default=killed) - killed) / SECOND)
                beyond.append((min((start for start, _ in touching), default=killed) - killed) / SECOND)
            time.sleep(max(0.0, SPACING_SECONDS - SETTLE_SECONDS - 1.0))
        archive.close()
        invited_again = cameras.invites() - invites
        restarted = sum(pids[name] != pid for name, pid in duties(platform).items() if not name.startswith("media"))
    finally:
        if cameras is not None:
            cameras.close()
        platform.stop()
    return {
        "slot_kills": kills,
        "slot_streams": streams,
        **spread("hole", missing),
        **spread("again", again),
        "ends_after_kill_max_seconds": round(max(beyond), 3),
        "others_hole_max_seconds": round(max(others, default=0.0), 3),
        "invited_again": invited_again,
        "others_restarted": restarted,
    }


def duties(platform: Platform) -> dict[str, int]:
    """Process by duty."""
    return {name: int(duty["pid"]) for name, duty in platform.state()["duties"].items()}


def spread(name: str, values: list[float]) -> dict[str, float]:
    """Median, 95th percentile and the worst."""
    ordered = sorted(values)
    return {
        f"{name}_p50_seconds": round(ordered[len(ordered) // 2], 3),
        f"{name}_p95_seconds": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 3),
        f"{name}_max_seconds": round(ordered[-1], 3),
    }
