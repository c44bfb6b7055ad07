"""A search for movement from recorded key frames to finds: real pictures of the simulated street, and hostile ones."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from safecity.backends.sqlitefile import open_file
from safecity.kit.clock import FakeClock
from safecity.kit.errors import ExhaustedError, InvalidError, NotFoundError, UnavailableError
from safecity.model.facts.vision_calls import (
    MAX_MOVEMENT_PAGES,
    MOVEMENT_PATIENCE_SECONDS,
    MovementFound,
    SearchMovement,
)
from safecity.model.values.media import VIDEO, Codec, Quality, Unit, VideoParameters
from safecity.ports.keyframes import Absent, KeyPlace
from safecity.vision.movement import search as searching
from safecity.vision.movement.child import Decoder
from safecity.vision.movement.decoder import COMMAND, KeyDecoder
from safecity.vision.movement.kept import KeptMaps
from safecity.vision.movement.search import BLOCK_US, MovementSearch

SECOND = 1_000_000
T0 = 1_790_000_040 * SECOND // BLOCK_US * BLOCK_US
PARAMETERS = VideoParameters(Codec.H264, 32, 18, (b"sps", b"pps"), "avc1.640028")
CHILD = """
import os, sys
from safecity.vision.movement.wire import FROM_CHILD, MARK, TO_CHILD
read, out = sys.stdin.buffer.read, sys.stdout.buffer
while len(head := read(TO_CHILD.size)) == TO_CHILD.size:
    codec, sets, size = TO_CHILD.unpack(head)
    read(sets)
    data = read(size)
    if data == b"deadly":
        os.abort()
    if data == b"damaged":
        out.write(FROM_CHILD.pack(MARK, 0))
    else:
        rows = [bytearray(96) for _ in range(54)]
        for row in rows[27:40]:
            row[48 + data[0] : 54 + data[0]] = bytes(6 * [200])
        out.write(FROM_CHILD.pack(MARK, 1) + b"".join(rows))
    out.flush()
"""
"""Pictures with one bright thing right of the middle; its place is the unit's first byte."""
HANDMADE = (sys.executable, "-c", CHILD)
GATE = (0.45, 0.45, 0.8, 0.8)
ELSEWHERE = (0.0, 0.0, 0.3, 0.3)


class Recording:
    """What is on the disk: a key frame every two seconds; `gone` cannot be read any more."""

    def __init__(self) -> None:
        self.units: dict[int, Unit] = {}
        self.gone: set[int] = set()
        self.loads = 0
        self.opened: list[Sequence[Path]] = []
        self.closed = 0
        self.absent: list[Absent] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def record(self, data: Sequence[bytes], start: int = T0, parameters: VideoParameters = PARAMETERS) -> None:
        for number, one in enumerate(data):
            at = start + number * 2 * SECOND
            self.units[at] = Unit(VIDEO, one, 0, 0, True, False, at, parameters)

    def open(self, volumes: Sequence[Path]) -> Recording:
        self.opened.append(volumes)
        return self

    def places(self, channel: str, quality: Quality, start: int, end: int) -> list[KeyPlace]:
        return [KeyPlace(at, f"{at} {len(unit.data)}") for at, unit in sorted(self.units.items()) if start <= at < end]

    def load(self, place: KeyPlace) -> Unit:
        self.meanwhile()
        self.loads += 1
        if place.at in self.gone:
            raise NotFoundError("deleted", code="footage_deleted")
        return self.units[place.at]

    def first(self, channel: str, quality: Quality) -> int | None:
        return min(self.units, default=None)

    def absences(self, channel: str, quality: Quality, start: int, end: int) -> list[Absent]:
        return self.absent if self.units else [Absent(start, end, "camera")]

    def close(self) -> None:
        self.closed += 1


