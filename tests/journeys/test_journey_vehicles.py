"""The whole way of a vehicle: it is admitted, drives, alarms, is caught up with, brings what it recorded, and a killed
duty costs nothing."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from benchmarks.whole import Platform, until

from safecity.protocols.jt808.alarms import Alarm
from safecity.protocols.jt808.terminal import Identity
from safecity.sim.jt808.drive import Drive, Plan
from safecity.sim.jt808.load import CENTRE, walk
from safecity.sim.jt808.recorded import FILM, PICTURE, Recorded
from safecity.sim.jt808.terminal import SimTerminal, TerminalSpec

pytestmark = pytest.mark.journey
PHONE = "13912345678"
T = TypeVar("T")


class Road:
    """Simulated terminals on a loop of their own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self._driving: list[SimTerminal] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    def do(self, act: Callable[[], T]) -> T:
        async def work() -> T:
            return act()

        return self.run(work())

    def drive(self, port: int) -> SimTerminal:
        def begin() -> SimTerminal:
            identity = Identity(phone=PHONE, plate="皖A12345", maker="MAKER", model="BOX-1", imei="867530902150717")
            spec = TerminalSpec(
                identity=identity, host="127.0.0.1", port=port, report_seconds=0.2, retry_seconds=0.2,
                heartbeat_seconds=2.0,
            )  # fmt: skip
            terminal = SimTerminal(spec, Drive(Plan(walk(1))))
            terminal.start()
            return terminal

        terminal = self.do(begin)
        self._driving.append(terminal)
        return terminal

    def close(self) -> None:
        for terminal in self._driving:
            self.run(terminal.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("SAFECITY_JT808__ENABLED", "true")
    monkeypatch.setenv("SAFECITY_JT808__PORT", "0")
    monkeypatch.setenv("SAFECITY_JT808__ATTACHMENT_PORT", "0")
    monkeypatch.setenv("SAFECITY_JT808__HOST", "127.0.0.1")
    running = Platform(tmp_path / "data", "--slots", "1")
    try:
        yield running.start().setup()
    finally:
        running.stop()


@pytest.fixture
def road() -> Iterator[Road]:
    made = Road()
    yield made
    made.close()


def test_a_vehicle_from_its_first_call_to_the_map(platform: Platform, road: Road) -> None:
    port = platform.state()["ports"]["jt808-tcp"]
    car = road.drive(port)
    unknown = until(lambda: platform.get("/devices/unknown")["items"], "the stranger is listed")
    assert [(one["code"], one["kind"], one["user_agent"]) for one in unknown] == [(PHONE, "jt808", "皖A12345 BOX-1")]

    made = platform.post("/devices", {"kind": "jt808", "code": f"0{PHONE}"})
    assert (made["code"], made["registration"]["port"], made["registration"]["password"]) == (PHONE, port, "")
    twice = platform.api.post("/devices", json={"kind": "jt808", "code": PHONE})
    assert twice.json()["code"] == "device_code_taken"

    def device() -> dict[str, Any]:
        return platform.get(f"/devices/{made['id']}")

    until(lambda: device()["state"] == "online" and device()["name"] == "皖A12345", "it is here, named by its plate")
    seen = until(lambda: device()["position"], "it is on the map")
    assert abs(seen["latitude"] - CENTRE[0]) < 0.1
    assert abs(seen["longitude"] - CENTRE[1]) < 0.1
    assert (device()["manufacturer"], device()["version"]) == ("MAKER", "JT/T 808-2019")
    until(lambda: device()["position"] != seen, "it moves")
    until(lambda: platform.get("/devices/unknown")["items"] == [], "it is no stranger any more")

    road.do(lambda: car.vehicle.press(Alarm.SOS))
    alarms = until(lambda: platform.get("/alarms")["items"], "the alarm is raised")
    assert [(one["kind"], one["priority"], one["name"], one["device"]) for one in alarms] == [
        ("紧急报警", 1, "皖A12345", made["id"])
    ]

    # Signalling is killed while it drives: the same process comes again, and so does the vehicle.
    platform.kill("signal")
    until(lambda: platform.get(f"/devices/{made['id']}")["state"] == "online" and car.connections > 1, "it came back")
    reported = car.reports
    until(lambda: car.session.acknowledged >= reported, "all that it reported was taken")
    assert len(platform.get("/alarms")["items"]) == 1, "an alarm that is still set is no news"

    assert platform.api.delete(f"/devices/{made['id']}").status_code == 204
    until(lambda: car.refused.startswith(("registration refused", "authentication refused")), "it is turned away")


@pytest.mark.parametrize("killed", ["signal", "control", ""])
def test_what_it_recorded_of_an_alarm_comes_whole_through_losses_and_kills(
    platform: Platform, road: Road, killed: str
) -> None:
    made = platform.post("/devices", {"kind": "jt808", "code": PHONE})
    car = road.drive(platform.state()["ports"]["jt808-tcp"])
    until(lambda: platform.get(f"/devices/{made['id']}")["state"] == "online", "it is here")
    jpeg = bytes.fromhex("ffd8ffc0000b080010002001011100ffd9")
    data = [jpeg + os.urandom(150_000), jpeg + os.urandom(40_000), os.urandom(3_000_000)]
    files = [Recorded(PICTURE, data[0]), Recorded(PICTURE, data[1], 2), Recorded(FILM, data[2])]

    def alarm() -> None:
        car.safety.piece_bytes = 4_000
        car.safety.trouble.lost = {3, 4, 40, 100, 300}
        car.safety.trouble.breaks_after = 200
        car.alarm(files)

    road.do(alarm)
    if killed:
        until(lambda: car.safety.connections > 0, "it brings it")
        platform.kill(killed)

    def taken() -> list[dict[str, Any]]:
        try:
            answer = platform.api.get(f"/devices/{made['id']}/media", params={"purpose": "security"})
        except httpx.TransportError:  # control is about to come again
            return []
        return list(answer.json()["items"]) if answer.status_code == 200 else []

    until(lambda: len(taken()) == 3, "all of it is here")
    (alarm_shown,) = platform.get("/alarms")["items"]
    assert {one["alarm"] for one in taken()} == {alarm_shown["id"]}
    assert {one["sha256"] for one in taken()} == {hashlib.sha256(one).hexdigest() for one in data}
    film = next(one for one in taken() if one["kind"] == "video")
    whole = platform.api.get(f"/devices/{made['id']}/media/{film['id']}", params={"purpose": "security"})
    assert whole.content == data[2]
    until(lambda: car.safety.brought, "the terminal heard that it is complete")
