"""An officer's shift with a phone: begun by consent, seen in the district alone, ended at once and for good."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.web.test_web_positions import Phone, feature, settled
from tests.unit.web.test_web_watches import audited, city, client_of

from safecity.kit.clock import rfc3339

__all__ = ["city"]
HOUR = 3_600


@pytest.fixture
async def shift(house: Any, city: dict[str, Any]) -> tuple[dict[str, Any], Phone]:
    officer = await client_of(house, "officer")
    begun = await officer.ok("POST", "phone/shift", {"consent": True, "hours": 8})
    return begun, Phone(house, begun["token"])


async def send(phone: Phone, method: str, path: str, body: Any = None) -> int:
    heads = {"authorization": f"Bearer {phone.token}"}
    return (await phone.inner.request(method, f"/api/v1/phone/{path}", json=body, headers=heads)).status_code


def call(house: Any, key: str, **more: Any) -> dict[str, Any]:
    return {"key": key, "at": rfc3339(house.clock.now_us()), "longitude": 118.37, "latitude": 31.33, **more}


async def test_whoever_is_on_duty_is_seen_in_the_own_district_and_nowhere_else(
    house: Any, admin: Any, city: dict[str, Any], shift: tuple[dict[str, Any], Phone]
) -> None:
    begun, phone = shift
    assert (begun["name"], begun["area"]) == ("officer", city["own_area"])
    assert (await phone.tell(feature(house.clock.now_us()))).json()["accepted"] == 1
    await settled(house)
    chief, stranger = await client_of(house, "chief"), await client_of(house, "stranger")
    (seen,) = (await chief.ok("GET", "devices?kind=http"))["items"]
    assert (seen["name"], seen["position"]["longitude"]) == ("officer", 118.37)
    assert begun["token"].partition(".")[2] not in (await chief.ask("GET", "devices?kind=http")).text
    assert (await stranger.ok("GET", "devices?kind=http"))["items"] == []
    (record,) = await audited(admin, "phone.carry")
    assert (record["actor_name"], record["details"]["purpose"], record["details"]["hours"]) == ("officer", "duty", 8)


async def test_nothing_begins_without_consent_or_without_the_right(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    officer, viewer = await client_of(house, "officer"), await client_of(house, "viewer")
    for body in ({}, {"consent": False}, {"consent": True, "hours": 17}):
        assert (await officer.ask("POST", "phone/shift", body)).status_code == 422
    assert (
        await officer.ask("POST", "phone/shift", {"consent": True, "area": city["foreign_area"]})
    ).status_code == 403
    assert (await viewer.ask("POST", "phone/shift", {"consent": True})).status_code == 403
    assert (await admin.ok("GET", "devices?kind=http"))["items"] == []


async def test_after_the_shift_the_token_is_worth_nothing(
    house: Any, admin: Any, shift: tuple[dict[str, Any], Phone]
) -> None:
    _, phone = shift
    assert await send(phone, "DELETE", "shift") == 204
    assert (await phone.tell(feature(house.clock.now_us()))).status_code == 401
    assert await send(phone, "POST", "sos", call(house, "after the shift")) == 401
    ended, began = await audited(admin, "phone.carry")
    assert (ended["details"]["ended"], ended["actor_name"], began["details"]["began"]) == (True, "officer", True)
    officer = await client_of(house, "officer")
    again = await officer.ok("POST", "phone/shift", {"consent": True})
    assert (await Phone(house, again["token"]).tell(feature(house.clock.now_us()))).status_code == 200
    assert len((await admin.ok("GET", "devices?kind=http"))["items"]) == 1, "one phone for each officer"


async def test_a_shift_ends_by_the_clock_and_when_another_phone_takes_over(
    house: Any, city: dict[str, Any], shift: tuple[dict[str, Any], Phone]
) -> None:
    _, lost = shift
    officer = await client_of(house, "officer")
    newer = Phone(house, (await officer.ok("POST", "phone/shift", {"consent": True, "hours": 1}))["token"])
    assert (await lost.tell(feature(house.clock.now_us()))).status_code == 401
    assert (await newer.tell(feature(house.clock.now_us()))).status_code == 200
    house.clock.advance(HOUR - 1)
    assert await house.services.phones.expire() == 0
    house.clock.advance(1)
    assert [await house.services.phones.expire() for _ in range(2)] == [1, 0]
    assert (await newer.tell(feature(house.clock.now_us()))).status_code == 401


async def test_a_call_for_help_is_one_alarm_however_often_it_is_sent(
    house: Any, admin: Any, city: dict[str, Any], shift: tuple[dict[str, Any], Phone]
) -> None:
    _, phone = shift
    for key in ("call one", "call one", "call two"):
        assert await send(phone, "POST", "sos", call(house, key)) == 204
    await settled(house)
    alarms = (await (await client_of(house, "chief")).ok("GET", "alarms"))["items"]
    assert [(one["name"], one["kind"], one["priority"], one["longitude"]) for one in alarms] == [
        ("officer", "An officer calls for help", 1, 118.37)
    ] * 2
    assert (await (await client_of(house, "stranger")).ok("GET", "alarms"))["items"] == []
    house.clock.advance(8 * 86_400)
    old = {"at": rfc3339(house.clock.now_us() - 8 * 86_400 * 10**6)}
    assert await send(phone, "POST", "sos", call(house, "call three", **old)) == 400


async def test_without_a_token_nobody_calls_and_a_phone_cannot_call_without_end(
    house: Any, admin: Any, shift: tuple[dict[str, Any], Phone]
) -> None:
    _, phone = shift
    stranger = Phone(house, "phone-0.guess")
    assert await send(stranger, "POST", "sos", call(house, "call one")) == 401
    assert await send(stranger, "DELETE", "shift") == 401
    told = [await send(phone, "POST", "sos", call(house, f"call number {n}")) for n in range(21)]
    assert (told[:20], told[20]) == ([204] * 20, 429)


async def test_only_the_page_of_phones_may_ask_where_it_is(house: Any) -> None:
    client = house.client().inner
    allowed = {
        path: (await client.get(path)).headers["permissions-policy"] for path in ("/phone", "/live", "/api/v1/setup")
    }
    assert {path: "geolocation=(self)" in policy for path, policy in allowed.items()} == {
        "/phone": True, "/live": False, "/api/v1/setup": False,
    }  # fmt: skip
