"""Violations from candidate to package: two people who review, a third that is void, and what never leaves."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from typing import Any

from tests.unit.web.conftest import PASSWORD
from tests.unit.web.test_web_passages import jpeg
from tests.unit.web.test_web_watches import GATE, PLATE, audited, city, client_of, moment

from safecity.core.upper.violations.api import ViolationSettings
from safecity.kit.ids import fresh
from safecity.web.shapes import write_cursor

__all__ = ["city"]
BOXES = ([0.4, 0.6, 0.6, 0.9], [0.4, 0.2, 0.6, 0.5])


def view(house: Any, second: float, box: list[float] | None = None, **more: Any) -> dict[str, Any]:
    data = base64.b64encode(jpeg(1920, 1080, bytes(str(second), "ascii"))).decode()
    return {"kind": "14", "at": moment(house, second / 60), "data": data, "box": box, "light": "red", **more}


def candidate(house: Any, reference: str = "r1", **more: Any) -> dict[str, Any]:
    pictures = [view(house, number, box) for number, box in enumerate(BOXES)]
    return {
        "tollgate": GATE, "reference": reference, "kind": "red_light", "at": moment(house), "clock_error_ms": 120,
        "plate": PLATE, "confidence": 0.97, "lane": 1, "light": "red", "light_source": "controller",
        "pictures": pictures, **more,
    }  # fmt: skip


async def proposed(house: Any, admin: Any, reference: str = "r1", **more: Any) -> dict[str, Any]:
    return (await admin.ok("POST", "violations", candidate(house, reference, **more)))["violation"]


async def opened(client: Any, ids: list[str]) -> tuple[dict[str, Any], zipfile.ZipFile]:
    answer = await client.ask("POST", "violations/package", {"violations": ids, "reason": "monthly"})
    assert answer.status_code == 200, answer.text
    archive = zipfile.ZipFile(io.BytesIO(answer.content))
    signature = json.loads(archive.read("manifest.sig"))
    assert signature["fingerprint"] == (await client.ok("GET", "package-key"))["fingerprint"]
    return json.loads(archive.read("manifest.json")), archive


async def code_of(client: Any, path: str, body: dict[str, Any] | None = None, **more: Any) -> tuple[int, str]:
    answer = await client.ask("POST", path, body, **more)
    return answer.status_code, answer.json().get("code", "")


async def test_proposed_reviewed_by_one_confirmed_by_another_and_taken_out(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    one = await proposed(house, admin)
    assert (one["state"], one["code"], one["unfit"], one["place_name"]) == ("proposed", "1625", [], "own gate")
    path = f"violations/{one['id']}"
    assert await code_of(chief, f"{path}/confirm") == (409, "violation_state")  # nobody has reviewed it yet

    (taken,) = (await officer.ok("POST", "violations/take", {"queue": "first"}))["items"]
    assert taken["id"] == one["id"]
    reviewed = await officer.ok("POST", f"{path}/review", {"reason": "seen"}, headers={"if-match": '"1"'})
    assert (reviewed["state"], reviewed["first_name"], reviewed["yours"]) == ("reviewed", "officer", True)
    assert await code_of(officer, f"{path}/confirm") == (403, "not_allowed")
    refused = await chief.ask("POST", "violations/package", {"violations": [one["id"]]})
    assert (refused.status_code, refused.json()["code"]) == (409, "violation_not_confirmed")

    (taken,) = (await chief.ok("POST", "violations/take", {"queue": "second"}))["items"]
    confirmed = await chief.ok("POST", f"{path}/confirm", headers={"if-match": f'"{taken["revision"]}"'})
    assert (confirmed["state"], confirmed["second_name"]) == ("confirmed", "chief")

    said, archive = await opened(chief, [one["id"]])
    (told,) = said["violations"]
    assert (told["plate"], told["code"], told["clock_error_ms"], told["light"]) == (PLATE, "1625", 120, "red")
    assert (told["first_review"]["by"], told["second_review"]["by"]) == ("officer", "chief")
    assert len(told["pictures"]) == 2
    for number, picture in enumerate(told["pictures"]):
        data = archive.read(picture["file"])
        assert hashlib.sha256(data).hexdigest() == picture["sha256"]
        assert data == base64.b64decode(view(house, number)["data"])
    assert (await chief.ok("GET", path))["exports"] == 1
    for action, who in (
        ("violation.review", "officer"), ("violation.confirm", "chief"), ("violation.export", "chief"),
    ):  # fmt: skip
        assert [each["actor_name"] for each in await audited(admin, action)] == [who], action
    assert (await admin.ok("GET", "audit/proof"))["sound"]


async def test_the_city_says_which_code_an_offence_has_and_a_source_that_says_one_is_believed(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    house.services.proposing._settings = ViolationSettings(code_red_light="1625A", code_solid_line="")
    offences = {"red": {}, "line": {"kind": "solid_line"}, "own": {"code": "1301"}}
    found = [(await proposed(house, admin, name, **more))["code"] for name, more in offences.items()]
    assert found == ["1625A", "", "1301"]


async def test_what_is_void_never_leaves_also_not_after_it_was_confirmed(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    void, good = await proposed(house, admin, "void"), await proposed(house, admin, "good")
    reason = {"void_reason": "forced", "reason": "an ambulance behind"}
    done = await officer.ok("POST", f"violations/{void['id']}/void", reason)
    assert (done["state"], done["void_reason"], done["void_name"]) == ("void", "forced", "officer")
    for verb in ("review", "confirm"):
        assert await code_of(chief, f"violations/{void['id']}/{verb}") == (409, "violation_state")
    assert await code_of(chief, f"violations/{void['id']}/void", reason) == (409, "violation_state")
    await officer.ok("POST", f"violations/{good['id']}/review")
    await chief.ok("POST", f"violations/{good['id']}/confirm")
    both = {"violations": [good["id"], void["id"]]}
    assert await code_of(chief, "violations/package", both) == (409, "violation_not_confirmed")
    assert (await chief.ok("GET", f"violations/{good['id']}"))["exports"] == 0  # all or nothing
    await opened(chief, [good["id"]])

    assert await code_of(officer, f"violations/{good['id']}/void", reason) == (403, "not_allowed")
    await chief.ok("POST", f"violations/{good['id']}/void", {"void_reason": "appeal"})
    assert await code_of(chief, "violations/package", {"violations": [good["id"]]}) == (409, "violation_not_confirmed")


async def test_nobody_confirms_their_own_review_whatever_else_they_may(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    one = await proposed(house, admin)
    await admin.ok("POST", f"violations/{one['id']}/review")
    assert await code_of(admin, f"violations/{one['id']}/confirm") == (403, "violation_own")
    assert (await admin.ok("POST", "violations/take", {"queue": "second"}))["items"] == []
    chief = await client_of(house, "chief")
    assert len((await chief.ok("POST", "violations/take", {"queue": "second"}))["items"]) == 1


async def test_what_is_not_fit_can_only_be_void_unless_the_plate_is_what_was_missing(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    officer = await client_of(house, "officer")
    late = await proposed(house, admin, "late", clock_error_ms=1500)
    assert late["unfit"] == ["clock_wrong"]
    assert await code_of(officer, f"violations/{late['id']}/review") == (409, "violation_unfit")
    await officer.ok("POST", f"violations/{late['id']}/void", {"void_reason": "evidence_poor"})
    unread = await proposed(house, admin, "unread", plate="皖A12-45")
    assert (unread["plate"], unread["unfit"]) == ("皖A12?45", ["plate"])
    done = await officer.ok("POST", f"violations/{unread['id']}/review", {"plate": PLATE})
    assert (done["plate"], done["plate_read"], done["unfit"]) == (PLATE, "皖A12?45", [])
    (record,) = await audited(admin, "violation.review")
    assert record["details"]["plate_was"] == "皖A12?45"


async def test_an_exempt_vehicle_is_void_by_rule_and_none_on_the_list_is_confirmed(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    waiting = await proposed(house, admin, "before")
    exemption = {"plate": "皖a·12b45", "duty": "ambulance", "reason": "station 3", "area": city["own_area"]}
    on = await chief.ok("POST", "exemptions", {**exemption, "since": moment(house, -5)})
    assert on["plate"] == PLATE
    void = await proposed(house, admin, "after")
    assert (void["state"], void["void_reason"], void["void_name"]) == ("void", "exempt", "")
    assert void["void_words"] == "ambulance"  # which one is for those who keep the list
    assert [one["object"] for one in await audited(admin, "violation.void")] == [void["id"]]
    assert await code_of(officer, f"violations/{waiting['id']}/review") == (409, "violation_exempt")
    house.clock.advance(60)
    await chief.ok("DELETE", f"exemptions/{on['id']}")
    still = await proposed(house, admin, "while it lasted", at=moment(house, -0.5))
    assert still["state"] == "void"
    house.clock.advance(60)
    assert (await proposed(house, admin, "later"))["state"] == "proposed"


async def test_two_who_judge_at_once_are_never_shown_the_same(house: Any, admin: Any, city: dict[str, Any]) -> None:
    officer, colleague = await client_of(house, "officer"), await client_of(house, "colleague")
    for number in range(5):
        await proposed(house, admin, f"r{number}")

    async def take(client: Any, **more: Any) -> list[str]:
        asked = {"queue": "first", "count": 2, **more}
        return [one["id"] for one in (await client.ok("POST", "violations/take", asked))["items"]]

    mine, theirs = await take(officer), await take(colleague)
    assert len(mine) == len(theirs) == 2
    assert not set(mine) & set(theirs)
    (last,) = await take(officer, keep=mine)
    assert last not in {*mine, *theirs}
    assert await take(officer, keep=[*mine, last, *theirs]) == []
    assert await take(colleague, keep=theirs) == []  # what others hold cannot be taken by asking to keep it
    house.clock.advance(601)  # whoever went home holds nothing for ever
    assert await take(colleague, count=5) == [*mine, *theirs, last]


async def test_a_desk_with_nothing_on_it_writes_nothing_down(house: Any, admin: Any, city: dict[str, Any]) -> None:
    officer = await client_of(house, "officer")
    for _ in range(3):
        assert (await officer.ok("POST", "violations/take", {"queue": "first"}))["items"] == []
    assert await audited(admin, "violation.see") == []
    await proposed(house, admin)
    await officer.ok("POST", "violations/take", {"queue": "first"})
    assert len(await audited(admin, "violation.see")) == 1


async def test_the_slower_one_is_told(house: Any, admin: Any, city: dict[str, Any]) -> None:
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    one = await proposed(house, admin)
    await officer.ok("POST", f"violations/{one['id']}/review", headers={"if-match": '"1"'})
    for verb, body in (("review", {}), ("void", {"void_reason": "forced"}), ("confirm", {})):
        slow = await chief.ask("POST", f"violations/{one['id']}/{verb}", body, headers={"if-match": '"1"'})
        assert (slow.status_code, slow.json()["code"]) == (412, "changed_meanwhile"), verb


async def test_a_machine_that_proposes_learns_nothing_of_who_reviewed_it(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    officer = await client_of(house, "officer")
    await admin.ok("POST", "users", {"username": "cam", "password": PASSWORD, "roles": ["reporter"]})
    machine = await client_of(house, "cam")
    filed = (await machine.ok("POST", "violations", candidate(house, "m1")))["violation"]
    await officer.ok("POST", f"violations/{filed['id']}/void", {"void_reason": "forced", "reason": "informant"})
    again = (await machine.ok("POST", "violations", candidate(house, "m1")))["violation"]
    assert (again["state"], again["void_words"], again["void_name"]) == ("void", "", "")
    assert (await admin.ok("GET", f"violations/{filed['id']}"))["void_words"] == "informant"


async def test_sent_again_it_is_the_same_and_its_pictures_are_kept_once(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    first = await admin.ok("POST", "violations", candidate(house))
    again = await admin.ok("POST", "violations", candidate(house, plate="皖A99999"))
    assert (first["new"], again["new"]) == (True, False)
    assert again["violation"] == first["violation"]
    assert len([key async for key in house.services.blobs.keys("violations/")]) == 2
    shown = await admin.ask("GET", f"violations/{first['violation']['id']}/pictures/1")
    assert (shown.headers["content-type"], shown.content) == ("image/jpeg", base64.b64decode(view(house, 1)["data"]))


async def test_people_of_another_district_see_nothing_of_it(house: Any, admin: Any, city: dict[str, Any]) -> None:
    stranger = await client_of(house, "stranger")
    one = await proposed(house, admin)
    assert (await stranger.ok("GET", "violations"))["items"] == []
    assert (await stranger.ok("GET", "violations"))["counts"] == {}
    assert (await stranger.ok("POST", "violations/take", {"queue": "first"}))["items"] == []
    for method, path, body in (
        ("GET", "", None), ("GET", "/pictures/0", None), ("POST", "/review", None), ("POST", "/confirm", None),
        ("POST", "/void", {"void_reason": "forced"}),
    ):  # fmt: skip
        assert (await stranger.ask(method, f"violations/{one['id']}{path}", body)).status_code == 404, path
    assert await code_of(stranger, "violations/package", {"violations": [one["id"]]}) == (404, "not_found")


async def test_a_list_is_asked_for_by_state_kind_plate_and_fitness(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    officer = await client_of(house, "officer")
    red = await proposed(house, admin, "red")
    line = await proposed(house, admin, "line", kind="solid_line", light="", plate="皖A99999", clock_error_ms=None)

    async def found(**asked: Any) -> list[str]:
        return [one["id"] for one in (await officer.ok("GET", "violations", params=asked))["items"]]

    assert await found() == [line["id"], red["id"]]
    assert await found(kind="red_light") == [red["id"]]
    assert await found(fit="no") == [line["id"]]
    assert await found(plate="皖A·99999") == [line["id"]]
    assert await found(state="void") == []
    part = await officer.ok("GET", "violations", params={"limit": 1})
    assert part["counts"] == {"proposed": 2}
    rest = await officer.ok("GET", "violations", params={"limit": 1, "cursor": part["next"]})
    assert ([one["id"] for one in rest["items"]], rest["next"]) == ([red["id"]], None)


async def test_a_picture_that_was_changed_on_the_disk_is_not_taken_out(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    one = await proposed(house, admin)
    await officer.ok("POST", f"violations/{one['id']}/review")
    await chief.ok("POST", f"violations/{one['id']}/confirm")
    (key, *_) = [key async for key in house.services.blobs.keys("violations/")]
    (file,) = [path for path in house.services.web.data_dir.rglob(key.rpartition("/")[2]) if path.is_file()]
    file.chmod(0o600)
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert await code_of(chief, "violations/package", {"violations": [one["id"]]}) == (503, "picture_changed")
    assert await audited(admin, "violation.export") == []


async def test_past_its_time_it_is_gone_with_its_pictures(house: Any, admin: Any, city: dict[str, Any]) -> None:
    officer = await client_of(house, "officer")
    void, kept = await proposed(house, admin, "void"), await proposed(house, admin, "kept")
    await officer.ok("POST", f"violations/{void['id']}/void", {"void_reason": "no_offence"})
    house.clock.advance(31 * 86_400)
    officer = await client_of(house, "officer")
    assert (await officer.ask("GET", f"violations/{void['id']}")).status_code == 404
    seen = await officer.ok("GET", "violations")  # before anybody swept
    assert ([one["id"] for one in seen["items"]], seen["counts"]) == ([kept["id"]], {"proposed": 1})
    assert await house.services.violations.sweep() == 1
    assert [one["id"] for one in (await officer.ok("GET", "violations"))["items"]] == [kept["id"]]
    assert len([key async for key in house.services.blobs.keys("violations/")]) == 2


async def test_who_makes_up_a_place_in_the_list_is_written_down_too(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    one = await proposed(house, admin)
    await admin.ok("POST", "exemptions", {"plate": "皖A00001", "duty": "police", "reason": "x"})
    before = len(await audited(admin, "violation.see"))
    for path, last in (("violations", fresh("vi")), ("exemptions", fresh("xe"))):
        seen = await admin.ok("GET", path, params={"cursor": write_cursor(last)})
        assert len(seen["items"]) == 1, one
    assert len(await audited(admin, "violation.see")) == before + 2


async def test_an_exemption_is_forgotten_after_its_end_but_not_while_something_it_covers_can_come_or_waits(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    begins = moment(house)
    open_, ended = [
        await admin.ok("POST", "exemptions", {"plate": plate, "duty": "police", "reason": "x", "since": begins})
        for plate in ("皖A00002", PLATE)
    ]
    house.clock.advance(60)
    await admin.ok("DELETE", f"exemptions/{ended['id']}")

    async def after(days: int) -> Any:
        house.clock.advance(days * 86_400)
        return await client_of(house, "root")

    admin = await after(399)
    assert await house.services.violations.sweep() == 0  # another system may still tell late
    late = await proposed(house, admin, "late", at=begins)
    assert (late["state"], late["void_reason"]) == ("void", "exempt")
    misread = await proposed(house, admin, "misread", plate="皖A12B46", at=begins)
    admin = await after(2)
    assert await house.services.violations.sweep() == 0
    path = f"violations/{misread['id']}"
    assert await code_of(admin, f"{path}/review", {"plate": PLATE}) == (409, "violation_exempt")
    await admin.ok("POST", f"{path}/void", {"void_reason": "no_offence"})
    assert await house.services.violations.sweep() == 1
    assert [one["id"] for one in (await admin.ok("GET", "exemptions"))["items"]] == [open_["id"]]
