"""A flow to test runners with: how many vehicles passed a place in each minute, and how fast they were.

`python -m tests.contract.flow_city FOLDER KILLS SEED` runs it over a folder's bus and database in children that die.
The events are laid there before. It forks before it has any thread or file open, so that a life costs little.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from safecity.backends.bus import EmbeddedBus
from safecity.backends.database import open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.upper.flows.api import Flow, FlowRunner, Item, Record, State
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.model.facts.envelope import Event

START = 1_790_000_040_000_000
"""The beginning of a minute."""
MINUTE_US = 60 * SECOND_US
CALLS = 2_000, 12_000
"""The call a life ends at is drawn from these: from opening the files to a dozen turns later."""
POISON = 666
"""A speed that the operator does not survive."""


class Minute(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """Vehicles of one minute so far."""

    count: int
    speeds: int


class Total(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """Vehicles ever."""

    count: int


class Passing:
    """Tells each minute when it is over, and every tenth vehicle at once."""

    version = 1
    item = Minute | Total

    def process(self, batch: Sequence[Record], state: State) -> Iterable[tuple[str, int, int]]:
        for record in batch:
            minute = record.at // MINUTE_US
            before = state.get(minute) or Minute(0, 0)
            total: Total = state.get("total") or Total(0)
            state.put(minute, Minute(before.count + 1, before.speeds + record.value))
            state.put("total", Total(total.count + 1))
            if record.value == POISON:
                raise ArithmeticError("nobody is that fast")
            if (total.count + 1) % 10 == 0:
                yield "tenth", record.at, total.count + 1
            end = (minute + 1) * MINUTE_US
            state.wake_at = end if state.wake_at is None else min(state.wake_at, end)

    def on_watermark(self, time: int, state: State) -> Iterable[tuple[str, int, int]]:
        open_minutes = sorted(item for item in state.items() if isinstance(item, int))
        for minute in open_minutes:
            end = (minute + 1) * MINUTE_US
            if end > time:
                state.wake_at = end
                break
            done: Minute = state.get(minute)
            yield "minute", end, done.count * 1000 + done.speeds // done.count
            state.put(minute, None)

    def upgrade(self, version: int, items: dict[Item, Any]) -> dict[Item, Any]:
        raise AssertionError("there is no version before")


def read(event: Event) -> Iterable[Record]:
    """`passages` holds key, seconds after the event's own time, and speed."""
    for key, after, speed in event.body["passages"]:
        yield Record(key, event.at + round(after * SECOND_US), speed)


def publish(key: str, output: tuple[str, int, int]) -> Event:
    kind, at, value = output
    return Event(kind=f"city.{kind}", subject=key, at=at, seen=at, body={"value": value})


def city(**more: Any) -> Flow:
    """The flow, or one that differs in something."""
    settings: dict[str, Any] = {
        "name": "city", "kinds": ("passages.seen",), "read": read, "operator": Passing(), "publish": publish,
        "lateness_us": 20 * SECOND_US,
    }  # fmt: skip
    return Flow(**{**settings, **more})


def traffic(count: int, seed: int = 1, places: int = 7) -> list[Event]:
    """Events of some records each, in about the order of time; some late, some poisoned, some that are none."""
    dice = random.Random(seed)
    events: list[Event] = []
    for number in range(count):
        at = START + number * 5 * SECOND_US
        passages: list[Any] = []
        for _ in range(dice.randrange(1, 5)):
            after = dice.uniform(-15, 5) if dice.random() > 0.03 else -120
            speed = POISON if dice.random() < 0.03 else dice.randrange(20, 90)
            passages.append([f"place {dice.randrange(places)}", after, speed])
        if dice.random() < 0.03:
            passages.append(["place 1", 0])
        body = {"passages": passages}
        events.append(
            Event(kind="passages.seen", subject="x", at=at, seen=at + 6 * SECOND_US, id=f"ev_{number}", body=body)
        )
    return events


async def said(bus: EmbeddedBus, reader: str = "judge") -> dict[str, list[tuple[str, int, int]]]:
    """What was published, by key, in the order of the bus."""
    told: dict[str, list[tuple[str, int, int]]] = {}
    while found := await bus.pull(reader, ["city.*"], 1000):
        for _, event in found:
            told.setdefault(event.subject, []).append((event.kind, event.at, event.body["value"]))
        await bus.acknowledge(reader, found[-1][0])
    return told


async def live(folder: Path, events: int, turned: Callable[[], object]) -> None:
    """Until there is nothing more to do; `turned` is told of each turn."""
    database = open_database(f"sqlite:///{folder}/control.db", migrate=False)
    bus = EmbeddedBus(open_file, folder / "bus.db")
    runner = FlowRunner(database, bus, city(), FakeClock(START), events=events, cached=3)
    while await runner.step():
        turned()
    await bus.close()
    await database.close()


def die_at(call: int) -> None:
    """Kill this process when its functions have been entered, left, or left for C so many times."""
    left = call

    def count(frame: Any, what: str, _: Any) -> None:
        nonlocal left
        if "safecity" in frame.f_code.co_filename:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    threading.setprofile(count)


def one_life(folder: Path, call: int, turns: int, events: int) -> bool:
    """In a child of its own; whether it was killed."""
    hears, tells = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(hears)
        if call:
            die_at(call)
        asyncio.run(live(folder, events, lambda: os.write(tells, b".")))
        os._exit(0)
    os.close(tells)
    while heard := os.read(hears, 1):
        turns -= len(heard)
        if turns == 0:
            os.kill(child, signal.SIGKILL)
    os.close(hears)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and status != 0:
        raise RuntimeError(f"the runner ended with {os.waitstatus_to_exitcode(status)}")
    return os.WIFSIGNALED(status)


def main() -> None:
    """`FOLDER KILLS SEED`: lives that end at a call that was drawn, then lives that somebody else ends while they work,
    then one that ends by itself. Prints how many were killed."""
    folder, kills, dice = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    drawn = [one_life(folder, dice.randrange(*CALLS), -1, dice.choice([1, 2])) for _ in range(kills)]
    others = [one_life(folder, 0, dice.randrange(1, 4), dice.choice([1, 2])) for _ in range(kills)]
    one_life(folder, 0, -1, 50)
    sys.stdout.write(f"{sum(drawn)} {sum(others)}")


if __name__ == "__main__":
    main()
