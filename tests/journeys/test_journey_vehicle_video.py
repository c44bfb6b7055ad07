"""The pictures of a bus through the whole platform: found, watched, recorded, survived, and what it recorded itself."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from benchmarks.whole import Platform, until
from tests.journeys.test_device_recordings import watching
from websockets.sync.client import connect

from safecity.kit.clock import rfc3339
from safecity.media.door.messages import HEAD_BYTES, RAW_AUDIO
from safecity.model.values.media import Codec
from safecity.protocols.jt808.header import Version
from safecity.protocols.sound.g711 import alaw
from safecity.sim.camera import recorded_stretch
from safecity.sim.jt808.sounds import VehicleSound
from safecity.sim.jt808.terminal import SimTerminal
from safecity.sim.yard import Yard

pytestmark = [pytest.mark.journey, pytest.mark.slow]
SECOND = 1_000_000
PHONE, PLATE = "13912345678", "皖A12345"
FROM_ALAW = {alaw([value])[0]: value for value in range(-32_768, 32_768, 8)}


@dataclass
class Depot:
    """A platform and the bus that it knows."""

    platform: Platform
    yard: Yard
    device: str

    def bus(self, **more: Any) -> SimTerminal:
        told: dict[str, Any] = {"phone": PHONE, "plate": PLATE} | more
        return self.yard.vehicle(port=self.platform.state()["ports"]["jt808-tcp"], **told)

    @staticmethod
    def heard(url: str, seconds: float, **play: Any) -> tuple[float, float]:
        """How loud so much sound is while it pips, and in between: it pips in the first 80 ms of each second."""
        heard, others, end = b"", Counter[int](), time.monotonic() + 60
        with connect(url, max_size=None) as socket:
            if play:
                socket.send(json.dumps({"type": "play", "speed": 1, "direction": 1} | play))
            while len(heard) < seconds * 8000:
                message = socket.recv(timeout=30)
                if isinstance(message, bytes):
                    others[message[0]] += 1
                    heard += message[HEAD_BYTES:] if message[0] == RAW_AUDIO else b""
                assert time.monotonic() < end, f"{len(heard)} bytes of sound, messages by kind: {others}"
        sizes = sorted(abs(FROM_ALAW[byte]) for byte in heard)
        return sizes[-len(sizes) // 25], sizes[len(sizes) // 2]

    def channels(self, count: int) -> list[dict[str, Any]]:
        def listed() -> list[dict[str, Any]] | None:
            found = sorted(self.platform.channels(), key=lambda one: one["code"])
            return found if len(found) == count else None

        return until(listed, f"{count} cameras of the bus are listed")

    def live(self, channel: str, quality: str = "main") -> str:
        return self.platform.post(f"/channels/{channel}/live", {"quality": quality})["url"]

    def figure(self, channel: str) -> dict[str, Any]:
        streams = self.platform.get("/health")["streams"]
        return next(one for one in streams if (one["channel"], one["quality"]) == (channel, "main"))

    def shown(self, url: str, after: int) -> int:
        """The clock in a picture that was taken then or later."""
        with watching(url) as watch:
            return watch.clock(lambda at: at >= after, "a picture of now")

    def record(self, channel: str, mode: str) -> None:
        answer = self.platform.api.patch(f"/channels/{channel}", json={"record": {"mode": mode}})
        assert answer.status_code == 200, answer.text

    def recorded_until(self, channel: str, since: int) -> int:
        """The end of what is recorded of the time since then."""
        span = {"start": rfc3339(since), "end": rfc3339(since + 600 * SECOND), "resolution_ms": "100"}
        answer = self.platform.api.get(f"/channels/{channel}/timeline", params=span)
        pieces = answer.json()["pieces"] if answer.status_code == 200 else []
        return max((one["end_us"] for one in pieces), default=0)


def now_us() -> int:
    return time.time_ns() // 1000


@pytest.fixture
def depot(platform_factory: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch) -> Iterator[Depot]:
    for name, value in (("ENABLED", "true"), ("PORT", "0"), ("ATTACHMENT_PORT", "0"), ("HOST", "127.0.0.1")):
        monkeypatch.setenv(f"SAFECITY_JT808__{name}", value)
    platform = platform_factory("--slots", "1").setup()
    made = platform.post("/devices", {"kind": "jt808", "code": PHONE})
    with Yard() as yard:
        yield Depot(platform, yard, made["id"])


def test_a_bus_is_watched_recorded_and_seen_again_after_its_slot_was_killed(depot: Depot) -> None:
    bus = depot.bus(channels=(1, 2), sound=Codec.PCMA)
    driver, front = depot.channels(2)
    assert [(one["code"], one["name"].split()[:2]) for one in (driver, front)] == [
        ("1", [PLATE, "驾驶员"]),
        ("2", [PLATE, "车辆正前方"]),
    ]
    assert not bus.cameras.lines, "nothing is sent while nobody looks"
    begun = now_us()
    assert depot.shown(depot.live(front["id"]), begun - 3 * SECOND)
    assert depot.shown(depot.live(front["id"], "sub"), begun - 3 * SECOND)
    wanted = {"transport": "jt1078", "codec": "h264", "audio": "pcma"}
    with watching(depot.live(front["id"])):
        until(lambda: depot.figure(front["id"]).items() >= wanted.items(), "pictures and sound come by JT/T 1078")
    assert {line.channel for line in bus.cameras.lines} == {2}, "the other camera sends nothing"

    depot.record(front["id"], "continuous")
    until(lambda: depot.recorded_until(front["id"], begun) > begun + 3 * SECOND, "it is recorded")
    depot.platform.kill("media-0")
    killed = now_us()
    until(lambda: depot.recorded_until(front["id"], begun) > killed + 3 * SECOND, "it is recorded again")
    assert depot.shown(depot.live(front["id"]), killed)

    played = depot.platform.post(f"/channels/{front['id']}/playback", {"start": rfc3339(begun)})
    with watching(played["url"]) as watch:
        watch.socket.send(json.dumps({"type": "play", "at": begun + 2 * SECOND, "speed": 1, "direction": 1}))
        assert watch.clock(lambda at: begun - SECOND < at < killed + 60 * SECOND, "what was recorded is played back")

    # Signalling dies: pictures come on over the same line, and whoever comes after it can still end them.
    (line,) = bus.cameras.lines
    before, came = line.sent, bus.connections
    depot.platform.kill("signal")
    until(lambda: bus.connections > came and bus.online.is_set(), "the bus has signed in again")
    until(lambda: line.sent > before + 20, "pictures come on")
    assert bus.cameras.lines == {line}
    depot.record(front["id"], "off")
    until(lambda: not bus.cameras.lines, "nobody wants it: the bus was told to stop", 60)


@pytest.mark.parametrize("version", [Version.V2013, Version.V2019])
def test_what_the_bus_recorded_itself_is_found_watched_and_steered(depot: Depot, version: Version) -> None:
    bus = depot.bus(version=version)
    assert bus.cameras is not None
    (driver,) = depot.channels(1)
    now = now_us()
    path = f"/channels/{driver['id']}"
    span = {"start": rfc3339(now - 3 * 3600 * SECOND), "end": rfc3339(now)}
    found = depot.platform.get(f"{path}/device-recordings", **span)
    assert found["complete"]
    assert 5 <= len(found["items"]) <= 8, "half an hour each"

    start = recorded_stretch(3600 * SECOND, 1800 * SECOND, now)
    window = {"start": rfc3339(start), "end": rfc3339(start + 1800 * SECOND)}
    begun = depot.platform.post(f"{path}/device-playback", window)
    session = f"/device-playbacks/{begun['session']}"
    with watching(begun["url"]) as watch:
        watch.clock(lambda at: start <= at < start + 30 * SECOND, "the beginning of the window")
        twice = depot.platform.api.post(f"{path}/device-playback", json=window)
        assert twice.json()["code"] == "gb_busy", "a terminal plays a camera to one at a time"
        depot.platform.post(session, {"action": "seek", "at": rfc3339(start + 900 * SECOND)})
        at = watch.clock(lambda at: start + 890 * SECOND <= at < start + 960 * SECOND, "the place sought")
        depot.platform.post(session, {"action": "speed", "speed": 4})
        watch.clock(lambda seen: seen > at + 20 * SECOND, "twenty seconds further")
        assert depot.platform.get(session)["speed"] == 4.0
        assert depot.platform.post(session, {"action": "pause"})["paused"]
        assert depot.platform.api.delete(session).status_code == 204
    until(lambda: not bus.cameras.lines, "the terminal was told to end")
    short = {"start": rfc3339(start), "end": rfc3339(start + 24 * SECOND), "speed": 8}
    with watching(depot.platform.post(f"{path}/device-playback", short)["url"]) as watch:
        watch.clock(lambda at: at >= start + 16 * SECOND, "near the end")
        watch.until_said(lambda said: said.get("step") == "end" or said.get("type") == "end")


SOUNDS = {
    "13900000001": VehicleSound(kbps=32, headed=True),
    "13900000002": VehicleSound(kbps=0),
    "13900000003": VehicleSound(kbps=24, aal2=True),
}


def test_what_vehicles_hear_is_heard_live_and_in_recordings_in_whatever_way_they_code_it(
    platform_factory: Callable[..., Platform], monkeypatch: pytest.MonkeyPatch
) -> None:
    """G.726 behind a maker's head, ADPCM, and G.726 packed the other way round; the second sends datagrams."""
    for name, value in (("ENABLED", "true"), ("PORT", "0"), ("HOST", "127.0.0.1"), ("AAL2_TERMINALS", "13900000003")):
        monkeypatch.setenv(f"SAFECITY_JT808__{name}", value)
    platform = platform_factory("--slots", "1").setup()
    for phone in SOUNDS:
        transport = "udp" if phone == "13900000002" else "tcp"
        platform.post("/devices", {"kind": "jt808", "code": phone, "transport": transport})
    with Yard() as yard:
        depot = Depot(platform, yard, "")
        buses = {
            phone: depot.bus(phone=phone, plate=f"皖A{phone[-5:]}", sound=sound) for phone, sound in SOUNDS.items()
        }
        cameras = {one["name"].split()[0][-1]: one["id"] for one in depot.channels(len(SOUNDS))}
        begun = now_us()
        for phone in SOUNDS:
            depot.record(cameras[phone[-1]], "continuous")
        listened: dict[str, int] = {}

        def clear(url: str, **play: Any) -> bool:
            loud, quiet = depot.heard(url, 3, **play)
            return loud > 4000 and 150 < quiet < 1200

        for phone in SOUNDS:
            # What decodes it is compiled when the first of it comes: until then a recording has pictures alone.
            until(lambda phone=phone: clear(depot.live(cameras[phone[-1]])), f"the pips of {phone} are heard live")
            listened[phone] = now_us() - 2 * SECOND
        by_datagram = cameras["2"]
        wanted = {"transport": "jt1078_udp", "codec": "h264", "audio": "pcma"}
        until(lambda: depot.figure(by_datagram).items() >= wanted.items(), "pictures and sound come as datagrams")
        assert depot.shown(depot.live(by_datagram), begun)

        # What is sent as datagrams is nobody's connection: a slot that died is sent to again when it is back.
        platform.kill("media-0")
        killed = now_us()
        until(lambda: depot.recorded_until(by_datagram, begun) > killed + 3 * SECOND, "it is recorded again")
        assert depot.shown(depot.live(by_datagram), killed)
        for phone in SOUNDS:
            wish = {"start": rfc3339(listened[phone])}

            def plays(phone: str = phone, wish: dict[str, str] = wish) -> bool:
                played = platform.post(f"/channels/{cameras[phone[-1]]}/playback", wish)
                return clear(played["url"], at=listened[phone] + SECOND)

            until(plays, f"the pips of {phone} are in its recording")
            depot.record(cameras[phone[-1]], "off")
        until(lambda: not any(bus.cameras and bus.cameras.lines for bus in buses.values()), "all were told to stop", 60)
