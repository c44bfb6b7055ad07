"""How quickly footage is found: `python -m benchmarks.timeline` (30 days of 1,000 channels in one index).

The index is built directly, hour by hour over all channels, so that its pages lie as recording would have laid them.
`day_p95_ms`: the timeline of one channel and one day, index warm; `cold_day_p95_ms`: with the page cache of the index
dropped and a fresh connection; `seek_p95_ms`: through the API of a whole platform, from the request to the picture at
the socket (see `benchmarks.timeline_api`); `seek_again_p95_ms`: within an open playback; `day_api_p95_ms`: the timeline
through the API; `seek_store_p95_ms`: key frame before a moment, the chunks after it, the init segment, the first chunk
read from the disk, verified and parsed. Packs (the chunk lists) are built for `--pack-channels` channels only, the ones
that are sought in; the timeline does not read them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from benchmarks.timeline_api import measure_api
from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.clock import FakeClock
from safecity.kit.ids import show
from safecity.media.record.reading import Archive
from safecity.media.record.recorder import Recorder
from safecity.media.record.rows import unpack
from safecity.model.facts.media_calls import RecordPolicy, VolumeSpec
from safecity.model.values.media import Codec, Quality, StreamKey, Unit, VideoParameters

SPS = bytes.fromhex("67640028acd940780227e5c044000003000400000300ca3c60c658")
PARAMETERS = VideoParameters(Codec.H264, 1920, 1080, (SPS, bytes.fromhex("68ebecb22c")), "avc1.640028")
START = 1_700_006_400_000_000
"""A midnight in China."""
DAY_US = 86_400_000_000
SHAPE = "a minute of footage"
"""What lies in a folder of an earlier run; another word, and it is built anew."""


def channel(number: int) -> str:
    return show("ch", UUID(int=number + 1))


def build(folder: Path, days: int, channels: int, pack_channels: int) -> None:
    """A volume with one real minute of footage, to which every row of the index points.

    A pack counts from its minute, so the recorder's own serves for every minute of every channel.
    """
    (folder / "volume").mkdir(parents=True)
    clock = FakeClock(START)
    spec = VolumeSpec("volume", str(folder / "volume"), layout="channel", max_bytes=1 << 30, extent_bytes=64 << 20)
    recorder = Recorder(0, [spec], clock=clock, open_sql=open_file)
    recorder.turn()
    reader = recorder.open(StreamKey(channel(0), Quality.MAIN), RecordPolicy(), 1)
    noise = random.Random(1).randbytes(80_000)
    for number in range(62 * 25):
        is_key = number % 50 == 0
        dts = 90_000 + number * 3600
        reader.offer(Unit(0, noise if is_key else noise[:8_500], dts, dts, is_key, False, clock.now_us(), PARAMETERS))
        clock.advance(0.04)
        if number % 25 == 24:
            recorder.turn()
    recorder.close()
    sql = sqlite3.connect(folder / "volume" / "shelf-0" / "index.db", isolation_level=None)
    for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -400000"):
        sql.execute(f"PRAGMA {pragma}")
    first = START // 60_000_000
    (chunks,) = sql.execute("SELECT chunks FROM pack WHERE minute = ?", (first,)).fetchone()
    assert 58 <= len(list(unpack(chunks, first))) <= 60
    for table in ("minute", "pack", "digest"):
        sql.execute(f"DELETE FROM {table}")
    sql.execute("BEGIN")
    sql.executemany(
        "INSERT OR IGNORE INTO channel VALUES (?, ?, 0)", ((no + 1, UUID(int=no + 1).bytes) for no in range(channels))
    )
    for hour in range(days * 24):
        base = first + hour * 60
        sql.executemany(
            "INSERT INTO minute VALUES (?, ?, 0, 60000, ?, 0)",
            (
                (no + 1, base + minute, 15_000_000 + (no * 7919 + minute * 31) % 100_000)
                for no in range(channels)
                for minute in range(60)
                if (no + hour * 7) % 200 or minute not in (20, 21)  # now and then two minutes are missing
            ),
        )
        sql.executemany(
            "INSERT INTO pack VALUES (?, ?, ?)",
            ((no + 1, base + minute, chunks) for no in range(pack_channels) for minute in range(60)),
        )
    for no in range(channels):
        sql.executemany(
            "INSERT OR IGNORE INTO gap VALUES (?, ?, ?, 'network', '')",
            (
                (no + 1, START + (hour * 60 + 20) * 60_000_000, START + (hour * 60 + 22) * 60_000_000)
                for hour in range(days * 24)
                if not (no + hour * 7) % 200
            ),
        )
    sql.execute("COMMIT")
    sql.close()
    (folder / "built").write_text(SHAPE)


def forget(path: Path) -> None:
    """Out of the page cache with it."""
    for one in path.glob("index.db*"):
        descriptor = os.open(one, os.O_RDONLY)
        os.fdatasync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def p(values: list[float], share: float) -> float:
    values.sort()
    return round(values[min(len(values) - 1, int(len(values) * share))], 2)


def measure(folder: Path, days: int, channels: int, pack_channels: int, samples: int) -> dict[str, object]:
    chance = random.Random(7)
    volume = folder / "volume"
    archive = Archive(lambda: [volume], open_reader)

    def day(reader: Archive) -> float:
        start = START + chance.randrange(days) * DAY_US
        began = time.perf_counter()
        found = reader.timeline(channel(chance.randrange(channels)), start, start + DAY_US)
        spent = (time.perf_counter() - began) * 1000
        assert found.pieces
        return spent

    for _ in range(min(samples, 50)):
        day(archive)
    warm = [day(archive) for _ in range(samples)]
    cold: list[float] = []
    for _ in range(max(10, samples // 5)):
        forget(volume / "shelf-0")
        fresh = Archive(lambda: [volume], open_reader)
        cold.append(day(fresh))
        fresh.close()
    seeks: list[float] = []
    for _ in range(samples):
        name = channel(chance.randrange(pack_channels))
        at = START + chance.randrange(60_000_000, days * DAY_US - 60_000_000)
        began = time.perf_counter()
        ref = archive.key_before(name, at)
        assert ref is not None
        archive.chunks(name, ref.start, ref.start + 4_000_000)
        archive.init_of(ref)
        archive.units(ref)
        seeks.append((time.perf_counter() - began) * 1000)
    month = [_timed(lambda: archive.days(channel(5 % channels), START, START + days * DAY_US)) for _ in range(10)]
    archive.close()
    size = (volume / "shelf-0" / "index.db").stat().st_size
    return {
        "days": days,
        "channels": channels,
        "day_p95_ms": p(warm, 0.95),
        "day_p50_ms": p(warm, 0.5),
        "cold_day_p95_ms": p(cold, 0.95),
        "seek_store_p95_ms": p(seeks, 0.95),
        "seek_store_p50_ms": p(seeks, 0.5),
        "calendar_p95_ms": p(month, 0.95),
        "index_mb": round(size / 1e6),
        "pack_channels": pack_channels,
    }


def _timed(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return (time.perf_counter() - began) * 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--channels", type=int, default=1000)
    parser.add_argument("--pack-channels", type=int, default=10)
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--directory", default="build", help="where the index is built, and kept for the next time")
    options = parser.parse_args()
    packs = min(options.pack_channels, options.channels)
    folder = Path(options.directory) / f"timeline-{options.days}x{options.channels}x{packs}"
    mark = folder / "built"
    if not mark.exists() or mark.read_text() != SHAPE:
        shutil.rmtree(folder, ignore_errors=True)
        build(folder, options.days, options.channels, packs)
    found = measure(folder, options.days, options.channels, packs, options.samples)
    names = [channel(number) for number in range(options.channels)]
    api = measure_api(folder / "volume", names, packs, START, options.days, options.samples)
    found |= {
        "seek_p95_ms": p(api["seek"], 0.95),
        "seek_p50_ms": p(api["seek"], 0.5),
        "seek_again_p95_ms": p(api["again"], 0.95),
        "day_api_p95_ms": p(api["day"], 0.95),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