class Desk:
    """Somebody who searches."""

    def __init__(self, folder: Path, command: Sequence[str]) -> None:
        self.disk = Recording()
        self.clock = FakeClock(T0 + 86_400 * SECOND)
        self.died: list[tuple[str, str]] = []
        self.file = open_file(folder / "maps.db")
        self.maps = KeptMaps(self.file, self.clock)
        self.search = MovementSearch(self.disk.open, self.maps, self.clock, self._died, command)

    def _died(self, channel: str, quality: Quality, status: str) -> None:
        self.died.append((channel, status))

    def ask(self, region: tuple[float, float, float, float] = GATE, **more: Any) -> SearchMovement:
        wish = {"start": T0, "end": T0 + 10 * BLOCK_US, "sensitivity": "normal", "channel": "ch_1"}
        wish |= more
        return SearchMovement(quality=Quality.MAIN, volumes=("/volumes/main",), regions=(region,), **wish)

    async def page(self, *region: tuple[float, float, float, float], **more: Any) -> MovementFound:
        return await self.search.answer(self.ask(*region, **more))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, HANDMADE)
    yield made
    made.search._thread.shutdown()
    made.file.close()


def children() -> list[int]:
    """Those that make pictures small."""
    found = Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()
    return [int(one) for one in found if b"FROM_CHILD" in _command_of(one)]


def _command_of(process: str) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:  # it is gone since it was listed
        return b""


def still(count: int) -> list[bytes]:
    return [b"\x00"] * count


async def test_a_known_thing_is_found_where_it_moved_and_the_page_tells_what_it_looked_at(desk: Desk) -> None:
    desk.disk.record([*still(100), b"\x08", *still(99)])
    found = await desk.page()
    [one] = found.found
    assert one.start == T0 + 198 * SECOND, "the last picture without"
    assert one.end == T0 + 202 * SECOND, "the first one in which it is as before"
    assert one.box[0] <= 48 / 96
    assert one.box[2] >= 62 / 96
    assert (found.frames, found.kept, found.unreadable, found.step_us, found.next) == (200, 0, 0, 2 * SECOND, 0)
    assert (await desk.page(ELSEWHERE)).found == ()


async def test_another_rectangle_over_the_same_hours_decodes_nothing(desk: Desk) -> None:
    desk.disk.record([*still(100), b"\x08", *still(99)])
    first = await desk.page()
    loads = desk.disk.loads
    again = await desk.page((0.5, 0.5, 0.7, 0.6))
    assert desk.disk.loads == loads
    assert again.kept == again.frames == 200
    assert [(one.start, one.end) for one in again.found] == [(one.start, one.end) for one in first.found]


async def test_what_may_still_grow_is_not_kept(desk: Desk) -> None:
    desk.clock = desk.search._clock = FakeClock(T0 + 30 * SECOND)
    desk.disk.record(still(10))
    await desk.page()
    desk.disk.record(still(15))
    again = await desk.page()
    assert (again.frames, again.kept) == (15, 0)


async def test_maps_do_not_outlive_their_footage(desk: Desk) -> None:
    desk.disk.record(still(480))
    await desk.page()
    assert desk.maps.bytes > 0
    for at in [one for one in desk.disk.units if one < T0 + 4 * BLOCK_US]:
        del desk.disk.units[at]
    assert await desk.search.follow() == 4, "retention took them"
    del desk.disk.units[T0 + 6 * BLOCK_US + 2 * SECOND]
    assert await desk.search.follow() >= 1, "one second was erased on request"
    assert (await desk.page(start=T0 + 6 * BLOCK_US, end=T0 + 7 * BLOCK_US)).kept == 0
    desk.disk.units.clear()
    again = MovementSearch(desk.disk.open, KeptMaps(desk.file, desk.clock), desk.clock, desk._died)
    assert await again.follow() > 0, "a slot that began anew knows where to look"
    assert KeptMaps(desk.file, desk.clock).bytes == 0
    assert desk.disk.closed >= 2, "and holds no volume that nobody searches"


async def test_a_picture_that_kills_the_decoder_costs_itself_alone_and_is_told_once(desk: Desk) -> None:
    data = [*still(20), b"deadly", *still(20), b"damaged", *still(10), b"deadly", b"\x08", *still(10)]
    desk.disk.record(data)
    found = await desk.page()
    assert found.frames == len(data)
    assert found.unreadable == 3
    assert [(one.start, one.end) for one in found.found] == [(T0 + 102 * SECOND, T0 + 108 * SECOND)], "across the hole"
    assert desk.died == [("ch_1", "-6")]
    again = await desk.page()
    assert (again.unreadable, again.kept) == (3, len(data)), "and the next search does not try it again"


