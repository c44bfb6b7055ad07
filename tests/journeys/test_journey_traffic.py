"""The whole way of a jam: terminals creep down a street, the map turns, the advice goes round, a killed duty forgets
nothing."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from benchmarks.whole import Platform, until
from tests.ladder import NORTH, SOUTH, STEP, ladder

from safecity.protocols.jt808.terminal import Identity
from safecity.roads.network.versions import put_version
from safecity.sim.jt808.drive import Drive, Plan
from safecity.sim.jt808.terminal import SimTerminal, TerminalSpec

pytestmark = pytest.mark.journey
PHONES = ("13912340001", "13912340002", "13912340003")
QUICK = 40.0
"""How much faster than ours the terminals' time goes."""
T = TypeVar("T")


class QuickClock:
    """Begins a quarter of an hour ago and makes up for it."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._us = time.time_ns() // 1000 - 900_000_000

    def now_us(self) -> int:
        return self._us + round((time.monotonic() - self._begun) * QUICK * 1e6)

    def monotonic(self) -> float:
        return self._begun + (time.monotonic() - self._begun) * QUICK


class Road:
    """Simulated terminals on a loop of their own, one behind the other up and down the western street."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._clock = QuickClock()
        self._driving: list[SimTerminal] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def creep(self, port: int) -> None:
        plan = Plan([(59.3 + 1.5 * STEP, 18.0), (59.3 + 3.5 * STEP, 18.0)], cruise=3.5)

        async def begin() -> None:
            for number, phone in enumerate(PHONES):
                spec = TerminalSpec(
                    identity=Identity(phone=phone, plate=f"皖A1234{number}"), host="127.0.0.1", port=port,
                    report_seconds=0.25, retry_seconds=0.3, started_seconds=30.0 * number,
                )  # fmt: skip
                terminal = SimTerminal(spec, Drive(plan), self._clock)
                terminal.start()
                self._driving.append(terminal)

        self.run(begin())

    def close(self) -> None:
        for terminal in self._driving:
            self.run(terminal.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def road() -> Iterator[Road]:
    made = Road()
    yield made
    made.close()


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    for name, value in (("ENABLED", "true"), ("PORT", "0"), ("ATTACHMENT_PORT", "0"), ("HOST", "127.0.0.1")):
        monkeypatch.setenv(f"SAFECITY_JT808__{name}", value)
    running = Platform(tmp_path / "data", "--slots", "1")
    try:
        yield running.start().setup()
    finally:
        running.stop()


def problem(platform: Platform, path: str, **query: Any) -> str:
    answer = platform.api.get(path, params=query)
    assert answer.status_code in (404, 503), answer.text
    assert answer.json()["detail"]
    return str(answer.json()["code"])


def test_a_jam_from_the_terminals_to_the_advice(platform: Platform, road: Road) -> None:
    ask = {"from": f"{SOUTH[0]},{SOUTH[1]}", "to": f"{NORTH[0]},{NORTH[1]}"}
    assert problem(platform, "/routes", **ask) in ("traffic_no_network", "traffic_loading")
    put_version(
        platform.data / "roads", ladder(), dropped={"no_length": 1}, sources=("ladder.geojson",),
        at_us=time.time_ns() // 1000,
    )  # fmt: skip
    until(lambda: platform.api.get("/traffic/network").status_code == 200, "the network is taken up", 120.0)
    network = platform.get("/traffic/network")
    assert (network["label"], network["edges"], network["dropped"]) == ("ladder", 34, {"no_length": 1})

    def way() -> dict[str, Any]:
        return platform.get("/routes", **ask)["features"][0]

    def turns() -> bool:
        """Whether the best way leaves the western street."""
        return max(x for x, _ in way()["geometry"]["coordinates"]) > 18.006

    until(lambda: platform.api.get("/routes", params=ask).status_code == 200, "ways are found")
    assert not turns()
    free = way()["properties"]

    for phone in PHONES:
        platform.post("/devices", {"kind": "jt808", "code": phone})
    road.creep(platform.state()["ports"]["jt808-tcp"])
    jam = until(lambda: platform.get("/traffic/jams")["items"], "a jam is seen", 120.0)[0]
    assert 2 < jam["speed_kmh"] < 25
    assert jam["latitude"] == pytest.approx(59.3 + 2.5 * STEP, abs=1.5 * STEP)
    box = {"box": "17.9,59.2,18.2,59.4"}
    slow = until(lambda: _slow(platform.get("/traffic/conditions", **box)), "the street is coloured")
    assert {one["level"] for one in slow} <= {"E", "F"}
    assert 2 <= max(one["vehicles"] for one in slow) <= len(PHONES), "at least so many, never more"
    until(turns, "the advice goes round the jam")
    assert way()["properties"]["seconds"] > free["seconds"]
    assert way()["properties"]["arrival_low"] < way()["properties"]["arrival"] < way()["properties"]["arrival_high"]

    east = [[18.0 + (400 / 111_195.08) / 0.51054, 59.3 + 2.5 * STEP]]
    closure = platform.post("/traffic/closures", {"kind": "works", "reason": "water main", "line": east})
    assert closure["metres"] == pytest.approx(800, abs=5)
    assert not turns(), "in force before it was answered: what is left is the jam"
    assert platform.api.delete(f"/traffic/closures/{closure['id']}").status_code == 204
    assert turns(), "and gone at once"
    assert problem(platform, "/routes", **{**ask, "to": "18.9,59.9"}) == "no_road_near"

    platform.kill("traffic")
    until(lambda: platform.api.get("/traffic/conditions", params=box).status_code == 503, "it is gone")
    until(lambda: platform.api.get("/traffic/conditions", params=box).status_code == 200, "it is back", 120.0)
    until(lambda: _slow(platform.get("/traffic/conditions", **box)), "and knows the street")
    assert [one["id"] for one in platform.get("/traffic/jams")["items"]][:1] == [jam["id"]], "the same jam"


def _slow(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        one["properties"]
        for one in found["features"]
        if one["properties"]["speed_kmh"] is not None and one["properties"]["speed_kmh"] < 22
    ]
