"""What a camera has recorded itself, through the whole platform: found, watched, steered, fetched fast, ended."""

from __future__ import annotations

import io
import json
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import av
import pytest
from benchmarks.whole import Platform, until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from safecity.kit.clock import rfc3339
from safecity.sim.camera import recorded_stretch
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.scene.strip import read_clock
from safecity.sim.yard import Yard, channel_codes

pytestmark = [pytest.mark.journey, pytest.mark.slow]
SECOND = 1_000_000
CODE, PASSWORD = "34020000001320000001", "pass-phrase-7"


class Watch:
    """A viewer of a session: the clocks in the pictures, and what it was told."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.said: list[dict[str, Any]] = []
        self._init = self._body = b""

    def clock(self, wanted: Callable[[int], bool], what: str) -> int:
        """Wait for a picture whose clock is as wanted."""
        seen: list[int] = []
        end = time.monotonic() + 40
        while time.monotonic() < end:
            for clock in self._next():
                seen.append(clock)
                if wanted(clock):
                    return clock
        raise AssertionError(f"never seen: {what}; {seen[-5:]}, {self.said[-3:]}")

    def _next(self) -> list[int]:
        message = self.socket.recv(timeout=20)
        if isinstance(message, str):
            self.said.append(json.loads(message))
            return []
        kind, payload = message[0], message[struct.calcsize(">BQQ") :]
        if kind == 1:
            self._init = payload
        elif kind == 2:
            self._body = payload
        elif kind == 3:
            self._body += payload
        if not (self._init and self._body) or kind not in (2, 3):
            return []
        with av.open(io.BytesIO(self._init + self._body), format="mp4") as opened:
            clocks = [read_clock(frame.to_ndarray(format="rgb24")) for frame in opened.decode(video=0)]
        return [clocks[-1]] if clocks and clocks[-1] else []

    def until_said(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        end = time.monotonic() + 40
        while time.monotonic() < end:
            for said in self.said:
                if wanted(said):
                    return said
            try:
                self._next()
            except ConnectionClosed:
                break
        raise AssertionError(f"never said: {self.said}")


@contextmanager
def watching(url: str) -> Iterator[Watch]:
    with connect(url, max_size=None) as socket:
        yield Watch(socket)


@pytest.fixture
def city(platform_factory: Callable[..., Platform]) -> Iterator[tuple[Platform, SimDevice, str]]:
    platform = platform_factory("--slots", "1").setup()
    platform.post("/devices", {"kind": "gb28181", "code": CODE, "password": PASSWORD, "record_mode": "off"})
    with Yard() as yard:
        device = yard.camera(code=CODE, password=PASSWORD, port=platform.state()["ports"]["sip-udp"])
        wanted = channel_codes(CODE, 1)[0]
        known = until(lambda: [c["id"] for c in platform.channels() if c["code"] == wanted], "the channel is listed")
        yield platform, device, known[0]


def test_a_recording_of_the_device_is_found_watched_steered_and_ended(city: tuple[Platform, SimDevice, str]) -> None:
    platform, device, channel = city
    now = time.time_ns() // 1000
    found = platform.get(
        f"/channels/{channel}/device-recordings", start=rfc3339(now - 3 * 3600 * SECOND), end=rfc3339(now)
    )
    assert found["complete"]
    assert len(found["items"]) >= 4
    start = recorded_stretch(3600 * SECOND, 1800 * SECOND, now)
    window = {"start": rfc3339(start), "end": rfc3339(start + 1800 * SECOND)}
    begun = platform.post(f"/channels/{channel}/device-playback", window)
    path = f"/device-playbacks/{begun['session']}"
    with watching(begun["url"]) as watch:
        watch.clock(lambda at: start <= at < start + 30 * SECOND, "the beginning of the window")
        platform.post(path, {"action": "seek", "at": rfc3339(start + 900 * SECOND)})
        at = watch.clock(lambda at: start + 890 * SECOND <= at < start + 960 * SECOND, "the place sought")
        platform.post(path, {"action": "speed", "speed": 4})
        began = time.monotonic()
        later = watch.clock(lambda seen: seen > at + 20 * SECOND, "twenty seconds further")
        assert time.monotonic() - began < (later - at) / SECOND, "it runs faster than it was recorded"
        shown = platform.get(path)
        assert (shown["speed"], shown["channel"], shown["paused"]) == (4.0, channel, False)
        assert platform.post(path, {"action": "pause"})["paused"]
    with watching(platform.post(f"{path}/address")["url"]) as another:
        platform.post(path, {"action": "resume"})
        another.clock(lambda seen: seen >= later, "it goes on for another viewer")
        assert platform.api.delete(path).status_code == 204
        another.until_said(lambda said: said.get("type") == "end" or said.get("state") == "idle")
    until(lambda: not device.sessions.running, "the device was told to stop")


def test_a_fetched_stretch_comes_fast_and_its_end_is_told(city: tuple[Platform, SimDevice, str]) -> None:
    platform, device, channel = city
    start = recorded_stretch(3600 * SECOND, 1800 * SECOND, time.time_ns() // 1000)
    window = {"start": rfc3339(start), "end": rfc3339(start + 24 * SECOND), "speed": 8}
    began = time.monotonic()
    begun = platform.post(f"/channels/{channel}/device-playback", window)
    with watching(begun["url"]) as watch:
        watch.clock(lambda at: at >= start + 16 * SECOND, "near the end")
        watch.until_said(lambda said: said.get("step") == "end" or said.get("type") == "end")
        assert time.monotonic() - began < 24, "faster than it was recorded"
    until(lambda: not device.sessions.running, "the device was thanked with a BYE")
    until(lambda: platform.api.get(f"/device-playbacks/{begun['session']}").status_code == 404, "the session is over")
