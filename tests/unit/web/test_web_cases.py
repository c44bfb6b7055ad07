"""A case from its opening to what is left of it: what it keeps, who reads it, and what leaves."""

from __future__ import annotations

import base64
import csv
import io
import json
import zipfile
from typing import Any

import pytest
from tests.unit.web.case_city import (
    DAY,
    FAR_GATE,
    GATE,
    PLATE,
    audited,
    blobs,
    client_of,
    entries,
    jpeg,
    passes,
    two_districts,
    wish,
)

from safecity.core.ground.packages.api import check_package, fingerprint
from safecity.kit.clock import SECOND_US, rfc3339
from safecity.model.facts.media_calls import PlaceHold, ReleaseHold


@pytest.fixture
async def city(house: Any, admin: Any) -> dict[str, Any]:
    return await two_districts(house, admin)


async def test_a_search_is_put_in_with_what_it_looked_at_and_outlives_what_it_found(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    investigator = await client_of(house, "investigator")
    await passes(house, admin, "other", plate="皖B00001")
    passage = await passes(house, admin, "a")
    case = await investigator.ok("POST", "cases", wish(city))
    assert (case["state"], case["yours"], case["entries"]) == ("open", True, 0)
    entry = await investigator.ok(
        "POST", f"cases/{case['id']}/passages", {"plate": "皖A12*", "chosen": [passage], "words": "on its way north"}
    )
    assert (entry["kind"], entry["stock"], entry["question"]) == ("search", "passages", {"plate": "皖A12*"})
    looked = entry["looked"]
    assert (looked["stock"], looked["places"], looked["names"], looked["found"]) == (2, 1, ["own gate"], 1)
    assert (looked["oldest"], looked["more"]) == ("2023-11-14T22:13:20.000000Z", False)
    (result,) = entry["results"]
    assert (result["plate"], result["place_name"], result["source"]) == (PLATE, "own gate", passage)
    assert (result["longitude"], result["latitude"]) == (118.37, 31.33)

    house.clock.advance(3 * DAY)
    await house.services.passages.sweep()
    await admin.sign_in("root")
    assert (await admin.ok("GET", "passages", params={"purpose": "security"}))["items"] == []
    await investigator.sign_in("investigator")
    shown = await investigator.ask("GET", f"cases/{case['id']}/results/{result['id']}/pictures/0")
    assert (shown.content, shown.headers["content-type"]) == (jpeg(b"a"), "image/jpeg")
    searches = [one for one in await audited(admin, "passage.see") if one["details"].get("question") == "case"]
    assert [one["details"]["purpose"] for one in searches] == ["security"]
    assert {one["action"] for one in await audited(admin, "case")} == {"case.open", "case.write"}


async def test_a_case_keeps_footage_while_it_is_open_and_lets_it_go_when_it_is_closed(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    investigator, chief = await client_of(house, "investigator"), await client_of(house, "chief")
    case = (await investigator.ok("POST", "cases", wish(city)))["id"]
    stretch = {"channel": city["channel"], "start": "2023-11-14T21:00:00.000000Z", "end": "2023-11-14T21:10:00.000000Z"}
    entry = await investigator.ok("POST", f"cases/{case}/footage", stretch)
    assert [(one["kind"], one["held"], one["place_name"]) for one in entry["results"]] == [("stretch", True, "north")]
    (placed,) = house.calls.of(PlaceHold)
    (hold,) = (await admin.ok("GET", "holds"))["items"]
    assert (hold["reason"], placed.hold, hold["case"]) == ("A3402-0017", hold["id"], case)
    refused = await admin.ask("DELETE", f"holds/{hold['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "hold_of_case")

    assert (await chief.ask("DELETE", f"cases/{case}")).json()["code"] == "case_open"
    closed = await chief.ok("POST", f"cases/{case}/close", {"reason": "driver charged"}, headers={"if-match": '"1"'})
    assert (closed["state"], closed["closed_name"], closed["closing"]) == ("closed", "chief", "driver charged")
    assert [one.hold for one in house.calls.of(ReleaseHold)] == [hold["id"]]
    assert (await admin.ok("GET", "holds"))["items"] == []
    late = await investigator.ask("POST", f"cases/{case}/notes", {"words": "one more thing"})
    assert (late.status_code, late.json()["code"]) == (409, "case_closed")
    (kept,) = await entries(investigator, case)
    assert kept["results"][0]["held"] is False

    await chief.ok("POST", f"cases/{case}/reopen")
    (again,) = (await admin.ok("GET", "holds"))["items"]
    assert (again["start"], again["case"]) == (stretch["start"], case)
    assert (await entries(investigator, case))[0]["results"][0]["held"] is True


async def test_footage_that_cannot_be_held_is_not_put_in(house: Any, admin: Any, city: dict[str, Any]) -> None:
    investigator = await client_of(house, "investigator")
    case = (await investigator.ok("POST", "cases", wish(city)))["id"]
    house.calls.down.add("media-0")
    house.calls.down.add("media-1")
    stretch = {"channel": city["channel"], "start": "2023-11-14T21:00:00.000000Z", "end": "2023-11-14T21:10:00.000000Z"}
    assert (await investigator.ask("POST", f"cases/{case}/footage", stretch)).status_code == 503
    assert await entries(investigator, case) == []
    assert (await admin.ok("GET", "holds"))["items"] == []


async def test_finds_of_movement_and_alarms_are_held_with_the_case(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    investigator = await client_of(house, "investigator")
    case = (await investigator.ok("POST", "cases", wish(city)))["id"]
    start = house.clock.now_us() - 3600 * SECOND_US
    search = {
        "channel": city["channel"], "start": rfc3339(start), "end": rfc3339(house.clock.now_us()),
        "until": rfc3339(house.clock.now_us()), "frames": 900, "step_us": 4_000_000,
        "regions": [{"left": 0, "top": 0, "right": 0.5, "bottom": 1}],
        "chosen": [{"start_us": start + 60 * SECOND_US, "end_us": start + 70 * SECOND_US}],
    }  # fmt: skip
    entry = await investigator.ok("POST", f"cases/{case}/movement", search)
    assert (entry["looked"]["frames"], entry["looked"]["reported"], entry["looked"]["names"]) == (900, True, ["north"])
    assert entry["results"][0]["at"] == rfc3339(start + 60 * SECOND_US)

    body = {"channel": city["channel"], "priority": "1", "method": "5", "type": "6"}
    await house.publish("alarm.received", city["channel"], body)
    (alarm,) = (await investigator.ok("GET", "alarms"))["items"]
    entry = await investigator.ok("POST", f"cases/{case}/alarms", {"alarm": alarm["id"], "words": "over the fence"})
    assert sorted((one["kind"], one["source"], one["held"]) for one in entry["results"]) == [
        ("alarm", alarm["id"], False), ("stretch", "", True),
    ]  # fmt: skip
    assert len((await admin.ok("GET", "holds"))["items"]) == 2
    lost = await investigator.ok("DELETE", f"cases/{case}/entries/{entry['id']}")
    assert (lost["entries"], lost["results"], lost["held_seconds"]) == (1, 2, 70)
    assert len((await admin.ok("GET", "holds"))["items"]) == 1


async def test_a_case_is_for_its_members_and_rights_come_first(house: Any, admin: Any, city: dict[str, Any]) -> None:
    investigator, colleague = await client_of(house, "investigator"), await client_of(house, "colleague")
    members = {"readers": [f"user:{city['colleague']}", f"user:{city['stranger']}"]}
    case = (await investigator.ok("POST", "cases", wish(city, **members)))["id"]
    await investigator.ok("POST", f"cases/{case}/notes", {"words": "seen by the harbour"})
    for name in ("outsider", "stranger"):
        other = await client_of(house, name)
        assert (await other.ok("GET", "cases"))["items"] == [], name
        for method, path in (
            ("GET", f"cases/{case}"), ("GET", f"cases/{case}/entries"), ("GET", f"cases/{case}/results.csv"),
            ("POST", f"cases/{case}/close"), ("POST", f"cases/{case}/package"),
        ):  # fmt: skip
            assert (await other.ask(method, path)).status_code == 404 or name == "outsider", (name, path)
    outsider = await client_of(house, "outsider")
    assert (await outsider.ask("GET", f"cases/{case}")).status_code == 404
    assert (await (await client_of(house, "viewer")).ask("GET", "cases")).status_code == 403

    assert [one["id"] for one in (await colleague.ok("GET", "cases"))["items"]] == [case]
    assert (await colleague.ok("GET", f"cases/{case}"))["writable"] is False
    refused = await colleague.ask("POST", f"cases/{case}/notes", {"words": "me too"})
    assert (refused.status_code, refused.json()["code"]) == (403, "case_reader")
    assert (await colleague.ask("POST", f"cases/{case}/close")).status_code == 403
    await investigator.ok("PATCH", f"cases/{case}", {"writers": [f"user:{city['colleague']}"]})
    await colleague.ok("POST", f"cases/{case}/notes", {"words": "me too"})
    assert (
        await colleague.ask("DELETE", f"cases/{case}/entries/{(await entries(colleague, case))[1]['id']}")
    ).status_code == 403
    assert (await investigator.ask("POST", "cases", wish(city, area=city["foreign_area"]))).status_code == 403
    assert (await investigator.ask("POST", "cases", wish(city, ground="  "))).json()["code"] == "case_invalid"
    assert (await investigator.ask("POST", "cases", wish(city, purpose="curiosity"))).status_code == 422


async def test_what_somebody_could_not_find_they_do_not_see_in_a_case_either(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    here, there = await passes(house, admin, "a"), await passes(house, admin, "b", gate=FAR_GATE)
    everywhere = wish(city, writers=[f"user:{city['investigator']}"])
    case = (await admin.ok("POST", "cases", everywhere))["id"]
    await admin.ok("POST", f"cases/{case}/passages", {"plate": PLATE, "chosen": [here, there]})
    investigator = await client_of(house, "investigator")
    (seen,) = await entries(investigator, case)
    assert ([one["source"] for one in seen["results"]], seen["withheld"]) == ([here], 1)
    assert (seen["looked"]["places"], seen["looked"]["names"]) == (2, ["own gate"])
    (whole,) = await entries(admin, case)
    assert whole["looked"]["names"] == ["foreign gate", "own gate"]
    hidden = next(one for one in whole["results"] if one["source"] == there)
    assert (await investigator.ask("GET", f"cases/{case}/results/{hidden['id']}/pictures/0")).status_code == 404
    refused = await investigator.ask("POST", f"cases/{case}/passages", {"plate": PLATE, "chosen": [there]})
    assert refused.status_code == 404
    await admin.ok("PATCH", f"tollgates/{city['own']}", {"purposes": ["traffic"]})
    traffic = (await admin.ok("POST", "cases", wish(city, purpose="maintenance")))["id"]
    wrong = await admin.ask("POST", f"cases/{traffic}/passages", {"plate": PLATE, "chosen": [here]})
    assert wrong.status_code == 404  # kept for another purpose than the case is led for


async def test_a_search_of_a_camera_that_is_not_for_a_member_says_neither_where_nor_what(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    """A case of the second district with footage of the first: its member there reads that something was looked for."""
    case = (
        await admin.ok("POST", "cases", wish(city, area=city["foreign_area"], readers=[f"user:{city['stranger']}"]))
    )["id"]
    start, end = rfc3339(house.clock.now_us() - 60 * SECOND_US), rfc3339(house.clock.now_us())
    search = {"channel": city["channel"], "start": start, "end": end, "until": end, "frames": 15}
    await admin.ok("POST", f"cases/{case}/movement", search)
    stranger = await client_of(house, "stranger")
    answer = await stranger.ask("GET", f"cases/{case}/entries")
    (entry,) = answer.json()["items"]
    assert (entry["stock"], entry["looked"]["frames"], entry["question"], entry["looked"]["names"]) == (
        "recordings", 15, {}, [],
    )  # fmt: skip
    assert city["channel"] not in answer.text
    (own,) = await entries(admin, case)
    assert (own["question"]["channel"], own["looked"]["names"]) == (city["channel"], ["north"])


async def test_the_package_is_signed_and_one_changed_byte_is_found(
    house: Any, admin: Any, city: dict[str, Any], tmp_path: Any
) -> None:
    investigator = await client_of(house, "investigator")
    passage = await passes(house, admin, "a", plate="=A12B45")
    case = (await investigator.ok("POST", "cases", wish(city)))["id"]
    await investigator.ok("POST", f"cases/{case}/notes", {"words": "seen, by the harbour"})
    await investigator.ok("POST", f"cases/{case}/passages", {"plate": "", "chosen": [passage]})
    answer = await investigator.ask("POST", f"cases/{case}/package", {"reason": "for the prosecutor"})
    assert answer.headers["content-type"] == "application/zip"
    path = tmp_path / "case.zip"
    path.write_bytes(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    said = json.loads(files["manifest.json"])
    assert (said["case"]["number"], said["made_by"]) == ("A3402-0017", "investigator")
    assert [one["kind"] for one in said["entries"]] == ["note", "search"]
    rows = list(csv.DictReader(io.StringIO(files["results.csv"].decode("utf-8-sig"))))
    assert [(row["kind"], row["place"], row["words"]) for row in rows] == [
        ("note", "", "seen, by the harbour"), ("passage", "own gate", ""),
    ]  # fmt: skip
    key = (await investigator.ok("GET", "package-key"))["fingerprint"]
    assert key == fingerprint(house.services.signer.public_key)
    good = check_package(path, key)
    assert (good.wrong, good.signers) == ([], [key])
    picture = next(name for name in files if name.endswith(".jpeg"))
    for name in ("results.csv", picture):
        changed = {**files, name: files[name][:-1] + bytes([files[name][-1] ^ 1])}
        assert write(path, changed) == [f"{name}: the file was changed"], name
    assert write(path, {name: data for name, data in files.items() if name != picture}) == [f"{picture}: missing"]
    assert write(path, {**files, "extra.jpg": b"x"}) == ["extra.jpg: no manifest names it"]
    lied = files["manifest.json"].replace(b"own gate", b"far gate")
    assert write(path, {**files, "manifest.json": lied}) == [
        "manifest.json: the manifest was changed after it was signed"
    ]
    write(path, files)
    assert check_package(path, "ab" * 32).wrong == [f"manifest.json: signed with a foreign key ({key})"]
    (record,) = await audited(admin, "case.export")
    assert (record["reason"], record["details"]["what"]) == ("for the prosecutor", "package")


def write(path: Any, files: dict[str, bytes]) -> list[str]:
    """The same package with other contents; what is found wrong."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return check_package(path).wrong


async def test_deleting_says_what_is_lost_and_a_closed_case_is_forgotten_in_its_time(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    investigator, chief = await client_of(house, "investigator"), await client_of(house, "chief")
    passage = await passes(house, admin, "a")
    made: list[str] = []
    for number in ("1", "2"):
        case = (await investigator.ok("POST", "cases", wish(city, number=number)))["id"]
        await investigator.ok("POST", f"cases/{case}/passages", {"plate": PLATE, "chosen": [passage]})
        await investigator.ok("POST", f"cases/{case}/close")
        made.append(case)
    house.clock.advance(3 * DAY)
    await house.services.passages.sweep()
    await chief.sign_in("chief")
    lost = {
        "entries": 1,
        "results": 1,
        "pictures": 1,
        "picture_bytes": len(jpeg(b"a")),
        "only_here": 1,
        "held_seconds": 0,
    }
    assert await chief.ok("GET", f"cases/{made[0]}/loss") == lost
    await investigator.sign_in("investigator")
    assert (await investigator.ask("DELETE", f"cases/{made[0]}")).status_code == 403
    assert await chief.ok("DELETE", f"cases/{made[0]}") == lost
    assert len(await blobs(house, "cases/")) == 1
    house.clock.advance(731 * DAY)
    await chief.sign_in("chief")
    assert (await chief.ok("GET", "cases"))["items"] == []  # before anything was swept
    assert await house.services.cases.sweep() == 1
    assert await blobs(house, "cases/") == []


async def test_violations_are_put_in_with_their_evidence(house: Any, admin: Any, city: dict[str, Any]) -> None:
    investigator = await client_of(house, "investigator")
    offence = {
        "tollgate": GATE, "reference": "v1", "kind": "red_light", "at": rfc3339(house.clock.now_us()), "plate": PLATE,
        "pictures": [{"at": rfc3339(house.clock.now_us()), "data": base64.b64encode(jpeg()).decode()}],
    }  # fmt: skip
    violation = (await admin.ok("POST", "violations", offence))["violation"]["id"]
    case = (await investigator.ok("POST", "cases", wish(city)))["id"]
    entry = await investigator.ok("POST", f"cases/{case}/violations", {"kind": "red_light", "chosen": [violation]})
    (result,) = entry["results"]
    assert (result["plate"], result["details"]["offence"], result["details"]["code"]) == (PLATE, "red_light", "1625")
    assert (entry["looked"]["stock"], entry["looked"]["found"], len(result["pictures"])) == (1, 1, 1)


async def test_a_violation_that_was_void_after_it_was_put_in_does_not_leave_with_the_case(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    investigator = await client_of(house, "investigator")
    ids = [
        (await admin.ok("POST", "violations", {
            "tollgate": GATE, "reference": name, "kind": "red_light", "at": rfc3339(house.clock.now_us()),
            "plate": PLATE, "pictures": [{"at": rfc3339(house.clock.now_us()),
                                          "data": base64.b64encode(jpeg()).decode()}],
        }))["violation"]["id"]
        for name in ("stands", "void")
    ]  # fmt: skip
    case = (await investigator.ok("POST", "cases", wish(city)))["id"]
    await investigator.ok("POST", f"cases/{case}/violations", {"kind": "red_light", "chosen": ids})
    await admin.ok("POST", f"violations/{ids[1]}/void", {"void_reason": "forced", "reason": "an ambulance behind"})
    answer = await investigator.ask("POST", f"cases/{case}/package", {"reason": "for the prosecutor"})
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    (entry,) = json.loads(files["manifest.json"])["entries"]
    assert [one["source"] for one in entry["results"]] == [ids[0]]
    assert entry["withheld"] == 1
    assert ids[1] not in files["results.csv"].decode()
    assert sum("/" in name for name in files) == 1, "nor do its pictures"
