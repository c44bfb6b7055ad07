"""Watches from proposal to report: two people, a vehicle that passes, and everybody whom it is no business of."""

from __future__ import annotations

from typing import Any

import pytest

from safecity.kit.clock import SECOND_US, rfc3339

GATE, FAR_GATE = "34020000001210000001", "34020000001210000002"
PASSWORD = "correct horse battery"
PLATE = "皖A12B45"
MINUTE = 60 * SECOND_US


def moment(house: Any, minutes: float = 0) -> str:
    return rfc3339(house.clock.now_us() + round(minutes * MINUTE))


async def client_of(house: Any, name: str) -> Any:
    client = house.client()
    await client.sign_in(name)
    return client


@pytest.fixture
async def city(house: Any, admin: Any) -> dict[str, Any]:
    """A city of two districts with a checkpoint each; a bureau with two stations; people of the first district, one of
    the other."""
    ids: dict[str, Any] = {}
    ids["city"] = (await admin.ok("POST", "areas", {"name": "city", "code": "3402"}))["id"]
    for name, code, gate in (("own", "340202", GATE), ("foreign", "340203", FAR_GATE)):
        area = {"name": name, "code": code, "parent": ids["city"]}
        ids[f"{name}_area"] = (await admin.ok("POST", "areas", area))["id"]
        values = {"name": f"{name} gate", "code": gate, "area": ids[f"{name}_area"], "lanes": [{"number": 1}]}
        ids[f"{name}_gate"] = (await admin.ok("POST", "tollgates", values))["id"]
    ids["bureau"] = (await admin.ok("POST", "organisations", {"name": "Bureau"}))["id"]
    for name in ("north", "south"):
        station = {"name": name, "parent": ids["bureau"]}
        ids[name] = (await admin.ok("POST", "organisations", station))["id"]
    people = {
        "officer": ("operator", "own_area", "north"),
        "colleague": ("operator", "own_area", "south"),
        "chief": ("supervisor", "own_area", "bureau"),
        "stranger": ("supervisor", "foreign_area", "south"),
        "viewer": ("viewer", "own_area", "north"),
    }
    for name, (role, area, organisation) in people.items():
        user = {
            "username": name, "password": PASSWORD, "organisation": ids[organisation],
            "grants": [{"role": role, "area": ids[area]}],
        }  # fmt: skip
        ids[name] = (await admin.ok("POST", "users", user))["id"]
    return ids


def wish(house: Any, city: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "plate": PLATE, "reason": "stolen on Monday", "case_number": "A-7", "valid_until": moment(house, 60 * 24),
        "area": city["own_area"], "seats": [f"organisation:{city['north']}"], **more,
    }  # fmt: skip


async def follow(house: Any) -> None:
    """What the loops of control would do by themselves."""
    while await house.services.relay.step():
        pass
    while await house.services.watch_follower.step():
        pass


async def passes(house: Any, admin: Any, plate: str = PLATE, *, reference: str = "a", **more: Any) -> None:
    one = {"tollgate": GATE, "reference": reference, "source": "camera", "at": moment(house), "plate": plate, **more}
    await admin.ok("POST", "sightings", {"items": [one]})
    await follow(house)


async def in_force(house: Any, city: dict[str, Any], **more: Any) -> str:
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    watch = await officer.ok("POST", "watches", wish(house, city, **more))
    await chief.ok("POST", f"watches/{watch['id']}/approve", {"reason": "checked"})
    return watch["id"]


async def hits(client: Any, **asked: Any) -> list[dict[str, Any]]:
    return (await client.ok("GET", "hits", params=asked))["items"]


async def alarms(client: Any) -> list[dict[str, Any]]:
    return (await client.ok("GET", "alarms"))["items"]


async def audited(admin: Any, action: str) -> list[dict[str, Any]]:
    return [one for one in (await admin.ok("GET", "audit"))["items"] if one["action"] == action]


