"""The test vectors of PTZCmd: written as given, and read back to the same command."""

from __future__ import annotations

import pytest

from safecity.kit.errors import InvalidError
from safecity.protocols.gb28181.ptz import (
    Aux,
    Cruise,
    CruiseAct,
    Lens,
    Move,
    OtherCommand,
    Preset,
    PresetAct,
    PtzCommand,
    Scan,
    ScanAct,
    decode_ptz,
    encode_ptz,
)

VECTORS: list[tuple[str, PtzCommand]] = [
    ("A50F0100000000B5", Move()),
    ("A50F010180000036", Move(pan=0x80)),
    ("A50F010280000037", Move(pan=-0x80)),
    ("A50F010400800039", Move(tilt=-0x80)),
    ("A50F01080080003D", Move(tilt=0x80)),
    ("A50F011000008045", Move(zoom=8)),
    ("A50F012000008055", Move(zoom=-8)),
    ("A50F01298080805E", Move(pan=0x80, tilt=0x80, zoom=-8)),
    ("A50F01480080007D", Lens(iris=-0x80)),
    ("A50F014400800079", Lens(iris=0x80)),
    ("A50F014280000077", Lens(focus=-0x80)),
    ("A50F014180000076", Lens(focus=0x80)),
    ("A50F0140000000F5", Lens()),
    ("A50F018100010037", Preset(PresetAct.SET, 1)),
    ("A50F018200010038", Preset(PresetAct.CALL, 1)),
    ("A50F018300010039", Preset(PresetAct.DELETE, 1)),
    ("A50F01840102003C", Cruise(CruiseAct.ADD, 1, 2)),
    ("A50F01850102003D", Cruise(CruiseAct.DELETE, 1, 2)),
    ("A50F0186012C1078", Cruise(CruiseAct.SPEED, 1, 300)),
    ("A50F0187010A0047", Cruise(CruiseAct.DWELL, 1, 10)),
    ("A50F01880100003E", Cruise(CruiseAct.START, 1)),
    ("A50F01890100003F", Scan(ScanAct.START, 1)),
    ("A50F018901010040", Scan(ScanAct.LEFT, 1)),
    ("A50F018901020041", Scan(ScanAct.RIGHT, 1)),
    ("A50F018A016400A4", Scan(ScanAct.SPEED, 1, 100)),
    ("A50F018C01000042", Aux(True, 1)),
    ("A50F018D01000043", Aux(False, 1)),
]


@pytest.mark.parametrize(("text", "command"), VECTORS)
def test_a_command_is_written_as_the_standard_has_it(text: str, command: PtzCommand) -> None:
    assert encode_ptz(command) == text


@pytest.mark.parametrize(("text", "command"), VECTORS)
def test_a_command_is_read_whatever_its_address_and_case(text: str, command: PtzCommand) -> None:
    assert decode_ptz(text) == command
    assert decode_ptz(f"  {text.lower()}\r\n") == command
    assert decode_ptz(encode_ptz(command, address=0)) == command
    assert decode_ptz(encode_ptz(command, address=0xABC)) == command


@pytest.mark.parametrize("text", [vector for vector, _ in VECTORS])
def test_the_broadcast_address_makes_the_sum_one_less(text: str) -> None:
    written = bytes.fromhex(encode_ptz(decode_ptz(text), address=0))
    assert written[2] == 0
    assert written[7] == (bytes.fromhex(text)[7] - 1) % 256


def test_a_captured_command_of_a_real_client_is_read() -> None:
    # Its speeds stay set for axes that do not move; only the direction bits count.
    assert decode_ptz("A50F01081E1E1009") == Move(tilt=0x1E)


@pytest.mark.parametrize("bit", range(64))
def test_any_single_flipped_bit_is_noticed(bit: int) -> None:
    raw = bytearray.fromhex("A50F01298080805E")
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(InvalidError):
        decode_ptz(raw.hex())


@pytest.mark.parametrize("text", ["", "A5", "zz" * 8, "A50F0100000000B5" * 2, "0000000000000000", "A5 0F 01"])
def test_what_is_no_command_is_refused(text: str) -> None:
    with pytest.raises(InvalidError):
        decode_ptz(text)


def test_an_unknown_command_survives_the_way_through() -> None:
    command = OtherCommand(0xC1, 1, 2, 3)
    assert decode_ptz(encode_ptz(command)) == command


def test_a_speed_out_of_range_is_refused_at_birth() -> None:
    with pytest.raises(InvalidError):
        Move(zoom=16)
    with pytest.raises(InvalidError):
        Preset(PresetAct.CALL, 0)
