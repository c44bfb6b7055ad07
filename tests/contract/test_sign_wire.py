"""The platform and a sign over real sockets: started anew, silent, over by itself, and answers not to be trusted."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from safecity.backends.database import open_database
from safecity.core.ground.access.api import Actor, Grant, Role, Vault
from safecity.core.ground.outbox.store import pending
from safecity.core.ground.signs import store
from safecity.core.ground.signs.api import Signs, SignState, Standing, Teller
from safecity.core.ground.signs.teller import LEASE_SECONDS
from safecity.drivers.signs.link import HttpSigns
from safecity.kit.clock import SECOND_US, FakeClock
from safecity.kit.errors import UnavailableError
from safecity.protocols.signs import PATH, Show, Shown, read, write
from safecity.sim.signs import SimSign

KEY = "a-key-of-this-sign-alone"
QUEUE = ("前方1.2公里拥堵", "请减速慢行")
WHERE = {"longitude": 118.37, "latitude": 31.33, "direction": 90, "lines": 2, "columns": 20, "fallback": ("文明驾驶",)}
GOLDEN = Path(__file__).parents[1] / "vectors" / "events"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Desk:
    """The platform's side on a fresh database, with a clock that the test turns; `step` is a turn of the teller."""

    def __init__(self, folder: Path, *, timeout: float = 5.0) -> None:
        self.database = open_database(f"sqlite:///{folder}/control.db", migrate=False)
        self.clock = FakeClock()
        self.vault = Vault(b"k" * 32)
        self.timeout = timeout
        self.signs = Signs(self.database, self.vault, self.clock)
        self.sign = ""
        self.begin()

    def begin(self) -> None:
        """As after a start of the platform: nothing is remembered but what lies in the database."""
        link = HttpSigns(allow_loopback=True, timeout=self.timeout)
        self.teller = Teller(self.database, self.vault, self.clock, link, lambda: None, luck=lambda: 0.5)

    @property
    def who(self) -> Actor:
        return Actor("us", "root", "se", (Grant(Role.ADMINISTRATOR),), self.clock.now_us())

    async def add(self, address: str) -> None:
        standing, _ = await self.signs.add(self.who, KEY, {"name": "east gate", "address": address, **WHERE})
        self.sign = standing.sign.id

    async def show(self, *lines: str, seconds: int = 3600, priority: int = 3) -> str:
        end = self.clock.now_us() + seconds * SECOND_US
        message = await self.signs.show(
            self.who, self.sign, lines=lines, priority=priority, start=None, end=end, reason="a queue"
        )
        return message.id

    async def turn(self, seconds: float = 30.0) -> Standing:
        """So much later: whoever is due is told; what is said then."""
        self.clock.advance(seconds)
        await self.teller.step()
        return await self.seen()

    async def seen(self) -> Standing:
        return await self.signs.see(self.who, self.sign)

    async def events(self) -> list[str]:
        """What waits for the bus; each has the fields of its golden event."""
        found = [event for _, event in await self.database.read(lambda tx: pending(tx, 100))]
        for event in found:
            golden = json.loads((GOLDEN / f"{event.kind}.v1.json").read_text("utf-8"))["body"]
            assert {name: type(value) for name, value in golden.items()} == {
                name: type(value) for name, value in event.body.items()
            }
        return [event.kind for event in found]


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the newest schema and nothing in it, copied for each test."""
    path = tmp_path_factory.mktemp("schema") / "control.db"
    asyncio.run(open_database(f"sqlite:///{path}").close())
    return path


@pytest.fixture
async def desk(tmp_path: Path, migrated: Path) -> AsyncIterator[Desk]:
    shutil.copy(migrated, tmp_path / "control.db")
    made = Desk(tmp_path)
    yield made
    await made.database.close()


@pytest.fixture
async def sim(desk: Desk) -> AsyncIterator[SimSign]:
    sign = SimSign(KEY, fallback=("出厂内容",), clock=desk.clock)
    await sign.start()
    yield sign
    await sign.stop()


async def test_what_somebody_sets_stands_on_the_sign_and_goes_when_its_time_is_over(desk: Desk, sim: SimSign) -> None:
    await desk.add(sim.address)
    assert (await desk.seen()).report.state is SignState.WAITING
    seen = await desk.turn()
    assert (sim.lines, seen.report.lines, seen.wanted) == (("文明驾驶",), ("文明驾驶",), None)
    message = await desk.show(*QUEUE, seconds=300)
    assert (await desk.seen()).report.lines == ("文明驾驶",)  # a wish shows nothing
    seen = await desk.turn(0)
    assert sim.lines == seen.report.lines == QUEUE
    assert (seen.report.state, seen.report.message) == (SignState.SHOWS, message)
    seen = await desk.turn(301)
    assert sim.lines == seen.report.lines == ("文明驾驶",)
    told = await desk.signs.history(desk.who, desk.sign, before="", limit=10)
    assert [one.lines for _, one in told] == [("文明驾驶",), QUEUE, ("文明驾驶",)]


async def test_the_higher_priority_is_shown_and_the_other_comes_back_when_it_is_withdrawn(
    desk: Desk, sim: SimSign
) -> None:
    await desk.add(sim.address)
    await desk.show(*QUEUE)
    urgent = await desk.show("事故", priority=1)
    await desk.turn()
    assert sim.lines == ("事故",)
    await desk.signs.withdraw(desk.who, desk.sign, urgent)
    assert (await desk.turn(0)).report.lines == sim.lines == QUEUE


async def test_a_sign_that_is_told_nothing_more_goes_back_to_its_fallback_by_itself(desk: Desk, sim: SimSign) -> None:
    await desk.add(sim.address)
    await desk.show(*QUEUE, seconds=86_400)
    await desk.turn()
    desk.clock.advance(LEASE_SECONDS - 1)
    assert sim.lines == QUEUE
    desk.clock.advance(2)
    assert sim.lines == ("文明驾驶",)
    assert (await desk.turn()).report.lines == sim.lines == QUEUE  # and is told again when the platform is back


async def test_a_sign_that_was_started_anew_is_told_again(desk: Desk, sim: SimSign) -> None:
    await desk.add(sim.address)
    await desk.show(*QUEUE)
    await desk.turn()
    sim.restart()
    assert sim.lines == ("出厂内容",)
    assert (await desk.turn()).report.lines == sim.lines == QUEUE
    assert await desk.events() == []


async def test_a_platform_that_was_started_anew_with_its_clock_set_back_is_heeded(desk: Desk, sim: SimSign) -> None:
    await desk.add(sim.address)
    await desk.turn()
    desk.clock.step_wall(-3600)
    desk.begin()
    await desk.show(*QUEUE)
    assert (await desk.turn()).report.lines == sim.lines == QUEUE


async def test_a_silent_sign_is_shown_as_silent_tried_again_later_each_time_and_told_when_it_is_back(
    desk: Desk, sim: SimSign
) -> None:
    await desk.add(sim.address)
    await desk.turn()
    await sim.stop()
    assert (await desk.turn()).report.state is SignState.SHOWS  # one answer can be lost on the way
    seen = await desk.turn()
    assert (seen.report.state, seen.report.code, seen.report.lines) == (
        SignState.SILENT, "http_unreachable", ("文明驾驶",)
    )  # fmt: skip
    assert await desk.events() == ["sign.failed"]
    waits: list[int] = []
    for _ in range(4):
        seconds = 0
        while not await desk.teller.step():
            desk.clock.advance(1)
            seconds += 1
        waits.append(seconds)
    assert waits == sorted(waits)
    assert waits[0] < waits[-1] <= 60
    await desk.show(*QUEUE)
    await sim.start()
    seen = await desk.turn(0)
    assert (seen.report.state, seen.report.lines) == (SignState.SHOWS, QUEUE)
    assert sim.lines == QUEUE
    assert await desk.events() == ["sign.failed", "sign.recovered"]
    await sim.stop()
    assert (await desk.turn()).report.state is SignState.SHOWS  # all begins anew


async def test_a_fault_that_the_sign_tells_is_told_on(desk: Desk, sim: SimSign) -> None:
    await desk.add(sim.address)
    sim.face.fault = "pixels"
    seen = await desk.turn()
    assert (seen.report.state, seen.report.code) == (SignState.FAULT, "sign_fault_pixels")
    sim.face.fault = "<b>what nobody knows</b>"
    assert (await desk.turn()).report.code == "sign_fault_other"
    sim.face.fault = ""
    assert (await desk.turn()).report.state is SignState.SHOWS
    assert await desk.events() == ["sign.failed", "sign.recovered"]


async def test_a_request_of_yesterday_moves_no_sign_not_even_one_started_anew(desk: Desk, sim: SimSign) -> None:
    await desk.add(sim.address)
    await desk.turn()
    boot = sim.face.take(Show(boot="", number=0), desk.clock.monotonic()).boot
    number = desk.clock.now_us() + SECOND_US
    old = write(Show(boot=boot, number=number, content="old", lines=("OLD",), seconds=600), KEY)
    assert (await post(sim, old)).taken
    assert sim.lines == ("OLD",)
    await desk.turn()
    assert not (await post(sim, old)).taken
    sim.restart()
    assert not (await post(sim, old)).taken
    assert sim.lines == ("出厂内容",)


async def post(sim: SimSign, body: bytes) -> Shown:
    reader, writer = await asyncio.open_connection("127.0.0.1", sim.port)
    writer.write(f"POST {PATH} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = await reader.read()
    writer.close()
    return read(answer.partition(b"\r\n\r\n")[2], KEY, Shown)


# --- answers that nobody should trust -------------------------------------------------------------------------


def http(body: bytes, head: str = "HTTP/1.1 200 OK") -> bytes:
    return f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def shown(**values: object) -> bytes:
    return write(Shown(**{"boot": "b", "number": 1, "taken": True, **values}), KEY)  # type: ignore[arg-type]


BAD = {
    "no HTTP": (b"hello\r\n\r\n", "http_answer_unexpected"),
    "no JSON": (http(b"<html>router</html>"), "sign_unreadable"),
    "huge": (b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", "http_answer_unexpected"),
    "without end": (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (2 << 20), "sign_unreadable"),
    "a head without end": (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000, "http_answer_unexpected"),
    "deep": (http(b"[" * 20_000), "sign_unreadable"),
    "a refusal": (http(b"", "HTTP/1.1 500 no"), "sign_status"),
    "sent elsewhere": (http(b"", "HTTP/1.1 302 go\r\nLocation: http://127.0.0.1/"), "sign_status"),
    "another key": (http(write(Shown(boot="b", number=1, taken=True), "x" * 20)), "sign_key_wrong"),
    "an answer of yesterday": (http(shown()), "sign_other_answer"),
    "a request as an answer": (http(write(Show(boot="b", number=1), KEY)), "sign_key_wrong"),
    "broken text": (http(b'{"message": "\xff", "mac": "x"}'), "sign_unreadable"),
    "nothing": (b"", "http_unreachable"),
}


@contextlib.asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{PATH}"
    finally:
        server.close()


@pytest.mark.parametrize("case", BAD)
async def test_an_answer_that_is_none_is_a_silent_sign_with_a_reason(desk: Desk, case: str) -> None:
    body, code = BAD[case]

    async def bad(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(body)
            await writer.drain()
        writer.close()

    async with answering(bad) as address:
        await desk.add(address)
        await desk.turn()
        seen = await desk.turn()
    assert (seen.report.state, seen.report.code, seen.report.lines) == (SignState.SILENT, code, ())


async def test_letters_that_are_none_are_marked_and_hurt_nobody(desk: Desk) -> None:
    async def odd(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked = read(await reader.read(1 << 16), KEY, Show)
        text = (
            f'{{"boot":"b","number":{asked.number},"taken":{"true" if asked.boot == "b" else "false"},'
            '"content":"x\\u0000","lines":["A\\u0000B","\\u202eC"]}'
        )
        mac = hmac.new(KEY.encode(), f"shown\n{text}".encode(), hashlib.sha256).hexdigest()
        writer.write(http(json.dumps({"message": text, "mac": mac}).encode()))
        await writer.drain()
        writer.close()

    async with answering(odd) as address:
        await desk.add(address)
        seen = await desk.turn()
    assert (seen.report.state, seen.report.lines) == (SignState.SHOWS, ("A\ufffdB", "\ufffdC"))
    assert seen.report.message == "x\ufffd"


async def test_a_sign_that_answers_a_letter_at_a_time_holds_up_nobody_else(desk: Desk) -> None:
    desk.timeout = 0.3
    desk.begin()
    gone = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        await reader.read()  # until the platform goes away
        gone.set()
        writer.close()

    good = SimSign(KEY, clock=desk.clock)
    await good.start()
    async with answering(slow) as address:
        await desk.add(address)
        lame = desk.sign
        await desk.add(good.address)
        await desk.turn()
        await desk.turn()
        assert good.lines == ("文明驾驶",)
        report = (await desk.signs.see(desk.who, lame)).report
        assert (report.state, report.code) == (SignState.SILENT, "http_no_answer")
        await gone.wait()
    await good.stop()


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "127.1", "0x7f000001", "2130706433", "169.254.169.254",
             "100.100.100.200", "[::ffff:127.0.0.1]", "0.0.0.0"],
)  # fmt: skip
async def test_no_sign_leads_to_the_platforms_own_services_or_to_cloud_metadata(desk: Desk, host: str) -> None:
    reached = asyncio.Event()

    async def trap(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        writer.close()

    async with answering(trap) as address:
        port = address.split(":")[2].split("/")[0]
        with pytest.raises(UnavailableError) as refused:
            await HttpSigns().tell(f"http://{host}:{port}{PATH}", KEY, Show(boot="", number=1))
    assert refused.value.code in ("http_refused_address", "http_unknown_host")
    assert not reached.is_set()


async def test_what_is_long_over_is_forgotten(desk: Desk, sim: SimSign) -> None:
    await desk.add(sim.address)
    await desk.show(*QUEUE, seconds=60)
    await desk.turn()
    desk.clock.advance(91 * 86_400)
    assert await desk.signs.sweep() == 2
    assert (
        await desk.database.read(lambda tx: store.messages_of(tx, desk.sign, at=0, past=True, before="", limit=9)) == []
    )
