"""Looking for plates among the passages of a city.

    python -m benchmarks.search [--objects 1000000] [--queries 40] [--folder DIR]

A database is filled with passages of 200 checkpoints: half of the vehicles are seen again and again, the others a few
times. Plates are looked for as an operator looks, with rights, purpose and the record in the audit: with wildcards
(`plate_wildcard_p95_ms`), with what can be misread (`plate_near_p95_ms`), and the passages of one checkpoint within an
hour (`camera_time_p95_ms`). Last, passages are filed as cameras report them, in batches of 200, with their sightings
and events, made durable (`inserts_per_second`). `index_cpu_seconds` is what it takes to gather the distinct plates
(`plates`) into the matrix. Figures with `cpu` are of the processors and do not depend on what runs beside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import SqlDatabase, open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.access.api import Actor, Grant, Role
from safecity.core.ground.passages.api import Place, Sighting, Source, file
from safecity.core.ground.vehicles.api import PlateIndex, Vehicles, Wish
from safecity.kit.clock import SECOND_US
from safecity.kit.ids import fresh, new_id, parse

GATES = 200
BATCH = 200
NOW = 1_790_000_000 * SECOND_US
SPAN_US = 25 * 86_400 * SECOND_US
PART = 100_000
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
PROVINCES = "皖苏浙沪豫鲁赣鄂京粤"


def p95(values: list[float]) -> float:
    """In 95 of 100 it took no longer."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1)


def plate_of(vehicle: int) -> str:
    """The plate of a vehicle: two in three are of the city's own letters, as at home."""
    dice = Random(vehicle)
    head = "皖B" if dice.random() < 0.66 else f"{dice.choice(PROVINCES)}{dice.choice('ABCDEFGH')}"
    return head + "".join(dice.choice(LETTERS if dice.random() < 0.3 else "0123456789") for _ in range(5))


