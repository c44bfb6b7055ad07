"""A camera's stream into pictures: decoded by a child that may die of what it is given, and is back a second later."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from safecity.kit.clock import SECOND_US
from safecity.model.values.media import AUDIO, AudioParameters, Codec, Unit
from safecity.vision.live import decoder
from safecity.vision.live.decoder import COMMAND, LiveDecoder, Shown

Units = Callable[..., list[Unit]]


@pytest.fixture(autouse=True)
def as_slow_as_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take its time to start a child; one that is taken for dead would be a death too many."""
    monkeypatch.setattr(decoder, "SILENT_SECONDS", 600.0)


@asynccontextmanager
async def running(fps: float, command: Sequence[str] = COMMAND) -> AsyncGenerator[LiveDecoder]:
    live = LiveDecoder("ch_1", fps, command)
    task = asyncio.create_task(live.run())
    try:
        yield live
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def shown(live: LiveDecoder) -> Shown:
    async with asyncio.timeout(60):
        return await live.picture()


async def all_decoded(live: LiveDecoder, units: Sequence[Unit]) -> list[Shown]:
    """Every picture there is to see, when they are taken as they come."""
    found: list[Shown] = []
    for unit in units:
        live.offer(unit)
    async with asyncio.timeout(60):
        while live.figures.decoded < len(units) - 11:  # it tells once in a second of the stream
            taken = asyncio.ensure_future(live.picture())
            await asyncio.wait({taken}, timeout=0.2)
            if taken.done():
                found.append(taken.result())
            else:
                taken.cancel()
    return found


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265, Codec.MPEG4])
async def test_a_stream_becomes_pictures_with_their_own_time(units: Units, codec: Codec) -> None:
    stream = units(codec)
    async with running(100) as live:
        live.offer(stream[0])
        first = await shown(live)
        assert first.picture.shape == (180, 320, 3)
        assert first.at == stream[0].arrived_us
        assert first.picture.std() > 5, "a street, not a grey area"
        for unit in stream[1:20]:
            live.offer(unit)
        later = await shown(live)
        assert later.at in {unit.arrived_us for unit in stream[1:20]}


async def test_only_so_many_are_looked_at_as_were_asked_for(units: Units) -> None:
    async with running(2) as live:
        await all_decoded(live, units(seconds=8.0))
        looked = live.figures.shown + live.figures.still
        assert 13 <= looked <= 17, "eight seconds at two a second"
        assert live.figures.decoded >= 69, "all are decoded, for each rests on the one before"


async def test_a_clock_that_is_set_back_does_not_make_every_picture_due(units: Units) -> None:
    stream = units(seconds=8.0)
    stream = [*stream[:40], *(unit._replace(arrived_us=unit.arrived_us - 3600 * SECOND_US) for unit in stream[40:])]
    async with running(2) as live:
        await all_decoded(live, stream)
        assert 13 <= live.figures.shown + live.figures.still <= 18


async def test_with_key_frames_alone_nothing_else_is_decoded(units: Units) -> None:
    async with running(0) as live:
        for unit in units(seconds=8.0):
            live.offer(unit)
        async with asyncio.timeout(60):
            while live.figures.shown < 8:
                await asyncio.wait_for(live.picture(), 60)
        assert live.figures.decoded == 8


async def test_a_street_on_which_nothing_moves_is_hardly_looked_at(units: Units) -> None:
    async with running(100) as live:
        await all_decoded(live, units(frozen=True))
        assert live.figures.shown <= 3
        assert live.figures.still >= 25


async def test_garbage_in_a_stream_costs_pictures_and_nothing_else(units: Units) -> None:
    stream = units(seconds=8.0)
    for number in (3, 4, 17, 41):
        broken = b"\x00\x00\x00\x20" + bytes(range(32))
        stream = [*stream[:number], stream[number]._replace(data=broken), *stream[number + 1 :]]
    stream[60] = stream[60]._replace(data=b"\xff\xff\xff\xffrest")
    async with running(100) as live:
        for unit in stream:
            live.offer(unit)
        live.offer(stream[-1]._replace(track=AUDIO, parameters=AudioParameters(Codec.PCMA, 8000, 1)))
        async with asyncio.timeout(60):
            while (await live.picture()).at < stream[-8].arrived_us:
                pass


DYING = "import os, sys; sys.stdin.buffer.read(200); os.abort()"
HANGING = "import sys\nwhile sys.stdin.buffer.read(10): pass"


TALKING = "print('no pictures' * 100)"
FLOODING = "import os\nwhile True: os.write(1, bytes(1 << 16))"


RECKLESS = """
import sys
from safecity.vision.live import wire
sys.stdin.buffer.read(200)
sys.stdout.buffer.write(wire.FROM_CHILD.pack(wire.MARK, wire.NOTE, 1, 0, 0, float("nan"), 1, 0))
sys.stdout.buffer.flush()
sys.stdin.buffer.read()
"""


