"""The whole way of a ship: heard by a receiver, listed, added, on the map, and back after signalling was killed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.whole import Platform, until

from safecity.sim.ships import FIRST_MMSI, ShipLoad, ships

pytestmark = pytest.mark.journey


@pytest.fixture
def platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("SAFECITY_AIS__ENABLED", "true")
    monkeypatch.setenv("SAFECITY_AIS__PORT", "0")
    monkeypatch.setenv("SAFECITY_AIS__SENDERS", "127.0.0.0/8")
    running = Platform(tmp_path / "data", "--slots", "1")
    try:
        yield running.start().setup()
    finally:
        running.stop()


@pytest.fixture
def river(platform: Platform) -> Iterator[None]:
    """A receiver that hears three ships."""
    loop = asyncio.new_event_loop()
    port = platform.state()["ports"]["ais-tcp"]
    sailing = loop.create_task(ships(ShipLoad(host="127.0.0.1", port=port, count=3, report_seconds=2.0)))

    def run() -> None:
        loop.run_until_complete(asyncio.wait([sailing]))
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    loop.call_soon_threadsafe(sailing.cancel)
    thread.join()


@pytest.mark.usefixtures("river")
def test_a_ship_from_the_receiver_to_the_map(platform: Platform) -> None:
    def strangers() -> list[dict[str, Any]]:
        return [one for one in platform.get("/devices/unknown")["items"] if one["user_agent"]]

    unknown = until(lambda: len(strangers()) == 3 and strangers(), "the strangers are listed")
    assert sorted((one["code"], one["kind"], one["user_agent"]) for one in unknown) == [
        (str(FIRST_MMSI + number), "ais", f"SIM {number:04d}") for number in range(3)
    ]
    made = platform.post("/devices", {"kind": "ais", "code": str(FIRST_MMSI)})

    def device() -> dict[str, Any]:
        return platform.get(f"/devices/{made['id']}")

    until(lambda: device()["state"] == "online", "it is here")
    seen = until(lambda: device()["position"], "it is on the map")
    assert 31.1 < seen["latitude"] < 31.5
    assert 118.1 < seen["longitude"] < 118.5
    assert device()["version"] == "AIS class A"
    until(lambda: device()["position"] != seen, "it moves")
    until(lambda: len(platform.get("/devices/unknown")["items"]) == 2, "it is no stranger any more")

    platform.kill("signal")
    before = device()["position"]
    until(lambda: device()["position"]["at"] > before["at"], "it goes on after signalling came again")
    assert device()["state"] == "online"
