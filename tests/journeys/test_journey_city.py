"""The demo city as somebody sees it who only typed `make run`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks.whole import Platform, until

from safecity.kit.clock import rfc3339
from safecity.sim.control import say

pytestmark = [pytest.mark.journey, pytest.mark.slow]
SECOND = 1_000_000


@pytest.fixture(scope="module")
def channels(demo_city: Platform) -> list[dict[str, Any]]:
    """All eight, running; the cameras of the bus show nothing until somebody looks."""

    def all_running() -> list[dict[str, Any]] | None:
        vehicles = {each["id"] for each in demo_city.get("/devices", kind="jt808", limit=100)["items"]}
        found = [each for each in demo_city.channels() if each["device"] not in vehicles]
        return found if len(found) == 8 and all(each["state"] == "running" for each in found) else None

    return until(all_running, "the eight cameras of the demo city run")


def test_eight_cameras_of_four_kinds_run(demo_city: Platform, channels: list[dict[str, Any]]) -> None:
    ours = {each["id"] for each in channels}

    def figures() -> list[dict[str, Any]]:
        streams = demo_city.get("/health")["streams"]
        return [each for each in streams if each["quality"] == "main" and each["channel"] in ours]

    assert sorted(each["codec"] for each in figures()) == ["h264"] * 7 + ["h265"]
    # A channel runs with its first picture; its sound may be heard a moment later.
    until(lambda: {each["audio"] for each in figures()} == {"", "pcma", "aac"}, "both kinds of sound are heard")
    assert [each["name"] for each in channels if each["ptz"]] == ["镜湖路与中山路口"]
    assert all(each["simulated"] for each in channels)
    by_device = [each["device"] for each in channels]
    assert sorted(by_device.count(each) for each in set(by_device)) == [1, 1, 1, 1, 4]
    assert sum(bool(each["longitude"] and each["latitude"]) for each in channels) >= 7, "RTSP tells no place"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may take a higher priority")
def test_who_receives_pictures_goes_first_when_processors_are_short(demo_city: Platform) -> None:
    media, signal, control = (
        os.getpriority(os.PRIO_PROCESS, demo_city.pid(duty)) for duty in ("media-0", "signal", "control")
    )
    assert media < signal < control
    if (group := Path(f"/proc/{demo_city.pid('media-0')}/autogroup")).exists():
        assert group.read_text().split()[-1] == str(media), "or it would count within its own session alone"


def test_everything_is_recorded_without_a_hole(demo_city: Platform, channels: list[dict[str, Any]]) -> None:
    begun = time.time_ns() // 1000

    def held(channel: str) -> list[dict[str, Any]]:
        now = time.time_ns() // 1000
        span = {"start": rfc3339(begun), "end": rfc3339(now), "resolution_ms": 2000}
        return demo_city.get(f"/channels/{channel}/timeline", **span)["pieces"]

    for each in channels:
        pieces = until(
            lambda each=each: (p := held(each["id"])) and p[-1]["end_us"] > begun + 8 * SECOND and p,
            f"{each['name']} is recorded",
        )
        assert len(pieces) == 1, f"{each['name']}: {pieces}"


def test_the_sub_stream_of_the_h265_camera_plays_in_every_browser(
    demo_city: Platform, channels: list[dict[str, Any]]
) -> None:
    figures = [each for each in demo_city.get("/health")["streams"] if each["codec"] == "h265"]
    answer = demo_city.post(f"/channels/{figures[0]['channel']}/live", {"quality": "sub"})
    assert answer["quality"] == "sub"

    from websockets.sync.client import connect

    def codec(message: str | bytes) -> str:
        return "h264" if isinstance(message, str) and '"codec":"h264"' in message else ""

    with connect(answer["url"], max_size=None) as socket:
        assert until(lambda: codec(socket.recv(timeout=20)), "the sub stream begins")


def test_an_alarm_of_the_city_has_a_picture(demo_city: Platform, channels: list[dict[str, Any]]) -> None:
    code = next(each["code"] for each in channels if each["ptz"])
    say(demo_city.data / "demo" / "door.sock", {"op": "alarm", "channel": code, "kind": 6, "description": "测试"})
    alarm = until(
        lambda: next((a for a in demo_city.get("/alarms")["items"] if a["description"] == "测试"), None),
        "the alarm is in the list",
    )
    picture = demo_city.api.get(f"/alarms/{alarm['id']}/picture")
    assert picture.status_code == 200
    assert picture.content.startswith(b"\xff\xd8")


def test_the_checkpoint_reads_plates_and_shows_what_it_read(demo_city: Platform) -> None:
    gate = until(lambda: next(iter(demo_city.get("/tollgates")["items"]), None), "the checkpoint is there")
    assert [lane["direction"] for lane in gate["lanes"]] == ["north_south", "north_south"]
    asked = {"purpose": "traffic", "tollgate": gate["id"]}
    passage = until(
        lambda: next((one for one in demo_city.get("/passages", **asked)["items"] if one["plate"]), None),
        "a vehicle passed and was read",
    )
    assert passage["sources"] == ["camera"]
    assert not passage["clock_doubtful"]
    picture = demo_city.api.get(f"/passages/{passage['id']}/pictures/0", params={"purpose": "traffic"})
    assert picture.content.startswith(b"\xff\xd8")
    cameras = [each for each in demo_city.get("/devices")["items"] if each["kind"] == "gat1400"]
    assert [(each["state"], each["simulated"]) for each in cameras] == [("online", True)]
