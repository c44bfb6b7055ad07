"""Media of a vehicle terminal: any split gives the same packets, and units come or do not come, without complaint."""

from __future__ import annotations

from safecity.model.values.media import Unit
from safecity.protocols.jt1078.frames import MediaStream, packetise
from safecity.protocols.jt1078.packets import HuntError, Kind, MediaPacket, MediaReader, read_datagram, write_packet

_KEY = b"\0\0\0\1\x67\x42\xc0\x1e\xda\x02\x80\xbf\xe5\0\0\0\1\x68\xce\x3c\x80\0\0\0\1\x65\x88" + b"x" * 90
_NEXT = b"\0\0\0\1\x41\x9a" + b"y" * 40


def _wire(data: bytes, kind: Kind, number: int, payload_type: int = 98, *, long: bool = False) -> bytes:
    packets = packetise(
        data, phone="13912345678", channel=1, kind=kind, payload_type=payload_type, sequence=number * 10,
        timestamp_ms=number * 40, size=50, long_phone=long,
    )  # fmt: skip
    return b"".join(map(write_packet, packets))


SEEDS = [
    _wire(_KEY, Kind.I_FRAME, 0) + _wire(_NEXT, Kind.P_FRAME, 1) + _wire(b"\xd5" * 160, Kind.AUDIO, 2, 6),
    _wire(_KEY, Kind.I_FRAME, 0, long=True) + _wire(_NEXT, Kind.P_FRAME, 1, long=True),
    b"noise" + _wire(b"\xff\xf1\x50\x80\x02\x1f\xfc12345678", Kind.AUDIO, 0, 19) + _wire(_KEY, Kind.I_FRAME, 1),
]


def _packets(data: bytes, step: int) -> list[MediaPacket]:
    reader = MediaReader()
    found: list[MediaPacket] = []
    for at in range(0, len(data), step):
        try:
            found += reader.feed(data[at : at + step])
        except HuntError:
            break
    return found


def one_input(data: bytes) -> None:
    found = _packets(data, max(1, len(data)))
    assert _packets(data, 1 + len(data) % 37) == found
    read_datagram(data)
    units: list[Unit] = []
    stream = MediaStream(units.append)
    for number, packet in enumerate(found):
        stream.add(packet, 1_000_000 + number * 10_000)
    assert [one.dts for one in units if one.track == 0] == sorted({one.dts for one in units if one.track == 0})
