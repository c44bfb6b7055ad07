"""From a camera that reads nothing itself to passages that can be searched: the platform's own reader on live video."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from benchmarks.whole import Platform, until

from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.yard import Yard, channel_codes

pytestmark = [pytest.mark.journey, pytest.mark.slow]
STREET = VideoSpec(width=1280, height=720, fps=10, kbps=3000, gop_seconds=2.0)


@dataclass
class Junction:
    """A street camera before which plates are to be read."""

    platform: Platform
    device: SimDevice
    channel: str
    gate: dict[str, Any]

    def passages(self) -> list[dict[str, Any]]:
        return self.platform.get("/passages", purpose="traffic", tollgate=self.gate["id"], limit=500)["items"]

    def analysis(self) -> dict[str, Any]:
        return next((one for one in self.platform.get("/health")["analysis"] if one["channel"] == self.channel), {})

    def true_plates(self, start_us: int, end_us: int) -> set[str]:
        """What really passed."""
        camera = next(iter(self.device.state.channels.values())).camera
        assert camera is not None
        street = camera.street
        moments = range(start_us, end_us, 200_000)
        return {thing.plate for at in moments for thing in street.truth(at, STREET.width, STREET.height).objects} - {""}


@pytest.fixture(scope="module")
def junction(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Junction]:
    pytest.importorskip("onnxruntime", reason="plates need the extra safecity[vision]")
    platform = Platform(tmp_path_factory.mktemp("plates-journey"))
    try:
        platform.start().setup()
        with Yard() as yard:
            code = "34020200001320000001"
            made = {"kind": "gb28181", "name": "Junction", "code": code, "password": "pass-1", "transport": "udp"}
            platform.post("/devices", made)
            port = platform.state()["ports"]["sip-udp"]
            device = yard.camera(code=code, password="pass-1", port=port, video=STREET)
            wanted = channel_codes(code, 1)[0]
            channel = until(
                lambda: next((one["id"] for one in platform.channels() if one["code"] == wanted), None),
                "the channel is listed",
            )
            lanes = [{"number": 1, "channel": channel, "read_plates": True}]
            gate = platform.post("/tollgates", {"name": "Junction east", "lanes": lanes})
            yield Junction(platform, device, channel, gate)
    finally:
        platform.stop()


def deaths_told(junction: Junction) -> int:
    """Events of a decoder that died, in the files by day."""
    found = 0
    for day in (junction.platform.data / "control" / "history").glob("*.db"):
        with closing(sqlite3.connect(f"file:{day}?mode=ro", uri=True)) as file:
            asked = "SELECT count(*) FROM event WHERE kind = 'decoder.died' AND subject = ?"
            found += file.execute(asked, (junction.channel,)).fetchone()[0]
    return found


def test_what_passes_a_plain_camera_becomes_passages_with_pictures(junction: Junction) -> None:
    start = time.time_ns() // 1000

    def read_right() -> dict[str, Any] | None:
        truth = junction.true_plates(start - 5_000_000, time.time_ns() // 1000)
        return next((one for one in junction.passages() if one["plate"] in truth), None)

    one = until(read_right, "a vehicle that passed is read right", 180)
    assert one["sources"] == ["reader"]
    assert one["lane"] == 1
    assert one["plate_colour"]
    whole = junction.platform.get(f"/passages/{one['id']}", purpose="traffic")
    details = whole["seen_by"][0]["reading"]
    # A second reader that had a say is a third one.
    assert [one["name"] for one in details["networks"]][:2] == ["locator", "reader"], "which networks said so"
    assert all(one["digest"] for one in details["networks"])
    assert all(len(network["digest"]) == 64 for network in details["networks"])
    assert 0 < details["threshold"] < 1
    assert {picture["kind"] for picture in whole["shown_by"]} >= {"14", "02"}
    picture = junction.platform.api.get(f"/passages/{one['id']}/pictures/0", params={"purpose": "traffic"})
    assert picture.content[:2] == b"\xff\xd8"


def test_health_tells_what_each_camera_gets(junction: Junction) -> None:
    task = until(lambda: (one := junction.analysis()) and one["state"] == "running" and one, "the task runs")
    assert task["wanted_fps"] == 5
    assert until(lambda: junction.analysis()["fps"] > 0, "pictures are looked at")


def test_a_killed_decoder_is_counted_told_and_followed_by_another(junction: Junction) -> None:
    pid = junction.platform.state()["duties"]["vision-0"]["pid"]
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()
    os.kill(int(child), signal.SIGKILL)
    until(lambda: junction.analysis()["crashes"] == 1, "it is counted")
    until(lambda: junction.analysis()["state"] == "running" and junction.analysis()["fps"] > 0, "another one goes on")
    until(lambda: deaths_told(junction) == 1, "its death is one event, kept with the others")


def test_a_killed_slot_reads_on(junction: Junction) -> None:
    pid = junction.platform.state()["duties"]["vision-0"]["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: junction.platform.state()["duties"]["vision-0"]["pid"] not in (0, pid), "it is started again")
    before = len(junction.passages())
    until(lambda: len(junction.passages()) > before, "vehicles are read again", 120)


def test_a_lane_that_is_read_no_more_is_left_alone(junction: Junction) -> None:
    lanes = [{"number": 1, "channel": junction.channel, "read_plates": False}]
    answer = junction.platform.api.patch(f"/tollgates/{junction.gate['id']}", json={"lanes": lanes})
    answer.raise_for_status()
    until(lambda: not junction.analysis(), "the task ended")
