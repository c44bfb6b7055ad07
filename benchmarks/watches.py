"""Watches: how long after a passage its alarm is pushed, and what ten thousand of them cost those who file.

    python -m benchmarks.watches [--watches 10000] [--passages 2000] [--hits 100] [--whole]

Passages are filed in batches of ten into a database with no watch and into one with so many, in turns, each through
outbox, bus and follower: `cpu_ms_per_passage_*` is the CPU of all of it, `filing_cpu_ratio` that of filing alone with
the watches over that without, `all_cpu_ratio` the same with the matching. `match_us` is what holding one plate against
all of them takes. With `--whole` a platform is started, and each hit is timed from before a checkpoint's report is
posted to its alarm on the event socket of an officer (`push_p95_ms`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import httpx
import websockets

from benchmarks.whole import Platform
from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import SqlDatabase, open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.outbox.api import Relay
from safecity.core.ground.passages.api import Place, Sighting, Source, file
from safecity.core.ground.settings.api import Platform as Defaults
from safecity.core.ground.settings.api import Settings
from safecity.core.ground.vehicles.api import read_pattern
from safecity.core.upper.watches import store
from safecity.core.upper.watches.api import Looked, Watch, WatchFollower, WatchIndex, WatchSettings, WatchState
from safecity.kit.clock import SECOND_US, SystemClock, rfc3339
from safecity.kit.ids import fresh
from safecity.ports.database import Tx

BATCH = 10
CODE = "34020000001210000001"
SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
HIT = "皖B99999"
PASSWORD = "four words nobody guesses"


def watch(number: int, now: int) -> Watch:
    """Nine of ten name a plate, the others leave places open; one of a hundred has a star."""
    dice = Random(number)
    plate = f"苏{dice.choice('ABCDEFGH')}" + "".join(dice.choice(SIGNS) for _ in range(5))
    if number % 100 == 0:
        plate = f"{plate[:4]}*{plate[6]}"
    elif number % 10 == 0:
        plate = f"{plate[:3]}?{plate[4:]}"
    return Watch(
        id=fresh("wa"), plate=HIT if number == 1 else plate, reason="benchmark", purpose="security",
        valid_from=now - 86_400 * SECOND_US, valid_until=now + 86_400 * SECOND_US, seats=frozenset({"role:operator"}),
        state=WatchState.APPROVED, proposed_by="us_1", proposed_name="Li", proposed_at=now, changed=number,
    )  # fmt: skip


def plate_of(number: int) -> str:
    """Of a vehicle that nobody watches for, and unlike its neighbours."""
    dice = Random(-number)
    return "皖" + "".join(dice.choice(SIGNS) for _ in range(6))


@dataclass
class Side:
    """One database with its bus, and what was spent on it in CPU seconds."""

    database: SqlDatabase
    bus: EmbeddedBus
    relay: Relay
    follower: WatchFollower
    filing: float = 0.0
    following: float = 0.0

    @classmethod
    async def begin(cls, folder: Path, watches: list[Watch]) -> Side:
        await asyncio.to_thread(folder.mkdir)
        database = open_database(f"sqlite:///{folder}/control.db")
        await database.write(lambda tx: [store.add(tx, one) for one in watches])
        bus = EmbeddedBus(open_file, folder / "bus.db")
        relay = Relay(database, bus, Settings(database, Defaults(code="34020000002000000001", domain="3402000000")))
        follower = WatchFollower(database, bus, SystemClock(), WatchSettings())
        await follower.step()
        return cls(database, bus, relay, follower)

    async def take(self, place: Place, batch: list[Sighting], *, count: bool) -> None:
        first = time.process_time()
        await self.database.write(lambda tx: file(tx, place, batch))
        second = time.process_time()
        while await self.relay.step():
            pass
        while await self.follower.step():
            pass
        if count:
            self.filing += second - first
            self.following += time.process_time() - second

    async def hits(self) -> int:
        def work(tx: Tx) -> int:
            return len(tx.rows(store.hits.select()))

        return await self.database.read(work)

    async def close(self) -> None:
        await self.bus.close()
        await self.database.close()


def place() -> Place:
    gate = fresh("tg")
    return Place(
        id=gate, tollgate=gate, device=None, area_path="/", organisation_path="/", purposes=frozenset({"security"}),
        restricted=False, retention_days=30, window_us=4 * SECOND_US,
    )  # fmt: skip


async def measure(folder: Path, watches: int, passages: int) -> dict[str, Any]:
    """Both sides take the same batches in turns."""
    now = time.time_ns() // 1000
    many = [watch(number, now) for number in range(1, watches + 1)]
    sides = [await Side.begin(folder / "none", []), await Side.begin(folder / "many", many)]
    gate, batches = place(), max(passages // BATCH, 2)
    for turn in range(batches):
        batch = [
            Sighting(
                id=fresh("sg"), source=Source.CAMERA, origin="c", reference=f"{turn}/{each}", lane=1 + each % 4,
                plate=HIT if turn == each == 1 else plate_of(turn * BATCH + each),
                at=now + (turn * BATCH + each) * SECOND_US // 100, seen=now,
            )
            for each in range(BATCH)
        ]  # fmt: skip
        for side in sides if turn % 2 else sides[::-1]:
            await side.take(gate, batch, count=turn > 0)  # the first one builds the index
    none, full = sides
    counted = (batches - 1) * BATCH
    said = {
        "watches": watches,
        "passages": counted,
        "filing_cpu_ratio": round(full.filing / none.filing, 3),
        "all_cpu_ratio": round((full.filing + full.following) / (none.filing + none.following), 3),
        "cpu_ms_per_passage_none": round((none.filing + none.following) / counted * 1000, 3),
        "cpu_ms_per_passage_many": round((full.filing + full.following) / counted * 1000, 3),
        "match_us": match_us(many),
        "hits": await full.hits(),
    }
    for side in sides:
        await side.close()
    return said


def match_us(watches: list[Watch], plates: int = 500) -> float:
    """CPU of one plate against all."""
    index = WatchIndex()
    for one in watches:
        pattern = read_pattern(one.plate)
        assert pattern is not None
        index.put(Looked(one.id, pattern, one.near))
    index.find(HIT)
    asked = [plate_of(number) for number in range(plates)]
    began = time.process_time()
    for plate in asked:
        index.find(plate)
    return round((time.process_time() - began) / plates * 1e6, 1)


def whole(folder: Path, watches: int, hits: int) -> dict[str, Any]:
    """A platform with so many watches, a report at a time, and an officer's event socket."""
    platform = Platform(folder / "platform")
    platform.start().setup()
    gate = platform.post("/tollgates", {"name": "gate", "code": CODE})
    platform.post("/users", {"username": "li", "password": PASSWORD, "roles": ["operator"]})
    platform.stop()
    asyncio.run(_prepare(folder / "platform", watches))
    platform.start().sign_in()
    try:
        officer = httpx.Client(base_url=f"{platform.base}/api/v1")
        officer.post("/session", json={"username": "li", "password": PASSWORD}).raise_for_status()
        cookie = "; ".join(f"{name}={value}" for name, value in officer.cookies.items())
        return asyncio.run(_pushed(platform, cookie, gate["id"], hits))
    finally:
        platform.stop()


