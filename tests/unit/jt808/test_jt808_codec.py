"""Framing, bodies, parts, items, checks: what terminals get wrong must cost as little as possible."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.protocols.jt808 import checks, fences, wire
from safecity.protocols.jt808.active_safety import (
    AlarmMark,
    BlindSpot,
    DriverAssistance,
    DriverState,
    Tyre,
    TyrePressure,
)
from safecity.protocols.jt808.alarms import CONFIRMABLE, Alarm, Status, falling, load_of, mask, rising
from safecity.protocols.jt808.commands import SetParameters, lock_doors, number_parameter, text_parameter
from safecity.protocols.jt808.framing import MAX_FRAME, FrameReader, Malformed, escape, frame, unescape
from safecity.protocols.jt808.header import MAX_BODY, Packet, Version, read_packet, write_packet
from safecity.protocols.jt808.items import AbnormalDriving, Crossing, OverSpeed, SectionTime, read_items, write_number
from safecity.protocols.jt808.messages import BODIES, Raw, read_body
from safecity.protocols.jt808.positions import Batch, BatchKind, Item, Location, batch, degrees_to_wire
from safecity.protocols.jt808.records import DriverCard, DriverCard2011, MediaAnswer, MediaData
from safecity.protocols.jt808.subpackages import MAX_OPEN, MAX_PARTS, TIMEOUT_SECONDS, Assembler, Sent, cut

NOON = checks.parse_time("260101120000") or 0
FIX = Location(
    status=1 << Status.FIXED, latitude_micro=31_230_000, longitude_micro=121_470_000, height=12, speed_tenths=365,
    direction=90, time="260101120000",
)  # fmt: skip
MARK = AlarmMark(terminal_id="0000001", time="260101120000", number=1, attachments=2)


def packet(id_: int = 0x0200, body: bytes = b"", **more: Any) -> Packet:
    return Packet(id=id_, phone="13912345678", serial=more.pop("serial", 7), body=body, **more)


def only(found: list[bytes | Malformed]) -> bytes:
    (raw,) = found
    assert isinstance(raw, bytes)
    return raw


# --- frames -----------------------------------------------------------------------------------------------------


@given(st.binary(max_size=80))
def test_escaping_hides_every_flag_and_comes_back(raw: bytes) -> None:
    wired = escape(raw)
    assert b"\x7e" not in wired
    assert unescape(wired) == raw


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.integers(1, 50))
def test_frames_survive_any_split(raws: list[bytes], step: int) -> None:
    data = b"".join(map(frame, raws))
    reader = FrameReader()
    assert [one for at in range(0, len(data), step) for one in reader.feed(data[at : at + step])] == raws


def test_a_bad_frame_costs_itself_alone() -> None:
    good = frame(b"\x02\x00 good one")
    bad = bytearray(good)
    bad[4] ^= 1
    reader = FrameReader()
    found = reader.feed(b"noise" + good + bytes(bad) + b"\x7e\x7e" + b"\x7e\x01\x7d\x05\x7e" + good)
    assert [one if isinstance(one, bytes) else one.reason for one in found] == [
        "jt_noise", b"\x02\x00 good one", "jt_bad_check", "jt_bad_escape", b"\x02\x00 good one",
    ]  # fmt: skip


def test_two_frames_may_share_a_flag() -> None:
    first, second = frame(b"one"), frame(b"two")
    assert FrameReader().feed(first + second[1:]) == [b"one", b"two"]


def test_a_frame_without_end_is_not_kept() -> None:
    reader = FrameReader()
    for _ in range(100):
        reader.feed(b"\x7e" if _ == 0 else b"x" * 1000)
    assert len(reader._tail) <= MAX_FRAME + 1
    (found,) = reader.feed(b"\x7e")
    assert isinstance(found, Malformed)
    assert found.reason == "jt_frame_too_long"
    assert reader.feed(frame(b"next")) == [b"next"]


def test_every_truncation_is_refused_and_forgotten() -> None:
    whole = frame(write_packet(packet(body=FIX.write())))
    for cut_at in range(1, len(whole) - 1):
        reader = FrameReader()
        found = reader.feed(whole[:cut_at] + whole)
        assert found[-1] == only(FrameReader().feed(whole))
        for one in found[:-1]:  # one cut of 256 has a check byte that fits; its length then does not
            assert isinstance(one, Malformed) or isinstance(read_packet(one), Malformed)


# --- headers ----------------------------------------------------------------------------------------------------


@given(
    st.integers(0, 0xFFFF), st.integers(0, 10**11), st.integers(0, 0xFFFF), st.binary(max_size=60),
    st.sampled_from([Version.V2013, Version.V2019]), st.integers(0, 3), st.integers(0, 7),
)  # fmt: skip
def test_headers_come_back(
    id_: int, phone: int, serial: int, body: bytes, version: Version, parts: int, cipher: int
) -> None:
    one = Packet(
        id=id_, phone=str(phone), serial=serial, body=body, version=version, total=parts, index=parts and 1,
        cipher=cipher,
    )  # fmt: skip
    assert read_packet(write_packet(one)) == one


def test_a_length_that_lies_drops_the_frame() -> None:
    raw = bytearray(write_packet(packet(body=b"12345")))
    raw[3] += 1
    found = read_packet(bytes(raw))
    assert isinstance(found, Malformed)
    assert found.reason == "jt_length_mismatch"


def test_an_old_terminal_that_sets_the_reserved_bit_is_still_read() -> None:
    raw = bytearray(write_packet(packet(body=b"12345")))
    raw[2] |= 0x40
    found = read_packet(bytes(raw))
    assert isinstance(found, Packet)
    assert (found.version, found.body, found.phone) == (Version.V2013, b"12345", "13912345678")


@pytest.mark.parametrize("index", [0, 4])
def test_a_part_outside_of_its_message_is_dropped(index: int) -> None:
    raw = bytearray(write_packet(packet(body=b"12345", total=3, index=1)))
    raw[15] = index
    assert isinstance(read_packet(bytes(raw)), Malformed)


def test_what_does_not_fit_is_not_written() -> None:
    long_phone = dataclasses.replace(packet(), phone="1" * 13)
    for wrong in (packet(body=bytes(MAX_BODY + 1)), packet(serial=70_000), long_phone):
        with pytest.raises(InvalidError):
            write_packet(wrong)


# --- bodies -----------------------------------------------------------------------------------------------------

GBK = st.text(st.sampled_from("皖A沪B0123456789 abcXYZ请减速"), max_size=6)


def values(kind: wire.Kind, version: Version) -> st.SearchStrategy[Any]:
    """What such a field can hold."""
    match kind:
        case wire.Number(size=size, signed=signed):
            most = 1 << size * 8
            return st.integers(-most // 2, most // 2 - 1) if signed else st.integers(0, most - 1)
        case wire.Digits(size=size):
            return st.text("0123456789", min_size=size * 2, max_size=size * 2)
        case wire.Fixed():
            return st.text("AB01", max_size=5)
        case wire.Blob(size=size) if size:
            return st.binary(min_size=size, max_size=size)
        case wire.Blob():
            return st.binary(max_size=40)
        case wire.Text():
            return GBK
        case wire.Many(of=of, count=count):
            return st.lists(values(of, version), max_size=4).map(tuple) if count else st.just(())
        case wire.Nested(of=of):
            return parts(of, version)
        case _:
            return st.just(FIX)


def parts(part: type[wire.Part], version: Version) -> st.SearchStrategy[Any]:
    """Any value of a message or part."""

    @st.composite
    def build(draw: st.DrawFn) -> Any:
        found: dict[str, Any] = {}
        for name, form in wire._layout(part):
            if form.applies(version, found):
                found[name] = draw(values(form.kind, version))
        return part(**found)

    return build()


PLAIN = sorted(id_ for id_ in BODIES if id_ not in (Location.ID, Batch.ID, MediaAnswer.ID, DriverCard.ID))


@pytest.mark.parametrize("id_", PLAIN, ids=hex)
@settings(max_examples=10)
@given(version=st.sampled_from(Version), data=st.data())
def test_every_body_comes_back(id_: int, version: Version, data: st.DataObject) -> None:
    body = data.draw(parts(BODIES[id_], version))
    raw = body.write(version)
    assert read_body(id_, raw, version) == body


@pytest.mark.parametrize("id_", PLAIN, ids=hex)
def test_a_body_cut_anywhere_is_refused_or_shorter(id_: int) -> None:
    body = BODIES[id_]
    for version, size in itertools.product(Version, range(64)):
        try:
            found = read_body(id_, bytes(size), version)
        except InvalidError:
            continue
        assert isinstance(found, body)
        assert len(found.write(version)) <= size


@given(st.integers(0, 1), st.integers(0, 1))
def test_a_driver_card_has_only_what_its_state_allows(status: int, result: int) -> None:
    whole = {"name": "王五", "certificate": "1234", "issuer": "交警", "valid_until": "20300101"}
    read = status == 1 and result == 0
    card = DriverCard(
        status=status,
        time="260101120000",
        result=result if status else 0,
        **(whole if read else {}),  # type: ignore[arg-type]
    )
    assert read_body(0x0702, card.write(Version.V2013), Version.V2013) == card


def test_the_driver_card_of_2011() -> None:
    card = DriverCard2011(name="王五", identity="34010019800101001X", certificate="C1", issuer="合肥")
    assert read_body(0x0702, card.write(Version.V2011), Version.V2011) == card


def test_maker_data_behind_a_body_is_kept() -> None:
    found = read_body(0x0001, bytes.fromhex("0001 8103 00 aabb".replace(" ", "")), Version.V2013)
    assert isinstance(found, wire.Body)
    assert found.tail == b"\xaa\xbb"
    assert found.write(Version.V2013).endswith(b"\xaa\xbb")


def test_an_unknown_message_stays_as_it_came() -> None:
    assert read_body(0x0F01, b"abc", Version.V2013) == Raw(0x0F01, b"abc")


def test_a_count_that_lies_is_refused_without_effort() -> None:
    with pytest.raises(InvalidError):
        read_body(0x1205, b"\0\1\xff\xff\xff\xff" + bytes(28), Version.V2019)


def test_fences_have_the_fields_their_properties_announce() -> None:
    plain = fences.Circle(id=1, properties=0, latitude_micro=31_000_000, longitude_micro=121_000_000, radius_metres=500)
    limited = dataclasses.replace(
        plain, properties=fences.TIMED | fences.LIMITED, begins="260101000000", ends="261231235959", speed_limit=60,
        limit_seconds=10,
    )  # fmt: skip
    for version, more in ((Version.V2013, 15), (Version.V2019, 17)):
        short = fences.SetCircles(setting=fences.Setting.ADD, circles=(plain,)).write(version)
        body = fences.SetCircles(setting=fences.Setting.ADD, circles=(limited, plain))
        raw = body.write(version)
        assert len(raw) == 2 + 2 * (len(short) - 2) + more
        assert read_body(0x8600, raw, version) == body


def test_doors_and_parameters() -> None:
    assert lock_doors(True, Version.V2013).write(Version.V2013) == b"\x01"
    assert lock_doors(True, Version.V2019).write(Version.V2019) == bytes.fromhex("0001000100")
    body = SetParameters(parameters=(number_parameter(0x29, 10), text_parameter(0x83, "皖A12345")))
    found = read_body(0x8103, body.write(Version.V2011), Version.V2011)
    assert isinstance(found, SetParameters)
    assert (found.parameters[0].number, found.parameters[1].text) == (10, "皖A12345")


def test_a_picture_answer_is_short_when_nothing_is_missing() -> None:
    assert MediaAnswer(media_id=9).write() == b"\0\0\0\x09"
    assert MediaAnswer.read(b"\0\0\0\x09") == MediaAnswer(media_id=9)
    again = MediaAnswer(media_id=9, missing=(2, 5))
    assert MediaAnswer.read(again.write()) == again


def test_pictures_carry_their_place_since_2013() -> None:
    picture = MediaData(media_id=1, kind=0, format=0, event=2, channel=1, location=FIX, data=b"\xff\xd8jpeg")
    assert read_body(0x0801, picture.write(Version.V2013), Version.V2013) == picture
    old = dataclasses.replace(picture, location=None)
    assert read_body(0x0801, old.write(Version.V2011), Version.V2011) == old
    with pytest.raises(InvalidError):
        old.write(Version.V2013)


# --- positions and items ----------------------------------------------------------------------------------------


@given(
    st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=20)), max_size=6),
)  # fmt: skip
def test_positions_come_back_with_all_items(alarm: int, place: int, number: int, raw: list[tuple[int, bytes]]) -> None:
    one = Location(
        alarm=alarm, status=alarm, latitude_micro=place, longitude_micro=place, height=number, speed_tenths=number,
        direction=number, time="260101120000", items=tuple(Item(*item) for item in raw),
    )  # fmt: skip
    assert Location.read(one.write()) == one


def test_a_wrong_item_length_never_loses_the_fix() -> None:
    """The private item says 200 bytes and has three; another maker uses the id of the video alarms for its own."""
    good = write_number(0x01, 12345)
    private = Item(0x14, b"\x01\x02")
    raw = dataclasses.replace(FIX, items=(good, private)).write() + b"\xeb\xc8abc"
    location = Location.read(raw)
    assert (location.latitude, location.longitude) == (31.23, 121.47)
    details = read_items(location)
    assert details.values == {"mileage_tenths_km": 12345}
    assert details.unread == (private,)
    assert location.tail == b"\xeb\xc8abc"
    judged = checks.judge(location, NOON)
    assert judged.moves
    assert judged.reasons == (checks.CUT_ITEMS,)
    assert location.write() == raw


@pytest.mark.parametrize("size", range(28))
def test_less_than_a_fix_is_no_position(size: int) -> None:
    with pytest.raises(InvalidError):
        Location.read(FIX.write()[:size])


def test_the_items_of_the_standard() -> None:
    items = (
        Item(0x06, (-5).to_bytes(2, "big", signed=True)),
        Item(0x11, b"\x01\0\0\0\x07"),
        Item(0x12, b"\x04\0\0\0\x09\x01"),
        Item(0x13, b"\0\0\0\x05\x00\x3c\x01"),
        Item(0x15, b"\0\0\0\x03"),
        Item(0x18, b"\0\x01\x50"),
        Item(0x30, b"\x1f"),
        Item(0x31, b"\x0c"),
        Item(0xE1, b"own"),
        Item(0x31, b"\x01"),
    )
    details = read_items(dataclasses.replace(FIX, items=items))
    assert details.values == {
        "cabin_celsius": -5,
        "over_speed": OverSpeed(1, 7),
        "crossing": Crossing(4, 9, 1),
        "section_time": SectionTime(5, 60, 1),
        "channels_lost": 3,
        "abnormal_driving": AbnormalDriving(1, 80),
        "signal_strength": 31,
        "satellites": 12,
    }
    assert details.unknown == (Item(0xE1, b"own"),)


def test_alarms_of_active_safety() -> None:
    place: dict[str, Any] = {
        "alarm_id": 7, "flag": 1, "speed": 60, "height": 12, "latitude_micro": 31_000_000,
        "longitude_micro": 121_000_000, "time": "260101120000", "vehicle_status": 1, "mark": MARK,
    }  # fmt: skip
    adas = DriverAssistance(
        kind=1, level=2, front_speed=50, front_distance=3, deviation=0, sign=0, sign_value=0, **place
    )
    tired = DriverState(kind=1, level=1, fatigue=7, **place)
    tyres = TyrePressure(tyres=(Tyre(position=1, alarms=2, pressure_kpa=800, celsius=60, battery_percent=90),), **place)
    beside = BlindSpot(kind=3, **place)
    raws = [one.write(Version.V2013) for one in (adas, tired, tyres, beside)]
    assert [len(raw) for raw in raws] == [47, 47, 50, 41]
    found = read_items(
        dataclasses.replace(FIX, items=tuple(Item(0x64 + number, raw) for number, raw in enumerate(raws)))
    )
    assert found.safety == (adas, tired, tyres, beside)
    short = Item(0x65, raws[1][:-1])
    assert read_items(dataclasses.replace(FIX, items=(short,))).unread == (short,)


def test_a_batch_gives_what_is_whole() -> None:
    other = dataclasses.replace(FIX, direction=180)
    whole = batch([FIX, other], BatchKind.CATCH_UP)
    assert Batch.read(whole.write(Version.V2013)).locations() == ([FIX, other], 0)
    broken = whole.write(Version.V2013)[:-3]
    assert Batch.read(broken).locations() == ([FIX], 1)
    short_one = dataclasses.replace(whole, raw=(b"too short", other.write()))
    assert Batch.read(short_one.write(Version.V2013)).locations() == ([other], 1)


@pytest.mark.parametrize(("latitude", "longitude"), [(31.2, 121.4), (-33.8, 151.2), (40.7, -74.0), (-34.6, -58.4)])
def test_hemispheres(latitude: float, longitude: float) -> None:
    location = Location(**degrees_to_wire(latitude, longitude))
    assert (location.latitude, location.longitude) == (latitude, longitude)


# --- alarms and checks ------------------------------------------------------------------------------------------


def test_an_alarm_that_stays_is_one_event() -> None:
    speeding, sos = mask((Alarm.OVER_SPEED,)), mask((Alarm.OVER_SPEED, Alarm.SOS))
    seen = [0, speeding, speeding, sos, sos, speeding, 0, speeding]
    events = [rising(before, now) for before, now in itertools.pairwise(seen)]
    assert events == [(Alarm.OVER_SPEED,), (), (Alarm.SOS,), (), (), (), (Alarm.OVER_SPEED,)]
    assert falling(sos, speeding) == (Alarm.SOS,)
    assert mask(CONFIRMABLE) == 0b11000011100000000000000001001
    assert load_of(0x300) == 3


@pytest.mark.parametrize(
    ("change", "moves", "reason"),
    [
        ({}, True, None),
        ({"status": 0}, False, checks.NO_FIX),
        ({"status": 1 << Status.FIXED | 1 << Status.ENCRYPTED}, False, checks.ENCRYPTED),
        ({"latitude_micro": 0, "longitude_micro": 0}, False, checks.NULL_ISLAND),
        ({"latitude_micro": 0}, False, checks.NULL_ISLAND),
        ({"latitude_micro": 90_000_001}, False, checks.OFF_EARTH),
        ({"longitude_micro": 180_000_001}, False, checks.OFF_EARTH),
        ({"time": "000000000000"}, True, checks.NO_TIME),
        ({"time": "261301120000"}, True, checks.BAD_TIME),
        ({"time": "2601ab120000"}, True, checks.BAD_TIME),
        ({"time": "260102120001"}, True, checks.TIME_AHEAD),
        ({"time": "290101120000"}, True, checks.TIME_AHEAD),
        ({"time": "000101000000"}, True, checks.TIME_OLD),
        ({"time": "060518120000"}, True, checks.TIME_OLD),  # a receiver whose weeks ran over
        ({"direction": 400}, True, checks.BAD_DIRECTION),
        ({"speed_tenths": 0xFFFF}, True, checks.BAD_SPEED),
        ({"height": 65_382}, True, checks.BAD_HEIGHT),
    ],
)
def test_what_cannot_be_true_is_not_believed(change: dict[str, Any], moves: bool, reason: str | None) -> None:
    judged = checks.judge(dataclasses.replace(FIX, **change), NOON)
    assert judged.moves is moves
    assert judged.reasons == (() if reason is None else (reason,))
    assert judged.at_us == NOON  # the terminal's own, or that of receipt


def test_a_catch_up_keeps_its_own_time() -> None:
    days = 86_400 * SECOND_US
    assert checks.judge(FIX, NOON + 3 * days, catch_up=True) == checks.Judged(True, NOON)
    assert checks.judge(FIX, NOON + 30 * days, catch_up=True) == checks.Judged(True, NOON, (checks.TIME_LONG_AGO,))
    assert checks.judge(FIX, NOON + 30 * days).reasons == (checks.TIME_OLD,)
    lost = dataclasses.replace(FIX, time="000101000000")
    assert checks.judge(lost, NOON, catch_up=True) == checks.Judged(True, NOON, (checks.TIME_OLD,), own_time=False)
    assert checks.time_text(NOON) == FIX.time


# --- messages in parts ------------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(st.binary(min_size=MAX_BODY + 1, max_size=MAX_BODY * 5), st.randoms(use_true_random=False))
def test_parts_in_any_order_and_twice_make_the_message(body: bytes, chance: Any) -> None:
    pieces = cut(packet(0x0801, body, serial=65_534))
    mixed = pieces + chance.sample(pieces, 1)
    chance.shuffle(mixed)
    assembler = Assembler()
    wholes = [whole for piece in mixed if isinstance(whole := assembler.add(piece, 0.0), Packet)]
    assert wholes[0].body == body
    assert (wholes[0].serial, wholes[0].total) == (65_534, 0)
    assert wholes[0].completed_by in {piece.serial for piece in pieces}


def test_terminals_that_give_all_parts_one_serial_are_understood() -> None:
    pieces = [dataclasses.replace(one, serial=5) for one in cut(packet(0x0801, bytes(3000)))]
    assembler = Assembler()
    *nothing, whole = [assembler.add(one, 0.0) for one in pieces]
    assert nothing == [None, None]
    assert isinstance(whole, Packet)
    assert len(whole.body) == 3000


def test_missing_parts_are_asked_for_and_then_given_up() -> None:
    first, second, third = cut(packet(0x0801, bytes(3000)))
    assembler = Assembler()
    assembler.add(first, 0.0)
    assembler.add(third, 1.0)
    assert assembler.next_deadline() == 6.0
    (asked,), gone = assembler.expire(6.0)
    assert (asked.parts, asked.serial, gone) == ((2,), 7, [])
    again = Sent()
    again.keep([first, second, third])
    assert again.again(asked.serial, asked.parts) == [write_packet(second)]
    late = [assembler.expire(at) for at in (11.0, 16.0, 21.0, 1.0 + TIMEOUT_SECONDS)]
    assert [len(ask) for ask, _ in late] == [1, 1, 0, 0]
    assert [one.parts for _, gone in late for one in gone] == [(2,)]
    assert len(assembler) == 0
    assert assembler.add(second, 40.0) is None


def test_what_is_held_is_bounded() -> None:
    assembler = Assembler()
    for serial in range(50):
        assembler.add(packet(body=b"x", serial=serial * 10, total=3, index=1), 0.0)
    assert len(assembler) == MAX_OPEN
    too_many = assembler.add(packet(body=b"x", total=MAX_PARTS + 1, index=1), 0.0)
    assert isinstance(too_many, Malformed)


def test_a_part_that_comes_again_and_again_takes_no_more_room() -> None:
    first, second = cut(packet(0x0801, bytes(2000)))
    assembler = Assembler()
    assert [assembler.add(first, 0.0) for _ in range(1500)] == [None] * 1500
    assert isinstance(assembler.add(second, 0.0), Packet)


def test_what_was_sent_is_remembered_up_to_a_size() -> None:
    sent = Sent(max_bytes=5000)
    for serial in (10, 20, 30):
        sent.keep(cut(packet(0x0801, bytes(2000), serial=serial)))
    assert sent.again(10, (1, 2)) == []
    assert len(sent.again(30, (2, 2, 1, 9))) == 2
