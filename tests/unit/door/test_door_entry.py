"""Who may enter the media port, and who has to leave: over loopback, with honest and hostile clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import websockets
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from safecity.kit.clock import FakeClock
from safecity.media.door.connection import Connection
from safecity.media.door.door import Access, Door, Limits
from safecity.media.door.messages import binary
from safecity.media.door.used import UsedTickets
from safecity.model.values.media import Quality
from safecity.model.values.ticket import Ticket, sign

KEY = b"k" * 32


class Echo:
    """Answers each message with its fields, and `flood` with as much as asked."""

    def __init__(self, connection: Connection, seen: list[Echo]) -> None:
        self.connection = connection
        self.gone = asyncio.Event()
        seen.append(self)

    def message(self, fields: Mapping[str, Any]) -> None:
        if fields["type"] == "flood":
            frame = binary(3, 0, 0, [b"x" * 65536])
            for _ in range(fields["count"]):
                self.connection.send(frame)
        self.connection.say(fields)

    def drained(self) -> None: ...

    def closed(self) -> None:
        self.gone.set()


class Place:
    """A door on a free port."""

    def __init__(self, limits: Limits | None = None, used: Path | None = None) -> None:
        self.clock = FakeClock()
        self.handlers: list[Echo] = []
        self.door = Door(
            self.clock, {"live": lambda connection, _: Echo(connection, self.handlers)}, Access([KEY]), limits,
            used=UsedTickets(used),
        )  # fmt: skip
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def ticket(self, **changes: Any) -> str:
        now = self.clock.now_us() // 1_000_000
        fields: dict[str, Any] = {
            "session": "s1", "subject": "u", "channel": "ch", "action": "live", "quality": Quality.MAIN,
            "not_after": now + 60,
        }  # fmt: skip
        return sign(Ticket(**{**fields, **changes}), KEY)

    def url(self, **changes: Any) -> str:
        return f"ws://127.0.0.1:{self.port}/v1/live/{self.ticket(**changes)}"

    async def raw(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        return reader, writer


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    place = Place(Limits(connections=20, unopened=3, per_session=4))
    await place.door.listen(place.socket)
    yield place
    await place.door.close()


async def ending(url: str) -> tuple[str, int]:
    """The code in the `end` message and that of the close frame."""
    async with connect(url) as client:
        said = ""
        with contextlib.suppress(ConnectionClosed):
            async for message in client:
                fields = json.loads(message)
                if fields["type"] == "end":
                    said = fields["code"]
        return said, client.close_code or 0


async def test_a_good_ticket_is_served(place: Place) -> None:
    async with connect(place.url()) as client:
        await client.send('{"type":"hello"}')
        assert json.loads(await client.recv()) == {"type": "hello"}
        assert place.door.viewers == 1
    await place.handlers[0].gone.wait()
    assert place.door.viewers == 0


async def test_refused_tickets_say_why(place: Place) -> None:
    assert await ending(place.url(not_after=1)) == ("ticket_expired", 1008)
    assert await ending(place.url(action="playback")) == ("ticket_forged", 1008)
    assert await ending(place.url()[:-2]) == ("ticket_forged", 1008)
    url = place.url(nonce="n1")
    async with connect(url):
        assert await ending(url) == ("ticket_used", 1008)
    assert place.door.counters["ticket_forged"] == 2


async def test_a_ticket_opens_once_at_whichever_slot_and_however_often_that_is_started_anew(tmp_path: Path) -> None:
    first, second = Place(used=tmp_path / "used"), Place(used=tmp_path / "used")
    ticket = first.ticket(nonce="n1")
    async with contextlib.AsyncExitStack() as stack:
        for place in (first, second):
            await place.door.listen(place.socket)
            stack.push_async_callback(place.door.close)
        async with connect(f"ws://127.0.0.1:{first.port}/v1/live/{ticket}"):
            assert await ending(f"ws://127.0.0.1:{second.port}/v1/live/{ticket}") == ("ticket_used", 1008)
        again = Place(used=tmp_path / "used")
        await again.door.listen(again.socket)
        stack.push_async_callback(again.door.close)
        assert await ending(f"ws://127.0.0.1:{again.port}/v1/live/{ticket}") == ("ticket_used", 1008)
        async with connect(again.url(nonce="n2")):
            assert again.door.viewers == 1


async def test_used_tickets_are_forgotten_when_no_clock_could_make_them_good_again(tmp_path: Path) -> None:
    place = Place(used=tmp_path)
    place.socket.close()
    now = place.clock.now_us() // 1_000_000
    used = UsedTickets(tmp_path)
    assert used.use("n1", now + 60)
    place.clock.advance(119)
    place.door.sweep()
    assert not UsedTickets(tmp_path).use("n1", now + 60)
    place.clock.advance(16)
    place.door.sweep()
    assert list(tmp_path.iterdir()) == []


async def test_a_folder_that_takes_nothing_ends_no_watching_and_the_slot_still_remembers(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    used = UsedTickets(tmp_path / "file")
    assert used.use("n1", 100)
    assert not used.use("n1", 100)


async def test_an_old_key_still_opens_while_it_is_listed(place: Place) -> None:
    old = sign(
        Ticket("s", "u", "ch", "live", Quality.MAIN, place.clock.now_us() // 1_000_000 + 30),
        b"o" * 32,
    )
    url = f"ws://127.0.0.1:{place.port}/v1/live/{old}"
    assert (await ending(url))[0] == "ticket_forged"
    place.door._access.keys = [KEY, b"o" * 32]
    async with connect(url):
        assert place.door.viewers == 1


async def test_a_session_has_so_many_connections_and_no_more(place: Place) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(4):
            await stack.enter_async_context(connect(place.url()))
        assert (await ending(place.url()))[0] == "too_many_viewers"
        await stack.enter_async_context(connect(place.url(session="s2")))


async def test_the_video_of_a_session_ends_with_it(place: Place) -> None:
    async with connect(place.url()) as mine, connect(place.url(session="s2")) as other:
        assert place.door.end_sessions({"s1"}) == 1
        assert json.loads(await mine.recv()) == {"type": "end", "code": "session_ended"}
        with pytest.raises(ConnectionClosed):
            await mine.recv()
        await other.send('{"type":"still here"}')
        assert json.loads(await other.recv()) == {"type": "still here"}


async def test_a_ticket_got_before_the_sign_out_opens_nothing_after_it(place: Place) -> None:
    place.door.end_sessions({"s1"})
    assert (await ending(place.url()))[0] == "session_ended"
    async with connect(place.url(session="s2")):
        pass


async def test_a_client_that_does_not_read_is_cut_off_when_its_session_ends(place: Place) -> None:
    reader, writer = await place.raw(opening(place, place.ticket()))
    await reader.readuntil(b"\r\n\r\n")
    writer.write(masked(b'{"type":"flood","count":200}'))
    while not place.handlers or place.handlers[0].connection.waiting_bytes < 1_000_000:
        await asyncio.sleep(0)
    place.door.end_sessions({"s1"})
    place.clock.advance(0.6)
    place.door.sweep()
    await asyncio.wait_for(place.handlers[0].gone.wait(), 5)
    writer.close()


def opening(place: Place, ticket: str, extra: str = "") -> bytes:
    return (
        f"GET /v1/live/{ticket} HTTP/1.1\r\nHost: 127.0.0.1:{place.port}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        f"Sec-WebSocket-Version: 13\r\n{extra}\r\n"
    ).encode()


def masked(content: bytes) -> bytes:
    return bytes((0x81, 0x80 | len(content))) + b"\0\0\0\0" + content


async def test_what_follows_the_opening_in_one_packet_is_heard(place: Place) -> None:
    reader, writer = await place.raw(opening(place, place.ticket()) + masked(b'{"type":"early"}'))
    assert b'{"type":"early"}' in await reader.readuntil(b"}")
    writer.close()


async def test_health_and_unknown_paths_are_answered_plainly(place: Place) -> None:
    for wire, status in (
        (b"GET /healthz HTTP/1.1\r\n\r\n", b"200"),
        (b"GET /v1/nothing/x HTTP/1.1\r\n\r\n", b"404"),
        (b"GET /v1/live/x HTTP/1.1\r\n\r\n", b"426"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 3000, b"400"),
    ):
        reader, writer = await place.raw(wire)
        assert (await reader.read(12))[9:] == status
        writer.close()


async def test_a_foreign_page_is_refused_and_our_own_is_not(place: Place) -> None:
    with pytest.raises(InvalidStatus):
        await connect(place.url(), origin=websockets.Origin("https://evil.example")).__aenter__()
    async with connect(place.url(), origin=websockets.Origin("http://127.0.0.1:8080")):
        pass
    place.door._access.origins = {"https://city.example"}
    async with connect(place.url(), origin=websockets.Origin("https://city.example")):
        pass


async def test_slow_openers_are_dropped_and_the_oldest_makes_room(place: Place) -> None:
    slow = [await place.raw(b"GET /v1/l") for _ in range(5)]
    for reader, _ in slow[:2]:
        assert await reader.read() == b""
    async with connect(place.url()):
        place.clock.advance(5.1)
        place.door.sweep()
        for reader, _ in slow[2:]:
            assert await reader.read() == b""
        assert place.door.viewers == 1
    for _, writer in slow:
        writer.close()


async def test_a_dead_viewer_is_noticed(place: Place) -> None:
    reader, writer = await place.raw(opening(place, place.ticket()))
    await reader.readuntil(b"\r\n\r\n")
    place.clock.advance(21)
    place.door.sweep()
    assert await reader.readexactly(4) == b"\x89\x00\x81\x10"
    assert json.loads(await reader.readexactly(16)) == {"type": "alive"}
    place.clock.advance(9)
    place.door.sweep()
    place.clock.advance(31)
    place.door.sweep()
    assert await reader.read() == b""
    writer.close()


async def test_an_honest_viewer_answers_pings_and_stays(place: Place) -> None:
    async with connect(place.url()) as client:
        for _ in range(6):
            place.clock.advance(21)
            place.door.sweep()
            assert json.loads(await client.recv()) == {"type": "alive"}
            await client.send('{"type":"x"}')
            await client.recv()
        assert place.door.viewers == 1


@pytest.mark.parametrize(
    ("wire", "close"),
    [
        (b"\x81\x02hi", 1002),
        (masked(b"not json"), 1007),
        (masked(b"[1]"), 1008),
        (masked(b'{"type":5}'), 1008),
        (masked(b"[" * 120), 1007),
        (b"\x82\x80\0\0\0\0", 1003),
        (masked(b'{"type":"x"}') * 150, 1008),
        (b"\x81\xfe\xff\xff", 1009),
    ],
)
async def test_hostile_frames_close_only_their_own_connection(place: Place, wire: bytes, close: int) -> None:
    async with connect(place.url(session="s2")) as honest:
        reader, writer = await place.raw(opening(place, place.ticket()) + wire)
        everything = await reader.read()
        assert close.to_bytes(2, "big") in everything[-124:]
        writer.close()
        await honest.send('{"type":"x"}')
        assert json.loads(await honest.recv()) == {"type": "x"}


async def test_closing_says_goodbye(place: Place) -> None:
    async with connect(place.url()) as client:
        await place.door.close()
        assert json.loads(await client.recv())["code"] == "going_away"
