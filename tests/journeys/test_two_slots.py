"""A node with two media slots: viewers come to either, and the channels of one that keeps dying go to the other."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from benchmarks.whole import Platform, until
from tests.journeys.test_journey_camera import SECOND, Node, live, pictures
from websockets.sync.client import ClientConnection, connect

from safecity.backends.calls import UnixCalls
from safecity.backends.sqlitefile import open_reader
from safecity.media.record.reading import Archive
from safecity.model.facts.media_calls import Applied, ApplyAssignments, Assignment, PushedSource, RecordPolicy
from safecity.sim.yard import Yard

pytestmark = [pytest.mark.journey, pytest.mark.slow]
SLOTS = ("media-0", "media-1")


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    platform = Platform(tmp_path_factory.mktemp("two-slots"), "--slots", "2")
    try:
        platform.start().setup()
        with Yard() as yard:
            yield Node(platform, yard)
    finally:
        platform.stop()


@pytest.fixture(scope="module")
def channels(node: Node) -> dict[str, str]:
    """One running channel on each slot: slot -> channel."""
    found: dict[str, str] = {}
    for _ in range(6):
        _, (channel,) = node.add()
        found.setdefault(node.channel(channel)["slot"], channel)
        if len(found) == len(SLOTS):
            break
    assert sorted(found) == list(SLOTS), "channels are spread over the slots"
    for channel in found.values():
        node.runs(channel)
    return found


@contextmanager
def only(node: Node, slot: str) -> Iterator[None]:
    """While this lasts the other slot stands still, so that whoever connects comes to this one."""
    others = [node.platform.pid(one) for one in SLOTS if one != slot]
    for pid in others:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in others:
            os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("door", SLOTS)
@pytest.mark.parametrize("owner", SLOTS)
def test_whichever_slot_a_viewer_comes_to_shows_the_picture(
    node: Node, channels: dict[str, str], owner: str, door: str
) -> None:
    url = node.platform.post(f"/channels/{channels[owner]}/live", {"quality": "main"})["url"]
    with only(node, door):
        # The handshake is answered by the slot that runs; the pictures of the other's camera come by its link.
        viewer = connect(url, max_size=None)
    with viewer:
        before = time.time_ns() // 1000
        shown = pictures(viewer, 5)
    clocks = [clock for _, clock in shown]
    assert None not in clocks
    assert clocks[-1] > before - 5 * SECOND


@pytest.mark.parametrize("door", SLOTS)
def test_recordings_of_either_slot_are_played_back_by_either(node: Node, channels: dict[str, str], door: str) -> None:
    for channel in channels.values():
        piece = node.recorded(channel, 3)
        answer = node.platform.post(f"/channels/{channel}/playback", {"start": _iso(piece["start_us"])})
        with only(node, door):
            viewer = connect(answer["url"], max_size=None)
        with viewer:
            viewer.send(f'{{"type": "play", "at": {piece["start_us"] + SECOND}, "speed": 1, "direction": 1}}')
            assert None not in [clock for _, clock in pictures(viewer, 2)]


def test_a_slot_that_dies_once_keeps_its_channels_and_one_that_keeps_dying_gives_them_away(
    node: Node, channels: dict[str, str]
) -> None:
    platform, moving, staying = node.platform, channels["media-0"], channels["media-1"]
    node.recorded(moving, 4)
    url = platform.post(f"/channels/{moving}/live", {"quality": "main"})["url"]
    with only(node, "media-1"):
        viewer = connect(url, max_size=None)
    with viewer:
        pictures(viewer, 3)
        platform.kill("media-0")
        until(lambda: platform.pid("media-0"), "it is started again")
        node.runs(moving)
        assert node.channel(moving)["slot"] == "media-0", "a slot that died once is restarted in place"
        # No other init comes for the same parameters: it is enough that fragments come again, a key frame among them.
        until(lambda: _fragment(viewer) == 2, "the mirror finds its owner again")
        began = time.time_ns() // 1000
        for _ in range(2):
            before = platform.pid("media-0")
            platform.kill("media-0")
            until(lambda old=before: platform.pid("media-0") not in (0, old), "it is started again")
        until(lambda: node.channel(moving)["slot"] == "media-1", "its channel moves")
    node.runs(moving)
    piece = until(lambda: _newest(node, moving, began + 5 * SECOND), "it is recorded where it is now")
    assert piece["start_us"] - began < 60 * SECOND
    assert None not in [clock for _, clock in live(node, moving, 3)]
    assert node.channel(staying)["slot"] == "media-1"
    # What the camera did not paint (beside a busy machine it leaves pictures out) nobody can have recorded.
    longest = node.yard.longest_us()
    gaps = [gap for gap in node.timeline(staying)["gaps"] if gap["end_us"] > began]
    assert [gap for gap in gaps if gap["end_us"] - gap["start_us"] > longest] == [], "the other slot did not notice"
    # What was recorded before the move is there as well, each chunk under the epoch of its slot.
    assert node.timeline(moving)["pieces"][0]["start_us"] < began
    archive = Archive(lambda: [Path(platform.data) / "volumes" / "main"], open_reader)
    epochs = [(ref.shelf.name, archive.read_chunk(ref).header.epoch) for ref in archive.chunks(moving, 0, 1 << 60)]
    archive.close()
    assert set(epochs) == {("shelf-0", 1), ("shelf-1", 2)}
    assert epochs[0] == ("shelf-0", 1)
    assert epochs[-1] == ("shelf-1", 2)
    asyncio.run(_refused(platform, moving))


async def _refused(platform: Platform, channel: str) -> None:
    """Whoever still believes in the old placement is told."""
    calls = UnixCalls(platform.run_dir() / "calls")
    older = Assignment(channel, 1, {"main": PushedSource()}, RecordPolicy())
    answer = await calls.call("media-1", ApplyAssignments(1, (older,)), timeout=5)
    assert isinstance(answer, Applied)
    assert [(one.channel, one.epoch, one.seen) for one in answer.refused] == [(channel, 1, 2)]
    await calls.close()


def _fragment(viewer: ClientConnection) -> int:
    """Kind of the next fragment; 0 for anything else."""
    message = viewer.recv(timeout=20)
    return message[0] if isinstance(message, bytes) and message[0] in (2, 3) else 0


def _newest(node: Node, channel: str, after: int) -> dict[str, Any] | None:
    return next((piece for piece in node.timeline(channel)["pieces"] if piece["end_us"] > after), None)


def _iso(us: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(us // SECOND))
