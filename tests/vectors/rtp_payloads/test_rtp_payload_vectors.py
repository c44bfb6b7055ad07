"""Packets that a foreign sender wrote become exactly the units that went into it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from safecity.model.values.media import Codec
from safecity.protocols.pictures import pictures_for
from safecity.protocols.rtp.packets import RtpPacket, parse
from safecity.protocols.rtp_payloads.audio import AacDepacketiser, PlainDepacketiser
from safecity.protocols.rtp_payloads.nal import H264Depacketiser, H265Depacketiser
from safecity.protocols.rtp_payloads.pieces import Depacketiser, Piece

HERE = Path(__file__).parent
MAKERS: dict[str, Callable[[], Depacketiser]] = {
    "h264": H264Depacketiser,
    "h265": H265Depacketiser,
    "aac": AacDepacketiser,
    "pcma": PlainDepacketiser,
}
Digests = list[list[str]]


def packets_of(name: str) -> list[RtpPacket]:
    data, at = (HERE / f"{name}.rtp").read_bytes(), 0
    found: list[RtpPacket] = []
    while at < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        packet = parse(data[at + 2 : at + 2 + size])
        assert packet is not None
        found.append(packet)
        at += 2 + size
    return found


def expected(name: str) -> Digests:
    return json.loads((HERE / f"{name}.json").read_text())["units"]


def run(depacketiser: Depacketiser, packets: list[RtpPacket], missing: int = -1) -> list[Piece]:
    pieces: list[Piece] = []
    for number, packet in enumerate(packets):
        if number != missing:
            pieces += depacketiser.push(packet.timestamp, packet.marker, packet.payload, number == missing + 1 > 0)
    return pieces + depacketiser.flush()


def digests(pieces: list[Piece]) -> Digests:
    return [[hashlib.sha256(part).hexdigest()[:16] for part in piece.parts] for piece in pieces]


@pytest.mark.parametrize("name", MAKERS)
def test_what_went_in_comes_out(name: str) -> None:
    pieces = run(MAKERS[name](), packets_of(name))
    assert digests(pieces) == expected(name)
    assert not any(piece.damaged for piece in pieces)


@pytest.mark.parametrize("name", MAKERS)
def test_with_any_packet_missing_nothing_false_is_called_whole(name: str) -> None:
    packets, whole = packets_of(name), expected(name)
    for missing in range(len(packets)):
        pieces = run(MAKERS[name](), packets, missing)
        good = digests([piece for piece in pieces if not piece.damaged])
        assert all(unit in whole for unit in good)
        assert len(good) >= len(whole) - 3
        assert len({piece.timestamp for piece in pieces}) == len(pieces)


@pytest.mark.parametrize("name", MAKERS)
def test_any_payload_cut_short_raises_nothing(name: str) -> None:
    packets = packets_of(name)[:6]
    for number, packet in enumerate(packets):
        for cut in range(0, len(packet.payload), 3):
            changed = list(packets)
            changed[number] = packet._replace(payload=packet.payload[:cut])
            run(MAKERS[name](), changed)


@pytest.mark.parametrize(("name", "codec"), [("h264", Codec.H264), ("h265", Codec.H265)])
def test_the_units_become_pictures_with_their_parameters(name: str, codec: Codec) -> None:
    pictures = pictures_for(codec)
    taken = [pictures.take(piece.parts) for piece in run(MAKERS[name](), packets_of(name))]
    assert [picture is not None and picture[1] for picture in taken] == [number % 10 == 0 for number in range(25)]
    assert pictures.parameters is not None
    assert (pictures.parameters.width, pictures.parameters.height) == (192, 144)
