"""Signing in, sessions, and people: what an attacker at the door finds."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

PASSWORD = "correct horse battery"


async def test_wrong_name_and_wrong_password_answer_the_same(house: Any, admin: Any) -> None:
    client = house.client("10.0.0.1")
    unknown = await client.ask("POST", "session", {"username": "nobody", "password": "x" * 12})
    wrong = await client.ask("POST", "session", {"username": "root", "password": "x" * 12})
    assert unknown.status_code == wrong.status_code == 401
    assert unknown.json() == wrong.json()


async def test_guessing_is_slowed_down_and_others_are_not(house: Any, admin: Any) -> None:
    attacker, other = house.client("10.0.0.1"), house.client("10.0.0.2")
    codes = [
        (await attacker.ask("POST", "session", {"username": "root", "password": f"guess number {n}"})).status_code
        for n in range(12)
    ]
    assert codes[:6] == [401] * 6
    assert set(codes[6:]) == {429}
    right = await attacker.ask("POST", "session", {"username": "ROOT", "password": PASSWORD})
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) > 0
    await other.sign_in("root")  # who sits elsewhere is not locked out by the attacker
    house.clock.advance(200)
    await attacker.sign_in("root")


async def test_walking_through_names_from_one_address_is_slowed_down_too(house: Any, admin: Any) -> None:
    attacker = house.client("10.0.0.1")
    codes = [
        (await attacker.ask("POST", "session", {"username": f"user{n}", "password": "guess"})).status_code
        for n in range(25)
    ]
    assert codes.count(429) == 5


async def test_the_cookie_is_not_for_scripts_and_a_new_one_comes_with_each_sign_in(house: Any, admin: Any) -> None:
    client = house.client()
    answer = await client.ask("POST", "session", {"username": "root", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    first = client.inner.cookies["safecity"]
    client.me = answer.json()
    await client.sign_in("root")
    assert client.inner.cookies["safecity"] != first
    client.inner.cookies.clear()
    stale = await client.ask("GET", "session", headers={"cookie": f"safecity={first}"})
    assert stale.status_code == 401, "the session before the new sign-in has ended"


async def test_a_session_ends_when_idle_and_at_the_latest_after_half_a_day(house: Any, admin: Any) -> None:
    house.clock.advance(29 * 60)
    assert (await admin.ask("GET", "session")).status_code == 200
    house.clock.advance(29 * 60)
    assert (await admin.ask("GET", "session")).status_code == 200
    house.clock.advance(31 * 60)
    assert (await admin.ask("GET", "session")).status_code == 401
    await admin.sign_in("root")
    for _ in range(30):
        house.clock.advance(25 * 60)
        last = (await admin.ask("GET", "session")).status_code
    assert last == 401


async def test_sessions_are_listed_and_ended_from_elsewhere(house: Any, admin: Any) -> None:
    lost = house.client("10.0.0.3")
    await lost.sign_in("root")
    user = admin.me["user"]["id"]
    listed = (await admin.ok("GET", f"users/{user}/sessions"))["items"]
    assert sorted(s["current"] for s in listed) == [False, True]
    (other,) = [s for s in listed if not s["current"]]
    await admin.ok("DELETE", f"users/{user}/sessions/{other['id']}")
    assert (await lost.ask("GET", "session")).status_code == 401


async def test_a_changed_password_or_right_ends_the_other_sessions(house: Any, admin: Any) -> None:
    made = await admin.ok("POST", "users", {"username": "li", "password": PASSWORD, "roles": ["viewer"]})
    li = house.client()
    await li.sign_in("li")
    await admin.ok("PATCH", f"users/{made['id']}", {"roles": ["operator"]})
    assert (await li.ask("GET", "session")).status_code == 401
    await li.sign_in("li")
    await admin.ok("PATCH", f"users/{made['id']}", {"enabled": False})
    assert (await li.ask("GET", "session")).status_code == 401
    assert (await li.ask("POST", "session", {"username": "li", "password": PASSWORD})).status_code == 401


async def test_the_last_administrator_stays(admin: Any) -> None:
    me = admin.me["user"]["id"]
    for change in ({"enabled": False}, {"roles": ["viewer"]}):
        answer = await admin.ask("PATCH", f"users/{me}", change)
        assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    assert (await admin.ask("DELETE", f"users/{me}")).json()["code"] == "own_user"


@pytest.mark.parametrize(
    ("password", "reason"),
    [("abc12", "short"), ("1234567890", "common"), ("aaaaaaaaaaaa", "common"), ("xx-newuser-xx", "contains_name")],
)
async def test_weak_passwords_are_refused_with_the_reason(admin: Any, password: str, reason: str) -> None:
    answer = await admin.ask("POST", "users", {"username": "newuser", "password": password, "roles": ["viewer"]})
    assert (answer.status_code, answer.json()["params"]["reason"]) == (400, reason)
    assert password not in answer.text


async def test_the_setup_link_works_once(house: Any, admin: Any) -> None:
    again = {"token": "one-time-token-of-the-link", "username": "eve", "password": PASSWORD}
    answer = await house.client().ask("POST", "setup/administrator", again)
    assert (answer.status_code, answer.json()["code"]) == (403, "setup_token")


async def test_everybody_may_change_their_own_name_and_language_and_nothing_else_of_theirs(
    house: Any, admin: Any
) -> None:
    made = await admin.ok("POST", "users", {"username": "li", "password": PASSWORD, "roles": ["viewer"]})
    li = house.client()
    await li.sign_in("li")
    await li.ok("PATCH", f"users/{made['id']}", {"name": "Li Hua", "language": "en", "zone": "Asia/Urumqi"})
    assert (await li.ask("PATCH", f"users/{made['id']}", {"zone": "Mars/Olympus"})).json()["code"] == "zone_unknown"
    assert (await li.ask("PATCH", f"users/{made['id']}", {"roles": ["administrator"]})).status_code == 403
    assert (await li.ask("PATCH", f"users/{admin.me['user']['id']}", {"name": "x"})).status_code == 403


async def test_new_roles_alone_reach_no_further_than_the_old_ones(house: Any, admin: Any) -> None:
    area = await admin.ok("POST", "areas", {"name": "Wuhu", "code": "34"})
    ask = {"username": "li", "password": PASSWORD, "roles": ["viewer"], "areas": [area["id"]]}
    made = await admin.ok("POST", "users", ask)
    changed = await admin.ok("PATCH", f"users/{made['id']}", {"roles": ["operator"]})
    assert (changed["roles"], changed["areas"]) == (["operator"], ["/34/"])
    moved = await admin.ok("PATCH", f"users/{made['id']}", {"areas": ["/"]})
    assert (moved["roles"], moved["areas"]) == (["operator"], ["/"])
    assert (await admin.ask("PATCH", f"users/{made['id']}", {"areas": ["/99/"]})).status_code == 404


async def test_whom_time_signs_out_is_ended_by_name_so_that_the_pictures_end_too(house: Any, admin: Any) -> None:
    other = house.client("10.0.0.2")
    await other.sign_in("root")
    assert await house.services.access.end_expired() == []
    house.clock.advance(20 * 60)
    await admin.ok("GET", "session")
    house.clock.advance(20 * 60)
    assert await house.services.access.end_expired() == [other.me["session"]]
    assert await house.services.access.end_expired() == []
    await admin.ok("GET", "session")


async def test_guessing_one_name_from_many_places_is_slowed_down_and_its_owner_still_gets_in(
    house: Any, admin: Any
) -> None:
    codes = []
    for n in range(70):
        answer = await house.client(f"10.1.{n}.1").ask("POST", "session", {"username": "root", "password": "x" * 12})
        codes.append(answer.status_code)
    assert codes == [401] * 59 + [429] * 11, "one of sixty went to the sign-in of the setup"
    stranger = await house.client("10.2.0.1").ask("POST", "session", {"username": "root", "password": PASSWORD})
    assert stranger.status_code == 429
    await house.client("127.0.0.1").sign_in("root")  # from where root has signed in before


async def test_a_whole_network_of_version_6_counts_as_one_place(house: Any, admin: Any) -> None:
    codes = [
        (
            await house.client(f"2001:db8::{n:x}").ask("POST", "session", {"username": f"u{n}", "password": "x" * 12})
        ).status_code
        for n in range(1, 26)
    ]
    assert codes.count(429) == 5


async def test_a_password_that_changes_while_the_old_one_is_checked_lets_nobody_in(house: Any, admin: Any) -> None:
    made = await admin.ok("POST", "users", {"username": "li", "password": PASSWORD, "roles": ["viewer"]})
    checking = house.services.access._checking
    check = checking.check

    async def slow(*given: Any) -> Any:
        found = await check(*given)
        await admin.ok("PATCH", f"users/{made['id']}", {"password": "a different good phrase"})
        return found

    checking.check = slow
    answer = await house.client().ask("POST", "session", {"username": "li", "password": PASSWORD})
    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")
    checking.check = check
    await house.client().sign_in("li", "a different good phrase")


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:8081", "http://[::1", ""])
async def test_a_foreign_page_signs_nobody_in_and_makes_no_administrator(house: Any, origin: str) -> None:
    victim = house.client()
    first = {"token": "one-time-token-of-the-link", "username": "root", "password": PASSWORD}
    refused = await victim.ask("POST", "setup/administrator", first, headers={"origin": origin})
    assert (refused.status_code, refused.json()["code"]) == (403, "foreign_page")
    assert (await victim.ok("GET", "setup"))["needed"]
    await victim.ok("POST", "setup/administrator", first)
    victim.inner.cookies.clear()
    signing_in = {"username": "root", "password": PASSWORD}
    refused = await victim.ask("POST", "session", signing_in, headers={"origin": origin})
    assert (refused.status_code, refused.json()["code"]) == (403, "foreign_page")
    assert "set-cookie" not in refused.headers


async def test_our_own_page_and_programs_sign_in(house: Any, admin: Any) -> None:
    signing_in = {"username": "root", "password": PASSWORD}
    page = await house.client().ask("POST", "session", signing_in, headers={"origin": "http://127.0.0.1:8080"})
    program = await house.client().ask("POST", "session", signing_in)
    assert (page.status_code, program.status_code) == (200, 200)


async def test_a_foreign_page_changes_nothing_even_with_a_token_it_got_hold_of(house: Any, admin: Any) -> None:
    answer = await admin.ask("POST", "areas", {"name": "x"}, headers={"origin": "http://evil.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_page")
    assert (await admin.ok("GET", "areas"))["items"] == []


async def test_of_many_first_administrators_at_once_exactly_one_is_made(house: Any) -> None:
    racers = [house.client(f"10.0.0.{n + 1}") for n in range(8)]
    answers = await asyncio.gather(
        *(
            racer.ask(
                "POST",
                "setup/administrator",
                {"token": "one-time-token-of-the-link", "username": f"first{n}", "password": PASSWORD},
            )
            for n, racer in enumerate(racers)
        )
    )
    codes = [answer.status_code for answer in answers]
    assert sorted(set(codes)) in ([201, 409], [201, 403, 409], [201, 403])
    assert codes.count(201) == 1
    winner = racers[codes.index(201)]
    winner.me = answers[codes.index(201)].json()
    people = (await winner.ok("GET", "users"))["items"]
    assert [one["username"] for one in people] == [f"first{codes.index(201)}"]
    assert all("set-cookie" not in answer.headers for answer in answers if answer.status_code != 201)
