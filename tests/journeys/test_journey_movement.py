"""When did anybody move at this gate? Asked of a running platform about a street whose every movement is known."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from benchmarks.whole import Platform, until

from safecity.kit.clock import SECOND_US, rfc3339
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.yard import Yard, channel_codes

pytestmark = [pytest.mark.journey, pytest.mark.slow]
STREET = VideoSpec(width=640, height=360, fps=10, kbps=800, gop_seconds=1.0)
SKY = (0.55, 0.02, 0.98, 0.25)
ROAD = (0.0, 0.3, 1.0, 0.9)
"""Without the clocks that every picture has at its edges: they always move."""
FOOTAGE_SECONDS = 45


@dataclass
class Gate:
    """A street camera and a stretch of its footage."""

    platform: Platform
    device: SimDevice
    channel: str
    start: int
    end: int

    def ask(self, region: tuple[float, ...], cursor: str = "") -> Any:
        """One page, as it is answered."""
        names = ("left", "top", "right", "bottom")
        body = {
            "start": rfc3339(self.start), "end": rfc3339(self.end), "cursor": cursor, "reason": "case 7",
            "regions": [dict(zip(names, region, strict=True))],
        }  # fmt: skip
        return self.platform.api.post(f"/channels/{self.channel}/movement", json=body, timeout=70)

    def search(self, region: tuple[float, ...]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """All finds, and what each page looked at."""
        found: list[dict[str, Any]] = []
        looked: list[dict[str, Any]] = []
        cursor = ""
        while True:
            answer = self.ask(region, cursor)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            found += page["items"]
            looked.append(page["looked_at"])
            if page["next"] is None:
                return found, looked
            cursor = page["next"]

    def boxes(self, start: int, end: int) -> list[tuple[int, tuple[float, ...]]]:
        """What really was where: time, and left, top, right, bottom in shares of the picture."""
        camera = next(iter(self.device.state.channels.values())).camera
        assert camera is not None
        found: list[tuple[int, tuple[float, ...]]] = []
        for at in range(start, end, SECOND_US // 5):
            for thing in camera.street.truth(at, STREET.width, STREET.height).objects:
                left, top, width, height = thing.box
                found.append(
                    (at, (left / STREET.width, top / STREET.height, (left + width) / STREET.width,
                          (top + height) / STREET.height))
                )  # fmt: skip
        return found


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    pytest.importorskip("av", reason="recordings are decoded with the extra safecity[av]")
    platform = Platform(tmp_path_factory.mktemp("movement-journey"))
    try:
        platform.start().setup()
        with Yard() as yard:
            code = "34020200001320000001"
            made = {"kind": "gb28181", "name": "Gate", "code": code, "password": "pass-1", "transport": "udp"}
            platform.post("/devices", made)
            device = yard.camera(code=code, password="pass-1", port=platform.state()["ports"]["sip-udp"], video=STREET)
            wanted = channel_codes(code, 1)[0]
            channel = until(
                lambda: next((one["id"] for one in platform.channels() if one["code"] == wanted), None),
                "the channel is listed",
            )

            def recorded() -> tuple[int, int] | None:
                now = time.time_ns() // 1000
                span = {"start": rfc3339(now - 3600 * SECOND_US), "end": rfc3339(now)}
                pieces = platform.get(f"/channels/{channel}/timeline", **span)["pieces"]
                long_enough = pieces and pieces[-1]["end_us"] - pieces[-1]["start_us"] > FOOTAGE_SECONDS * SECOND_US
                return (pieces[-1]["start_us"], pieces[-1]["end_us"]) if long_enough else None

            start, end = until(recorded, "footage is recorded", 60 + 2 * FOOTAGE_SECONDS)
            yield Gate(platform, device, channel, start, end)
    finally:
        platform.stop()


def touches(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def decodes(pid: int) -> bool:
    """A slot has a child that makes key frames small."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split():
        with contextlib.suppress(OSError):  # it has left
            if b"movement.child" in Path(f"/proc/{child}/cmdline").read_bytes():
                return True
    return False


def test_what_moved_is_found_when_and_where_it_did(gate: Gate) -> None:
    found, looked = gate.search(ROAD)
    assert found, "vehicles passed"
    assert sum(one["frames"] for one in looked) >= FOOTAGE_SECONDS - 5, "a key frame a second"
    assert sum(one["unreadable"] for one in looked) == 0
    assert all(one["step_us"] < 3 * SECOND_US for one in looked)
    truth = gate.boxes(gate.start - SECOND_US, gate.end + SECOND_US)
    for one in found:
        there = [box for at, box in truth if one["start_us"] - SECOND_US <= at <= one["end_us"] + SECOND_US]
        assert there, "somebody was there"
        box = tuple(one["box"][name] for name in ("left", "top", "right", "bottom"))
        assert any(touches(box, thing) for thing in there), "and where it moved"


def test_where_nothing_moved_nothing_is_found(gate: Gate) -> None:
    truth = gate.boxes(gate.start - SECOND_US, gate.end + SECOND_US)
    assert not [box for _, box in truth if touches(box, SKY)], "nothing was ever up there"
    found, looked = gate.search(SKY)
    assert found == []
    assert sum(one["frames"] for one in looked) > 0, "although it was looked at"


def test_the_search_is_in_the_record_of_who_watched_what(gate: Gate) -> None:
    def written() -> dict[str, str]:
        """The reasons of the searches, by record."""
        found = gate.platform.get("/audit", only="watching")["items"]
        return {one["id"]: one["reason"] for one in found if one["action"] == "movement.search"}

    before = written()
    gate.search(SKY)
    [reason] = [reason for record, reason in written().items() if record not in before]
    assert reason == "case 7", "once, however many pages it took"


def test_a_stretch_without_footage_is_told_as_such(gate: Gate) -> None:
    before = Gate(gate.platform, gate.device, gate.channel, gate.start - 3600 * SECOND_US, gate.start - 60 * SECOND_US)
    found, looked = before.search(ROAD)
    assert found == []
    assert sum(one["frames"] for one in looked) == 0
    assert looked[0]["gaps"]


def test_a_killed_slot_costs_the_page_under_way_at_most(gate: Gate) -> None:
    expected, _ = gate.search(ROAD)

    def ask_until(killed: threading.Event) -> Any:
        """The page under way then. What is that young is never kept: each page has a child that decodes."""
        while True:
            now = time.time_ns() // 1000
            answer = replace(gate, start=now - 60 * SECOND_US, end=now).ask(ROAD)
            if killed.is_set() or answer.status_code != 200:
                return answer

    with ThreadPoolExecutor(1) as beside:
        for _ in range(3):
            pid, killed = gate.platform.pid("vision-0"), threading.Event()
            under_way = beside.submit(ask_until, killed)
            try:
                until(lambda pid=pid: decodes(pid), "a page is under way")
                os.kill(pid, signal.SIGKILL)
            finally:
                killed.set()
            answer = under_way.result()
            assert answer.status_code in (200, 503), answer.text
            if answer.status_code == 503:
                assert answer.json()["code"] in ("duty_gone", "duty_down")
                assert "code" not in answer.json()["detail"], "in words that somebody wrote"
            until(lambda pid=pid: gate.platform.pid("vision-0") not in (0, pid), "it is started again")
            until(lambda: gate.ask(SKY).status_code == 200, "it answers again")
    assert gate.search(ROAD)[0] == expected
