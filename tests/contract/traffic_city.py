"""A town and the vehicles that drive through it, followed by a process that may die at any moment.

python -m tests.contract.traffic_city FOLDER KILLS SEED
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from benchmarks.driving import drive, wander
from benchmarks.town import town

from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import SqlDatabase, open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.upper.traffic import sums
from safecity.core.upper.traffic.city import City
from safecity.core.upper.traffic.following import Following
from safecity.core.upper.traffic.operator import Driven, Sighted, TrafficOperator, read_position
from safecity.kit.clock import SECOND_US, Clock, FakeClock
from safecity.model.facts.envelope import Event
from safecity.roads.network.arrays import RoadNetwork
from safecity.roads.network.versions import Version, put_version

SIDE = 8
CALLS = (200, 30_000)
"""Entered, left, or left for C between two deaths."""


def network() -> RoadNetwork:
    """A small town, the same in every process."""
    return town(SIDE, seed=3)


def traffic(vehicles: int = 5, *, edges: int = 30, every: int = 4, seed: int = 1) -> list[Event]:
    """Positions of vehicles as they come in, all of them together in the order of time."""
    chance, roads, events = random.Random(seed), network(), []
    for number in range(vehicles):
        going = drive(roads, wander(roads, chance, edges), speed=6.0 + number, seed=seed + number).every(every)
        for n, (us, lon, lat) in enumerate(zip(going.us, going.lon, going.lat, strict=True)):
            body = {"device": f"dv_{number}", "longitude": float(lon), "latitude": float(lat)}
            at = int(us) + number * 137_000
            events.append(
                Event(
                    kind="position.received", subject=f"dv_{number}", at=at, seen=at, id=f"ev_{number}_{n}", body=body
                )
            )
    return sorted(events, key=lambda one: one.at)


def open_own(folder: Path) -> SqlDatabase:
    return open_database(f"sqlite:///{folder}/traffic.db", migrate=False)


async def itself(work: Callable[[], Any]) -> Any:
    """What the city's thread would do, here and now."""
    return work()


async def followed(
    database: SqlDatabase, bus: EmbeddedBus, version: Version, clock: Clock, *,
    events: int = 1_000, work: Callable[[Callable[[], Any]], Awaitable[Any]] = itself,
) -> Following:  # fmt: skip
    following = Following(database, bus, clock, City(network(), version), work, events=events)
    await following.start()
    return following


def placed(folder: Path) -> Version:
    return put_version(folder / "roads", network(), dropped={}, sources=("town",), at_us=1)


async def summed(database: SqlDatabase) -> list[sums.Sum]:
    """All that was summed."""
    return sorted(await database.read(lambda tx: sums.since(tx, 0)))


class Memory:
    """A state where there is no engine at all."""

    def __init__(self) -> None:
        self.wake_at: int | None = None
        self._items: dict[Any, Any] = {}

    def get(self, item: Any) -> Any:
        return self._items.get(item)

    def put(self, item: Any, value: Any) -> None:
        self._items[item] = value
        if value is None:
            del self._items[item]

    def items(self) -> dict[Any, Any]:
        return self._items


def totals(operator: TrafficOperator, events: list[Event]) -> dict[tuple[int, int], tuple[int, ...]]:
    """What the operator says of them, vehicle by vehicle, without the runner: sums by bucket and edge."""
    states: dict[str, Memory] = {}
    found: dict[tuple[int, int], tuple[int, ...]] = {}
    for event in events:
        for record in read_position(event):
            assert isinstance(record.value, Sighted)
            for one in operator.process([record], states.setdefault(record.key, Memory())):
                if not isinstance(one, Driven):
                    continue
                before = found.get((one.bucket, one.edge), (0, 0, 0, 0))
                new = (one.millimetres, one.microseconds, one.square, one.entered)
                found[one.bucket, one.edge] = tuple(a + b for a, b in zip(before, new, strict=True))
    return found


async def live(folder: Path, version: Version, turned: Callable[[], object]) -> None:
    """Until there is nothing more to do; `turned` is told of each turn."""
    database, bus = open_own(folder), EmbeddedBus(open_file, folder / "bus.db")
    following = await followed(database, bus, version, FakeClock(traffic()[-1].at + SECOND_US), events=20)
    while await following.step():
        turned()
    await bus.close()
    await database.close()


def die_at(call: int) -> None:
    """Kill this process when its functions have been entered, left, or left for C so many times."""
    left = call

    def count(frame: Any, what: str, _: Any) -> None:
        nonlocal left
        if "safecity/core" in frame.f_code.co_filename or "safecity/backends" in frame.f_code.co_filename:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    threading.setprofile(count)


def one_life(folder: Path, version: Version, call: int, turns: int) -> bool:
    """In a child of its own; whether it was killed."""
    hears, tells = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hears)
        if call:
            die_at(call)
        asyncio.run(live(folder, version, lambda: os.write(tells, b".")))
        os._exit(0)
    os.close(tells)
    while heard := os.read(hears, 1):
        turns -= len(heard)
        if turns == 0:
            os.kill(child, signal.SIGKILL)
    os.close(hears)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and status != 0:
        raise RuntimeError(f"the life ended with {os.waitstatus_to_exitcode(status)}")
    return os.WIFSIGNALED(status)


def main() -> None:
    """Lives that end at a call that was drawn, lives that somebody else ends while they work, and one that ends by
    itself. Prints how many were killed."""
    folder, kills, dice = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    version = placed(folder)
    drawn = [one_life(folder, version, dice.randrange(*CALLS), -1) for _ in range(kills)]
    others = [one_life(folder, version, 0, dice.randrange(1, 4)) for _ in range(kills)]
    one_life(folder, version, 0, -1)
    sys.stdout.write(f"{sum(drawn)} {sum(others)}")


if __name__ == "__main__":
    main()
