"""Positions over HTTP: a phone tells where it is with its own token, and is told of each position that is not taken."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from safecity.kit.clock import rfc3339

SECOND = 1_000_000


def feature(at_us: int, *place: float, **properties: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": list(place or (118.37, 31.33))},
        "properties": {"time": rfc3339(at_us), **properties},
    }


def several(*features: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


class Phone:
    """Knows its token and nothing else."""

    def __init__(self, house: Any, token: str) -> None:
        self.inner: httpx.AsyncClient = house.client("10.1.1.1").inner
        self.token = token

    async def tell(self, body: Any, token: str | None = None) -> httpx.Response:
        heads = {"authorization": f"Bearer {self.token if token is None else token}"}
        return await self.inner.post("/api/v1/positions", json=body, headers=heads)


@pytest.fixture
async def officer(house: Any, admin: Any) -> tuple[str, Phone]:
    """A phone."""
    made = await admin.ok("POST", "devices", {"kind": "http", "code": "officer-0123", "name": "Officer 0123"})
    token = made["registration"]["password"]
    assert token.startswith("officer-0123.")
    return made["id"], Phone(house, token)


async def settled(house: Any) -> None:
    while await house.services.intake.step() or await house.services.fence_follower.step():
        pass


async def test_it_is_on_the_map_and_online_from_its_first_position_on(
    house: Any, admin: Any, officer: tuple[str, Phone]
) -> None:
    device, phone = officer
    assert "never told a position" in (await admin.ok("GET", f"devices/{device}"))["sentence"]
    now = house.clock.now_us()
    answer = await phone.tell(feature(now, 118.37, 31.33, 12.0, speed_kmh=36, direction=90, accuracy=5))
    assert answer.json() == {"accepted": 1, "refused": []}
    await settled(house)
    seen = await admin.ok("GET", f"devices/{device}")
    assert (seen["state"], seen["sentence"]) == ("online", "")
    assert (seen["position"]["longitude"], seen["position"]["speed"]) == (118.37, 36.0)
    house.clock.advance(601)
    await house.services.beacons.expire(0.0)
    await settled(house)
    assert (await admin.ok("GET", f"devices/{device}"))["state"] == "offline"


async def test_each_position_that_cannot_be_believed_has_its_reason_and_costs_no_other(
    house: Any, officer: tuple[str, Phone]
) -> None:
    _, phone = officer
    now = house.clock.now_us()
    wrong: list[tuple[Any, str]] = [
        (feature(now, 0, 0), "position_place"),
        (feature(now, 200, 10), "position_place"),
        (feature(now, 118), "position_place"),
        ({**feature(now), "properties": {}}, "position_time"),
        ({**feature(now), "properties": {"time": "yesterday"}}, "position_time"),
        (feature(now + 400 * SECOND), "position_ahead"),
        (feature(now - 8 * 86_400 * SECOND), "position_old"),
        (feature(now, direction=400), "position_value"),
        (feature(now, speed_kmh="fast"), "position_value"),
        ({**feature(now), "geometry": {"type": "LineString", "coordinates": []}}, "position_shape"),
        ({**feature(now), "geometry": None}, "position_shape"),
        ("no object", "position_shape"),
    ]
    answer = (await phone.tell(several(feature(now), *(one for one, _ in wrong), feature(now + SECOND)))).json()
    assert answer["accepted"] == 2
    assert [(one["index"], one["code"]) for one in answer["refused"]] == [
        (index, code) for index, (_, code) in enumerate(wrong, 1)
    ]
    assert all(one["sentence"] and one["code"] not in one["sentence"] for one in answer["refused"])


async def test_what_is_sent_again_is_not_told_twice_and_what_comes_late_is_history(
    house: Any, admin: Any, officer: tuple[str, Phone]
) -> None:
    device, phone = officer
    now = house.clock.now_us()
    late = several(*(feature(now - seconds * SECOND, 118.0, 31.0) for seconds in (1800, 1200)))
    for body in (feature(now), late, late):
        assert (await phone.tell(body)).status_code == 200
    told = [event for _, event in await house.bus.pull("test", ("position.received",))]
    assert sorted(str(event.mode) for event in told) == ["backfill", "backfill", "live"]
    await settled(house)
    assert (await admin.ok("GET", f"devices/{device}"))["position"]["longitude"] == 118.37


async def test_a_fence_rings_for_a_phone_as_for_a_vehicle(house: Any, admin: Any, officer: tuple[str, Phone]) -> None:
    _, phone = officer
    gate = {"name": "Gate", "kind": "circle", "points": [[118.37, 31.33]], "metres": 100, "on_enter": True}
    await admin.ok("POST", "fences", gate)
    for longitude in (118.375, 118.37):
        house.clock.advance(60)
        await phone.tell(feature(house.clock.now_us(), longitude, 31.33))
    await settled(house)
    (alarm,) = (await admin.ok("GET", "alarms"))["items"]
    assert (alarm["name"], alarm["kind"]) == ("Officer 0123", "Entered a fence")


def elsewhere(house: Any, token: str, address: str) -> Phone:
    """A phone behind another address."""
    phone = Phone(house, token)
    phone.inner = house.client(address).inner
    return phone


async def guess(phone: Phone, times: int) -> list[int]:
    """Names and tokens of nobody, each another one."""
    return [(await phone.tell({"type": "Feature"}, f"officer-{n}.guess")).status_code for n in range(times)]


async def test_only_its_own_token_opens(house: Any, admin: Any, officer: tuple[str, Phone]) -> None:
    device, phone = officer
    body = feature(house.clock.now_us())
    for wrong in ("", "officer-0123.", "officer-0123.x", "nobody.x", phone.token[:-1], "." + phone.token):
        answer = await phone.tell(body, wrong)
        assert (answer.status_code, answer.json()["code"]) == (401, "beacon_token"), wrong
    assert (await phone.tell(body)).status_code == 200
    await admin.ok("PATCH", f"devices/{device}", {"enabled": False}, headers={"if-match": '"1"'})
    assert (await phone.tell(body)).status_code == 401


async def test_who_guesses_waits_even_with_a_right_guess_and_nobody_elsewhere_does(
    house: Any, officer: tuple[str, Phone]
) -> None:
    _, phone = officer
    body = feature(house.clock.now_us())
    guesser = elsewhere(house, phone.token, "2001:db8::1")
    assert await guess(guesser, 21) == [401] * 20 + [429]
    neighbour = elsewhere(house, phone.token, "2001:db8::2")
    for held in (guesser, neighbour):
        answer = await held.tell(body)
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_tries")
        assert int(answer.headers["retry-after"]) <= 7
    assert (await phone.tell(body)).status_code == 200
    house.clock.advance(7)
    assert (await guesser.tell(body)).status_code == 200


async def test_phones_behind_one_address_are_not_held_up_by_their_number_nor_by_one_that_is_wrong_for_ever(
    house: Any, admin: Any, officer: tuple[str, Phone]
) -> None:
    device, phone = officer
    other = (await admin.ok("POST", "devices", {"kind": "http", "code": "officer-0124"}))["registration"]["password"]
    body = feature(house.clock.now_us())
    assert [(await phone.tell(body)).status_code for _ in range(40)] == [200] * 40
    for _ in range(60):  # one has the token of last week, and tries every other second
        await phone.tell(body, "officer-0125.the-token-of-last-week")
        house.clock.advance(2)
        assert (await phone.tell(body)).status_code == 200
    await admin.ok("PATCH", f"devices/{device}", {"enabled": False}, headers={"if-match": '"1"'})
    assert [(await phone.tell(body)).status_code for _ in range(40)] == [401] * 40
    assert (await phone.tell(body, other)).status_code == 200


async def test_it_may_tell_much_at_once_and_not_for_ever(house: Any, officer: tuple[str, Phone]) -> None:
    _, phone = officer
    now = house.clock.now_us()
    many = several(*(feature(now - n * SECOND) for n in range(500)))
    assert [(await phone.tell(many)).status_code for _ in range(5)] == [200, 200, 200, 200, 429]
    assert (await phone.tell(several(*[feature(now)] * 501))).json()["code"] == "position_many"
    assert (await phone.tell({"type": "FeatureCollection"})).json()["code"] == "position_shape"


async def test_a_new_token_of_any_sign_that_is_taken_opens_and_the_old_one_does_not(
    house: Any, admin: Any, officer: tuple[str, Phone]
) -> None:
    device, phone = officer
    body = feature(house.clock.now_us())
    for revision, secret in enumerate(("correct-horse_battery~staple+/=", "x" * 200), 1):
        wish, head = {"password": secret}, {"if-match": f'"{revision}"'}
        await admin.ok("PATCH", f"devices/{device}", wish, headers=head)
        assert (await phone.tell(body, f"officer-0123.{secret}")).status_code == 200
        assert (await phone.tell(body)).status_code == 401


@pytest.mark.parametrize(
    "secret",
    [
        "123456",
        "correct.horse.battery.staple",
        "correct horse battery staple",
        "x" * 201,
        "正确的马电池订书钉正确的马电池订书钉正确的马",
    ],
)
async def test_a_token_that_no_header_could_carry_is_refused(
    admin: Any, officer: tuple[str, Phone], secret: str
) -> None:
    answer = await admin.ask("PATCH", f"devices/{officer[0]}", {"password": secret}, headers={"if-match": '"1"'})
    assert (answer.status_code, answer.json()["code"]) == (400, "beacon_secret")


async def test_a_name_that_no_address_could_hold_is_refused(admin: Any) -> None:
    bad = await admin.ask("POST", "devices", {"kind": "http", "code": "officer 1"})
    assert (bad.status_code, bad.json()["code"]) == (400, "beacon_code")
