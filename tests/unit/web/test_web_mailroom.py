"""Positions that a broker hands on: the same reading and reasons as over HTTP, whoever answers for who it is."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from safecity.core.upper.fleet.api import Mailroom
from safecity.kit.clock import rfc3339
from safecity.kit.errors import UnavailableError
from safecity.ports.positions import FeedFigure, Letter, Receipt

SECOND = 1_000_000


def feature(at_us: int, *place: float, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": list(place or (118.37, 31.33))},
        "properties": {"time": rfc3339(at_us), **properties},
    }


def letter(name: str, body: Any, token: str | None = None) -> Letter:
    return Letter(name, json.dumps(body if token is None else {**body, "token": token}).encode())


class Room:
    """The mailroom of a house with one phone, and what the phone is called."""

    def __init__(self, house: Any, device: dict[str, Any]) -> None:
        self.house = house
        self.device = device["id"]
        self.token = device["registration"]["password"]
        self.by_token = Mailroom(house.services.beacons, bound=False, address="broker:1883")
        self.by_topic = Mailroom(house.services.beacons, bound=True, address="broker:1883")

    async def tell(self, *features: Any) -> Receipt:
        """By the broker's word."""
        return await self.by_topic.take([letter("officer-0123", one) for one in features])

    async def events(self, kind: str) -> list[Any]:
        return [event for _, event in await self.house.bus.pull(f"test {kind}", (kind,), 1000)]


@pytest.fixture
async def room(house: Any, admin: Any) -> Room:
    made = await admin.ok("POST", "devices", {"kind": "http", "code": "officer-0123", "name": "Officer 0123"})
    return Room(house, made)


async def settled(house: Any) -> None:
    while await house.services.intake.step() or await house.services.fence_follower.step():
        pass


@pytest.mark.parametrize("bound", [False, True])
async def test_it_is_on_the_map_and_a_fence_rings_for_it(house: Any, admin: Any, room: Room, bound: bool) -> None:
    gate = {"name": "Gate", "kind": "circle", "points": [[118.37, 31.33]], "metres": 100, "on_enter": True}
    await admin.ok("POST", "fences", gate)
    for longitude in (118.375, 118.37):
        house.clock.advance(60)
        body = feature(house.clock.now_us(), longitude, 31.33, speed_kmh=36)
        box, one = (
            (room.by_topic, letter("officer-0123", body)) if bound else (room.by_token, letter("x", body, room.token))
        )
        assert (await box.take([one])).taken == 1
    await settled(house)
    seen = await admin.ok("GET", f"devices/{room.device}")
    assert (seen["state"], seen["address"]) == ("online", "broker:1883")
    assert (seen["position"]["longitude"], seen["position"]["speed"]) == (118.37, 36.0)
    (alarm,) = (await admin.ok("GET", "alarms"))["items"]
    assert (alarm["name"], alarm["kind"]) == ("Officer 0123", "Entered a fence")


async def test_a_topic_is_believed_only_where_the_broker_answers_for_it(room: Room) -> None:
    body = feature(room.house.clock.now_us())
    told = await room.by_token.take(
        [
            letter("officer-0123", body),
            letter("officer-0123", body, "officer-0123."),
            letter("officer-0123", body, "officer-0123.guess"),
            letter("officer-0123", body, room.token[:-1]),
            letter("officer-0123", {**body, "token": 7}),
            letter("officer-0123", body, "a\0b.c"),
            letter("officer-0123", body, "x" * 500_00),
        ]
    )
    assert (told.taken, told.refused) == (0, {"beacon_token": 7})
    assert (await room.by_topic.take([letter("officer-0124", body)])).refused == {"mqtt_unknown_device": 1}
    assert (await room.by_topic.take([letter("x" * 60_000, body)])).refused == {"mqtt_unknown_device": 1}


async def test_one_that_is_switched_off_is_not_heard(admin: Any, room: Room) -> None:
    await admin.ok("PATCH", f"devices/{room.device}", {"enabled": False}, headers={"if-match": '"1"'})
    body = feature(room.house.clock.now_us())
    assert (await room.tell(body)).refused == {"mqtt_switched_off": 1}
    assert (await room.by_token.take([letter("x", body, room.token)])).refused == {"beacon_token": 1}


async def test_each_reason_is_the_one_that_http_gives(house: Any, room: Room) -> None:
    now = house.clock.now_us()
    wrong = [
        feature(now, 0, 0), {**feature(now), "properties": {}}, feature(now + 400 * SECOND),
        feature(now - 8 * 86_400 * SECOND), feature(now, direction=400), {**feature(now), "geometry": None},
        {"type": "FeatureCollection"}, {"type": "FeatureCollection", "features": [feature(now)] * 501},
    ]  # fmt: skip
    inner: httpx.AsyncClient = house.client("10.1.1.1").inner
    for body in wrong:
        answer = await inner.post("/api/v1/positions", json=body, headers={"authorization": f"Bearer {room.token}"})
        over_http = answer.json().get("code") or answer.json()["refused"][0]["code"]
        assert (await room.tell(body)).refused == {over_http: 1}