async def test_what_could_not_be_read_for_a_moment_is_looked_at_by_the_next_search(desk: Desk) -> None:
    desk.disk.record([*still(20), b"\x08", *still(99)])
    desk.disk.gone.update(at for at in desk.disk.units if at > T0 + 10 * SECOND and at < T0 + BLOCK_US)
    first = await desk.page()
    assert (first.frames, first.unreadable, first.found) == (120, 54, ())
    desk.disk.gone.clear()  # the volume is back
    second = await desk.page()
    assert (second.frames, second.unreadable, second.kept) == (120, 0, 0)
    assert [(one.start, one.end) for one in second.found] == [(T0 + 38 * SECOND, T0 + 42 * SECOND)]
    assert (await desk.page()).kept == 120


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), 9)", "raise MemoryError"])
async def test_a_decoder_that_dies_of_the_machine_is_not_held_against_the_picture(desk: Desk, how: str) -> None:
    desk.disk.record([*still(20), b"\x00here", b"\x08", *still(38)])
    desk.search._command = (sys.executable, "-c", CHILD.replace("deadly", "\\0here").replace("os.abort()", how))
    first = await desk.page()
    assert (first.frames, first.unreadable) == (60, 1)
    desk.search._command = HANDMADE
    second = await desk.page()
    assert (second.unreadable, second.kept) == (0, 0)
    assert (await desk.page()).kept == 60


