"""The whole way of a picture: a camera registers, is shown, recorded, found and played back; and what goes wrong."""

from __future__ import annotations

import io
import json
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import av
import pytest
from benchmarks.whole import Platform, until
from websockets.sync.client import ClientConnection, connect

from safecity.kit.clock import rfc3339
from safecity.model.values.media import Codec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.faults import Faults
from safecity.sim.gb28181.profiles import CAMERA_2016, CAMERA_2022, CAMERA_NAT, DVR_2011, NVR_2022, Profile
from safecity.sim.scene.strip import read_clock
from safecity.sim.yard import SMALL, Yard, channel_codes

pytestmark = [pytest.mark.journey, pytest.mark.slow]

SECOND = 1_000_000
_HEAD = struct.Struct(">BQQ")


@dataclass
class Node:
    """A running platform with a yard of devices beside it."""

    platform: Platform
    yard: Yard
    _serial: int = 0
    _added: list[tuple[str, SimDevice]] = field(default_factory=list)

    def add(self, *, transport: str = "udp", kind: int = 132, **changes: Any) -> tuple[SimDevice, list[str]]:
        """A device that the platform was told of; its shown channel ids once they are known."""
        self._serial += 1
        code = f"3402020000{kind}{self._serial:07d}"
        password = f"pass-{self._serial}"
        made = self.platform.post(
            "/devices", {"kind": "gb28181", "name": code, "code": code, "password": password, "transport": transport}
        )
        port = self.platform.state()["ports"]["sip-udp"]
        device = self.yard.camera(code=code, password=password, port=port, **changes)
        self._added.append((made["id"], device))
        wanted = channel_codes(code, changes.get("channels", 1))

        def known() -> list[str] | None:
            ids = {each["code"]: each["id"] for each in self.platform.channels()}
            return [ids[each] for each in wanted] if set(wanted) <= set(ids) else None

        return device, until(known, f"the channels of {code} are listed")

    def forget(self) -> None:
        """What a test added leaves with it: the next one shall not pay for its pictures."""
        for device, simulated in self._added:
            self.platform.api.delete(f"/devices/{device}").raise_for_status()
            self.yard.run(simulated.stop())
        self._added.clear()

    def channel(self, channel: str) -> dict[str, Any]:
        return self.platform.get(f"/channels/{channel}")

    def runs(self, channel: str, patience: float = 30.0) -> None:
        until(lambda: self.channel(channel)["state"] == "running", f"{channel} runs", patience)

    def figure(self, channel: str) -> dict[str, Any]:
        found = [each for each in self.platform.get("/health")["streams"] if each["channel"] == channel]
        return next(each for each in found if each["quality"] == "main")

    def timeline(self, channel: str, minutes: int = 10) -> dict[str, Any]:
        now = time.time_ns() // 1000
        span = {"start": rfc3339(now - minutes * 60 * SECOND), "end": rfc3339(now + SECOND), "resolution_ms": "100"}
        answer = self.platform.api.get(f"/channels/{channel}/timeline", params=span)
        if answer.status_code == 503:  # while its slot is being started again nobody can tell
            return {"pieces": [], "gaps": []}
        assert answer.status_code == 200, answer.text
        return answer.json()

    def recorded(self, channel: str, seconds: float) -> dict[str, Any]:
        """The newest piece, once it is that long."""

        def long_enough() -> dict[str, Any] | None:
            pieces = self.timeline(channel)["pieces"]
            good = pieces and pieces[-1]["end_us"] - pieces[-1]["start_us"] >= seconds * SECOND
            return pieces[-1] if good else None

        return until(long_enough, f"{seconds} s of {channel} are recorded")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    platform = Platform(tmp_path_factory.mktemp("camera-journey"))
    try:
        platform.start().setup()
        with Yard() as yard:
            yield Node(platform, yard)
    finally:
        platform.stop()


@pytest.fixture
def node(whole: Node) -> Iterator[Node]:
    """The platform and the yard, without devices of other tests."""
    yield whole
    whole.forget()


def pictures(socket: ClientConnection, count: int) -> list[tuple[int, int | None]]:
    """(wall time of its fragment, the clock in the picture) of the next pictures of a live or playback socket."""
    init, shown = b"", list[tuple[int, int | None]]()
    walls: list[int] = []
    body = b""
    patience = time.monotonic() + 90
    while len(shown) < count:
        assert time.monotonic() < patience, f"{len(shown)} pictures of {count}; the socket tells, but shows nothing"
        message = socket.recv(timeout=20)
        if isinstance(message, str):
            assert json.loads(message)["type"] != "end", message
            continue
        kind, wall, _ = _HEAD.unpack_from(message)
        payload = message[_HEAD.size :]
        if kind == 1:
            init, body, walls = payload, b"", []
        elif kind in (2, 3) and init and (body or kind == 2):
            body += payload
            walls.append(wall)
            shown = _decode(init + body, walls)
    return shown


