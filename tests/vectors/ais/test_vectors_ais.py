"""Sentences that stations heard and others published with their meaning: read as they read them, and written back."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.protocols.ais import messages as kinds
from safecity.protocols.ais.bits import armour, unarmour
from safecity.protocols.ais.messages import AnyMessage, read_message, write_message
from safecity.protocols.ais.sentences import Sentence, read_sentence
from safecity.protocols.ais.stream import Feed, Heard

ALMOST = 1e-6

VECTORS: list[tuple[str, type[AnyMessage], dict[str, Any]]] = [
    (
        "!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C",
        kinds.ClassAPosition,
        {
            "type": 1, "mmsi": 477553000, "status": 5, "turn": 0, "speed": 0.0, "accurate": False,
            "longitude": -122.345833, "latitude": 47.582833, "course": 51.0, "heading": 181, "second": 15,
        },
    ),
    (
        "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A",
        kinds.ClassAPosition,
        {
            "type": 1, "mmsi": 371798000, "status": 0, "turn": -127, "speed": 12.3, "accurate": True,
            "longitude": -123.395383, "latitude": 48.381633, "course": 224.0, "heading": 215, "second": 33,
        },
    ),
    (
        "!AIVDM,1,1,,A,403OviQuMGCqWrRO9>E6fE700@GO,0*4D",
        kinds.BaseStation,
        {
            "mmsi": 3669702, "year": 2007, "month": 5, "day": 14, "hour": 19, "minute": 57, "second": 39,
            "longitude": -76.352362, "latitude": 36.883767, "fixed_by": 7,
        },
    ),
    (
        "!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n"
        "!AIVDM,2,2,1,A,88888888880,2*25",
        kinds.StaticAndVoyage,
        {
            "mmsi": 351759000, "imo": 9134270, "call_sign": "3FOF8", "name": "EVER DIADEM", "ship_type": 70,
            "bow": 225, "stern": 70, "port": 1, "starboard": 31, "month": 5, "day": 15, "hour": 14, "minute": 0,
            "draught": 12.2, "destination": "NEW YORK",
        },
    ),
    (
        "!AIVDM,1,1,,A,B52K>;h00Fc>jpUlNV@ikwpUoP06,0*4C",
        kinds.ClassBPosition,
        {
            "mmsi": 338087471, "speed": 0.1, "longitude": -74.072132, "latitude": 40.684540, "course": 79.6,
            "heading": None, "second": 49, "carrier_sense": True,
        },
    ),
    (
        "!AIVDM,1,1,,B,C5N3SRgPEnJGEBT>NhWAwwo862PaLELTBJ:V00000000S0D:R220,0*0B",
        kinds.ClassBExtended,
        {
            "mmsi": 367059850, "speed": 8.7, "longitude": -88.810392, "latitude": 29.543695, "course": 335.9,
            "name": "CAPT.J.RIMES", "ship_type": 70, "bow": 5, "stern": 21, "port": 4, "starboard": 4,
        },
    ),
    (
        "!AIVDM,1,1,,B,E>jCfrv2`0c2h0W:0a2ah@@@@@@004WD>;2<H50hppN000,4*0A",
        kinds.AidToNavigation,
        {
            "mmsi": 992276203, "aid_type": 28, "name": "EPAVE ANTARES", "longitude": 0.0315, "latitude": 49.536165,
            "second": None, "off_place": False, "virtual": False,
        },
    ),
    (
        "!AIVDM,1,1,,A,H42O55i18tMET00000000000000,2*6D",
        kinds.ClassBName,
        {"mmsi": 271041815, "name": "PROGUY"},
    ),
    (
        "!AIVDM,1,1,,A,H42O55lti4hhhilD3nink000?050,0*40",
        kinds.ClassBStatic,
        {"mmsi": 271041815, "ship_type": 60, "call_sign": "TC6163", "bow": 0, "stern": 15, "port": 0, "starboard": 5},
    ),
    (
        "!AIVDM,1,1,,B,KC5E2b@U19PFdLbMuc5=ROv62<7m,0*16",
        kinds.LongRange,
        {
            "repeat": 1, "mmsi": 206914217, "status": 2, "longitude": 137.023333, "latitude": 4.84, "speed": 57,
            "course": 167, "late": False,
        },
    ),
    (
        "!AIVDM,1,1,,A,KCQ9r=hrFUnH7P00,0*41",
        kinds.LongRange,
        {"mmsi": 236091959, "status": 3, "longitude": -154.201667, "latitude": 87.065, "speed": 0, "course": 0},
    ),
]  # fmt: skip
IDS = [f"{kind.__name__}-{told['mmsi']}" for _, kind, told in VECTORS]


@pytest.mark.parametrize(("text", "kind", "told"), VECTORS, ids=IDS)
def test_a_published_sentence_is_read_as_its_publishers_read_it(
    text: str, kind: type[AnyMessage], told: dict[str, Any]
) -> None:
    (heard,) = Feed().feed(text.encode() + b"\r\n", 0.0)
    assert isinstance(heard, Heard)
    assert type(heard.message) is kind
    assert heard.message.doubts == ()
    for name, value in told.items():
        found = getattr(heard.message, name)
        assert found == (pytest.approx(value, abs=ALMOST) if isinstance(value, float) else value), name


@pytest.mark.parametrize(("text", "kind", "told"), VECTORS, ids=IDS)
def test_it_is_written_back_unchanged(text: str, kind: type[AnyMessage], told: dict[str, Any]) -> None:
    parts = [read_sentence(line.encode()) for line in text.splitlines()]
    payload = "".join(part.payload for part in parts if isinstance(part, Sentence))
    last = parts[-1]
    assert isinstance(last, Sentence)
    message = read_message(unarmour(payload, last.fill))
    assert isinstance(message, kind)
    written = write_message(message)
    assert read_message(written) == message
    if not told.keys() & {"name", "destination"}:  # some stations fill texts with blanks, the standard with @
        # Some send more bits than the message has, or use the spare one at its end.
        meant = (min(written.size, 6 * len(payload) - last.fill) - 1) // 6
        assert armour(written)[0][:meant] == payload[:meant]
