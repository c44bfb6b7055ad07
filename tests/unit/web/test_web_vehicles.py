"""Looking for vehicles, by plate with wildcards and misreadings, and by what they did: written down, and for whom it
is."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

GATES = {"a": (118.38, 31.33), "b": (118.78, 32.06), "c": (118.40, 31.35)}


def at(minutes: float) -> str:
    seconds = round(minutes * 60)
    return f"2023-11-14T{12 + seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}Z"


@pytest.fixture
async def gates(house: Any, admin: Any) -> dict[str, str]:
    """Three checkpoints in one district, one of them ninety kilometres away, and an operator of another district."""
    made: dict[str, str] = {}
    area = (await admin.ok("POST", "areas", {"name": "own", "code": "340202"}))["id"]
    other = (await admin.ok("POST", "areas", {"name": "other", "code": "340203"}))["id"]
    for name, (longitude, latitude) in GATES.items():
        values = {"name": f"gate {name}", "area": area, "longitude": longitude, "latitude": latitude}
        made[name] = (await admin.ok("POST", "tollgates", {**values, "fuse_seconds": 1}))["id"]
    for role, where in (("operator", area), ("stranger", other)):
        grants = [{"role": "operator", "area": where}]
        await admin.ok("POST", "users", {"username": role, "password": "correct horse battery", "grants": grants})
    return made


@pytest.fixture
async def plates(house: Any) -> Any:
    """The index of plates, as it is once the platform has run for a moment."""
    index = house.services.plates

    async def whole() -> None:
        await index.make()

    yield whole
    if index._matrix is not None:
        index._matrix.close()


class Traffic:
    """Reports passages."""

    def __init__(self, admin: Any, gates: dict[str, str]) -> None:
        self.admin, self.gates, self.number = admin, gates, 0
        self.items: list[dict[str, Any]] = []

    def __call__(self, gate: str, minutes: float, plate: str, **more: Any) -> None:
        self.number += 1
        self.items.append({
            "tollgate": self.gates[gate], "reference": str(self.number), "source": "camera", "at": at(minutes),
            "plate": plate, "lane": 1, **more,
        })  # fmt: skip

    async def sent(self) -> None:
        await self.admin.ok("POST", "sightings", {"items": self.items})
        self.items = []


@pytest.fixture
def passes(admin: Any, gates: dict[str, str]) -> Traffic:
    return Traffic(admin, gates)


async def client_of(house: Any, name: str) -> Any:
    client = house.client()
    await client.sign_in(name)
    return client


async def found(client: Any, path: str = "passages", **asked: Any) -> Any:
    return await client.ok("GET", path, params={"purpose": "traffic", **asked})


async def test_a_plate_is_found_by_what_somebody_remembers_of_it_through_the_index_and_without_it(
    house: Any, admin: Any, passes: Traffic, plates: Any
) -> None:
    for index, plate in enumerate(["皖A12B45", "皖A12845", "皖A12C45", "苏B12B45", "皖A99999"]):
        passes("a", index, plate)
    await passes.sent()
    wishes = {
        "皖A12B45": ["皖A12B45"],
        "*12?45": ["苏B12B45", "皖A12C45", "皖A12845", "皖A12B45"],
        "?B*": ["苏B12B45"],
        "*99*": ["皖A99999"],
        "京*": [],
    }
    for indexed in (False, True):
        if indexed:
            await plates()
        for wish, expected in wishes.items():
            answer = await found(admin, plate=wish)
            assert [one["plate"] for one in answer["items"]] == expected, (wish, indexed)
            assert not any(one["near_miss"] for one in answer["items"])
        looked = (await found(admin, plate="*12?45"))["looked_at"]
        assert (looked["plates"], looked["passages"]) == ((5, 0) if indexed else (0, 5))


async def test_a_misreading_is_shown_as_one(admin: Any, passes: Traffic, plates: Any) -> None:
    for index, plate in enumerate(["皖A12B45", "皖A12845", "皖A12C45"]):
        passes("a", index, plate)
    await passes.sent()
    for indexed in (False, True):
        if indexed:
            await plates()
        items = (await found(admin, plate="皖A12B45", near=True))["items"]
        assert [(one["plate"], one["near_miss"], one["distance"]) for one in items] == [
            ("皖A12845", True, 0.15), ("皖A12B45", False, 0.0),
        ]  # fmt: skip


async def test_a_plate_that_passes_later_is_in_the_index_too(
    house: Any, admin: Any, passes: Traffic, plates: Any
) -> None:
    passes("a", 0, "皖A00001")
    await passes.sent()
    await plates()
    passes("a", 1, "皖A00002")
    await passes.sent()
    while await house.services.relay.step():
        pass
    while await house.services.plates.step():
        pass
    answer = await found(admin, plate="皖A0000?")
    assert [one["plate"] for one in answer["items"]] == ["皖A00002", "皖A00001"]
    assert answer["looked_at"]["plates"] == 2


async def test_an_index_that_is_not_told_what_passes_is_not_believed(
    house: Any, admin: Any, passes: Traffic, plates: Any
) -> None:
    """The bus may be away while passages are filed: nothing of that must be missing from what is found."""
    passes("a", 0, "皖A00001")
    await passes.sent()
    while await house.services.relay.step():
        pass
    await plates()
    passes("a", 1, "皖A00002")
    await passes.sent()
    house.clock.advance(31)
    answer = await found(admin, plate="皖A0000?")
    assert [one["plate"] for one in answer["items"]] == ["皖A00002", "皖A00001"]
    assert (answer["looked_at"]["plates"], answer["looked_at"]["passages"]) == (0, 2)
    while await house.services.relay.step():
        pass
    while await house.services.plates.step():
        pass
    answer = await found(admin, plate="皖A0000?")
    assert (len(answer["items"]), answer["looked_at"]["plates"]) == (2, 2)


async def test_colour_kind_lane_direction_place_and_time_narrow_a_search(
    admin: Any, gates: dict[str, str], passes: Traffic
) -> None:
    passes("a", 0, "皖A00001", colour="red", vehicle_class="K33", plate_colour="blue", direction="north_south")
    passes("b", 1, "皖A00002", colour="white", vehicle_class="H11", lane=2, plate_colour="yellow", plate_class="01")
    passes("c", 2, "", colour="red")
    await passes.sent()
    wishes: list[tuple[dict[str, Any], list[str]]] = [
        ({"colour": "red"}, ["", "皖A00001"]),
        ({"colour": "red", "plate": "*"}, ["", "皖A00001"]),
        ({"vehicle_class": "H11"}, ["皖A00002"]),
        ({"vehicle_class": "H"}, ["皖A00002"]),
        ({"vehicle_class": "%"}, []),
        ({"plate_class": "01"}, ["皖A00002"]),
        ({"plate_colour": "blue"}, ["皖A00001"]),
        ({"lane": 2}, ["皖A00002"]),
        ({"direction": "north_south"}, ["皖A00001"]),
        ({"tollgate": gates["b"]}, ["皖A00002"]),
        ({"start": at(1), "end": at(2)}, ["皖A00002"]),
        ({"colour": "red", "plate": "皖*"}, ["皖A00001"]),
    ]
    for wish, expected in wishes:
        assert [one["plate"] for one in (await found(admin, **wish))["items"]] == expected, wish


async def test_a_search_without_the_index_leads_on_where_it_stopped(
    admin: Any, passes: Traffic, monkeypatch: Any
) -> None:
    from safecity.core.ground.vehicles import service

    monkeypatch.setattr(service, "WALK", 4)
    monkeypatch.setattr(service, "WALK_PART", 2)
    for index in range(15):
        passes("a", index, f"皖{'B' if index % 5 == 0 else 'A'}{index:05d}")
    await passes.sent()
    seen: list[str] = []
    cursor, parts = "", 0
    while True:
        answer = await found(admin, plate="皖B*", limit=2, cursor=cursor)
        seen += [one["plate"] for one in answer["items"]]
        assert answer["looked_at"]["passages"] <= 4
        assert (answer["looked_at"]["back_to"] is None) == (answer["next"] is None)
        parts += 1
        if answer["next"] is None:
            break
        cursor = answer["next"]
    assert seen == ["皖B00010", "皖B00005", "皖B00000"]
    assert parts >= 4


async def test_every_search_is_written_down_once_with_what_it_looked_at(
    house: Any, admin: Any, passes: Traffic, plates: Any
) -> None:
    for index in range(3):
        passes("a", index, f"皖A0000{index}")
    await passes.sent()
    await plates()
    first = await found(admin, plate="皖A*", limit=1, reason="hit and run", colour="")
    await found(admin, plate="皖A*", limit=1, cursor=first["next"])
    await found(admin, "vehicles/route", plate="皖A00001", reason="hit and run")
    await found(admin, "vehicles/companions", plate="皖A00001")
    await found(admin, "vehicles/clones")
    await admin.ask("GET", "passages.csv", params={"purpose": "traffic", "plate": "皖A*"})
    logged = [one for one in (await admin.ok("GET", "audit"))["items"] if one["action"] == "passage.see"]
    for path in ("route", "companions", "clones"):
        await admin.ask("GET", f"vehicles/{path}.csv", params={"purpose": "traffic", "plate": "皖A00001"})
    assert [one["details"]["question"] for one in logged] == ["csv", "cloned_plates", "companions", "route", "search"]
    tables = [one for one in (await admin.ok("GET", "audit"))["items"] if one["action"] == "passage.see"][:3]
    assert [one["details"]["question"] for one in tables] == ["cloned_plates_csv", "companions_csv", "route_csv"]
    search = logged[-1]
    assert (search["reason"], search["details"]["purpose"], search["details"]["plate"]) == (
        "hit and run", "traffic", "皖A*",
    )  # fmt: skip
    assert (search["details"]["found"], search["details"]["plates_compared"]) == (1, 3)


async def test_the_place_in_a_list_does_not_stand_for_having_been_written_down(
    house: Any, admin: Any, passes: Traffic, gates: dict[str, str]
) -> None:
    for index in range(3):
        passes("a", index, f"皖A0000{index}")
    await passes.sent()
    operator = await client_of(house, "operator")

    async def logged() -> list[str]:
        records = (await admin.ok("GET", "audit"))["items"]
        return [one["details"].get("plate", "") for one in records if one["action"] == "passage.see"][::-1]

    first = await found(admin, limit=1)
    assert (await found(admin, plate="皖A00001", cursor=first["next"]))["items"] != []
    assert await logged() == ["", "皖A00001"], "another question with a place of the first"
    assert (await found(operator, limit=1, cursor=first["next"]))["items"] != []
    assert await logged() == ["", "皖A00001", ""], "somebody else"
    await found(operator, limit=1, cursor=first["next"])
    assert len(await logged()) == 3


async def test_a_search_that_cannot_be_written_down_shows_nothing(
    house: Any, admin: Any, passes: Traffic, monkeypatch: Any
) -> None:
    from safecity.core.ground.vehicles import service
    from safecity.kit.errors import UnavailableError

    passes("a", 0, "皖A00001")
    await passes.sent()

    def full(*_: Any, **__: Any) -> None:
        raise UnavailableError("the disk is full", code="disk_full")

    monkeypatch.setattr(service, "note", full)
    tables = ("passages.csv", "vehicles/route.csv", "vehicles/companions.csv", "vehicles/clones.csv")
    for path in ("passages", "vehicles/route", "vehicles/companions", "vehicles/clones", *tables):
        answer = await admin.ask("GET", path, params={"purpose": "traffic", "plate": "皖A00001"})
        assert answer.status_code == 503, path
        assert "皖A00001" not in answer.text, path


async def test_nobody_learns_anything_of_another_district_or_for_another_purpose(
    house: Any, admin: Any, gates: dict[str, str], passes: Traffic, plates: Any
) -> None:
    await admin.ok("PATCH", f"tollgates/{gates['c']}", {"restricted": True})
    await admin.ok("PATCH", f"tollgates/{gates['b']}", {"purposes": ["security"]})
    for index, gate in enumerate("abc"):
        for minutes in (0, 30):
            passes(gate, index * 2 + minutes, "皖A00001")
            passes(gate, index * 2 + minutes + 0.1, "皖C77777")
    await passes.sent()
    await plates()
    operator, stranger = await client_of(house, "operator"), await client_of(house, "stranger")
    for wish in ({"plate": "皖A0000?"}, {"plate": "皖A00001", "near": True}, {"plate": "*1"}):
        assert {one["tollgate"] for one in (await found(operator, **wish))["items"]} == {gates["a"]}
        assert (await found(stranger, **wish))["items"] == []
    route = await found(operator, "vehicles/route", plate="皖A00001")
    assert {one["tollgate"] for one in route["passages"]} == {gates["a"]}
    assert (await found(stranger, "vehicles/route", plate="皖A00001"))["first_seen"] is None
    company = await found(operator, "vehicles/companions", plate="皖A00001", times=2, places=1)
    assert [(one["plate"], len(one["meetings"])) for one in company["items"]] == [("皖C77777", 2)]
    assert (await found(stranger, "vehicles/companions", plate="皖A00001", times=2, places=1))["items"] == []
    assert (await found(admin, "vehicles/clones"))["items"] == [] == (await found(stranger, "vehicles/clones"))["items"]
    there, nowhere = [await found(stranger, plate=plate) for plate in ("皖A0000?", "京Z9999?")]
    assert there == nowhere, "not even that such a plate was ever seen"
    for path in ("passages", "vehicles/route", "vehicles/companions", "vehicles/clones"):
        asked = {"purpose": "traffic", "plate": "皖A00001"}
        text = (await stranger.ask("GET", f"{path}.csv", params=asked)).text
        assert "皖" not in text, path


async def test_a_route_shows_the_way_the_stays_and_where_it_cannot_have_been_one_vehicle(
    admin: Any, gates: dict[str, str], passes: Traffic
) -> None:
    for gate, minutes in (("c", 130), ("a", 0), ("b", 60), ("c", 70)):
        passes(gate, minutes, "皖A00001")
    passes("a", 1, "皖A0000I")
    await passes.sent()
    route = await found(admin, "vehicles/route", plate="皖A00001", stay_minutes=60)
    assert [one["tollgate_name"] for one in route["passages"]] == ["gate a", "gate b", "gate c", "gate c"]
    assert [(leg["impossible"], leg["stay"]) for leg in route["legs"]] == [
        (False, True), (True, False), (False, True),
    ]  # fmt: skip
    assert 80 < route["legs"][0]["kmh"] < 100
    assert route["first_seen"].startswith("2023-11-14T12:00:00")
    assert (route["passages"][0]["longitude"], route["passages"][0]["latitude"]) == GATES["a"]
    (clone,) = (await found(admin, "vehicles/clones"))["items"]
    assert (clone["plate"], clone["start"]["tollgate_name"], clone["end"]["tollgate_name"]) == (
        "皖A00001", "gate b", "gate c",
    )  # fmt: skip
    assert (await found(admin, "vehicles/clones", kmh=600))["items"] == []
    refused = await admin.ask("GET", "vehicles/route", params={"purpose": "traffic", "plate": "皖A*"})
    assert refused.json()["code"] == "plate_whole"


async def test_what_was_not_looked_at_or_is_not_shown_is_said(
    admin: Any, gates: dict[str, str], passes: Traffic, monkeypatch: Any
) -> None:
    """Somebody decides by what is not there: nothing found is another answer than not looked."""
    from safecity.core.ground.vehicles import service
    from safecity.web.routes import vehicles

    for minutes in (0, 60):
        for number, gate in enumerate("ab"):
            passes(gate, minutes + number * 2, "皖A00001")
            passes(gate, minutes + number * 2 + 0.1, "皖C77777")
    await passes.sent()
    asked = {"plate": "皖A00001", "times": 2}
    whole = await found(admin, "vehicles/companions", **asked)
    assert len(whole["items"]) == 1
    assert (whole["looked_at"]["back_to"], whole["looked_at"]["cut"]) == (None, False)
    assert (await found(admin, "vehicles/clones"))["looked_at"]["cut"] is False
    monkeypatch.setattr(service, "MOST_OTHERS", 3)
    part = await found(admin, "vehicles/companions", **asked)
    assert (part["items"], part["looked_at"]["cut"]) == ([], True)
    monkeypatch.setattr(vehicles, "SHOWN", 1)
    few = await found(admin, "vehicles/clones")
    assert few["looked_at"]["cut"] is True
    assert [one["start"]["at"][11:16] for one in few["items"]] == ["13:00"]  # the newest


async def test_a_camera_that_belongs_to_no_checkpoint_is_a_place_like_others(house: Any, admin: Any) -> None:
    from safecity.core.ground.passages.api import Sighting, Source, place_of
    from safecity.kit.clock import SECOND_US
    from safecity.kit.ids import fresh

    now = house.clock.now_us()
    for camera in (fresh("dv"), fresh("dv")):
        new = [
            Sighting(
                id=fresh("sg"), source=Source.CAMERA, origin=camera, reference=plate, at=now + seconds * SECOND_US,
                seen=now, lane=lane, plate=plate,
            )
            for lane, (plate, seconds) in enumerate((("皖A00001", 0), ("皖C77777", 3)))
        ]  # fmt: skip
        await house.services.passages.file(place_of(None, device=camera), new)
    asked = {"purpose": "security", "plate": "皖A00001"}
    (company,) = (await found(admin, "vehicles/companions", **asked, times=2))["items"]
    assert (company["plate"], company["places"]) == ("皖C77777", 2)
    route = await found(admin, "vehicles/route", **asked)
    assert [(one["tollgate"], one["longitude"]) for one in route["passages"]] == [(None, None)] * 2
    assert (await found(admin, "vehicles/clones", purpose="security"))["items"] == []


async def test_a_table_for_a_spreadsheet_holds_all_parts_and_no_formula(
    admin: Any, passes: Traffic, monkeypatch: Any
) -> None:
    from safecity.web.routes import passages

    monkeypatch.setattr(passages, "CSV_PART", 3)
    for index in range(10):
        passes("a", index, f"皖A0000{index}", brand="=cmd|'/c calc'!A0" if index == 0 else "")
    await passes.sent()
    answer = await admin.ask("GET", "passages.csv", params={"purpose": "traffic", "plate": "皖A0000?"})
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["plate"] for row in rows] == [f"皖A0000{index}" for index in range(9, -1, -1)]
    assert rows[-1]["brand"] == "'=cmd|'/c calc'!A0"
    assert rows[0]["tollgate_name"] == "gate a"


async def test_what_a_vehicle_did_is_a_table_too(admin: Any, gates: dict[str, str], passes: Traffic) -> None:
    for gate, minutes in (("a", 0), ("b", 60), ("c", 70)):
        passes(gate, minutes, "皖A00001", speed_kmh=50)
        passes(gate, minutes + 0.1, "=C77777")
    await passes.sent()

    async def table(path: str, **asked: Any) -> list[dict[str, str]]:
        params = {"purpose": "traffic", "plate": "皖A00001", **asked}
        answer = await admin.ask("GET", f"vehicles/{path}.csv", params=params)
        assert answer.headers["content-type"].startswith("text/csv")
        assert answer.headers["content-disposition"] == f'attachment; filename="{path}.csv"'
        return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))

    stops = await table("route")
    assert [(one["tollgate_name"], one["stay"], one["impossible"]) for one in stops] == [
        ("gate a", "", ""), ("gate b", "True", "False"), ("gate c", "False", "True"),
    ]  # fmt: skip
    assert (stops[1]["seconds_since"], stops[0]["plate"], stops[0]["speed_kmh"]) == ("3600.0", "皖A00001", "50.0")
    met = await table("companions")
    assert [(one["plate"], one["times"], one["places"], one["tollgate_name"]) for one in met] == [
        ("C77777", "3", "3", f"gate {gate}") for gate in "cba"
    ]
    (clone, _) = await table("clones")
    assert (clone["plate"], clone["start_tollgate_name"], clone["end_tollgate_name"]) == (
        "皖A00001",
        "gate b",
        "gate c",
    )
    assert float(clone["kmh"]) > 220
    assert await table("clones", kmh=600) == []


async def test_a_wild_pattern_is_refused_in_words(admin: Any, gates: dict[str, str]) -> None:
    refused = await admin.ask("GET", "passages", params={"purpose": "traffic", "plate": "A*B*C*D*E"})
    assert (refused.status_code, refused.json()["code"]) == (400, "plate_pattern")


async def test_no_search_begins_with_the_area_and_sorts_a_whole_city(house: Any) -> None:
    """Asked of the engine itself: time, place or plate leads."""
    from sqlalchemy import text
    from sqlalchemy.dialects import sqlite

    from safecity.core.ground.access.api import Predicate, Under
    from safecity.core.ground.passages.api import seeking

    class Recorder:
        def __init__(self) -> None:
            self.statements: list[str] = []

        def rows(self, statement: Any) -> list[Any]:
            compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
            self.statements.append(str(compiled))
            return []

    asked = seeking.Asked(purpose="traffic", now=1, area="/34/3402/")
    gate = "tg_00000000000000000000000000"
    tx, may = Recorder(), Predicate((Under("/34/"),))
    seeking.page(tx, may, asked)  # type: ignore[arg-type]
    seeking.walk(tx, may, asked)  # type: ignore[arg-type]
    seeking.page(tx, may, seeking.Asked(purpose="traffic", now=1, plates=("A", "B")))  # type: ignore[arg-type]
    seeking.page(tx, may, seeking.Asked(purpose="traffic", now=1, tollgate=gate, since=1, until=2))  # type: ignore[arg-type]
    led_by = ["ix_passages_at", "ix_passages_at", "ix_passages_plate_at", "ix_passages_place_at"]
    for statement, index in zip(tx.statements, led_by, strict=True):
        explain = text(f"EXPLAIN QUERY PLAN {statement.replace(':', chr(92) + ':')}")
        plan = await house.services.database.read(
            lambda tx, explain=explain: [row["detail"] for row in tx.rows(explain)]
        )
        assert any(index in step for step in plan), (plan, statement)
        assert not any("ix_passages_area" in step for step in plan), plan
