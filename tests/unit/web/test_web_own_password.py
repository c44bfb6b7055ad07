"""Changing one's own password: only with the old one, counted like tries at the door, and everybody else is out."""

from __future__ import annotations

from typing import Any

import pytest

PASSWORD = "correct horse battery"
NEW = "a different good phrase"


@pytest.fixture
async def li(house: Any, admin: Any) -> Any:
    await admin.ok("POST", "users", {"username": "li", "password": PASSWORD, "roles": ["viewer"]})
    client = house.client()
    await client.sign_in("li")
    return client


async def test_who_finds_a_browser_open_cannot_take_the_account_over(house: Any, admin: Any, li: Any) -> None:
    path = f"users/{li.me['user']['id']}"
    answer = await li.ask("PATCH", path, {"password": NEW})
    assert (answer.status_code, answer.json()["code"]) == (400, "old_password_needed")
    answer = await li.ask("PATCH", path, {"password": NEW, "old_password": "a guess at it"})
    assert (answer.status_code, answer.json()["code"]) == (403, "old_password_wrong")
    refused = (await admin.ok("GET", "audit", params={"object": li.me["user"]["id"]}))["items"][0]
    assert (refused["actor_name"], refused["outcome"], refused["reason"]) == ("li", "refused", "old_password_wrong")
    await house.client().sign_in("li", PASSWORD)


async def test_the_old_password_cannot_be_guessed_from_inside(house: Any, li: Any) -> None:
    path = f"users/{li.me['user']['id']}"
    codes = [
        (await li.ask("PATCH", path, {"password": NEW, "old_password": f"guess number {n}"})).status_code
        for n in range(10)
    ]
    assert codes == [403] * 6 + [429] * 4
    assert (await li.ask("PATCH", path, {"password": NEW, "old_password": PASSWORD})).status_code == 429
    house.clock.advance(200)
    await li.ok("PATCH", path, {"password": NEW, "old_password": PASSWORD})


async def test_a_new_password_ends_all_other_sessions_but_the_one_that_set_it(house: Any, li: Any) -> None:
    elsewhere = house.client("10.0.0.3")
    await elsewhere.sign_in("li")
    await li.ok("PATCH", f"users/{li.me['user']['id']}", {"password": NEW, "old_password": PASSWORD})
    assert (await elsewhere.ask("GET", "session")).status_code == 401
    assert (await li.ask("GET", "session")).status_code == 200
    assert (await elsewhere.ask("POST", "session", {"username": "li", "password": PASSWORD})).status_code == 401
    await elsewhere.sign_in("li", NEW)


async def test_an_administrator_too_needs_his_own_old_one_but_not_that_of_others(
    house: Any, admin: Any, li: Any
) -> None:
    own = f"users/{admin.me['user']['id']}"
    for more in ({}, {"enabled": True}):
        answer = await admin.ask("PATCH", own, {"password": NEW, **more})
        assert (answer.status_code, answer.json()["code"]) == (400, "old_password_needed")
    await admin.ok("PATCH", f"users/{li.me['user']['id']}", {"password": NEW})
    assert (await li.ask("GET", "session")).status_code == 401
    await li.sign_in("li", NEW)
