"""Logins, identities, limits: what a hostile client of a view library tries, and what an old one gets wrong."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.attendance import Attendance, Standing
from safecity.protocols.gat1400.codes import IdKind, basic_id, clean_id, device_type, kind_of, public_id, semantic_id
from safecity.protocols.gat1400.envelope import (
    MAX_OBJECTS,
    media_type_fits,
    read_json,
    read_list,
    write_json,
    write_list,
)
from safecity.protocols.gat1400.login import FREE_FAILURES, NONCE_SECONDS, Account, Doorkeeper, Verdict
from safecity.protocols.gat1400.objects import ViidObject, read_object
from safecity.protocols.gat1400.pictures import MAX_PICTURE, decode_picture, sniff
from safecity.protocols.gat1400.queries import read_ids, read_query
from safecity.protocols.gat1400.resources import RESOURCES
from safecity.protocols.gat1400.times import local_text, parse_time
from safecity.protocols.gat1400.vehicles import Vehicle, clean_plate, read_vehicle, write_vehicle
from safecity.protocols.sip.digest import Credentials, answer_challenge, parse_challenge

WHERE = "/VIID/System/Register"
CAMERA = Account("camera", "pass word")
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


class Client:
    """A client that answers challenges; its answer can be bent before it is sent."""

    def __init__(self, account: Account = CAMERA) -> None:
        numbers = itertools.count()
        self.door = Doorkeeper("viid", lambda: f"nonce-{next(numbers)}")
        self.account = account

    def answer(self, now: float = 0.0, *, uri: str = WHERE, method: str = "POST", count: int = 1, **bent: Any) -> str:
        challenge = parse_challenge(self.door.challenge(now)[0])
        signed = answer_challenge(
            challenge, self.account.username, self.account.password, method, uri, cnonce="c", count=count
        )
        values = {name: getattr(signed, name) for name in Credentials.__dataclass_fields__}
        return str(Credentials(**{**values, **bent}))

    def judge(self, authorization: str, now: float = 0.0, target: str = WHERE, address: str = "10.0.0.1") -> Verdict:
        accounts = {CAMERA.username: CAMERA}
        return self.door.judge(now, authorization, "POST", target, accounts.get, address)[0]


def test_the_right_password_opens_once_and_its_recording_never_again() -> None:
    client = Client()
    proof = client.answer()
    assert client.judge(proof) is Verdict.GOOD
    assert client.judge(proof) is Verdict.STALE
    assert client.judge(proof, NONCE_SECONDS * 100) is Verdict.STALE


@pytest.mark.parametrize(
    "bent",
    [
        {"realm": "other"},
        {"opaque": "other"},
        {"response": "0" * 32},
        {"uri": "/VIID/System/Keepalive"},
        {"username": "else"},
    ],
)
def test_an_answer_to_another_question_is_refused(bent: dict[str, Any]) -> None:
    client = Client()
    assert client.judge(client.answer(**bent)) is Verdict.WRONG


def test_a_signature_over_another_method_or_algorithm_is_refused() -> None:
    client = Client()
    assert client.judge(client.answer(method="GET")) is Verdict.WRONG
    sha = answer_challenge(
        parse_challenge(client.door.challenge(0.0, ("SHA-256",))[0]), "camera", "pass word", "POST", WHERE, cnonce="c"
    )
    assert client.judge(str(sha)) is Verdict.WRONG  # this account is not set up for it


def test_a_signature_for_another_house_is_refused() -> None:
    client = Client()
    asked = client.door.challenge(0.0)[0].replace('realm="viid"', 'realm="elsewhere"')
    signed = answer_challenge(parse_challenge(asked), "camera", "pass word", "POST", WHERE, cnonce="c")
    assert client.judge(str(signed)) is Verdict.WRONG


def test_a_nonce_of_ones_own_choice_is_worth_nothing_even_with_the_right_password() -> None:
    client = Client()
    signed = answer_challenge(
        parse_challenge('Digest realm="viid", nonce="12345", qop="auth"'),
        "camera",
        "pass word",
        "POST",
        WHERE,
        cnonce="c",
    )
    assert client.judge(str(signed)) is Verdict.STALE


def test_a_count_that_does_not_grow_is_asked_anew_and_not_punished() -> None:
    client = Client()
    challenge = parse_challenge(client.door.challenge(0.0)[0])

    def sign(count: int, cnonce: str) -> str:
        return str(answer_challenge(challenge, "camera", "pass word", "POST", WHERE, cnonce=cnonce, count=count))

    assert client.judge(sign(1, "a")) is Verdict.GOOD
    for cnonce in "bcdefghij":  # clients that always send nc=00000001
        assert client.judge(sign(1, cnonce)) is Verdict.STALE
    assert client.judge(sign(2, "k")) is Verdict.GOOD


def test_an_absolute_address_is_accepted_when_it_is_this_one() -> None:
    client = Client()
    assert client.judge(client.answer(uri=f"http://10.0.0.2:8080{WHERE}")) is Verdict.GOOD
    assert client.judge(client.answer(uri="http://10.0.0.2:8080/VIID/System/Keepalive")) is Verdict.WRONG
    assert client.judge(client.answer(uri="http://[")) is Verdict.WRONG


def test_the_form_without_qop_serves_once() -> None:
    client = Client()
    challenge = parse_challenge(client.door.challenge(0.0)[0].replace(', qop="auth"', ""))
    proof = str(answer_challenge(challenge, "camera", "pass word", "POST", WHERE))
    assert [client.judge(proof), client.judge(proof)] == [Verdict.GOOD, Verdict.STALE]


def test_guessing_is_slowed_down_for_the_guesser_alone() -> None:
    client = Client()
    guesser = Client(Account("camera", "guess"))
    guesser.door = client.door
    for _ in range(FREE_FAILURES):
        assert client.judge(guesser.answer()) is Verdict.WRONG
    assert client.judge(client.answer()) is Verdict.LOCKED
    assert client.door.wait("camera", "10.0.0.1", 0.0) == 1.0
    assert client.judge(client.answer(), address="10.0.0.2") is Verdict.GOOD
    assert client.judge(guesser.answer(2.0), 2.0) is Verdict.WRONG
    assert client.door.wait("camera", "10.0.0.1", 2.0) == 2.0  # longer each time
    assert client.judge(client.answer(9.0), 9.0) is Verdict.GOOD


def test_nonces_nobody_used_are_forgotten() -> None:
    client = Client()
    proof = client.answer(0.0)
    client.door.expire(NONCE_SECONDS + 1)
    assert client.judge(proof, NONCE_SECONDS + 1) is Verdict.STALE
    assert client.judge("Basic dXNlcjpwdw==") is Verdict.WRONG
    assert client.judge("") is Verdict.ABSENT


def test_an_identity_is_bound_to_who_proved_it() -> None:
    hall = Attendance(patience=270.0)
    a, b = ("10.0.0.1", 1000), ("10.0.0.2", 1000)
    assert hall.standing("A", a, 0.0) is Standing.UNKNOWN
    assert hall.registered("A", "account-a", a, 0.0)
    assert hall.registered("B", "account-b", b, 0.0)
    assert hall.standing("A", ("10.0.0.1", 1001), 1.0) is Standing.PROVEN  # another connection of the same camera
    assert hall.standing("A", b, 1.0) is Standing.FOREIGN
    assert hall.standing("A", ("10.0.0.2", 7), 1.0) is Standing.FOREIGN
    assert hall.standing("A", ("10.0.0.9", 7), 1.0) is Standing.UNKNOWN
    assert hall.standing("C", b, 1.0) is Standing.UNKNOWN


def test_two_behind_one_address_are_told_apart_by_their_connection() -> None:
    hall = Attendance()
    hall.registered("A", "account-a", ("10.0.0.1", 1), 0.0)
    hall.registered("B", "account-b", ("10.0.0.1", 2), 0.0)
    assert hall.standing("A", ("10.0.0.1", 2), 1.0) is Standing.FOREIGN
    assert hall.standing("B", ("10.0.0.1", 2), 1.0) is Standing.PROVEN
    assert hall.standing("A", ("10.0.0.1", 2), 500.0) is Standing.PROVEN  # the port was closed long ago


def test_who_is_silent_must_register_anew() -> None:
    hall = Attendance(patience=270.0)
    hall.registered("A", "a", ("10.0.0.1", 1), 0.0)
    hall.standing("A", ("10.0.0.1", 1), 200.0)
    assert hall.expire(300.0) == []
    assert hall.expire(470.0) == ["A"]
    assert hall.standing("A", ("10.0.0.1", 99), 471.0) is Standing.UNKNOWN


# --- limits ------------------------------------------------------------------------------------------------------


def test_ten_thousand_objects_are_read_and_one_more_is_not() -> None:
    faces = RESOURCES["faces"]
    many = [{"FaceID": str(number)} for number in range(MAX_OBJECTS)]
    assert len(read_list(faces, write_list(faces, many))) == 10_000
    with pytest.raises(InvalidError) as refused:
        read_list(faces, write_list(faces, [*many, {"FaceID": "x"}]))
    assert refused.value.code == "viid_too_many"


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[" * 5000, b'{"a":' * 3000 + b"1" + b"}" * 3000, b'{"a": NaN}', b"\xff\xfe{}", b"<xml/>"]
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidError):
        read_list(RESOURCES["faces"], read_json(body))


def test_an_object_of_endless_depth_or_width_is_refused() -> None:
    deep: Any = {}
    for _ in range(20):
        deep = {"a": deep}
    wide = {f"f{number}": number for number in range(600)}
    for bad in (deep, wide, {"a": [0] * 600}, {"Name": "x" * 30_000}, {"n" * 101: 1}):
        with pytest.raises(InvalidError):
            read_object(RESOURCES["faces"], {"FaceID": "1", **bad})


def jpeg(width: int, height: int) -> bytes:
    return (
        b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08"
        + height.to_bytes(2, "big")
        + width.to_bytes(2, "big")
        + b"\x01\x01\x11\x00\xff\xd9"
    )


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (jpeg(0, 720), "empty"),
        (jpeg(8192, 6144), "pixels"),  # 50 megapixels
        (jpeg(1920, 1080)[:15], "format"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + b"\xff" * 8, "pixels"),
        (b"MZ not a picture", "format"),
        (b"", "format"),
        (jpeg(10, 10) + bytes(MAX_PICTURE), "large"),
    ],
)
def test_pictures_that_would_harm_a_decoder_are_refused_by_their_head(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidError) as refused:
        decode_picture(base64.b64encode(data).decode())
    assert refused.value.params["reason"] == reason


def test_good_pictures_pass_and_bombs_are_not_decoded() -> None:
    found = decode_picture("data:image/png;base64," + base64.b64encode(PNG).decode(), kind="02")
    assert (found.format, found.width, found.height, found.kind) == ("png", 1, 1, "02")
    assert sniff(jpeg(1920, 1080)) == ("jpeg", 1920, 1080)
    for text, reason in (("A" * (20 << 20), "large"), ("****", "base64"), ("A", "base64"), (7, "base64")):
        with pytest.raises(InvalidError) as refused:
            decode_picture(text)
        assert refused.value.params["reason"] == reason


def test_filters_are_fields_we_know_and_nothing_else() -> None:
    vehicles = RESOURCES["motorvehicles"]
    query = read_query(
        vehicles,
        [
            ("MotorVehicle.PassTime>", "20171103000000"),
            ("PassTime<", "20171104000000"),
            ("RecordStartNo", "11"),
            ("PageRecordNum", "5000"),
            ("DeviceID", "34020000001190000001"),
        ],
    )
    assert (query.start, query.count, query.device) == (10, 100, "34020000001190000001")
    assert query.until is not None
    assert query.since is not None
    assert query.until - query.since == 86_401_000_000
    for bad in (
        [("1=1;--", "x")],
        [("Face.DeviceID", "x")],
        [("PassTime", "yesterday")],
        [("RecordStartNo", "0")],
        [("RecordStartNo", "９")],
        [("DeviceID>", "1")],
        [("Owner", "me")],
    ):
        with pytest.raises(InvalidError):
            read_query(vehicles, bad)
    assert read_ids([("IDList", "a,b;c,a")]) == ("a", "b", "c")
    with pytest.raises(InvalidError):
        read_ids([("IDList", ",".join(map(str, range(1001))))])


# --- forms -------------------------------------------------------------------------------------------------------


def test_identifiers_say_what_they_are() -> None:
    now = parse_time("20171103092000")
    assert now is not None
    device = "34020000001190000001"
    assert device_type(device) == "ape"
    assert kind_of(public_id("650101000001", "notification", now, 1)) is IdKind.PUBLIC
    assert public_id("650101000001", "subscription", now, 1) == "650101000001" + "03" + "20171103092000" + "00001"
    assert kind_of(basic_id(device, "image", now, 7)) is IdKind.BASIC
    assert kind_of(semantic_id(device, "motor_vehicle", now, 7)) is IdKind.SEMANTIC
    assert kind_of("f47ac10b-58cc-4372-a567-0e02b2c3d479") is IdKind.IRREGULAR
    assert clean_id(" 12\x00 ") == "12"
    assert clean_id("x" * 65) == clean_id(None) == clean_id(True) == clean_id("a\nb") == ""


@pytest.mark.parametrize(
    "text",
    [
        "20171103092000",
        "2017-11-03T01:20:00Z",
        "2017-11-03 09:20:00",
        "20171103092000000",
        "2017-11-03T09:20:00.000+08:00",
    ],
)
def test_times_in_all_forms_of_the_field(text: str) -> None:
    assert parse_time(text) == 1_509_672_000_000_000


@given(st.integers(0, 4_000_000_000))
def test_a_time_is_read_as_it_was_written(seconds: int) -> None:
    assert parse_time(local_text(seconds * 1_000_000)) == seconds * 1_000_000


@pytest.mark.parametrize(
    ("text", "plate"),
    [
        ("皖A·12B45", "皖A12B45"),
        (" 皖a 12b45 ", "皖A12B45"),
        ("皖A12-45", "皖A12?45"),
        ("无车牌", ""),
        ("", ""),
        ("-", ""),
        ("皖Ａ１２Ｂ４５", "皖A12B45"),
        ("WJ皖1234X", "WJ皖1234X"),
    ],
)
def test_plates_are_written_one_way(text: str, plate: str) -> None:
    assert clean_plate(text) == plate


def test_what_no_database_takes_is_no_text() -> None:
    found = read_object(
        RESOURCES["motorvehicles"], {"MotorVehicleID": "1", "VehicleBrand": "a\x00b\n c", "PlateNo": "皖A\x0012"}
    )
    assert found.text("VehicleBrand") == "a b c"
    assert read_vehicle(found).plate == "皖A12"


def test_a_vehicle_of_ours_is_read_as_it_was_written() -> None:
    vehicle = Vehicle(
        id="1",
        device="34020000001190000001",
        tollgate="34020000001210000001",
        lane=2,
        at=1_509_672_000_000_000,
        plate="皖A12?45",
        plate_colour="green",
        plate_class="52",
        confidence=0.5,
        speed_kmh=61.0,
        direction="north_south",
        vehicle_class="K33",
        colour="pink",
        brand="x",
    )
    fields = write_vehicle(vehicle, source="s", box=(1, 2, 3, 4))
    assert read_vehicle(read_object(RESOURCES["motorvehicles"], fields)) == vehicle
    with pytest.raises(InvalidError):
        write_vehicle(vehicle, source="", box=(1, 2, 3, 4))


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text strategy builds its tables
@given(
    st.dictionaries(
        st.sampled_from(["PlateNo", "PassTime", "LaneNo", "Speed", "X", "SubImageList", "HasPlate"]), _values
    )
)
def test_whatever_the_fields_hold_they_are_kept_and_read_without_a_crash(fields: dict[str, Any]) -> None:
    vehicles = RESOURCES["motorvehicles"]
    given_fields = {"MotorVehicleID": "1", **fields}
    (found,) = read_list(
        vehicles, read_json(json.dumps(write_list(vehicles, [given_fields])).encode("utf-8", "replace"))
    )
    if isinstance(found, ViidObject):
        read_vehicle(found)
        assert read_json(write_json(dict(found.fields))) == found.fields


@pytest.mark.parametrize("cut", range(0, 80, 3))
def test_a_truncated_body_is_refused_and_not_half_read(cut: int) -> None:
    whole = write_json(write_list(RESOURCES["faces"], [{"FaceID": "1", "Name": "甲"}]))
    if cut < len(whole):
        with pytest.raises(InvalidError):
            read_json(whole[:cut])


def test_media_types_of_the_field_are_json_or_xml() -> None:
    for good in (
        "application/VIID+JSON;charset=UTF-8",
        "application/viid+json",
        "application/json",
        "application/*+JSON",
        "",
        "application/xml",
        "application/VIID+XML; charset=UTF-8",
        "text/xml",
    ):
        assert media_type_fits(good), good
    for bad in ("text/plain", "multipart/form-data", "application/xmlish"):
        assert not media_type_fits(bad), bad