HOSTILE = [
    b"", b"\xff\xfe", b"null", b"7", b"[]", b'{"type":"Feature"', b"[" * 200_000, b'{"a":' * 50_000, b"NaN", b"1e999",
    b'{"type":"Feature","geometry":{"type":"Point","coordinates":[1e308,-1e308]},"properties":{"time":"2026"}}',
    b'{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":[]}',
    b'{"type":"FeatureCollection","features":{"0":1}}', b'{"type":["Feature"]}', b'"\\ud800"', b"\0" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
async def test_what_is_hostile_costs_itself_alone(room: Room, raw: bytes) -> None:
    now = room.house.clock.now_us()
    letters = [letter("officer-0123", feature(now)), Letter("officer-0123", raw)]
    told = await room.by_topic.take([*letters, letter("officer-0123", feature(now + SECOND))])
    assert told.taken == 2
    assert sum(told.refused.values()) == 1
    assert all(reason.startswith(("mqtt_", "position_")) for reason in told.refused)


async def test_what_comes_twice_is_told_once_and_what_comes_late_is_history(room: Room) -> None:
    now = room.house.clock.now_us()
    first = await room.tell(feature(now), feature(now - 1800 * SECOND), feature(now))
    assert (first.taken, first.doubled) == (3, 1)
    again = await room.tell(feature(now), feature(now - 1800 * SECOND))
    assert (again.taken, again.doubled) == (2, 2)
    assert sorted(str(event.mode) for event in await room.events("position.received")) == ["backfill", "live"]


async def test_both_ways_of_one_device_are_one(room: Room) -> None:
    now = room.house.clock.now_us()
    inner: httpx.AsyncClient = room.house.client("10.1.1.1").inner
    heads = {"authorization": f"Bearer {room.token}"}
    assert (await inner.post("/api/v1/positions", json=feature(now), headers=heads)).json()["accepted"] == 1
    assert (await room.tell(feature(now))).doubled == 1


async def test_one_comes_online_once_however_many_letters_come_together(room: Room) -> None:
    now = room.house.clock.now_us()
    await room.tell(*(feature(now + n * SECOND) for n in range(50)))
    assert len(await room.events("device.went_online")) == 1


async def test_a_flood_of_one_is_refused_and_nobody_else_notices(admin: Any, room: Room) -> None:
    await admin.ok("POST", "devices", {"kind": "http", "code": "officer-0124"})
    now = room.house.clock.now_us()
    many = {"type": "FeatureCollection", "features": [feature(now - n * SECOND) for n in range(500)]}
    told = await room.by_topic.take(
        [*[letter("officer-0123", many)] * 6, letter("officer-0124", feature(now))]
    )  # fmt: skip
    assert (told.taken, told.refused, told.last) == (2001, {"position_flood": 1000}, {"position_flood": "officer-0123"})


async def test_what_could_not_be_kept_is_no_flood_when_it_comes_again(room: Room, monkeypatch: Any) -> None:
    now = room.house.clock.now_us()
    many = {"type": "FeatureCollection", "features": [feature(now - n * SECOND) for n in range(500)]}

    async def full(_: Any) -> int:
        raise UnavailableError("the disk is full", code="disk_full")

    with monkeypatch.context() as patch:
        patch.setattr(room.house.services.bus, "publish", full)
        for _ in range(20):
            with pytest.raises(UnavailableError):
                await room.tell(feature(now - SECOND), many)
    told = await room.tell(feature(now - SECOND), many)
    assert (told.taken, told.refused) == (501, {})
    # Nor is what comes in order late by having been tried before.
    modes = [str(event.mode) for event in await room.events("position.received") if event.at == now - SECOND]
    assert modes == ["live"]


async def test_a_secret_that_cannot_be_read_holds_up_nobody_else(admin: Any, room: Room, monkeypatch: Any) -> None:
    other = await admin.ok("POST", "devices", {"kind": "http", "code": "officer-0124"})
    body = feature(room.house.clock.now_us())
    vault = room.house.services.vault
    really = vault.open

    def other_key(sealed: bytes, about: str) -> str:
        if about == other["id"]:
            raise UnavailableError("sealed with another key", code="secret_unreadable")
        return str(really(sealed, about))

    monkeypatch.setattr(vault, "open", other_key)
    letters = [letter("x", body, other["registration"]["password"]), letter("x", body, room.token)]
    told = await room.by_token.take(letters)
    assert (told.taken, told.refused) == (1, {"secret_unreadable": 1})


async def test_how_the_broker_is_stands_on_the_page_of_health(house: Any, admin: Any) -> None:
    assert (await admin.ok("GET", "health"))["broker"] is None
    house.services.position_feed = lambda: FeedFigure(
        name="broker:8883", state="offline", since=house.clock.now_us(), code="mqtt_login",
        params={"broker": "broker:8883", "number": 5}, messages=3, taken=2, refused={"position_old": 1},
    )  # fmt: skip
    told = (await admin.ok("GET", "health"))["broker"]
    assert told["sentence"] == "broker:8883 does not accept the name or the password in mqtt.url."
    assert (told["state"], told["messages"], told["taken"]) == ("offline", 3, 2)
    assert told["refused"] == [{"code": "position_old", "sentence": "It is older than 7 days.", "times": 1}]
