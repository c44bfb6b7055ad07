"""Guidance signs over the API: who may do what, what is refused, what is proposed, and what the audit says."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.kit.errors import UnavailableError
from safecity.model.facts.traffic_calls import AskJams, FindRoads, Jam, JamsFound, RoadsFound
from safecity.protocols.signs import Show, Shown

SIGN = {
    "name": "east gate", "address": "http://192.0.2.9/safecity/sign/v1", "longitude": 118.37, "latitude": 31.33,
    "direction": 90, "lines": 2, "columns": 20, "fallback": ["文明驾驶"],
}  # fmt: skip
QUEUE = {"lines": ["前方拥堵", "请慢行"], "end": "2023-11-15T00:00:00Z", "reason": "a queue"}
AHEAD = Jam("jm_ahead", 0, (118.385, 31.33), 800.0, 9.0, (((118.38, 31.33), (118.39, 31.33)),))
OTHER_WAY = Jam("jm_other", 0, (118.385, 31.33), 800.0, 9.0, (((118.39, 31.33), (118.38, 31.33)),))
BEHIND = Jam("jm_behind", 0, (118.355, 31.33), 800.0, 9.0, (((118.35, 31.33), (118.36, 31.33)),))


class Obedient:
    """A link to signs that do at once as they are told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, Show]] = []
        self.down = False

    async def tell(self, address: str, key: str, show: Show) -> Shown:
        if self.down:
            raise UnavailableError("nobody there", code="http_no_answer")
        self.told.append((address, key, show))
        lines = show.lines if show.content else show.fallback
        return Shown(boot="b", number=show.number, taken=show.boot == "b", content=show.content, lines=lines)


@pytest.fixture
def link(house: Any) -> Obedient:
    made = Obedient()
    house.services.sign_teller._link = made
    return made


async def person(house: Any, admin: Any, role: str, area: str | None = None) -> Any:
    grant = {"role": role} | ({"area": area} if area else {})
    await admin.ok("POST", "users", {"username": f"p-{role}", "password": "correct horse battery", "grants": [grant]})
    client = house.client()
    await client.sign_in(f"p-{role}")
    return client


async def test_an_operator_has_something_shown_and_sees_it_only_once_the_sign_says_so(
    house: Any, admin: Any, link: Obedient
) -> None:
    made = await admin.ok("POST", "signs", SIGN)
    assert len(made["key"]) >= 16
    sign = made["id"]
    operator = await person(house, admin, "operator")
    message = await operator.ok("POST", f"signs/{sign}/messages", QUEUE)
    (seen,) = (await operator.ok("GET", "signs"))["items"]
    assert (seen["says"]["state"], seen["says"]["lines"], seen["wanted"]["lines"]) == ("waiting", [], QUEUE["lines"])
    assert (seen["address"], seen["heard_at"], "key" in seen) == ("", None, False)
    await house.services.sign_teller.step()
    address, key, show = link.told[-1]
    assert (address, key, show.lines, show.fallback) == (
        SIGN["address"],
        made["key"],
        ("前方拥堵", "请慢行"),
        ("文明驾驶",),
    )
    seen = await operator.ok("GET", f"signs/{sign}")
    assert (seen["says"]["state"], seen["says"]["lines"]) == ("shows", QUEUE["lines"])
    assert (seen["says"]["message"], seen["heard_at"]) == (message["id"], "2023-11-14T22:13:20.000000Z")
    await operator.ok("DELETE", f"signs/{sign}/messages/{message['id']}")
    await house.services.sign_teller.step()
    history = (await operator.ok("GET", f"signs/{sign}/history"))["items"]
    assert [one["lines"] for one in history] == [["文明驾驶"], QUEUE["lines"]]
    assert (await operator.ok("GET", f"signs/{sign}/messages"))["items"] == []
    (past,) = (await operator.ok("GET", f"signs/{sign}/messages?past=true"))["items"]
    assert (past["set_by"], past["withdrawn_by"]) == ("p-operator", "p-operator")
    records = (await admin.ok("GET", "audit"))["items"]
    said = [(one["action"], one["actor_name"], one["reason"]) for one in records if one["action"].startswith("sign.")]
    assert said == [
        ("sign.show", "p-operator", "a queue"), ("sign.show", "p-operator", "a queue"), ("sign.manage", "root", ""),
    ]  # fmt: skip


async def test_a_viewer_sees_signs_an_operator_writes_on_them_an_administrator_places_them(
    house: Any, admin: Any
) -> None:
    sign = (await admin.ok("POST", "signs", SIGN))["id"]
    for role, shows in (("viewer", 403), ("operator", 201)):
        client = await person(house, admin, role)
        assert [one["id"] for one in (await client.ok("GET", "signs"))["items"]] == [sign]
        assert (await client.ask("POST", f"signs/{sign}/messages", QUEUE)).status_code == shows
        assert (await client.ask("POST", "signs", SIGN)).status_code == 403
        assert (await client.ask("PATCH", f"signs/{sign}", {"name": "x"})).status_code == 403
        assert (await client.ask("DELETE", f"signs/{sign}")).status_code == 403


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lines": ["一", "二", "三"]}, "sign_lines"),
        ({"lines": [" "]}, "sign_lines"),
        ({"lines": ["前方三百米拥堵请减速慢"]}, "sign_width"),  # 11 characters, two columns each
        ({"lines": ["SLOW\x07DOWN"]}, "sign_letters"),
        ({"end": "2023-11-14T22:13:20Z"}, "sign_message"),  # now
        ({"end": "2024-06-01T00:00:00Z"}, "sign_message"),
        ({"start": "2023-11-15T01:00:00Z"}, "sign_message"),
        ({"reason": "  "}, "sign_message"),
    ],
)
async def test_what_a_sign_could_not_show_is_refused_with_a_sentence(
    admin: Any, change: dict[str, Any], code: str
) -> None:
    sign = (await admin.ok("POST", "signs", SIGN))["id"]
    answer = await admin.ask("POST", f"signs/{sign}/messages", QUEUE | change)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert "went wrong" not in answer.json()["detail"]
    assert "?" not in answer.json()["detail"]
    assert (await admin.ok("GET", f"signs/{sign}/messages?past=true"))["items"] == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"address": "ftp://192.0.2.9/"}, "sign_address"),
        ({"address": "http://user:pass@192.0.2.9/"}, "sign_address"),
        ({"fallback": ["wider than the twenty columns it has"]}, "sign_width"),
        ({"key": "short"}, "sign_key"),
        ({"key": "words with blanks in them"}, "sign_key"),
        ({"name": "  "}, "sign_invalid"),
    ],
)
async def test_a_sign_that_could_not_be_is_refused(admin: Any, change: dict[str, Any], code: str) -> None:
    answer = await admin.ask("POST", "signs", SIGN | change)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert (await admin.ok("GET", "signs"))["items"] == []


