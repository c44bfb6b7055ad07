"""Frames as they are on the wire: read, and written back unchanged."""

from __future__ import annotations

import pytest

from safecity.protocols.jt808.commands import TextMessage
from safecity.protocols.jt808.framing import FrameReader, Malformed, frame
from safecity.protocols.jt808.header import Packet, Version, read_packet, write_packet
from safecity.protocols.jt808.items import read_items
from safecity.protocols.jt808.messages import read_body
from safecity.protocols.jt808.positions import Location
from safecity.protocols.jt808.registration import Authenticate, Register, RegisterAnswer, Unregister

# The standard's two escapes in one frame: serial 0x007E, item 02 of 0x007D.
BOTH_ESCAPES = (
    "7E 0200 0026 123456789012 007D02 00000001 00000002 00BA7F0E 07E4F11C 0028 003C 0000 181015101010"
    " 0104 00000064 0202 007D01 13 7E"
)
UNREGISTER_2019 = "7e00034000010000000004127346943404b2777e"
REGISTER_2011 = (
    "7E0100 0020 013912345678 0001 0022 0064 4D414B4552 4D4F44454C313131 30303030303031 02 CDEE4131323334 {check} 7E"
)
REGISTER_2013 = (
    "7E0100 002D 013912345678 0001 0022 0064 4D414B4552 4D4F44454C2D32" + "00" * 13 + " 30303030303031 02"
    " CDEE413132333435 {check} 7E"
)
REGISTER_2019 = (
    "7E0100 4053 01 00000000013912345678 0001 0022 0064 4D414B45520000000000 00"
    " 4D4F44454C2D33" + "00" * 23 + " 3030303030303030303031" + "00" * 19 + " 02 CDEE4131323334 {check} 7E"
)
ANSWER = "7E8100 0009 013912345678 0005 0001 00 616263313233 {check} 7E"
AUTH_2019 = (
    "7E0102 402A 01 00000000013912345678 0002 06 616263313233 383637353330393032313530373137"
    " 56312E30" + "00" * 16 + " {check} 7E"
)
TEXT_2019 = "7E8300 400A 01 00000000013912345678 0003 01 01 C7EBBCF5CBD92121 {check} 7E"


def wire(text: str) -> bytes:
    """The bytes; `{check}` is the exclusive or of what stands before it."""
    plain = text.replace(" ", "")
    if "{check}" in plain:
        head, tail = plain.split("{check}")
        check = 0
        for byte in bytes.fromhex(head[2:]):
            check ^= byte
        plain = f"{head}{check:02x}{tail}"
    return bytes.fromhex(plain)


def packet(text: str) -> Packet:
    (raw,) = FrameReader().feed(wire(text))
    assert isinstance(raw, bytes)
    found = read_packet(raw)
    assert not isinstance(found, Malformed)
    return found


@pytest.mark.parametrize(
    "text", [BOTH_ESCAPES, UNREGISTER_2019, REGISTER_2011, REGISTER_2013, REGISTER_2019, ANSWER, AUTH_2019, TEXT_2019]
)
def test_a_frame_is_written_back_as_it_came(text: str) -> None:
    found = packet(text)
    version = Version.V2011 if text == REGISTER_2011 else found.version
    body = read_body(found.id, found.body, version)
    assert body.write(version) == found.body
    assert frame(write_packet(found)) == wire(text)


def test_the_position_with_both_escapes() -> None:
    found = packet(BOTH_ESCAPES)
    assert (found.serial, found.phone, found.version) == (0x7E, "123456789012", Version.V2013)
    location = read_body(found.id, found.body, found.version)
    assert isinstance(location, Location)
    assert (location.latitude, location.longitude) == (12.222222, 132.444444)
    assert (location.height, location.speed_tenths, location.direction, location.time) == (40, 60, 0, "181015101010")
    assert read_items(location).values == {"mileage_tenths_km": 100, "fuel_tenths_litre": 125}


def test_a_2019_terminal_leaves_with_an_empty_body() -> None:
    found = packet(UNREGISTER_2019)
    assert (found.version, found.phone, found.serial) == (Version.V2019, "41273469434", 0x04B2)
    assert read_body(found.id, found.body, found.version) == Unregister()


@pytest.mark.parametrize(
    ("text", "version", "model", "terminal"),
    [
        (REGISTER_2011, Version.V2011, "MODEL111", "0000001"),
        (REGISTER_2013, Version.V2013, "MODEL-2", "0000001"),
        (REGISTER_2019, Version.V2019, "MODEL-3", "00000000001"),
    ],
)
def test_a_registration_of_each_version(text: str, version: Version, model: str, terminal: str) -> None:
    found = packet(text)
    assert found.phone == "13912345678"
    register = read_body(found.id, found.body, version)
    assert isinstance(register, Register)
    assert (register.province, register.city, register.maker) == (34, 100, "MAKER")
    assert (register.model, register.terminal, register.plate_colour) == (model, terminal, 2)
    assert register.plate.startswith("皖A1234")


def test_codes_and_texts() -> None:
    answer = packet(ANSWER)
    assert read_body(answer.id, answer.body, answer.version) == RegisterAnswer(serial=1, result=0, code="abc123")
    auth = packet(AUTH_2019)
    body = read_body(auth.id, auth.body, auth.version)
    assert isinstance(body, Authenticate)
    assert (body.code, body.imei, body.software) == ("abc123", "867530902150717", "V1.0")
    text = packet(TEXT_2019)
    assert read_body(text.id, text.body, text.version) == TextMessage(flag=1, kind=1, text="请减速!!")
