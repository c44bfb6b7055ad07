"""A connection for attachments: what was ordered and announced comes in, piece by piece, and nothing else."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from safecity.kit.errors import InvalidError
from safecity.protocols.jt808 import bringing
from safecity.protocols.jt808.active_safety import (
    AlarmMark,
    Attachment,
    Attachments,
    FileAnswer,
    FileBegins,
    FileEnds,
    Stretch,
)
from safecity.protocols.jt808.attachments import MAX_PIECE, MAX_SPANS, Piece, PieceReader, Spans, write_piece
from safecity.protocols.jt808.bringing import AttachmentSession, Brought, Denied, FileLimits, Listed, Ordered, Whole
from safecity.protocols.jt808.framing import FrameReader
from safecity.protocols.jt808.header import Packet, Version, read_packet
from safecity.protocols.jt808.line import Line
from safecity.protocols.jt808.messages import AnyBody, read_body
from safecity.protocols.jt808.outputs import Dropped, Over, Send
from safecity.protocols.jt808.records import MediaEvent
from safecity.protocols.jt808.registration import Heartbeat, PlatformAnswer, Result

PHONE, NUMBER = "13912345678", "0123456789abcdef" * 2
MARK = AlarmMark(terminal_id="0000001", time="261127140000", number=3, attachments=3)
PICTURE, FILM = "00_1_6501_0.jpg", "02_1_6501_1.h264"


class Terminal:
    """What a terminal says on the connection, and what it hears."""

    def __init__(self, ordered: Ordered | None = None, limits: FileLimits | None = None) -> None:
        self.orders = {NUMBER: ordered or Ordered(phone=PHONE, mark=MARK)}
        self.now = 0.0
        self.session = AttachmentSession(self.orders.get, limits or FileLimits(), 0.0)
        self.line = Line(Version.V2013, PHONE)

    def say(self, body: AnyBody) -> list[Any]:
        return self.session.receive(self.line.write(body)[0], self.now)

    def announce(self, *files: tuple[str, int], **more: Any) -> list[Any]:
        values: dict[str, Any] = {
            "terminal_id": "0000001", "mark": MARK, "number": NUMBER, "kind": 0,
            "files": tuple(Attachment(name=name, size=size) for name, size in files),
        }  # fmt: skip
        return self.say(Attachments(**{**values, **more}))

    def begin(self, name: str, size: int, kind: int = 0) -> list[Any]:
        return self.say(FileBegins(name=name, kind=kind, size=size))

    def end(self, name: str, size: int, kind: int = 0) -> list[Any]:
        return self.say(FileEnds(name=name, kind=kind, size=size))

    def put(self, name: str, offset: int, data: bytes) -> list[Any]:
        return self.session.receive(write_piece(Piece(name, offset, data)), self.now)


def heard(outputs: list[Any]) -> list[AnyBody]:
    found: list[AnyBody] = []
    for one in outputs:
        if isinstance(one, Send):
            for raw in FrameReader().feed(one.data):
                assert isinstance(raw, bytes)
                packet = read_packet(raw)
                assert isinstance(packet, Packet)
                found.append(read_body(packet.id, packet.body, packet.version))
    return found


def results(outputs: list[Any]) -> list[int]:
    return [one.result for one in heard(outputs) if isinstance(one, PlatformAnswer)]


# --- bytes ------------------------------------------------------------------------------------------------------


def test_a_piece_is_as_the_standard_writes_it() -> None:
    wire = write_piece(Piece("a.jpg", 0x01020304, b"\x7e~x"))
    assert wire == b"\x30\x31\x63\x64" + b"a.jpg".ljust(50, b"\0") + bytes.fromhex("01020304 00000003") + b"\x7e~x"
    with pytest.raises(InvalidError):
        write_piece(Piece("n" * 51, 0, b""))


def test_frames_and_pieces_come_out_at_any_split_and_noise_costs_itself() -> None:
    line = Line(Version.V2019, PHONE)
    frame = line.write(Heartbeat())[0]
    piece = Piece(PICTURE, 7, b"\x7e01cd\x7e" * 20)
    wire = frame + write_piece(piece) + b"01c?" + write_piece(piece) + b"\x7e\x7e" + frame + frame
    whole = PieceReader().feed(wire)
    assert whole == [frame, piece, piece, frame, frame]
    for step in (1, 2, 3, 61, 97):
        reader = PieceReader()
        assert [one for at in range(0, len(wire), step) for one in reader.feed(wire[at : at + step])] == whole
        assert reader.noise == 4  # `01c?`; a flag before another is none


def test_a_piece_without_end_or_a_frame_without_end_keeps_nothing() -> None:
    reader = PieceReader()
    too_long = b"01cd" + bytes(54) + (MAX_PIECE + 1).to_bytes(4, "big")
    assert reader.feed(too_long + b"x" * 1000) == []
    assert reader.lost
    assert not reader._buffer
    endless = PieceReader()
    for _ in range(100):
        assert endless.feed(b"\x7e" + bytes(8000)) == []
    assert len(endless._buffer) < 8000
    assert endless.noise > 700_000


def test_what_has_not_come_is_known_whatever_the_order() -> None:
    dice = random.Random(4)
    for _ in range(300):
        size = dice.randrange(1, 60)
        spans, came = Spans(size), set[int]()
        for _ in range(dice.randrange(12)):
            start = dice.randrange(size)
            end = dice.randrange(start, size + 1)
            spans.add(start, end)
            came |= set(range(start, end))
        missing = {byte for at, length in spans.missing() for byte in range(at, at + length)}
        assert missing == set(range(size)) - came
        assert all(length > 0 for _, length in spans.missing())


# --- what is taken ----------------------------------------------------------------------------------------------


def test_a_file_comes_in_pieces_and_is_complete_once_it_is_kept() -> None:
    terminal = Terminal()
    listed = terminal.announce((PICTURE, 5), (FILM, 3))
    assert isinstance(listed[0], Listed)
    assert (listed[0].number, listed[0].size) == (NUMBER, 8)
    assert results(listed) == [Result.OK]
    assert results(terminal.begin(PICTURE, 5)) == [Result.OK]
    assert terminal.put(PICTURE, 3, b"de") == [Brought(0, 3, b"de")]
    assert terminal.put(PICTURE, 0, b"abc") == [Brought(0, 0, b"abc")]
    assert terminal.end(PICTURE, 5) == [Whole(0, PICTURE, 0, 5)]
    assert terminal.end(PICTURE, 5) == [], "it is being kept"
    assert heard(terminal.session.kept(0)) == [FileAnswer(name=PICTURE, kind=0, result=0)]
    assert not terminal.session.done
    terminal.begin(FILM, 3, 2)
    terminal.put(FILM, 0, b"xyz")
    assert terminal.end(FILM, 3, 2) == [Whole(1, FILM, 2, 3)]
    terminal.session.kept(1)
    assert terminal.session.done
    assert heard(terminal.end(FILM, 3, 2)) == [FileAnswer(name=FILM, kind=2, result=0)], "our answer was lost"


def test_what_is_missing_is_asked_for_and_only_that() -> None:
    terminal = Terminal()
    terminal.announce((FILM, 100))
    terminal.begin(FILM, 100)
    terminal.put(FILM, 10, bytes(20))
    terminal.put(FILM, 50, bytes(10))
    asked = heard(terminal.end(FILM, 100))
    gaps = ((0, 10), (30, 20), (60, 40))
    stretches = tuple(Stretch(offset=offset, size=size) for offset, size in gaps)
    assert asked == [FileAnswer(name=FILM, kind=0, result=1, missing=stretches)]
    for offset, size in gaps:
        terminal.put(FILM, offset, bytes(size))
    assert terminal.end(FILM, 100) == [Whole(0, FILM, 0, 100)]


def test_the_answer_with_what_is_missing_fits_into_one_packet() -> None:
    terminal = Terminal()
    name = "n" * 50
    terminal.announce((name, 4000))
    terminal.begin(name, 4000)
    for at in range(0, 4000, 4):
        terminal.put(name, at, b"x")
    (answer,) = heard(terminal.end(name, 4000))
    assert isinstance(answer, FileAnswer)
    assert len(answer.missing) == bringing.MAX_MISSING
    assert answer.missing[0] == Stretch(offset=1, size=3)


def test_a_terminal_that_says_again_what_it_brings_keeps_what_has_come() -> None:
    terminal = Terminal()
    terminal.announce((FILM, 6))
    terminal.begin(FILM, 6)
    terminal.put(FILM, 0, b"abc")
    assert results(terminal.announce((FILM, 6), kind=1)) == [Result.OK]
    terminal.begin(FILM, 6)
    terminal.put(FILM, 3, b"def")
    assert terminal.end(FILM, 6) == [Whole(0, FILM, 0, 6)]


def test_a_file_that_was_kept_over_an_earlier_connection_is_complete_at_once() -> None:
    terminal = Terminal(Ordered(phone=PHONE, mark=MARK, kept=frozenset((FILM,)), kept_bytes=6))
    (listed, _) = terminal.announce((FILM, 6), (PICTURE, 2))
    assert listed == Listed(NUMBER, 2)
    terminal.begin(FILM, 6)
    assert terminal.put(FILM, 0, b"abcdef") == []
    assert heard(terminal.end(FILM, 6)) == [FileAnswer(name=FILM, kind=0, result=0)]


# --- what is not ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "files", "reason"),
    [
        ({"number": "f" * 32}, [(PICTURE, 5)], bringing.UNKNOWN),
        ({"mark": replace(MARK, number=4)}, [(PICTURE, 5)], bringing.OTHER_MARK),
        ({"mark": replace(MARK, attachments=9)}, [(PICTURE, 5)], bringing.OTHER_MARK),
        ({"mark": replace(MARK, reserved=9)}, [(PICTURE, 5)], ""),
        ({}, [(f"{one}.jpg", 1) for one in range(4)], bringing.TOO_MANY),
        ({}, [(PICTURE, 1001)], bringing.TOO_LARGE),
        ({}, [(PICTURE, 1), (PICTURE, 1)], bringing.BAD_NAME),
        ({}, [("", 1)], bringing.BAD_NAME),
        ({}, [("n" * 51, 1)], bringing.BAD_NAME),
        ({}, [("../../etc/passwd", 1)], ""),
        ({}, [], ""),
    ],
)
def test_only_what_was_ordered_may_come(more: dict[str, Any], files: list[tuple[str, int]], reason: str) -> None:
    terminal = Terminal(limits=FileLimits(files=16, file_bytes=1000))
    outputs = terminal.announce(*files, **more)
    assert results(outputs) == [Result.FAILED if reason else Result.OK]
    denied = [one.reason for one in outputs if isinstance(one, Denied)]
    assert denied == ([reason] if reason else [])
    assert (outputs[-1] == Over(reason)) == bool(reason)
    assert terminal.session.over == bool(reason)


def test_another_terminal_does_not_bring_it_and_what_is_kept_counts() -> None:
    terminal = Terminal()
    terminal.line.phone = "13900000000"
    assert Denied("", bringing.OTHER_PHONE) in terminal.announce((PICTURE, 5))
    kept = frozenset(("a", "b", "c"))
    assert Denied(NUMBER, bringing.TOO_MANY) in Terminal(Ordered(phone=PHONE, mark=MARK, kept=kept)).announce(("d", 1))
    full = Ordered(phone=PHONE, mark=MARK, kept_bytes=3995)
    assert Denied(NUMBER, bringing.TOO_LARGE) in Terminal(full, FileLimits(file_bytes=1000)).announce(("d", 6))


def test_without_a_list_nothing_is_taken() -> None:
    terminal = Terminal()
    assert terminal.put(PICTURE, 0, b"abc") == [Dropped(bringing.NOT_ANNOUNCED)]
    assert results(terminal.begin(PICTURE, 5)) == [Result.FAILED]
    assert terminal.session.expire(bringing.LIST_SECONDS) == [Over("jt_no_login")]


def test_a_file_is_as_it_was_announced_and_its_bytes_lie_in_it() -> None:
    terminal = Terminal()
    terminal.announce((PICTURE, 5))
    assert terminal.put(PICTURE, 0, b"abc") == [Dropped(bringing.NOT_ANNOUNCED)], "it has not begun"
    for outputs in (terminal.begin(PICTURE, 6), terminal.end(PICTURE, 6)):
        assert Denied(NUMBER, bringing.OTHER_SIZE) in outputs
    assert Denied(NUMBER, bringing.NOT_ANNOUNCED) in terminal.begin(FILM, 5)
    terminal.begin(PICTURE, 5)
    assert terminal.put(PICTURE, 3, b"def") == [Dropped(bringing.OUTSIDE)]
    assert terminal.put(FILM, 0, b"d") == [Dropped(bringing.NOT_ANNOUNCED)]
    assert terminal.put(PICTURE, 2**32 - 1, b"d") == [Dropped(bringing.OUTSIDE)]


def test_who_goes_on_like_this_is_cut_off() -> None:
    terminal = Terminal()
    outputs: list[Any] = []
    for _ in range(bringing.MAX_BAD + 1):
        outputs += terminal.put(PICTURE, 0, b"abc")
    assert outputs.count(Over("jt_too_many_failures")) == 1
    assert terminal.session.over


def test_a_file_whose_rest_never_comes_is_given_up() -> None:
    terminal = Terminal()
    terminal.announce((PICTURE, 5))
    terminal.begin(PICTURE, 5)
    for _ in range(bringing.MAX_ROUNDS):
        assert not terminal.session.over
        terminal.end(PICTURE, 5)
    assert terminal.end(PICTURE, 5) == [Over(bringing.INCOMPLETE)]


def test_the_same_bytes_without_end_and_crumbs_are_a_flood() -> None:
    terminal = Terminal()
    terminal.announce((PICTURE, MAX_PIECE))
    terminal.begin(PICTURE, MAX_PIECE)
    outputs: list[Any] = []
    for _ in range(100):
        outputs += terminal.put(PICTURE, 0, bytes(MAX_PIECE))
    assert outputs[-1] == Over(bringing.FLOOD)
    crumbs = Terminal()
    crumbs.announce((PICTURE, 1 << 20))
    crumbs.begin(PICTURE, 1 << 20)
    outputs = [one for at in range(MAX_SPANS + 10) for one in crumbs.put(PICTURE, 2 * at, b"x")]
    assert outputs[-1] == Over(bringing.FLOOD)


def test_noise_and_silence_end_it() -> None:
    terminal = Terminal()
    terminal.announce((PICTURE, 5))
    assert terminal.session.next_deadline() == bringing.SILENT_SECONDS
    terminal.now = 50.0
    terminal.begin(PICTURE, 5)
    assert terminal.session.expire(bringing.SILENT_SECONDS) == []
    assert terminal.session.expire(50.0 + bringing.SILENT_SECONDS) == [Over("jt_silent")]
    noisy = Terminal()
    assert noisy.session.receive(b"n" * (bringing.MAX_NOISE + 1), 0.0) == [Over("jt_nonsense")]
    assert noisy.announce((PICTURE, 5)) == []
    slow = Terminal()
    slow.announce((PICTURE, 5))
    for slow.now in range(0, 1800, 30):
        slow.put(PICTURE, 0, b"")
        slow.begin(PICTURE, 5)
        slow.session._bad = 0
    assert slow.session.expire(bringing.LONGEST_SECONDS) == [Over("jt_silent")]


def test_other_messages_are_not_for_here() -> None:
    terminal = Terminal()
    assert results(terminal.say(Heartbeat())) == [Result.OK]
    assert results(terminal.say(MediaEvent(media_id=1, kind=0, format=0, event=0, channel=1))) == [Result.UNSUPPORTED]
    terminal.announce((PICTURE, 5))
    terminal.line.phone = "13900000000"
    assert terminal.begin(PICTURE, 5) == [Dropped(bringing.OTHER_PHONE)]