async def test_a_sign_is_changed_under_its_revision_and_switched_off(house: Any, admin: Any, link: Obedient) -> None:
    made = await admin.ok("POST", "signs", SIGN)
    path = f"signs/{made['id']}"
    await house.services.sign_teller.step()
    changed = await admin.ok("PATCH", path, {"fallback": []}, headers={"if-match": '"1"'})
    assert (changed["revision"], changed["fallback"]) == (2, [])
    assert (await admin.ask("PATCH", path, {"name": "x"}, headers={"if-match": '"1"'})).status_code == 412
    await house.services.sign_teller.step()
    assert link.told[-1][2].fallback == ()
    assert (await admin.ok("PATCH", path, {"enabled": False}))["says"]["state"] == "off"
    asked = len(link.told)
    house.clock.advance(120)
    assert await house.services.sign_teller.step() == 0
    assert len(link.told) == asked
    await admin.ok("DELETE", path)
    assert (await admin.ask("GET", path)).status_code == 404


async def test_an_area_with_a_sign_in_it_is_not_deleted(admin: Any) -> None:
    area = (await admin.ok("POST", "areas", {"name": "own", "code": "34"}))["id"]
    sign = (await admin.ok("POST", "signs", SIGN | {"area": area}))["id"]
    assert (await admin.ask("DELETE", f"areas/{area}")).status_code == 409
    await admin.ok("DELETE", f"signs/{sign}")
    await admin.ok("DELETE", f"areas/{area}")


async def test_what_a_jam_proposes_is_shown_only_once_somebody_confirms_it(
    house: Any, admin: Any, link: Obedient
) -> None:
    sign = (await admin.ok("POST", "signs", SIGN))["id"]
    house.calls.answers[AskJams] = JamsFound((AHEAD, OTHER_WAY, BEHIND))
    answer = await admin.ok("GET", "sign-suggestions")
    (one,) = answer["items"]
    assert answer["jams"] is True
    assert (one["sign"], one["kind"], one["cause"]) == (sign, "jam", "jm_ahead")
    assert (one["lines"], round(one["metres"], -1)) == (["前方0.9公里拥堵", "请减速慢行"], 950)
    await house.services.sign_teller.step()
    assert link.told[-1][2].content == ""
    message = {name: one[name] for name in ("lines", "priority", "end", "cause")} | {"reason": "jam ahead"}
    await admin.ok("POST", f"signs/{sign}/messages", message)
    await house.services.sign_teller.step()
    assert link.told[-1][2].lines == ("前方0.9公里拥堵", "请减速慢行")
    assert (await admin.ok("GET", "sign-suggestions"))["items"] == []


async def test_a_closure_proposes_too_and_without_a_road_network_it_is_said_that_jams_are_not_known(
    house: Any, admin: Any
) -> None:
    english = SIGN | {"language": "en", "lines": 1, "columns": 12, "fallback": []}
    await admin.ok("POST", "signs", english)
    house.calls.answers[FindRoads] = RoadsFound((), 0.0)
    house.calls.answers[AskJams] = UnavailableError("", code="traffic_no_network")
    works = {"kind": "works", "reason": "water main", "line": [[118.385, 31.331]]}
    closure = await admin.ok("POST", "traffic/closures", {**works, "end": "2023-11-14T23:00:00Z"})
    await admin.ok("POST", "traffic/closures", {**works, "start": "2023-11-20T00:00:00Z"})
    answer = await admin.ok("GET", "sign-suggestions")
    (one,) = answer["items"]
    assert answer["jams"] is False
    assert (one["cause"], one["lines"], one["end"]) == (closure["id"], ["ROAD WORKS"], "2023-11-14T23:00:00.000000Z")


async def test_one_who_writes_on_signs_of_an_area_is_proposed_nothing_for_others(house: Any, admin: Any) -> None:
    own = (await admin.ok("POST", "areas", {"name": "own", "code": "34"}))["id"]
    mine = (await admin.ok("POST", "signs", SIGN | {"area": own}))["id"]
    await admin.ok("POST", "signs", SIGN | {"name": "of nobody's area"})
    house.calls.answers[AskJams] = JamsFound((AHEAD,))
    operator = await person(house, admin, "operator", own)
    assert [one["sign"] for one in (await operator.ok("GET", "sign-suggestions"))["items"]] == [mine]
    assert len((await admin.ok("GET", "sign-suggestions"))["items"]) == 2