def _decode(data: bytes, walls: list[int]) -> list[tuple[int, int | None]]:
    with av.open(io.BytesIO(data), format="mp4") as opened:
        clocks = [read_clock(frame.to_ndarray(format="rgb24")) for frame in opened.decode(video=0)]
    # Live: a fragment is a picture. Playback: the first picture of each fragment is the one that its head dates.
    return [(walls[min(number, len(walls) - 1)], clock) for number, clock in enumerate(clocks)]


def live(node: Node, channel: str, count: int = 5) -> list[tuple[int, int | None]]:
    url = node.platform.post(f"/channels/{channel}/live", {"quality": "main"})["url"]
    with connect(url, max_size=None) as socket:
        return pictures(socket, count)


def test_a_camera_is_shown_recorded_found_and_played_back(node: Node) -> None:
    _, (channel,) = node.add()
    node.runs(channel)
    before = time.time_ns() // 1000
    shown = live(node, channel, 10)
    clocks = [clock for _, clock in shown]
    assert None not in clocks, "every live picture decodes"
    assert clocks == sorted(clocks)
    assert clocks[-1] > before - 3 * SECOND, "live is live"

    piece = node.recorded(channel, 6)
    asked = piece["start_us"] + 3 * SECOND
    answer = node.platform.post(f"/channels/{channel}/playback", {"start": rfc3339(piece["start_us"])})
    with connect(answer["url"], max_size=None) as socket:
        socket.send(json.dumps({"type": "play", "at": asked, "speed": 1, "direction": 1}))
        wall, clock = pictures(socket, 1)[0]
    assert clock is not None
    # From the key frame before (one second apart), dated by arrival, which is a moment after the camera saw it.
    assert asked - 2 * SECOND < clock <= asked + SECOND // 2
    assert abs(wall - clock) < SECOND


@pytest.mark.parametrize("transport", ["udp", "tcp_passive", "tcp_active"])
def test_media_comes_the_way_that_was_chosen(node: Node, transport: str) -> None:
    _, (channel,) = node.add(transport=transport, sound=Codec.PCMA)
    node.runs(channel)
    assert None not in [clock for _, clock in live(node, channel, 3)]
    figure = node.figure(channel)
    assert figure["transport"].startswith(transport[:3])
    assert figure["audio"] == "pcma"


@pytest.mark.parametrize(
    ("profile", "codec"),
    [(DVR_2011, Codec.H264), (CAMERA_2016, Codec.H264), (CAMERA_2022, Codec.H265), (CAMERA_NAT, Codec.H264)],
    ids=["dvr-2011", "camera-2016", "camera-2022-h265", "behind-nat"],
)
def test_devices_of_all_years_are_seen(node: Node, profile: Profile, codec: Codec) -> None:
    count = 4 if profile is DVR_2011 else 1
    _, channels = node.add(profile=profile, kind=profile.kind, channels=count, video=replace(SMALL, codec=codec))
    for channel in channels:
        node.runs(channel)
    assert None not in [clock for _, clock in live(node, channels[-1], 3)]


@pytest.mark.parametrize(
    "fault",
    [
        {"no_psm": True},
        {"first_psm": True},
        {"pes_zero": True},
        {"container": "ts"},
        {"ssrc": "wrong"},
        {"swap": 0.05},
        {"double": 0.1},
        {"dirty_names": True},
        {"clock_offset_ms": -15 * 365 * 86_400_000},
    ],
    ids=lambda fault: "-".join(map(str, next(iter(fault.items())))),
)
def test_a_makers_fault_costs_no_picture(node: Node, fault: dict[str, Any]) -> None:
    _, (channel,) = node.add(faults=Faults(**fault))
    node.runs(channel)
    assert None not in [clock for _, clock in live(node, channel, 8)]


def test_an_ssrc_that_changes_again_and_again_is_followed(node: Node) -> None:
    _, (channel,) = node.add(faults=Faults(ssrc="changing"))
    node.runs(channel)
    before = node.figure(channel)["units"]
    until(lambda: node.figure(channel)["units"] > before + 150, "pictures go on over some changes")


def test_a_device_in_a_loop_of_reboots_is_shown_whenever_it_is_there(node: Node) -> None:
    device, (channel,) = node.add(faults=Faults(reboot_seconds=6.0))
    node.runs(channel)
    until(lambda: device.state.reboots >= 2, "it rebooted twice")
    node.yard.change(lambda: setattr(device.faults, "reboot_seconds", 0.0))
    until(lambda: device.state.registered and device.sessions.running, "it is asked for its picture again", 90)
    node.runs(channel, 60)
    assert None not in [clock for _, clock in live(node, channel, 3)]


def test_lost_packets_are_counted_and_the_stream_goes_on(node: Node) -> None:
    _, (channel,) = node.add(faults=Faults(loss=0.03))
    node.runs(channel)
    lossy = until(lambda: (f := node.figure(channel))["packets_lost"] > 3 and f, "losses are counted")
    until(lambda: node.figure(channel)["units"] > lossy["units"] + 20, "pictures go on")