async def test_proposed_approved_met_signed_and_reported(house: Any, admin: Any, city: dict[str, Any]) -> None:
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    watch = await officer.ok("POST", "watches", wish(house, city))
    assert (watch["state"], watch["plate"], watch["yours"]) == ("proposed", PLATE, True)
    await passes(house, admin, reference="before")
    assert await alarms(officer) == []  # nobody has agreed yet
    done = await chief.ok("POST", f"watches/{watch['id']}/approve", headers={"if-match": '"1"'})
    assert (done["state"], done["decided_name"]) == ("approved", "chief")

    house.clock.advance(10)
    await passes(house, admin, reference="after")
    (alarm,) = await alarms(officer)
    assert (alarm["kind"], alarm["method"], alarm["type"], alarm["priority"]) == ("Watch hit", "watch", "exact", 1)
    assert alarm["name"] == "own gate"
    assert PLATE not in str(alarm)  # lists of alarms are looked at without saying what for
    (hit,) = await hits(officer)
    assert (hit["plate"], hit["kind"], hit["alarm"], hit["yours"]) == (PLATE, "exact", alarm["id"], True)
    assert (hit["id"], hit["watch"]) == (alarm["hit"], watch["id"])
    assert hit["sign_by"] == moment(house, 5)
    assert (await officer.ask("POST", f"hits/{hit['id']}/report", {"result": "caught"})).json()["code"] == (
        "alarm_unsigned"
    )
    signed = await officer.ok("POST", f"hits/{hit['id']}/sign")
    assert (signed["signed_by"], signed["signed_at"]) == ("officer", moment(house))
    assert (await officer.ok("GET", f"alarms/{alarm['id']}"))["state"] == "acknowledged"
    reported = await officer.ok("POST", f"hits/{hit['id']}/report", {"result": "caught", "report": "stopped at km 3"})
    assert (reported["reported_by"], reported["result"], reported["report"]) == (
        "officer", "caught", "stopped at km 3",
    )  # fmt: skip
    again = await officer.ask("POST", f"hits/{hit['id']}/report", {"result": "not_it"})
    assert again.status_code == 409
    assert (await officer.ok("GET", f"alarms/{alarm['id']}"))["state"] == "cleared"
    for action, who in (
        ("watch.propose", "officer"), ("watch.approve", "chief"), ("alarm.acknowledge", "officer"),
        ("alarm.report", "officer"),
    ):  # fmt: skip
        assert [one["actor_name"] for one in await audited(admin, action)] == [who], action
    assert (await admin.ok("GET", "audit/proof"))["sound"]


async def test_nobody_approves_their_own_whatever_they_are(house: Any, admin: Any, city: dict[str, Any]) -> None:
    chief, officer = await client_of(house, "chief"), await client_of(house, "officer")
    for proposer in (chief, admin):
        watch = await proposer.ok("POST", "watches", wish(house, city))
        for verb in ("approve", "refuse"):
            refused = await proposer.ask("POST", f"watches/{watch['id']}/{verb}")
            assert (refused.status_code, refused.json()["code"]) == (403, "watch_own")
    watch = await officer.ok("POST", "watches", wish(house, city))
    colleague = await client_of(house, "colleague")
    assert (await colleague.ask("POST", f"watches/{watch['id']}/approve")).status_code == 403
    await passes(house, admin)
    assert await alarms(admin) == []


