"""Sentences and messages of ships: whatever arrives is read or refused with its reason, however it is cut."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError
from safecity.protocols.ais import messages as kinds
from safecity.protocols.ais.bits import Flag, Letters, Number, Spare, armour, layout, unarmour
from safecity.protocols.ais.messages import (
    AidToNavigation,
    AnyMessage,
    ClassAPosition,
    ClassBStatic,
    LongRange,
    StaticAndVoyage,
    read_message,
    turn_degrees,
    write_message,
)
from safecity.protocols.ais.sentences import MAX_LINE, LineReader, Malformed, Sentence, checksum, write_sentence
from safecity.protocols.ais.stream import MAX_OPEN, PART_SECONDS, Feed, Heard, Teller

FIX = ClassAPosition(
    type=1, mmsi=412345678, status=0, speed=12.3, longitude=121.5, latitude=31.25, course=88.8, heading=90, second=7
)
VOYAGE = StaticAndVoyage(type=5, mmsi=412345678, name="HAI XUN 06", call_sign="BXYZ", destination="SHANGHAI", imo=9)
ALL = (
    kinds.ClassAPosition, kinds.BaseStation, kinds.StaticAndVoyage, kinds.ClassBPosition, kinds.ClassBExtended,
    kinds.AidToNavigation, kinds.ClassBName, kinds.ClassBStatic, kinds.LongRange,
)  # fmt: skip
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ 0123456789.-"


def reasons(found: list[Heard | Malformed]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Malformed)]


def messages(found: list[Heard | Malformed]) -> list[AnyMessage]:
    return [one.message for one in found if isinstance(one, Heard)]


def line(body: str) -> bytes:
    return f"!{body}*{checksum(body.encode()):02X}\r\n".encode()


# --- round trips ------------------------------------------------------------------------------------------------


def values(form: Any) -> st.SearchStrategy[Any]:
    match form:
        case Flag():
            return st.booleans()
        case Spare():
            return st.none()
        case Letters():
            texts = st.text(LETTERS, max_size=form.size // 6)
            return texts.map(str.rstrip)
        case Number():
            least = -(1 << (form.size - 1)) if form.signed else 0
            low = least if form.low is None else form.low
            high = (1 << form.size) + least - 1 if form.high is None else form.high
            return st.integers(low, high).map(lambda raw: form.read(raw & ((1 << form.size) - 1))[0])
        case _:
            raise AssertionError(form)


@st.composite
def any_message(draw: st.DrawFn) -> AnyMessage:
    kind = draw(st.sampled_from(ALL))
    told = {name: draw(values(form)) for name, form, _, _ in layout(kind)}
    told |= {"type": draw(st.sampled_from(kind.TYPES)), "mmsi": draw(st.integers(1, 999_999_999))}
    if kind in (kinds.ClassBName, kinds.ClassBStatic):
        told["part"] = int(kind is kinds.ClassBStatic)
    if kind is AidToNavigation and len(told["name"]) == 20:
        told["more"] = draw(st.text(LETTERS, max_size=14).map(str.rstrip))
    return kind(**told)


@settings(derandomize=True, max_examples=400)
@given(any_message())
def test_what_is_written_is_read_as_it_was(message: AnyMessage) -> None:
    assert messages(Feed().feed(Teller().write(message), 0.0)) == [message]


@settings(derandomize=True)
@given(st.lists(any_message(), max_size=4), st.binary(max_size=40), st.integers(1, 90))
def test_any_split_of_a_feed_gives_the_same(told: list[AnyMessage], noise: bytes, step: int) -> None:
    teller = Teller()
    data = noise.join([b"", *(teller.write(one) for one in told), b""])
    whole, cut = Feed(), Feed()
    expected = whole.feed(data, 0.0)
    assert [one for at in range(0, len(data), step) for one in cut.feed(data[at : at + step], 0.0)] == expected
    assert cut.waiting == whole.waiting


@settings(derandomize=True)
@given(st.binary(max_size=300))
def test_no_bytes_are_an_error(data: bytes) -> None:
    found = Feed().feed(data + b"\n", 0.0)
    assert all(one.reason for one in found if isinstance(one, Malformed))


def test_a_sentence_cut_at_any_byte_is_refused_and_the_next_one_is_read() -> None:
    whole = Teller().write(FIX).rstrip()
    for end in range(1, len(whole)):
        found = Feed().feed(whole[:end] + b"\r\n" + whole + b"\r\n", 0.0)
        assert messages(found) == [FIX]
        assert reasons(found) in (["nmea_no_checksum"], ["nmea_bad_checksum"])


def test_a_message_cut_at_any_bit_is_refused_or_as_short_as_receivers_make_it() -> None:
    for message in (FIX, VOYAGE, LongRange(type=27, mmsi=1), AidToNavigation(type=21, mmsi=1)):
        whole = write_message(message)
        for size in range(whole.size):
            short = dataclasses.replace(whole, value=whole.value >> (whole.size - size), size=size)
            found = read_message(short)
            if size >= message.LEAST:
                assert found == message
            else:
                assert isinstance(found, Malformed)
                assert found.reason in ("ais_cut_message", kinds.UNKNOWN)


# --- what is not available, and what cannot be true ---------------------------------------------------------------


def test_what_a_ship_does_not_tell_is_none_and_no_doubt() -> None:
    bare = read_message(write_message(ClassAPosition(mmsi=1)))
    assert isinstance(bare, ClassAPosition)
    assert (bare.longitude, bare.latitude, bare.speed, bare.course, bare.heading, bare.second, bare.turn) == (None,) * 7
    assert bare.doubts == ()


@pytest.mark.parametrize(
    ("at", "size", "raw", "field", "doubt"),
    [
        (61, 28, 180 * 600_000 + 1, "longitude", "ais_bad_longitude"),
        (61, 28, (1 << 28) - 180 * 600_000 - 1, "longitude", "ais_bad_longitude"),
        (89, 27, 90 * 600_000 + 1, "latitude", "ais_bad_latitude"),
        (116, 12, 3601, "course", "ais_bad_course"),
        (128, 9, 360, "heading", "ais_bad_heading"),
    ],
)
def test_what_no_ship_can_have_is_none_with_its_reason(
    at: int, size: int, raw: int, field: str, doubt: str
) -> None:  # fmt: skip
    whole = write_message(FIX)
    shift = whole.size - at - size
    value = whole.value & ~(((1 << size) - 1) << shift) | raw << shift
    read = read_message(dataclasses.replace(whole, value=value))
    assert isinstance(read, ClassAPosition)
    assert getattr(read, field) is None
    assert read.doubts == (doubt,)
    assert read.speed == FIX.speed


def test_the_edges_of_the_earth_are_places() -> None:
    edge = dataclasses.replace(FIX, longitude=-180.0, latitude=90.0)
    assert read_message(write_message(edge)) == edge


@pytest.mark.parametrize("wrong", [{"longitude": 180.1}, {"course": 360.0}, {"speed": 200.0}, {"mmsi": 0}])
def test_what_cannot_be_written_is_said(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidError):
        write_message(dataclasses.replace(FIX, **wrong))


def test_a_number_that_is_no_ship_s_is_refused() -> None:
    whole = write_message(FIX)
    for mmsi in (0, 1_000_000_000):
        value = whole.value & ~(((1 << 30) - 1) << (whole.size - 38)) | mmsi << (whole.size - 38)
        found = read_message(dataclasses.replace(whole, value=value))
        assert isinstance(found, Malformed)
        assert found.reason == "ais_bad_mmsi"


def test_a_tender_names_its_ship() -> None:
    mother = 412345678
    told = ClassBStatic(
        mmsi=984123456, bow=mother >> 21, stern=mother >> 12 & 511, port=mother >> 6 & 63, starboard=mother & 63
    )
    read = read_message(write_message(told))
    assert isinstance(read, ClassBStatic)
    assert read.mother == mother
    assert ClassBStatic(mmsi=412345678).mother is None


def test_the_rate_of_turn_is_that_of_the_table() -> None:
    assert turn_degrees(0) == 0
    assert turn_degrees(-128 + 1) is None
    assert turn_degrees(126) == pytest.approx(708.7, abs=0.1)
    assert turn_degrees(-47) == pytest.approx(-98.6, abs=0.1)


# --- sentences ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"hello\r\n", "nmea_noise"),
        (b"!AIVDM,1,1,,A,1,0\r\n", "nmea_no_checksum"),
        (b"!AIVDM,1,1,,A,1,0*0\r\n", "nmea_no_checksum"),
        (b"!AIVDM,1,1,,A,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5D\r\n", "nmea_bad_checksum"),
        (line("AIVDM,1,2,,A,1,0"), "nmea_bad_fields"),
        (line("AIVDM,2,1,,A,1,0"), "nmea_bad_fields"),
        (line("AIVDM,1,1,,A,1,6"), "nmea_bad_fields"),
        (line("AIVDM,1,1,,A,,0"), "nmea_bad_fields"),
        (line("AIVDM,1,1,,A,X,0"), "nmea_bad_fields"),
        (line("AIVDM,1,1,,A,1"), "nmea_bad_fields"),
        (line("AIVDM,0,0,,A,1,0"), "nmea_bad_fields"),
        (b"!" + b"A" * MAX_LINE + b"\r\n", "nmea_line_too_long"),
    ],
)
def test_a_bad_line_has_its_reason_and_costs_itself_alone(text: bytes, reason: str) -> None:
    found = Feed().feed(text + Teller().write(FIX), 0.0)
    assert reasons(found) == [reason]
    assert messages(found) == [FIX]


def test_tag_blocks_and_other_sentences_of_a_receiver_are_passed_over() -> None:
    data = (
        b"\\g:1-2-73874,s:r003669945,c:1241544035*4A\\"
        + Teller().write(FIX)
        + b"$GPZDA,160012.71,11,03,2004,-1,00*7D\n"
    )
    assert Feed().feed(data, 0.0) == [Heard(FIX, "A")]


def test_a_station_that_tells_of_itself_is_told_apart() -> None:
    (heard,) = Feed().feed(Teller("BS").write(FIX, channel="B", own=True), 0.0)
    assert heard == Heard(FIX, "B", own=True)


def test_a_line_without_end_is_not_kept() -> None:
    reader = LineReader()
    for _ in range(1000):
        assert reader.feed(b"A" * 1000) == []
    assert reader.waiting == 1_000_000
    assert len(reader._tail) <= MAX_LINE + 1


# --- several sentences for one message ----------------------------------------------------------------------------


def parts_of(message: AnyMessage, group: int = 0) -> list[bytes]:
    teller = Teller()
    for _ in range(group):
        teller.write(VOYAGE)
    return teller.write(message).splitlines(keepends=True)


def test_parts_come_in_any_order_and_twice() -> None:
    first, second = parts_of(VOYAGE)
    assert messages(Feed().feed(second + first, 0.0)) == [VOYAGE]
    assert messages(Feed().feed(first + first + second, 0.0)) == [VOYAGE]


def test_parts_of_two_stations_are_not_mixed() -> None:
    other = dataclasses.replace(VOYAGE, mmsi=999_000_001)
    first, second = parts_of(VOYAGE)
    third, fourth = Teller("BS").write(other).splitlines(keepends=True)
    assert messages(Feed().feed(first + third + second + fourth, 0.0)) == [VOYAGE, other]


def test_a_number_that_is_given_again_ends_the_message_before() -> None:
    other = dataclasses.replace(VOYAGE, name="ANOTHER ONE", imo=7)
    first, _ = parts_of(VOYAGE)
    third, fourth = parts_of(other)
    found = Feed().feed(first + third + fourth, 0.0)
    assert (reasons(found), messages(found)) == (["ais_parts_missing"], [other])


def test_parts_that_do_not_come_are_given_up_in_time() -> None:
    feed = Feed()
    first, second = parts_of(VOYAGE)
    assert feed.feed(first, 0.0) == []
    assert reasons(feed.feed(b"", PART_SECONDS + 0.1)) == ["ais_parts_missing"]
    assert feed.feed(second, PART_SECONDS + 0.2) == []


def test_who_begins_messages_without_end_fills_no_memory() -> None:
    feed = Feed()
    found: list[Heard | Malformed] = []
    for total in range(2, 10):
        for group in range(10):
            for channel in "AB":
                part = Sentence(payload="5", total=total, number=1, group=group, channel=channel)
                found += feed.feed(write_sentence(part), 0.0)
    assert len(feed._open) == MAX_OPEN
    assert len(found) == 160 - MAX_OPEN


def test_armour_comes_back() -> None:
    whole = write_message(FIX)
    assert unarmour(*armour(whole)) == whole