async def _prepare(data: Path, watches: int) -> None:
    now = time.time_ns() // 1000
    database = open_database(f"sqlite:///{data}/control/control.db")
    await database.write(lambda tx: [store.add(tx, watch(number, now)) for number in range(1, watches + 1)])
    await database.close()


async def _pushed(platform: Platform, cookie: str, gate: str, hits: int) -> dict[str, Any]:
    address, origin = f"{platform.base.replace('http', 'ws')}/api/v1/events", websockets.Origin(platform.base)
    waits: list[float] = []
    async with (
        httpx.AsyncClient(base_url=platform.api.base_url, headers=platform.api.headers, cookies=platform.api.cookies)
        as machine,
        websockets.connect(address, additional_headers={"Cookie": cookie}, origin=origin) as socket,
    ):  # fmt: skip
        for number in range(hits):
            # Ten vehicles pass with it, as on a busy road.
            items = [_report(gate, number * 11 + each, HIT if each == 5 else "") for each in range(11)]
            began = time.perf_counter()
            (await machine.post("/sightings", json={"items": items})).raise_for_status()
            async with asyncio.timeout(30):
                while '"kind": "alarm.changed"' not in str(await socket.recv()):
                    pass
            waits.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0.2)
    ordered = sorted(waits)
    return {
        "pushed": len(ordered),
        "push_median_ms": round(ordered[len(ordered) // 2], 1),
        "push_p95_ms": round(ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))], 1),
        "push_worst_ms": round(ordered[-1], 1),
    }


def _report(gate: str, number: int, plate: str) -> dict[str, Any]:
    at = rfc3339(time.time_ns() // 1000 - number * 10 * SECOND_US)
    return {
        "tollgate": gate, "reference": str(number), "source": "camera", "at": at, "lane": 1 + number % 4,
        "plate": plate or plate_of(number),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watches", type=int, default=10_000)
    parser.add_argument("--passages", type=int, default=2_000)
    parser.add_argument("--hits", type=int, default=100)
    parser.add_argument("--whole", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        said = asyncio.run(measure(Path(folder), asked.watches, asked.passages))
        if asked.whole:
            said |= whole(Path(folder), asked.watches, asked.hits)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
