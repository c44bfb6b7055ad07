"""Phones tell a real broker where they are, and nothing that the broker took is lost: whoever is killed meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from benchmarks.whole import Platform, until
from tests.mosquitto import Mosquitto, needs_mosquitto

from safecity.backends.bus import EmbeddedBus
from safecity.backends.sqlitefile import open_file
from safecity.kit.brokerurl import BrokerUrl
from safecity.kit.clock import parse_rfc3339
from safecity.sim.phones import PhoneLoad, SimPhone, phones

pytestmark = [pytest.mark.journey, pytest.mark.slow, needs_mosquitto]
PHONES = 4


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "broker").start()
    yield running
    running.stop()


@pytest.fixture
def platform(tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("SAFECITY_MQTT__URL", f"mqtt://127.0.0.1:{broker.port}")
    running = Platform(tmp_path / "data", "--slots", "1")
    try:
        yield running.start().setup()
    finally:
        running.stop()


class Crowd:
    """Phones that walk in a thread of their own until they are told to stop."""

    def __init__(self, options: PhoneLoad) -> None:
        self.people: list[SimPhone] = []
        self.devices: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        self._walking = self._loop.create_task(phones(options, None, self.people))
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self._loop.run_until_complete(asyncio.wait([self._walking]))
        self._loop.close()

    def told(self) -> Counter[str]:
        return Counter({one.code: len(one.acknowledged) for one in self.people})

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._walking.cancel)
            self._thread.join()


@pytest.fixture
def crowd(platform: Platform, broker: Mosquitto) -> Iterator[Crowd]:
    made = [platform.post("/devices", {"kind": "http", "code": f"officer-{number}"}) for number in range(PHONES)]
    tokens = tuple(one["registration"]["password"] for one in made)
    url = BrokerUrl(False, "127.0.0.1", broker.port)
    walking = Crowd(PhoneLoad(broker=url, count=PHONES, report_seconds=0.1, tokens=tokens))
    walking.devices = {one["code"]: one["id"] for one in made}
    yield walking
    walking.stop()


def feed(platform: Platform) -> dict[str, Any]:
    found: dict[str, Any] = platform.get("/health")["broker"]
    return found


def kept(platform: Platform) -> dict[str, list[int]]:
    """Times of the positions that are on the disk, by the code of who told them. The platform must not run."""

    async def read() -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        bus = EmbeddedBus(open_file, platform.data / "control" / "bus.db")
        while batch := await bus.pull("test", ("position.received",), 1000):
            for _, event in batch:
                found.setdefault(str(event.body["code"]), []).append(int(event.body["time_us"]))
            await bus.acknowledge("test", batch[-1][0])
        await bus.close()
        return found

    return asyncio.run(read())


def test_nothing_that_the_broker_took_is_lost(platform: Platform, broker: Mosquitto, crowd: Crowd) -> None:
    def device(code: str) -> dict[str, Any]:
        found: dict[str, Any] = platform.get(f"/devices/{crowd.devices[code]}")
        return found

    def more(count: int, what: str) -> None:
        """Each phone told so many more than before."""
        before = crowd.told()
        until(lambda: all(number >= before[code] + count for code, number in crowd.told().items()), what)

    until(lambda: device("officer-0")["state"] == "online" and feed(platform)["taken"] > 20, "positions come")
    for _ in range(3):
        before = platform.pid("control")
        platform.kill("control")
        more(10, "phones go on telling the broker")
        until(lambda before=before: platform.pid("control") != before, "control is started again")
        platform.wait_ready()
        until(lambda: (feed(platform) or {}).get("state") == "online", "it listens again")
    broker.stop()
    until(lambda: feed(platform)["state"] == "offline", "the platform knows that the broker is away")
    broker.start()
    until(lambda: feed(platform)["state"] == "online", "it found back")
    more(10, "phones found back")
    crowd.stop()
    sent = {one.code: one.acknowledged for one in crowd.people}

    def last(code: str) -> int:
        """When it was where it is on the map; what a phone tells comes in order."""
        return parse_rfc3339(device(code)["position"]["at"])

    until(lambda: all(last(code) >= max(times) for code, times in sent.items()), "all of it has come")
    assert feed(platform)["refused"] == []
    platform.stop()
    found = kept(platform)
    for code, times in sent.items():
        assert len(times) > 40
        assert set(times) <= set(found[code]), code
        assert len(found[code]) == len(set(found[code])), "told twice"
