"""Where a vehicle was: who may look, what is written down, and files that other programs read."""

from __future__ import annotations

import csv
import io
import json
from typing import Any
from xml.etree import ElementTree

import pytest

from safecity.kit.clock import rfc3339
from safecity.model.facts.envelope import Event

PHONE, NAME = "13912345678", "皖A<12345>"
SECOND = 1_000_000


@pytest.fixture
async def bus(house: Any, admin: Any) -> str:
    """A vehicle that drove north, was lost for ten minutes, and drove on."""
    device = str((await admin.ok("POST", "devices", {"kind": "jt808", "code": PHONE, "name": NAME}))["id"])
    await drove(house, device, [(0, 0), (10, 1), (20, 2), (620, 30), (630, 31)], area="/35/")
    return device


async def drove(house: Any, device: str, places: list[tuple[int, float]], **more: Any) -> None:
    begin = house.clock.now_us()
    events = [
        Event(
            kind="position.received", subject=device, at=begin + seconds * SECOND, seen=begin, **more,
            body={"longitude": 118.37, "latitude": 31.33 + north * 0.001, "speed": 11.0, "direction": 0.0},
        )
        for seconds, north in places
    ]  # fmt: skip
    await house.services.replay._history.append(events)


def span(house: Any, **more: str) -> str:
    now = house.clock.now_us()
    wish = {"purpose": "traffic", "start": rfc3339(now - 60 * SECOND), "end": rfc3339(now + 3600 * SECOND), **more}
    return "&".join(f"{name}={value}" for name, value in wish.items())


async def test_its_way_is_shown_with_what_is_not_known_of_it_and_written_down(house: Any, admin: Any, bus: str) -> None:
    way = await admin.ok("GET", f"devices/{bus}/way?{span(house, reason='theft')}")
    assert [step["gap"] for step in way["steps"]] == [False, False, False, True, False]
    assert (way["gaps"], way["more"]) == (1, False)
    assert way["metres"] == pytest.approx(3 * 111.2, abs=2)
    assert way["steps"][0]["speed_kmh"] == pytest.approx(39.6)
    record = (await admin.ok("GET", "audit"))["items"][0]
    assert (record["action"], record["object"], record["reason"]) == ("vehicle.replay", bus, "theft")
    assert (record["details"]["purpose"], record["details"]["what"]) == ("traffic", "map")


async def test_nobody_looks_without_saying_what_for(house: Any, admin: Any, bus: str) -> None:
    assert (await admin.ask("GET", f"devices/{bus}/way?{span(house, purpose='')}")).status_code == 422
    long = span(house, start="2023-01-01T00:00:00Z")
    assert (await admin.ask("GET", f"devices/{bus}/way?{long}")).json()["code"] == "vehicle_span"


async def test_a_viewer_sees_no_way_and_one_of_a_district_only_what_was_driven_there(
    house: Any, admin: Any, bus: str
) -> None:
    area = await admin.ok("POST", "areas", {"name": "North", "code": "34"})
    await admin.ok("PATCH", f"devices/{bus}", {"area": area["id"]}, headers={"if-match": '"1"'})
    await drove(house, bus, [(700, 40), (710, 41)], area=area["path"])
    for name, grant in (("viewer", {"role": "viewer"}), ("north", {"role": "operator", "area": area["id"]})):
        user = {"username": name, "password": "correct horse battery", "grants": [grant]}
        await admin.ok("POST", "users", user)
    viewer, north = house.client(), house.client()
    await viewer.sign_in("viewer")
    await north.sign_in("north")
    assert (await viewer.ask("GET", f"devices/{bus}/way?{span(house)}")).status_code == 403
    assert len((await admin.ok("GET", f"devices/{bus}/way?{span(house)}"))["steps"]) == 7
    seen = await north.ok("GET", f"devices/{bus}/way?{span(house)}")
    assert len(seen["steps"]) == 2  # what it drove elsewhere before is not theirs to see


async def test_the_files_are_what_other_programs_read(house: Any, admin: Any, bus: str) -> None:
    texts = {}
    for kind in ("gpx", "csv", "geojson"):
        answer = await admin.ask("GET", f"devices/{bus}/way/file?{span(house, format=kind)}")
        assert answer.headers["content-disposition"] == f'attachment; filename="way.{kind}"'
        texts[kind] = answer.text
    names = {"g": "http://www.topografix.com/GPX/1/1"}
    gpx = ElementTree.fromstring(texts["gpx"])
    assert [len(part) for part in gpx.findall("g:trk/g:trkseg", names)] == [3, 2]
    assert gpx.findtext("g:trk/g:name", namespaces=names) == NAME
    rows = list(csv.DictReader(io.StringIO(texts["csv"].lstrip("\ufeff"))))
    assert [row["gap"] for row in rows] == ["0", "0", "0", "1", "0"]
    assert rows[0]["speed_kmh"] == "39.6"
    (feature,) = json.loads(texts["geojson"])["features"]
    assert [len(line) for line in feature["geometry"]["coordinates"]] == [3, 2]
    said = [one["details"]["what"] for one in (await admin.ok("GET", "audit"))["items"][:3]]
    assert said == ["geojson", "csv", "gpx"]
