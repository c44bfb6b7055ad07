"""Two checkpoints and a clock: who is too fast between them is proposed, once, while the passages say so."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from tests.unit.web.test_web_passages import jpeg
from tests.unit.web.test_web_watches import FAR_GATE, GATE, PLATE, audited, city, client_of, moment

from safecity.kit.errors import UnavailableError

__all__ = ["city"]


@pytest.fixture
async def road(house: Any, admin: Any, city: dict[str, Any]) -> dict[str, Any]:
    """Ten kilometres of ring road, 100 km/h and ten of tolerance; both clocks right to half a second."""
    section = {
        "name": "Ring road", "entry": city["own_gate"], "exit": city["foreign_gate"], "length_m": 10_000,
        "length_error_m": 10, "limit_kmh": 100, "tolerance_kmh": 10, "entry_clock_error_ms": 500,
        "exit_clock_error_ms": 500, "certificate": "S-17",
    }  # fmt: skip
    return {**city, "section": await admin.ok("POST", "sections", section)}


async def follow(house: Any) -> None:
    while await house.services.relay.step() or await house.services.section_follower.step():
        pass


async def passes(
    house: Any, admin: Any, gate: str, minute: float, plate: str = PLATE, *, reference: str = "", **more: Any
) -> None:
    picture = {"kind": "14", "data": base64.b64encode(jpeg(1920, 1080, bytes(f"{gate}{minute}", "ascii"))).decode()}
    one = {
        "tollgate": gate, "reference": reference or f"{gate}{minute}{plate}", "source": "camera",
        "at": moment(house, minute), "plate": plate, "confidence": 0.9, "pictures": [picture], **more,
    }  # fmt: skip
    await admin.ok("POST", "sightings", {"items": [one]})
    await follow(house)


async def found(client: Any, **asked: Any) -> list[dict[str, Any]]:
    return (await client.ok("GET", "violations", params={"kind": "section_speed", **asked}))["items"]


async def test_who_is_surely_too_fast_is_proposed_with_a_view_of_each_end(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await passes(house, admin, GATE, -6)
    await passes(house, admin, FAR_GATE, -1)  # 120 km/h
    await passes(house, admin, GATE, -7, "皖A54321")
    await passes(house, admin, FAR_GATE, -1.5, "皖A54321")  # 109 km/h
    (one,) = await found(admin)
    assert (one["plate"], one["speed_kmh"], one["limit_kmh"], one["place_name"]) == (PLATE, 120.0, 100.0, "Ring road")
    assert (one["speed_error_kmh"], one["details"]["low_kmh"]) == (0.5, 119.5)
    assert (one["unfit"], one["clock_error_ms"], one["certificate"], one["state"]) == ([], 500, "S-17", "proposed")
    assert [each["at"] for each in one["pictures"]] == [moment(house, -6), moment(house, -1)]
    assert one["code"] == ""  # the code of a speed is for those who know road, vehicle and excess
    for number in range(2):
        assert (await admin.ask("GET", f"violations/{one['id']}/pictures/{number}")).status_code == 200


async def test_the_passage_of_the_entry_may_come_last_and_what_is_told_twice_is_one(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await passes(house, admin, FAR_GATE, -1)
    assert await found(admin) == []
    await passes(house, admin, GATE, -6)
    await passes(house, admin, GATE, -6)
    await house.services.bus.rewind("violations", 0)
    await follow(house)
    assert len(await found(admin)) == 1


async def test_of_a_drive_that_is_known_no_picture_is_read_again(
    house: Any, admin: Any, road: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs, read = type(house.services.blobs), []
    from_disk = blobs.read

    def counted(self: Any, key: str, *part: Any) -> Any:
        read.append(key)
        return from_disk(self, key, *part)

    monkeypatch.setattr(blobs, "read", counted)
    await passes(house, admin, GATE, -6)
    await passes(house, admin, FAR_GATE, -1)
    assert len(read) == 2
    await house.services.bus.rewind("violations", 0)
    await follow(house)
    assert len(read) == 2


async def test_a_later_entry_that_was_heard_of_late_replaces_the_drive(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await passes(house, admin, GATE, -6)
    await passes(house, admin, FAR_GATE, -1)
    await passes(house, admin, GATE, -5)  # it went round once more: the last entry counts
    (open_,) = await found(admin, state="proposed")
    (gone,) = await found(admin, state="void")
    assert (open_["speed_kmh"], gone["speed_kmh"], gone["void_reason"]) == (150.0, 120.0, "taken_back")


async def test_who_is_killed_before_the_old_drive_was_taken_back_takes_it_back_afterwards(
    house: Any, admin: Any, road: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await passes(house, admin, GATE, -6)
    await passes(house, admin, FAR_GATE, -1)
    follower = house.services.section_follower

    def killed(*_: Any) -> None:
        raise UnavailableError("killed", code="killed")

    with monkeypatch.context() as patched, pytest.raises(UnavailableError):
        patched.setattr(follower, "_replaces", killed)
        await passes(house, admin, GATE, -5)
    assert len(await found(admin, state="proposed")) == 2
    await follow(house)
    (open_,) = await found(admin, state="proposed")  # nobody pays twice for one drive
    assert open_["speed_kmh"] == 150.0


async def test_what_the_camera_corrects_takes_the_candidate_back_and_a_confirmed_one_stays(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    await passes(house, admin, GATE, -6)
    await passes(house, admin, FAR_GATE, -1, reference="x")
    await passes(house, admin, FAR_GATE, -1, "皖A12845", reference="x")
    (gone,) = await found(admin)
    assert (gone["state"], gone["void_reason"], gone["void_name"]) == ("void", "taken_back", "")
    (record,) = await audited(admin, "violation.void")
    assert (record["object"], record["actor_name"]) == (gone["id"], "")

    await passes(house, admin, GATE, -16, "皖A77777")
    await passes(house, admin, FAR_GATE, -11, "皖A77777", reference="y")
    (one,) = await found(admin, state="proposed")
    await admin.ok("POST", f"violations/{one['id']}/review")
    second = {"username": "second", "password": "correct horse battery", "roles": ["administrator"]}
    await admin.ok("POST", "users", second)
    await (await client_of(house, "second")).ok("POST", f"violations/{one['id']}/confirm")
    await passes(house, admin, FAR_GATE, -11, "皖A11111", reference="y")
    (kept,) = await found(admin, state="confirmed")  # two people saw the pictures
    assert kept["id"] == one["id"]


@pytest.mark.parametrize(
    ("more", "gate"),
    [({"plate": "皖A12?45"}, {}), ({"plate": ""}, {}), ({}, {"purposes": ["security"]})],
)
async def test_half_read_plates_and_passages_kept_for_something_else_are_no_cases(
    more: dict[str, Any], gate: dict[str, Any], house: Any, admin: Any, road: dict[str, Any]
) -> None:
    if gate:
        await admin.ok("PATCH", f"tollgates/{road['foreign_gate']}", gate)
    await passes(house, admin, GATE, -6, **more)
    await passes(house, admin, FAR_GATE, -1, **more)
    assert await found(admin) == []


async def test_a_section_that_is_off_or_gone_measures_nobody_and_without_good_clocks_nobody_is_confirmed(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    path = f"sections/{road['section']['id']}"
    worse = await admin.ok("PATCH", path, {"exit_clock_error_ms": 4000})
    await passes(house, admin, GATE, -6)
    await passes(house, admin, FAR_GATE, -1)
    (one,) = await found(admin)
    assert (one["unfit"], worse["revision"]) == (["clock_wrong"], 2)
    await admin.ok("PATCH", path, {"enabled": False})
    await passes(house, admin, GATE, -26, "皖A22222")
    await passes(house, admin, FAR_GATE, -21, "皖A22222")
    await admin.ok("DELETE", path)
    await passes(house, admin, GATE, -36, "皖A33333")
    await passes(house, admin, FAR_GATE, -31, "皖A33333")
    assert len(await found(admin)) == 1


async def test_an_officer_sees_sections_of_the_own_district_and_changes_none(
    house: Any, admin: Any, road: dict[str, Any]
) -> None:
    officer, stranger = await client_of(house, "officer"), await client_of(house, "stranger")
    assert (await officer.ok("GET", "sections"))["items"] == []  # it lies where its exit lies
    assert [one["name"] for one in (await stranger.ok("GET", "sections"))["items"]] == ["Ring road"]
    assert (await officer.ask("DELETE", f"sections/{road['section']['id']}")).status_code == 403
    wish = {**road["section"], "name": "Mine"}
    for name in ("id", "revision"):
        wish.pop(name)
    assert (await stranger.ask("POST", "sections", wish)).status_code == 404  # its entry is not theirs to see