async def test_a_decoder_that_is_silent_is_waited_for_once_and_asked_again_by_the_next_search(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.disk.record(still(60))
    answer, answers = KeyDecoder._answer, 0

    async def silent(child: asyncio.subprocess.Process) -> Any:
        nonlocal answers
        answers += 1
        if answers == 31:
            raise TimeoutError
        return await answer(child)

    monkeypatch.setattr(KeyDecoder, "_answer", staticmethod(silent))
    assert (await desk.page()).unreadable == 1
    assert answers == 60
    again = await desk.page()
    assert (again.unreadable, again.kept) == (0, 0)


def test_a_picture_for_which_there_was_no_memory_is_none_that_cannot_be_decoded() -> None:
    class LibraryError(Exception):
        pass

    class OutOfMemory(LibraryError, MemoryError):
        """As the library has it."""

    def refuse(error: type[Exception]) -> Decoder:
        def decode(_: Any) -> Any:
            raise error

        def context(*_: str) -> Any:
            return SimpleNamespace(decode=decode)

        return Decoder(
            SimpleNamespace(
                error=SimpleNamespace(FFmpegError=LibraryError), CodecContext=SimpleNamespace(create=context),
                Packet=lambda _: SimpleNamespace(),
            )
        )  # fmt: skip

    assert refuse(LibraryError).small(3, b"", b"picture") is None
    assert refuse(OutOfMemory).small(1, b"", b"\0\0\0\x09cut off") is None, "that says enough of it"
    with pytest.raises(MemoryError):
        refuse(OutOfMemory).small(3, b"", b"picture")


async def test_footage_that_nothing_can_decode_costs_three_children_and_says_so(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.disk.record([b"deadly"] * 60 + still(60))
    begun = 0
    make = asyncio.create_subprocess_exec

    async def counted(*command: str, **more: Any) -> asyncio.subprocess.Process:
        nonlocal begun
        begun += 1
        return await make(*command, **more)

    monkeypatch.setattr(asyncio, "create_subprocess_exec", counted)
    found = await desk.page()
    assert (found.frames, found.unreadable, found.found, found.next) == (120, 60, (), 0)
    assert begun == 6, "three that died, two that die of the picture before the next block, and one that goes on"
    assert (await desk.page()).kept == 60, "what was not tried is tried again"


async def test_a_child_that_is_killed_is_followed_by_another(desk: Desk) -> None:
    desk.disk.record([*still(30), b"\x08", *still(29)])
    killed: list[int] = []

    def kill() -> None:
        for child in children() if not killed else []:
            os.kill(child, signal.SIGKILL)
            killed.append(child)

    desk.disk.meanwhile = kill
    found = await desk.page()
    assert killed
    assert found.frames == 60
    assert found.unreadable == 0, "it is asked again what the dead one was asked"
    assert desk.died == [("ch_1", "-9")]


async def test_without_a_decoder_it_says_so(tmp_path: Path) -> None:
    desk = Desk(tmp_path, (sys.executable, "-c", "raise SystemExit(3)"))
    desk.disk.record(still(3))
    with pytest.raises(UnavailableError) as caught:
        await desk.page()
    assert caught.value.code == "decoder_missing"


async def test_a_stretch_without_footage_is_looked_through_in_one_page(desk: Desk) -> None:
    found = await desk.page(end=T0 + 86_400 * SECOND)
    assert (found.frames, found.next) == (0, 0)
    assert [one.cause for one in found.gaps] == ["camera"]


async def test_long_searches_come_in_pages_and_nothing_is_looked_at_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "MOVEMENT_PAGE_SECONDS", 0.0)
    data = still(600)
    for number in (10, 59, 60, 61, 300):  # one of them across the border of two blocks
        data[number] = b"\x08"
    desk.disk.record(data)
    at, pages, frames, finds = T0, 0, 0, list[tuple[int, int]]()
    while True:
        page = await desk.page(start=at)
        pages, frames = pages + 1, frames + page.frames
        finds += [(one.start, one.end) for one in page.found]
        if not page.next:
            break
        assert page.next > at, "each page gets somewhere"
        at = page.next
    assert pages > 5
    assert frames == 600
    assert len(finds) == 3
    assert [end for _, end in finds] == [T0 + 22 * SECOND, T0 + 124 * SECOND, T0 + 602 * SECOND]


async def test_searches_take_turns_and_too_many_are_refused(desk: Desk) -> None:
    desk.disk.record(still(60))
    order: list[int] = []

    async def one(number: int) -> None:
        await desk.page(channel=f"ch_{number}")
        order.append(number)

    waiting = [asyncio.create_task(one(number)) for number in range(MAX_MOVEMENT_PAGES)]
    await asyncio.sleep(0)
    with pytest.raises(ExhaustedError) as caught:
        await desk.page()
    assert caught.value.code == "movement_busy"
    await asyncio.gather(*waiting)
    assert order == sorted(order)


async def test_whoever_is_let_in_is_answered_while_it_still_waits(desk: Desk) -> None:
    desk.disk.record(still(300))
    desk.disk.meanwhile = lambda: desk.clock.advance(0.049)  # a block takes a little less than a page may
    begun = desk.clock.monotonic()

    async def one(number: int) -> float:
        assert (await desk.page(channel=f"ch_{number}")).frames == 120
        return desk.clock.monotonic() - begun

    let_in: list[asyncio.Task[float]] = []
    while not any(task.done() for task in let_in):
        let_in.append(asyncio.create_task(one(len(let_in))))
        await asyncio.sleep(0)
    with pytest.raises(ExhaustedError):
        await let_in.pop()
    waited = await asyncio.gather(*let_in)
    assert len(waited) == 10
    assert max(waited) <= MOVEMENT_PATIENCE_SECONDS


async def test_more_gaps_than_are_told_count_all_the_same(desk: Desk) -> None:
    desk.disk.record(still(10))
    desk.disk.absent = [Absent(at, at + 3 * SECOND, "camera") for at in range(T0, T0 + 3000 * SECOND, 10 * SECOND)]
    found = await desk.page()
    assert len(found.gaps) == 200
    assert found.missing_us == 300 * 3 * SECOND


async def test_whoever_gives_up_leaves_the_turn_and_no_child(desk: Desk) -> None:
    desk.disk.record(still(600))
    begun = asyncio.Event()
    loop = asyncio.get_running_loop()
    given_up = threading.Event()

    def once_there_is_a_child() -> None:
        if children():
            loop.call_soon_threadsafe(begun.set)
            given_up.wait()  # or it might be done before anybody gives up

    desk.disk.meanwhile = once_there_is_a_child
    giving_up = asyncio.create_task(desk.page())
    await begun.wait()
    giving_up.cancel()
    given_up.set()
    await asyncio.gather(giving_up, return_exceptions=True)
    assert giving_up.cancelled()
    assert children() == []
    assert not desk.search._turn.locked()
    assert (await desk.page(ELSEWHERE)).frames == 600


@pytest.mark.parametrize(
    "wrong",
    [
        {"end": T0}, {"end": T0 + 8 * 86_400 * SECOND}, {"start": -1}, {"sensitivity": "huge"},
        {"region": (0.5, 0.5, 0.5, 0.6)}, {"region": (0.5, 0.5, 1.5, 0.6)}, {"region": (float("nan"), 0.0, 1.0, 1.0)},
    ],
)  # fmt: skip
async def test_what_is_no_search_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        await desk.page(**wrong)


def test_kept_maps_are_bounded_and_the_longest_unused_go_first(tmp_path: Path) -> None:
    clock = FakeClock(T0)
    file = open_file(tmp_path / "maps.db")
    maps = KeptMaps(file, clock, max_bytes=3000)
    noise = np.random.default_rng(1)

    def moments(start: int) -> list[Any]:
        heat = noise.integers(0, 10, (18, 32)).astype(np.uint8)
        return [searching.Moment(start, 1, start - 1, heat)]

    maps.put("ch_1", "main", 0, "m", moments(0))
    clock.advance(86_400 * 2)
    for number in range(1, 30):
        maps.put("ch_2", "main", number, "m", moments(number))
        assert maps.bytes <= 3000
    assert maps.get("ch_1", "main", 0, "m") is None
    assert maps.get("ch_2", "main", 29, "m") is not None
    assert maps.get("ch_2", "main", 29, "other footage") is None
    assert KeptMaps(file, clock).bytes == maps.bytes
    file.close()


def test_a_file_full_of_maps_is_not_gone_through_before_anybody_searches(tmp_path: Path) -> None:
    clock = FakeClock(T0)
    file = open_file(tmp_path / "maps.db")
    KeptMaps(file, clock).put("ch_1", "main", 0, "m", [searching.Moment(0, searching.FIRST)])
    steps = 0

    def counted() -> int:
        nonlocal steps
        steps += 1
        return 0

    for number in range(1, 1000):
        file.execute("INSERT INTO block SELECT channel, quality, ?, mark, used, body FROM block LIMIT 1", (number,))
    file._connection.set_progress_handler(counted, 100)
    maps = KeptMaps(file, clock)
    assert maps.get("ch_1", "main", 0, "m") is not None
    assert steps < 10
    assert maps.bytes > 0
    assert steps >= 10, "that is what it costs"
    file.close()


def test_on_a_full_disk_what_was_kept_is_found_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock(T0)
    file = open_file(tmp_path / "maps.db")
    maps = KeptMaps(file, clock)
    maps.put("ch_1", "main", 0, "m", [searching.Moment(0, searching.FIRST)])
    clock.advance(86_400 * 2)
    execute = file.execute

    def full(statement: str, *values: Any) -> Any:
        if not statement.startswith("SELECT"):
            raise UnavailableError("full", code="disk_full")
        return execute(statement, *values)

    monkeypatch.setattr(file, "execute", full)
    maps.use_volumes(["/volumes/new"])
    assert maps.get("ch_1", "main", 0, "m") is not None
    file.close()


Units = Callable[..., list[Unit]]


async def test_the_simulated_street_moves_where_it_does(tmp_path: Path, units: Units) -> None:
    pytest.importorskip("av")
    desk = Desk(tmp_path, COMMAND)
    made = [one for one in units(seconds=24.0) if one.is_key]
    begin = T0 - made[0].arrived_us
    for one in made:
        desk.disk.units[one.arrived_us + begin] = one
    road = await desk.page((0.0, 0.3, 1.0, 0.9))
    assert (road.frames, road.unreadable) == (len(made), 0)
    assert road.found, "vehicles pass"
    sky = await desk.page((0.55, 0.02, 0.98, 0.25))
    assert sky.found == ()
    assert sky.kept == len(made)
