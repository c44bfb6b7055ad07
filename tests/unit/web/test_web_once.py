"""A request that is sent again, because its answer got lost on the way, is not done again."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest

from safecity.core.ground.settings.once import recall, remember
from safecity.web.guard import PUBLIC
from safecity.web.idempotent import HEADER, PARAMETER

AREA = {"name": "Wuhu", "code": "34"}


async def area_names(client: Any) -> list[str]:
    return [area["name"] for area in (await client.ok("GET", "areas?every=true"))["items"]]


async def test_the_second_request_gets_the_first_answer(admin: Any) -> None:
    first = await admin.ask("POST", "areas", AREA, headers={HEADER: "k"})
    again = await admin.ask("POST", "areas", AREA, headers={HEADER: "k"})
    assert (again.status_code, again.content, again.headers["etag"]) == (201, first.content, first.headers["etag"])
    assert again.headers["content-type"] == first.headers["content-type"]
    assert await area_names(admin) == ["Wuhu"]


async def test_two_at_the_same_time_make_one(admin: Any) -> None:
    answers = await asyncio.gather(*(admin.ask("POST", "areas", AREA, headers={HEADER: "k"}) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await area_names(admin) == ["Wuhu"]


async def test_a_key_stands_for_one_request_only(admin: Any) -> None:
    await admin.ok("POST", "areas", AREA, headers={HEADER: "k"})
    for path, body in (("areas", {"name": "Hefei", "code": "35"}), ("organisations", AREA), ("areas?every=1", AREA)):
        answer = await admin.ask("POST", path, body, headers={HEADER: "k"})
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused"), path
    assert await area_names(admin) == ["Wuhu"]


async def test_what_failed_may_be_tried_again(admin: Any) -> None:
    await admin.ok("POST", "areas", AREA)
    taken = await admin.ask("POST", "areas", AREA, headers={HEADER: "k"})
    assert taken.json()["code"] == "area_code_taken"
    (area,) = (await admin.ok("GET", "areas"))["items"]
    await admin.ok("DELETE", f"areas/{area['id']}")
    assert (await admin.ask("POST", "areas", AREA, headers={HEADER: "k"})).status_code == 201
    wrong = await admin.ask("POST", "areas", {"nam": "x"}, headers={HEADER: "other"})
    assert wrong.status_code == 422
    assert (await admin.ask("POST", "areas", {"name": "x"}, headers={HEADER: "other"})).status_code == 201


async def test_after_a_crash_in_the_middle_nobody_pretends_to_know(house: Any, admin: Any) -> None:
    await admin.ok("POST", "areas", AREA, headers={HEADER: "k"})
    place, now = f"{admin.me['user']['id']}/k", house.clock.now_us()
    vault, database = house.services.vault, house.services.database
    kept = await database.read(lambda tx: recall(tx, place, now))
    begun = {"asked": json.loads(vault.open(base64.b64decode(kept), place))["asked"]}
    sealed = base64.b64encode(vault.seal(json.dumps(begun), place)).decode()
    await database.write(lambda tx: remember(tx, place, sealed, now))
    answer = await admin.ask("POST", "areas", AREA, headers={HEADER: "k"})
    assert (answer.status_code, answer.json()["code"]) == (409, "outcome_unknown")


async def test_a_key_is_forgotten_after_a_day(house: Any, admin: Any) -> None:
    await admin.ok("POST", "areas", AREA, headers={HEADER: "k"})
    house.clock.advance(25 * 3600)
    await admin.sign_in("root")
    answer = await admin.ask("POST", "areas", AREA, headers={HEADER: "k"})
    assert answer.json()["code"] == "area_code_taken"


async def test_nobody_gets_anothers_answer_nor_one_without_the_door(house: Any, admin: Any) -> None:
    ask = {"kind": "gb28181", "code": "34020000001320000001", "name": "Gate"}
    made = await admin.ok("POST", "devices", ask, headers={HEADER: "k"})
    assert made["registration"]["password"]
    forged = await admin.ask("POST", "devices", ask, headers={HEADER: "k", "x-csrf-token": "guess"})
    assert (forged.status_code, forged.json()["code"]) == (403, "csrf")
    stranger = await house.client().ask("POST", "devices", ask, headers={HEADER: "k"})
    assert stranger.status_code == 401
    await admin.ok("POST", "users", {"username": "li", "password": "correct horse battery", "roles": ["administrator"]})
    li = house.client()
    await li.sign_in("li")
    other = await li.ask("POST", "devices", ask, headers={HEADER: "k"})
    assert other.status_code == 409, "their own request, and the code is taken"
    assert made["registration"]["password"] not in other.text


async def test_a_command_without_a_body_in_its_answer_is_done_once(house: Any, admin: Any) -> None:
    ask = {"kind": "rtsp", "url": "rtsp://192.0.2.9/x", "name": "Yard"}
    await admin.ok("POST", "devices", ask)
    (channel,) = (await admin.ok("GET", "channels"))["items"]
    before = len(house.calls.asked)
    for _ in range(3):
        answer = await admin.ask("POST", f"channels/{channel['id']}/recording", {}, headers={HEADER: "k"})
        assert (answer.status_code, answer.content) == (204, b"")
    assert len(house.calls.asked) == before + 1


@pytest.mark.parametrize("key", ["x" * 101, "x" * 5000])
async def test_a_key_has_a_length(admin: Any, key: str) -> None:
    answer = await admin.ask("POST", "areas", AREA, headers={HEADER: key})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


NOT_WORTH_A_KEY = {
    "open_channel", "open_playback", "test_device", "test_address", "test_clock",
    "take_violations", "export_violations", "search_movement", "say_phases", "add_sign",
    "begin_shift", "export_case",
}  # fmt: skip
"""Their answer is stale at once, goes on for minutes, holds a secret, or what is said again is the same."""


def test_every_post_takes_a_key_but_those_whose_answer_is_stale_at_once(house: Any) -> None:
    without = {
        operation["operationId"]
        for methods in house.app.openapi()["paths"].values()
        for method, operation in methods.items()
        if method == "post" and operation["x-action"] != PUBLIC and PARAMETER not in operation.get("parameters", [])
    }
    assert without == NOT_WORTH_A_KEY