@pytest.mark.parametrize(
    "body",
    [DYING, HANGING, TALKING, FLOODING, RECKLESS],
    ids=["crashes", "hangs", "talks nonsense", "talks nonsense without end", "reckons nonsense"],
)
async def test_a_child_that_fails_is_followed_by_another(
    units: Units, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr(decoder, "AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(decoder, "SILENT_SECONDS", 0.2)
    told: list[str] = []
    live = LiveDecoder("ch_1", 5, (sys.executable, "-c", body), told.append)
    task = asyncio.create_task(live.run())
    stream = units()
    async with asyncio.timeout(60):
        while live.figures.crashes < 2:
            for unit in stream:
                live.offer(unit)
            await asyncio.sleep(0)
            await asyncio.wait({task}, timeout=0.05)
    assert live.figures.state == "decoder_failed"
    assert len(told) == live.figures.crashes, "each death is one event"
    assert live.figures.cpu_seconds == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


ANSWERS_AT_LAST = """
import sys
from safecity.vision.live import wire
for _ in range(4):
    sys.stdin.buffer.read(wire.TO_CHILD.size)
sys.stdout.buffer.write(wire.FROM_CHILD.pack(wire.MARK, wire.NOTE, 7, 0, 0, 0.0, 1, 0))
sys.stdout.buffer.flush()
sys.stdin.buffer.read()
"""


async def test_a_child_that_was_given_no_picture_is_not_taken_for_one_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoder, "SILENT_SECONDS", 0.0)
    async with running(5, (sys.executable, "-c", ANSWERS_AT_LAST)) as live, asyncio.timeout(60):
        for fps in (4, 3, 2):
            while live._waiting:
                await asyncio.sleep(0)
            live.rate(fps)
        while live.figures.at != 7 and not live.figures.crashes:
            await asyncio.sleep(0)
        assert live.figures.crashes == 0
        assert live.figures.state == "running"


async def test_children_that_decode_nothing_are_started_ever_more_rarely(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    at_once = asyncio.sleep

    async def passes(seconds: float) -> None:
        waits.append(seconds)
        await at_once(0)

    monkeypatch.setattr(decoder.asyncio, "sleep", passes)
    async with running(5, (sys.executable, "-c", "import os; os.abort()")) as live, asyncio.timeout(60):
        while live.figures.crashes < 7:
            await asyncio.wait({asyncio.ensure_future(at_once(0))})
    assert waits[:3] == [1, 2, 4]
    assert waits[-1] == decoder.LAST_AGAIN_SECONDS


ONCE = """
import os, sys
from pathlib import Path
from safecity.vision.live import child, wire
mark = Path(sys.argv[1])
first = not mark.exists()
mark.touch()  # at work it may open no files
class Mortal(child.Child):
    def take(self, kind, codec, at, data):
        if kind == wire.UNIT and first:
            os.abort()
        super().take(kind, codec, at, data)
child.Child = Mortal
sys.exit(child.main())
"""


async def test_after_a_death_it_begins_at_a_key_frame(units: Units, tmp_path: Path) -> None:
    stream = units()
    async with running(100, (sys.executable, "-c", ONCE, str(tmp_path / "died"))) as live:
        for unit in stream[:10]:
            live.offer(unit)
        async with asyncio.timeout(60):
            while live.figures.crashes < 1:
                await asyncio.wait({asyncio.ensure_future(asyncio.sleep(0.02))})
        for unit in stream[15:]:  # its next key frame is the twentieth
            live.offer(unit)
        pictures = [await shown(live)]
        while pictures[-1].at < stream[-6].arrived_us:
            pictures.append(await shown(live))
        pictures = [one for one in pictures if one.at > stream[9].arrived_us]  # the first may be the dead one's
        assert pictures[0].at >= stream[20].arrived_us, "nothing is shown that rests on what was never decoded"
        assert live.figures.crashes == 1


CURIOUS = """
import os, socket, sys
from safecity.vision.live import child
class Curious(child.Child):
    def take(self, kind, codec, at, data):
        for way in (lambda: open("/etc/hostname"), socket.socket):
            try:
                way()
            except OSError:
                continue
            os.abort()
        super().take(kind, codec, at, data)
child.Child = Curious
sys.exit(child.main())
"""


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265, Codec.MPEG4])
async def test_a_child_that_was_taken_over_opens_no_file_and_no_socket(units: Units, codec: Codec) -> None:
    async with running(100, (sys.executable, "-c", CURIOUS)) as live:
        for unit in units(codec)[:12]:
            live.offer(unit)
        async with asyncio.timeout(60):
            picture = asyncio.ensure_future(live.picture())
            while not picture.done() and not live.figures.crashes:
                await asyncio.wait({picture}, timeout=0.05)
        assert live.figures.crashes == 0
        assert picture.result().picture.std() > 5, "and decodes all the same"


async def test_without_a_decoder_it_says_so_and_stops() -> None:
    live = LiveDecoder("ch_1", 5, (sys.executable, "-c", "import sys; sys.exit(3)"))
    async with asyncio.timeout(60):
        await live.run()
    assert live.figures.state == "not_installed"


async def test_a_child_that_is_too_slow_makes_it_drop_up_to_a_key_frame(units: Units) -> None:
    live = LiveDecoder("ch_1", 5)
    stream = units()
    for _ in range(400):
        for unit in stream:
            live.offer(unit)
    assert live.figures.dropped > 0
    assert live._bytes <= decoder.MAX_BEHIND + max(len(unit.data) for unit in stream) + 100
