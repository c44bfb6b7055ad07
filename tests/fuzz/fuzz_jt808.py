"""Bytes of a vehicle terminal: any split gives the same, every body is read or refused, a session answers and lives."""

from __future__ import annotations

import contextlib

from safecity.kit.errors import InvalidError
from safecity.protocols.jt808.active_safety import AlarmMark
from safecity.protocols.jt808.attachments import Piece, PieceReader, write_piece
from safecity.protocols.jt808.bringing import AttachmentSession, Brought, FileLimits, Ordered, Whole
from safecity.protocols.jt808.checks import judge
from safecity.protocols.jt808.framing import FrameReader, Malformed, frame
from safecity.protocols.jt808.header import Packet, Version, read_packet, write_packet
from safecity.protocols.jt808.items import read_items
from safecity.protocols.jt808.messages import BODIES, read_body
from safecity.protocols.jt808.platform import Host, PlatformSession
from safecity.protocols.jt808.positions import Batch, Location
from safecity.protocols.jt808.registrar import Terminal, hash_code
from safecity.protocols.jt808.registration import authenticate
from safecity.protocols.jt808.terminal import Identity, TerminalSession

PHONE, CODE = "13912345678", "00112233445566778899aabbccddeeff"
_FIX = bytes.fromhex(
    "0000000000000002 0158 1a2b 0716 5f5e 0010 0100 005a 260101120000 010400000064 640155 300101".replace(" ", "")
)
_MARK = AlarmMark(terminal_id="0000001", time="261127140000", number=1, attachments=2)
_KNOWN = Terminal(phone=PHONE, code_hash=hash_code(CODE, PHONE))


def _frame(id_: int, body: bytes, version: Version = Version.V2013, **more: int) -> bytes:
    return frame(write_packet(Packet(id=id_, phone=PHONE, serial=7, body=body, version=version, **more)))


SEEDS = [
    _frame(0x0102, CODE.encode()) + _frame(0x0200, _FIX) + _frame(0x0002, b""),
    _frame(0x0102, CODE.encode())
    + _frame(0x0704, b"\0\1\1\0" + bytes((len(_FIX),)) + _FIX, total=2, index=1)
    + _frame(0x0704, b"\0", total=2, index=2),
    _frame(0x0102, authenticate(CODE, Version.V2019).write(Version.V2019), Version.V2019),
    bytes.fromhex("7e00034000010000000004127346943404b2777e"),
    b"".join(_frame(id_, bytes(60)) for id_ in sorted(BODIES)[:20]),
    b"".join(_frame(id_, bytes(60), Version.V2019) for id_ in sorted(BODIES)[20:]),
    _frame(0x1210, bytes(7) + _MARK.write(Version.V2013) + b"0" * 32 + b"\0\1\1a\0\0\0\3")
    + _frame(0x1211, b"\1a\0\0\0\0\3")
    + write_piece(Piece("a", 0, b"ab"))
    + _frame(0x1212, b"\1a\0\0\0\0\3")
    + write_piece(Piece("a", 1, b"bc"))
    + _frame(0x1212, b"\1a\0\0\0\0\3"),
    _frame(0x8100, b"\0\0\0abc") + _frame(0x8001, b"\0\1\1\2\0") + _frame(0x8300, b"\1abc"),
]


def one_input(data: bytes) -> None:
    reader, split = FrameReader(), FrameReader()
    whole = reader.feed(data)
    step = 1 + len(data) % 61
    assert [one for at in range(0, len(data), step) for one in split.feed(data[at : at + step])] == whole
    for raw in whole:
        packet = read_packet(raw) if isinstance(raw, bytes) else raw
        if isinstance(packet, Malformed):
            continue
        if packet.version is Version.V2019 and not packet.total:
            assert read_packet(write_packet(packet)) == packet
        for version in Version:
            with contextlib.suppress(InvalidError):
                body = read_body(packet.id, packet.body, version)
                if isinstance(body, Location):
                    judge(body, 1)
                    read_items(body)
                    assert body.write(version) == packet.body
                elif isinstance(body, Batch):
                    body.locations()
    session = PlatformSession(Host(lambda _: _KNOWN, lambda _: False, lambda: bytes(16), lambda: 1), 0.0)
    terminal = TerminalSession(Identity(phone=PHONE, version=Version.V2013))
    terminal.connected(0.0)
    for at in range(0, len(data), step):
        session.receive(data[at : at + step], at * 0.01)
        terminal.receive(data[at : at + step], at * 0.01)
    while not session.over and (deadline := session.next_deadline()) is not None:
        session.expire(deadline)
    terminal.expire(1e6)
    _attachments(data, step)


def _attachments(data: bytes, step: int) -> None:
    """A connection for attachments: any split gives the same, nothing is written outside of a file."""
    whole, split = PieceReader(), PieceReader()
    found = whole.feed(data)
    assert [one for at in range(0, len(data), step) for one in split.feed(data[at : at + step])] == found
    assert (whole.noise, whole.lost) == (split.noise, split.lost)
    ordered = Ordered(phone=PHONE, mark=_MARK)
    session = AttachmentSession(lambda _: ordered, FileLimits(file_bytes=1000), 0.0)
    sizes: dict[int, int] = {}
    for at in range(0, len(data), step):
        for one in session.receive(data[at : at + step], at * 0.01):
            match one:
                case Brought(file=file, offset=offset, data=piece):
                    assert offset + len(piece) <= 1000
                    sizes[file] = max(sizes.get(file, 0), offset + len(piece))
                case Whole(file=file, size=size):
                    assert sizes.get(file, 0) == size
                    session.kept(file)
                case _:
                    pass
    while not session.over:
        session.expire(session.next_deadline())