def fill(path: Path, gates: list[str], objects: int) -> None:
    """Rows as filing writes them, without going through it: twenty million would take hours."""
    dice = Random(1)
    vehicles = max(1000, objects // 4)
    plates: dict[int, str] = {}
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    names = [column[1] for column in connection.execute("PRAGMA table_info(passages)")]
    marks = ",".join("?" * len(names))
    for start in range(0, objects, PART):
        rows: list[tuple[Any, ...]] = []
        for number in range(start, min(start + PART, objects)):
            vehicle = dice.randrange(vehicles // 20) if dice.random() < 0.5 else dice.randrange(vehicles)
            plate = plates.get(vehicle) or plates.setdefault(vehicle, plate_of(vehicle))
            gate = gates[dice.randrange(GATES)]
            at = NOW - SPAN_US + SPAN_US * number // objects
            values: dict[str, Any] = {
                "id": new_id().bytes, "place": gate, "tollgate": parse("tg", gate).bytes, "device": None,
                "area_path": "/34/3402/", "organisation_path": "/", "purposes": "|security|traffic|",
                "restricted": False, "keep_until": NOW + SPAN_US, "at": at, "seen": at, "lane": 1 + number % 3,
                "plate": plate, "confidence": 0.9, "sources": "|camera|", "sightings": 1, "pictures": 0,
                "clock_doubtful": False, "speed_kmh": 50.0,
            }  # fmt: skip
            rows.append(tuple(values.get(name, "") for name in names))
        connection.execute("BEGIN")
        connection.executemany(f"INSERT INTO passages ({','.join(names)}) VALUES ({marks})", rows)
        connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def inserted(database: SqlDatabase, gates: list[str], batches: int) -> tuple[float, float]:
    """Passages filed in a second, of the wall and of the processors."""
    places = [
        Place(
            id=gate, tollgate=gate, device=None, area_path="/34/3402/", organisation_path="/",
            purposes=frozenset({"security", "traffic"}), restricted=False, retention_days=30, window_us=4 * SECOND_US,
        )
        for gate in gates
    ]  # fmt: skip
    wall, cpu = time.perf_counter(), time.process_time()
    for batch in range(batches):
        place, first = places[batch % GATES], batch // GATES * BATCH
        new = [
            Sighting(
                id=fresh("sg"), source=Source.CAMERA, origin=place.id, reference=f"{first + index}", lane=1,
                at=NOW + (first + index) * 5 * SECOND_US, seen=NOW, plate=plate_of(batch * BATCH + index),
                plate_colour="blue", confidence=0.9, speed_kmh=50.0,
            )
            for index in range(BATCH)
        ]  # fmt: skip
        await database.write(lambda tx, place=place, new=new: file(tx, place, new))
    count = batches * BATCH
    return count / (time.perf_counter() - wall), count / (time.process_time() - cpu)


async def timed(ask: Callable[[Random], Awaitable[Any]], queries: int, seed: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each, on the wall and of the processors."""
    dice = Random(seed)
    walls: list[float] = []
    cpus: list[float] = []
    for _ in range(queries):
        wall, cpu = time.perf_counter(), time.process_time()
        await ask(dice)
        walls.append((time.perf_counter() - wall) * 1000)
        cpus.append((time.process_time() - cpu) * 1000)
    return walls, cpus


def wild(dice: Random) -> str:
    """What people remember: some characters, the end, something in between; one in ten hardly anything."""
    plate = list(plate_of(dice.randrange(1 << 20)))
    match dice.randrange(10):
        case 0:
            return "".join(plate[:2]) + "*"
        case 1 | 2:
            return "*" + "".join(plate[-4:])
        case 3 | 4:
            return "*" + "".join(plate[3:6]) + "*"
        case _:
            for place in dice.sample(range(len(plate)), 2):
                plate[place] = "?"
            return "".join(plate)


async def measure(folder: Path, objects: int, queries: int, batches: int) -> dict[str, Any]:
    """Fill, file, look."""
    path = folder / "control.db"
    database = open_database(f"sqlite:///{path}")
    bus = EmbeddedBus(open_file, folder / "bus.db")
    gates = [fresh("tg") for _ in range(GATES)]
    await asyncio.to_thread(fill, path, gates, objects)
    index = PlateIndex(database, bus, folder)
    vehicles = Vehicles(database, index)
    who = Actor(user="us_bench", name="bench", session="", grants=(Grant(Role.OPERATOR, "/34/"),), at=NOW)
    try:
        start = time.process_time()
        plates = await index.make()
        index_seconds = time.process_time() - start

        async def plate(dice: Random) -> None:
            await vehicles.find(who, Wish(purpose="traffic", plate=wild(dice), reason="bench"), limit=100)

        async def near(dice: Random) -> None:
            wanted = plate_of(dice.randrange(1 << 20))
            await vehicles.find(who, Wish(purpose="traffic", plate=wanted, near=True, reason="bench"), limit=100)

        async def camera(dice: Random) -> None:
            since = NOW - dice.randrange(SPAN_US)
            wish = Wish(purpose="traffic", tollgate=dice.choice(gates), since=since, until=since + 3600 * SECOND_US)
            await vehicles.find(who, wish, limit=100)

        await timed(plate, 3, 0)
        wild_walls, wild_cpus = await timed(plate, queries, 1)
        near_walls, near_cpus = await timed(near, queries, 2)
        camera_walls, camera_cpus = await timed(camera, queries, 3)
        per_second, per_cpu_second = await inserted(database, gates, batches)
    finally:
        await bus.close()
        await database.close()
    return {
        "objects": objects, "plates": plates, "index_cpu_seconds": round(index_seconds, 1),
        "plate_wildcard_p95_ms": p95(wild_walls),
        "plate_wildcard_p95_cpu_ms": p95(wild_cpus),
        "plate_near_p95_ms": p95(near_walls),
        "plate_near_p95_cpu_ms": p95(near_cpus),
        "camera_time_p95_ms": p95(camera_walls),
        "camera_time_p95_cpu_ms": p95(camera_cpus),
        "inserts_per_second": round(per_second), "inserts_per_cpu_second": round(per_cpu_second),
    }  # fmt: skip


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=40)
    parser.add_argument("--batches", type=int, default=100)
    parser.add_argument("--folder", type=Path, default=None)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="safecity-search-", dir=given.folder))
    try:
        print(json.dumps(asyncio.run(measure(folder, given.objects, given.queries, given.batches))))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