async def test_a_watch_is_decided_as_it_was_seen_and_once(house: Any, city: dict[str, Any]) -> None:
    officer, chief = await client_of(house, "officer"), await client_of(house, "chief")
    watch = (await officer.ok("POST", "watches", wish(house, city)))["id"]
    stale = await chief.ask("POST", f"watches/{watch}/approve", headers={"if-match": '"7"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    refused = await chief.ok("POST", f"watches/{watch}/refuse", {"reason": "no case"})
    assert (refused["state"], refused["decision"]) == ("refused", "no case")
    late = await chief.ask("POST", f"watches/{watch}/approve")
    assert (late.status_code, late.json()["code"]) == (409, "watch_state")


async def test_who_has_not_the_area_sees_nothing(house: Any, admin: Any, city: dict[str, Any]) -> None:
    watch = await in_force(house, city)
    await passes(house, admin)
    stranger, officer = await client_of(house, "stranger"), await client_of(house, "officer")
    (hit,) = await hits(officer)
    assert (await stranger.ok("GET", "watches"))["items"] == []
    assert await hits(stranger) == await alarms(stranger) == []
    for path in (f"watches/{watch}", f"hits/{hit['id']}", f"alarms/{hit['alarm']}", f"hits/{hit['alarm']}"):
        assert (await stranger.ask("GET", path)).status_code == 404, path
    for path in (f"watches/{watch}/withdraw", f"watches/{watch}/approve", f"hits/{hit['id']}/sign"):
        assert (await stranger.ask("POST", path)).status_code == 404, path
    outside = await stranger.ask("POST", "watches", wish(house, city))
    assert outside.status_code == 403
    everywhere = await officer.ask("POST", "watches", wish(house, city, area=None))
    assert everywhere.status_code == 403  # nobody watches where they may not look


async def test_a_watch_meets_nothing_outside_its_area(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await in_force(house, city)
    await passes(house, admin, reference="far", tollgate=FAR_GATE)
    assert await alarms(admin) == []
    assert await hits(admin) == []


async def test_an_alarm_of_a_watch_is_for_its_seats_alone(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await in_force(house, city)
    await passes(house, admin)
    officer, colleague, chief = [await client_of(house, name) for name in ("officer", "colleague", "chief")]
    viewer = await client_of(house, "viewer")
    assert len(await alarms(officer)) == len(await alarms(viewer)) == 1  # both of the north station
    assert await alarms(colleague) == await alarms(admin) == []
    assert (await colleague.ok("GET", "alarms"))["counts"] == {}
    (hit,) = await hits(officer)
    assert (await colleague.ask("GET", f"alarms/{hit['alarm']}")).status_code == 404
    assert (await colleague.ask("POST", f"alarms/{hit['alarm']}/acknowledge")).status_code == 404
    assert (await viewer.ask("GET", f"hits/{hit['id']}")).status_code == 403  # it shows the plate
    assert await hits(colleague) == []
    (overseen,) = await hits(chief)  # who answers for watches sees what they meet, and signs for nothing
    assert overseen["yours"] is False
    assert (await chief.ask("POST", f"hits/{hit['id']}/sign")).status_code == 404


async def test_a_near_miss_is_told_as_one(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await in_force(house, city)
    await in_force(house, city, near=False)
    await passes(house, admin, "皖A12845")
    officer = await client_of(house, "officer")
    (hit,) = await hits(officer)
    assert (hit["kind"], hit["plate"], hit["wanted"], hit["differs"]) == ("near", "皖A12845", PLATE, 4)
    (alarm,) = await alarms(officer)
    assert alarm["kind"] == "Possible watch hit"
    await passes(house, admin, "皖A18845", reference="two")  # two characters: another vehicle
    assert len(await hits(officer)) == 1


async def test_what_a_camera_takes_back_takes_the_hit_back(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await in_force(house, city)
    at = moment(house)
    await passes(house, admin, "", reference="laser", source="laser", at=at)
    await passes(house, admin, at=at)
    await passes(house, admin, "皖C99999", at=at)  # the same reference: a correction
    officer = await client_of(house, "officer")
    (hit,) = await hits(officer)
    assert hit["state"] == "taken_back"
    assert (await officer.ok("GET", f"alarms/{hit['alarm']}"))["state"] == "cleared"
    assert (await officer.ask("POST", f"hits/{hit['id']}/sign")).status_code == 409
    await passes(house, admin, at=at)  # and it was right after all
    (again,) = await hits(officer)
    assert (again["state"], again["id"], again["alarm"] == hit["alarm"]) == ("live", hit["id"], False)


async def test_a_passage_that_turns_out_to_be_another_takes_its_hit_along(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await in_force(house, city)
    at = moment(house)
    await passes(house, admin, at=at)
    await passes(house, admin, "皖C99999", at=at)  # nothing else was seen there: the passage itself is withdrawn
    officer = await client_of(house, "officer")
    (hit,) = await hits(officer)
    assert hit["state"] == "taken_back"
    assert (await officer.ok("GET", "alarms"))["counts"] == {}


async def test_the_same_words_again_raise_nothing(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await in_force(house, city)
    at = moment(house)
    for reference, source in (("a", "camera"), ("a", "camera"), ("b", "transponder"), ("c", "laser")):
        await passes(house, admin, reference=reference, source=source, at=at)
    officer = await client_of(house, "officer")
    assert len(await hits(officer)) == len(await alarms(officer)) == 1


async def test_a_withdrawn_watch_is_silent_and_its_open_hits_are_called_off(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    watch = await in_force(house, city)
    await passes(house, admin)
    officer, colleague = await client_of(house, "officer"), await client_of(house, "colleague")
    assert (await colleague.ask("POST", f"watches/{watch}/withdraw")).status_code == 403  # not theirs
    gone = await officer.ok("POST", f"watches/{watch}/withdraw", {"reason": "found"})
    assert (gone["state"], gone["ended_name"], gone["ending"], gone["hits"]) == ("withdrawn", "officer", "found", 1)
    await passes(house, admin, reference="later")
    (hit,) = await hits(officer)
    assert (hit["state"], hit["watch_state"]) == ("called_off", "withdrawn")
    assert (await officer.ok("GET", f"alarms/{hit['alarm']}"))["state"] == "cleared"
    house.clock.advance(600)
    assert await house.services.watch_duties.step() == 0  # and reminds nobody
    assert [one["actor_name"] for one in await audited(admin, "watch.withdraw")] == ["officer"]


async def test_a_watch_ends_with_its_time(house: Any, admin: Any, city: dict[str, Any]) -> None:
    watch = await in_force(house, city, valid_until=moment(house, 30))
    await passes(house, admin)
    house.clock.advance(29 * 60)
    await admin.ok("GET", "alarms")  # who does nothing is signed out
    house.clock.advance(2 * 60)
    await passes(house, admin, reference="late")  # before anybody has marked it as over
    officer = await client_of(house, "officer")
    assert len(await hits(officer)) == 1
    await house.services.watch_duties.step()
    assert (await officer.ok("GET", f"watches/{watch}"))["state"] == "expired"
    (hit,) = await hits(officer)
    assert (hit["state"], hit["watch_state"]) == ("live", "expired")  # it passed in time: somebody has to report
    assert len(await audited(admin, "watch.expire")) == 1


async def test_a_hit_that_nobody_signs_for_goes_up(house: Any, admin: Any, city: dict[str, Any]) -> None:
    """First to the seats named for it, then to the bureau above the station, then to the administrators."""
    await in_force(house, city, further=[f"user:{city['colleague']}"], priority=3)
    await passes(house, admin)
    officer, colleague, chief = [await client_of(house, name) for name in ("officer", "colleague", "chief")]
    seen_by = [(officer, 1), (colleague, 0), (chief, 0), (admin, 0)]
    for step in range(4):
        assert [len(await alarms(client)) for client, _ in seen_by] == [n for _, n in seen_by], step
        house.clock.advance(4 * 60)
        assert await house.services.watch_duties.step() == 0
        house.clock.advance(60)
        await house.services.watch_duties.step()
        if step < 3:
            seen_by[step + 1] = (seen_by[step + 1][0], 1)
    (alarm,) = await alarms(officer)
    assert (alarm["escalated"], alarm["priority"]) == (4, 1)
    assert len(await audited(admin, "alarm.escalate")) == 4
    house.clock.advance(25 * 60)
    assert await house.services.watch_duties.step() == 0  # nobody is left to tell
    chief = await client_of(house, "chief")
    (hit,) = await hits(chief)
    await chief.ok("POST", f"hits/{hit['id']}/sign")
    house.clock.advance(24 * 3600)
    assert await house.services.watch_duties.step() > 0  # signed for, and never reported on
    await admin.sign_in("root")
    assert (await audited(admin, "alarm.escalate"))[0]["reason"] == "unreported"


async def test_a_hit_that_is_reported_on_reminds_nobody(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await in_force(house, city)
    await passes(house, admin)
    officer = await client_of(house, "officer")
    (alarm,) = await alarms(officer)
    await officer.ok("POST", f"alarms/{alarm['id']}/acknowledge")  # the alarms page signs as well
    house.clock.advance(600)
    assert await house.services.watch_duties.step() == 0
    await officer.ok("POST", f"hits/{alarm['id']}/report", {"result": "not_found"})
    house.clock.advance(48 * 3600)
    assert await house.services.watch_duties.step() == 1  # the watch's own time is over, and that is all
    await admin.sign_in("root")
    assert await audited(admin, "alarm.escalate") == []


async def test_restricted_checkpoints_stay_with_administrators(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await admin.ok("PATCH", f"tollgates/{city['own_gate']}", {"restricted": True})
    await in_force(house, city)  # the chief may not see restricted passages, nor have them compared
    await passes(house, admin)
    assert await hits(admin) == []
    officer = await client_of(house, "officer")
    watch = await officer.ok("POST", "watches", wish(house, city))
    await admin.ok("POST", f"watches/{watch['id']}/approve")
    house.clock.advance(60)
    await passes(house, admin, reference="second")
    assert await hits(officer) == await alarms(officer) == []
    assert len(await hits(admin)) == len(await alarms(admin)) == 1


async def test_only_what_is_kept_for_the_purpose_is_compared(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await admin.ok("PATCH", f"tollgates/{city['own_gate']}", {"purposes": ["traffic"]})
    await in_force(house, city)
    await passes(house, admin)
    assert await hits(admin) == []


async def test_colour_and_class_narrow_a_watch_where_they_were_seen(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await in_force(house, city, plate_colour="blue")
    await passes(house, admin, reference="green", plate_colour="green")
    officer = await client_of(house, "officer")
    assert await hits(officer) == []
    house.clock.advance(60)
    await passes(house, admin, reference="unseen")  # what was not seen contradicts nothing
    house.clock.advance(60)
    await passes(house, admin, reference="blue", plate_colour="blue")
    assert len(await hits(officer)) == 2


async def test_looking_at_watches_and_hits_is_written_down(house: Any, admin: Any, city: dict[str, Any]) -> None:
    watch = await in_force(house, city)
    await passes(house, admin)
    officer = await client_of(house, "officer")
    (hit,) = await hits(officer)
    await officer.ok("GET", f"watches/{watch}")
    await officer.ok("GET", f"hits/{hit['id']}")
    await officer.ok("GET", "watches?q=A-7")
    looks = await audited(admin, "watch.see")
    assert [one["object"] for one in looks] == ["", hit["id"], watch, ""]
    assert looks[0]["details"]["text"] == "A-7"


async def test_a_preview_says_how_a_pattern_is_read(house: Any, city: dict[str, Any]) -> None:
    officer = await client_of(house, "officer")
    asked = {"plate": " 皖a·12?8*", "against": "皖A12XB99"}
    found = await officer.ok("GET", "watches/preview", params=asked)
    assert (found["plate"], found["exact"], found["outcome"]) == ("皖A12?8*", False, "near")
    assert found["confusable"][5] == ["3", "6", "B"]
    vague = await officer.ask("GET", "watches/preview", params={"plate": "皖A*"})
    assert (vague.status_code, vague.json()["code"]) == (400, "plate_vague")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"valid_until": "2020-01-01T00:00:00Z"}, "watch_invalid"),
        ({"valid_until": "2099-01-01T00:00:00Z"}, "watch_invalid"),
        ({"reason": " "}, "watch_invalid"),
        ({"plate": "*"}, "plate_vague"),
        ({"plate": "a*b*c*d*e"}, "plate_pattern"),
        ({"seats": ["role:reporter"]}, "seat_invalid"),
        ({"seats": ["everybody"]}, "seat_invalid"),
        ({"further": ["user:us_nobody"]}, "seat_invalid"),
    ],
)
async def test_what_is_no_watch_says_why(house: Any, city: dict[str, Any], more: dict[str, Any], code: str) -> None:
    officer = await client_of(house, "officer")
    refused = await officer.ask("POST", "watches", wish(house, city, **more))
    assert (refused.status_code, refused.json()["code"]) == (400, code)


async def test_an_ended_watch_is_forgotten_with_its_hits_and_alarms(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    watch = await in_force(house, city)
    kept = await in_force(house, city, plate="皖A77777", valid_until=moment(house, 179 * 24 * 60))
    await passes(house, admin)
    officer = await client_of(house, "officer")
    await officer.ok("POST", f"watches/{watch}/withdraw")
    house.clock.advance(179 * 86_400)
    await house.services.watches.sweep()
    assert await house.services.alarms.forget(house.clock.now_us()) == 0  # it is kept with what it is about
    officer = await client_of(house, "officer")
    assert len(await hits(officer)) == 1
    house.clock.advance(2 * 86_400)
    assert await house.services.watches.sweep() == 1
    officer = await client_of(house, "officer")
    assert [one["id"] for one in (await officer.ok("GET", "watches"))["items"]] == [kept]
    assert await hits(officer) == await alarms(officer) == []