def test_devices_in_trouble_at_once_are_told_apart_and_all_come_back(node: Node) -> None:
    """One reboots, one hangs with its power on, one refuses: each is waited for while the others are, too."""
    rebooted, (dark,) = node.add()
    hung, (silent,) = node.add(keepalive_seconds=2.0)
    node.runs(dark)
    node.runs(silent)
    node.recorded(dark, 3)
    refusing, (refused,) = node.add(faults=Faults(refuse=486))
    node.yard.change(lambda: setattr(hung.faults, "silent", True))
    node.yard.run(rebooted.reboot(dark_seconds=8))
    step = until(lambda: node.channel(refused)["step"], "the step that failed is named")
    assert step == "gb_busy"
    assert node.channel(refused)["sentence"]
    node.yard.change(lambda: setattr(refusing.faults, "refuse", 0))
    until(lambda: node.channel(silent)["state"] != "running", "the silence is noticed")
    node.yard.change(lambda: setattr(hung.faults, "silent", False))
    until(lambda: len(node.timeline(dark)["pieces"]) > 1, "it is recorded again", 60)
    gaps = [gap for gap in node.timeline(dark)["gaps"] if gap["end_us"] - gap["start_us"] > 4 * SECOND]
    assert {gap["cause"] for gap in gaps} <= {"network", "camera"}
    assert gaps
    node.runs(refused, 90)
    node.runs(silent, 60)


def test_alarms_and_switched_channels_of_a_recorder_are_heard(node: Node) -> None:
    device, channels = node.add(profile=NVR_2022, kind=118, channels=12)
    assert len(channels) == 12
    node.runs(channels[0])
    codes = list(device.state.channels)
    node.yard.run(device.subscriptions.alarm(codes[1], method=5, kind=6, description="区域入侵"))
    alarm = until(
        lambda: next((a for a in node.platform.get("/alarms")["items"] if a["channel"] == channels[1]), None),
        "the alarm is in the list",
    )
    assert alarm["description"] == "区域入侵"
    node.yard.run(device.switch(codes[2], False))
    until(lambda: node.channel(channels[2])["state"] in ("offline", "lost"), "the channel is known to be gone")


def test_a_ptz_command_turns_the_camera(node: Node) -> None:
    device, (channel,) = node.add()
    node.runs(channel)
    lens = next(iter(device.state.channels.values())).camera.lens
    node.platform.post(f"/channels/{channel}/ptz", {"action": "move", "pan": 1.0})
    until(lambda: lens.pose.pan > 3, "the lens turned")
    node.platform.post(f"/channels/{channel}/ptz", {"action": "stop"})


def test_an_rtsp_camera_is_shown_and_recorded(node: Node) -> None:
    server = node.yard.rtsp(codecs=(Codec.H264, Codec.H265), sound=Codec.AAC, username="viewer", password="geheim")
    device = node.platform.post(
        "/devices",
        {
            "kind": "rtsp",
            "name": "RTSP",
            "url": f"rtsp://127.0.0.1:{server.port}/1/main",
            "username": "viewer",
            "password": "geheim",
        },
    )
    owner = device.get("id") or device["device"]["id"]
    channel = until(
        lambda: next((c["id"] for c in node.platform.channels() if c["device"] == owner), None), "it has a channel"
    )
    node.runs(channel)
    assert None not in [clock for _, clock in live(node, channel, 3)]
    node.recorded(channel, 2)
    assert "geheim" not in node.platform.log()


def test_a_killed_media_slot_records_again_within_five_seconds(node: Node) -> None:
    device, (channel,) = node.add()
    node.runs(channel)
    node.recorded(channel, 4)
    invites = node.yard.change(lambda: device.sessions.invites)
    others = {duty: node.platform.pid(duty) for duty in ("signal", "control")}
    killed = time.time_ns() // 1000
    node.platform.kill("media-0")

    def went_on() -> list[dict[str, Any]] | None:
        pieces = node.timeline(channel)["pieces"]
        return pieces if pieces and pieces[-1]["end_us"] > killed + 6 * SECOND else None

    pieces = until(went_on, "recording went on")
    # The first one that is not of the dead slot: a camera that is late by a picture later on begins another.
    piece = next(one for one in pieces if one["start_us"] > killed or one["end_us"] > killed + SECOND)
    kept = max((min(each["end_us"], killed) for each in pieces if each["start_us"] < killed), default=0)
    assert killed - kept <= 2 * SECOND, f"at most two seconds are lost: {pieces}"
    assert max(piece["start_us"], killed) - killed <= 5 * SECOND, f"it took too long: {pieces}"
    assert node.yard.change(lambda: device.sessions.invites) == invites, "the camera is not asked again"
    assert {duty: node.platform.pid(duty) for duty in others} == others, "nobody else was disturbed"


def test_mpeg4_of_an_old_recorder_is_received_and_recorded(node: Node) -> None:
    video = replace(SMALL, codec=Codec.MPEG4)
    _, (channel,) = node.add(profile=DVR_2011, kind=111, video=video, sound=Codec.PCMA)
    node.runs(channel)
    assert node.figure(channel)["codec"] == "mpeg4"
    node.recorded(channel, 3)
