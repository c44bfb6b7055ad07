"""What kill -9 costs: `python -m benchmarks.crash --kills 50`.

A process records streams in real time; it is killed at a random moment, started again, and what it had recorded is
compared with what had been offered until the kill. `max_lost_seconds`: the longest tail that is not there afterwards;
`unplayable`: chunks that cannot be read, or runs that do not begin with a key frame; `index_mismatches`: what a deep
check of index against media finds, after the kills and again after the index was thrown away and rebuilt.

Then the same in a whole platform under load (`crash_slot.py`): `hole_p95_seconds` of the streams of a killed media
slot, `invited_again` (cameras asked anew), `others_hole_max_seconds`. `--slot-kills 0` leaves that out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from uuid import UUID

from benchmarks.crash_slot import measure_slots
from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.clock import SystemClock
from safecity.kit.errors import SafecityError
from safecity.kit.ids import show
from safecity.media.record.check import check_shelf
from safecity.media.record.reading import Archive, ChunkRef
from safecity.media.record.recorder import Recorder
from safecity.media.record.recover import recover_shelf
from safecity.model.facts.media_calls import RecordPolicy, VolumeSpec
from safecity.model.values.media import VIDEO, Codec, Quality, StreamKey, Unit, VideoParameters

SPS = bytes.fromhex("67640028acd940780227e5c044000003000400000300ca3c60c658")
PARAMETERS = VideoParameters(Codec.H264, 1920, 1080, (SPS, bytes.fromhex("68ebecb22c")), "avc1.640028")
FPS = 25


def keys(count: int) -> list[StreamKey]:
    """The same streams in every life."""
    return [StreamKey(show("ch", UUID(int=number + 1)), Quality.MAIN) for number in range(count)]


def specs(folder: Path, layout: str) -> list[VolumeSpec]:
    (folder / "volume").mkdir(exist_ok=True)
    return [VolumeSpec("volume", str(folder / "volume"), layout=layout, extent_bytes=16 << 20)]


def write(folder: Path, streams: int, layout: str) -> None:
    """Record until killed; one line on stdout when the volumes are open and pictures flow."""
    recorder = Recorder(
        0, specs(folder, layout), clock=SystemClock(), open_sql=open_file, memory=folder / "volumes.json"
    )
    recorder.start()
    readers = [recorder.open(key, RecordPolicy(), 1) for key in keys(streams)]
    noise = random.Random(1).randbytes(400_000)
    began, number = time.monotonic(), 0
    while True:
        dts = 90_000 + number * 3600
        is_key = number % 50 == 0
        for at, reader in enumerate(readers):
            size = 24_000 if is_key else 4_500 + (number * 37 + at * 101) % 2_000
            now = time.time_ns() // 1000
            data = number.to_bytes(4, "big") + noise[at * 100 : at * 100 + size]
            reader.offer(Unit(VIDEO, data, dts, dts, is_key, False, now, PARAMETERS))
        if number == 25:
            print("flowing", flush=True)
        number += 1
        time.sleep(max(0.0, began + number / FPS - time.monotonic()))


def broken(archive: Archive, refs: list[ChunkRef]) -> int:
    """Chunks that cannot be played: unreadable, unparsable, or a run that does not begin with a key frame."""
    bad, last_run = 0, 0
    for ref in refs:
        try:
            units = archive.units(ref)
        except SafecityError:
            bad += 1
            continue
        if not units or (last_run and ref.run != last_run and not units[0].is_key):
            bad += 1
        last_run = ref.run
    return bad


def measure(kills: int, streams: int, layout: str, folder: Path, seed: int) -> dict[str, object]:
    chance = random.Random(seed)
    lost: list[float] = []
    unplayable = mismatches = 0
    restarts: list[float] = []
    command = [sys.executable, "-m", "benchmarks.crash", "--write", str(folder), "--streams", str(streams)]
    command += ["--layout", layout]
    shelf = folder / "volume" / "shelf-0"
    killed_at = 0
    for kill in range(kills + 1):
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        restarts.append(time.monotonic() - began)
        archive = Archive(lambda: [folder / "volume"], open_reader)
        if killed_at:
            for key in keys(streams):
                tail = archive.chunks(key.channel, killed_at - 6_000_000, killed_at)
                lost.append((killed_at - tail[-1].end) / 1e6 if tail else 6.0)
                unplayable += broken(archive, tail)
        archive.close()
        if kill < kills:
            time.sleep(chance.uniform(0.3, 2.5))
        os.kill(process.pid, signal.SIGKILL)
        killed_at = time.time_ns() // 1000
        process.wait()
        process.stdout.close()
    settle = Recorder(0, specs(folder, layout), clock=SystemClock(), open_sql=open_file, memory=folder / "volumes.json")
    settle.turn()
    settle.close()
    mismatches += check_shelf(shelf, open_reader).mismatches
    archive = Archive(lambda: [folder / "volume"], open_reader)
    everything = {key: archive.chunks(key.channel, 0, 1 << 60) for key in keys(streams)}
    unplayable += sum(broken(archive, refs) for refs in everything.values())
    archive.close()
    for path in shelf.glob("index.db*"):
        path.unlink()
    began = time.process_time()
    recovered = recover_shelf(shelf, open_file, now_us=time.time_ns() // 1000)
    recover_cpu = time.process_time() - began
    mismatches += check_shelf(shelf, open_reader).mismatches
    archive = Archive(lambda: [folder / "volume"], open_reader)
    for key, refs in everything.items():
        again = archive.chunks(key.channel, 0, 1 << 60)
        mismatches += sum(
            (one.start, one.payload) != (two.start, two.payload) for one, two in zip(refs, again, strict=False)
        )
        mismatches += abs(len(refs) - len(again))
    archive.close()
    lost.sort()
    restarts.sort()
    return {
        "kills": kills,
        "streams": streams,
        "layout": layout,
        "max_lost_seconds": round(lost[-1], 3),
        "median_lost_seconds": round(lost[len(lost) // 2], 3),
        "unplayable": unplayable,
        "index_mismatches": mismatches,
        "chunks": recovered.chunks,
        "restart_p50_seconds": round(restarts[len(restarts) // 2] - 1.0, 2),
        "recover_cpu_seconds": round(recover_cpu, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--streams", type=int, default=16)
    parser.add_argument("--slot-kills", type=int, default=None, help="of a slot of a whole platform (default: --kills)")
    parser.add_argument("--slot-streams", type=int, default=24)
    parser.add_argument("--layout", default="auto", choices=["auto", "channel", "shared"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--directory", default=None, help="where to record (default: the temporary directory)")
    parser.add_argument("--write", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(Path(options.write), options.streams, options.layout)
        return
    with tempfile.TemporaryDirectory(dir=options.directory) as folder:
        result = measure(options.kills, options.streams, options.layout, Path(folder), options.seed)
    slot_kills = options.kills if options.slot_kills is None else options.slot_kills
    if slot_kills:
        with tempfile.TemporaryDirectory(dir=options.directory) as folder:
            result |= measure_slots(slot_kills, options.slot_streams, Path(folder), options.seed)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
