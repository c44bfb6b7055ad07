"""Readings wait on the disk until control has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from safecity.backends.sqlitefile import open_file
from safecity.kit.errors import InvalidError, SafecityError, UnavailableError
from safecity.model.facts.control_calls import Publish
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import Done, Message
from safecity.model.facts.vision_calls import ShownPicture, VehicleRead
from safecity.vision.spool import ASIDE_DAYS, DAY_US, MAX_ASIDE, Spool, deliver


def reading(name: str, picture: bytes = b"jpeg") -> VehicleRead:
    return VehicleRead(
        id=name, channel="ch_1", tollgate="tg_1", lane=1, at=1, plate="皖B12345", confidence=0.9, doubtful=False,
        threshold=0.4, signs=(0.9,), others=(), country="cn", plate_colour="blue", plate_kind="cn_blue", corners=(),
        sights=3, first=1, last=2, networks=(), pictures=(ShownPicture("14", picture),),
    )  # fmt: skip


class Control:
    """Takes what it is given, unless it is away or refuses."""

    def __init__(self) -> None:
        self.taken: list[VehicleRead] = []
        self.events: list[Event] = []
        self.away = False
        self.asks = 0
        self.refuses: set[str] = set()
        self.stumbles_over: set[str] = set()
        self.asked = asyncio.Event()

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        if isinstance(message, Publish):
            if message.events[0].subject == "ch_wrong":
                raise InvalidError("wrong", code="event_wrong")
            self.events += message.events
            return Done()
        assert isinstance(message, VehicleRead)
        self.asked.set()
        self.asks += 1
        if self.away:
            raise UnavailableError("away", code="duty_down")
        if message.id in self.refuses:
            raise InvalidError("no such tollgate", code="reading_refused")
        if message.id in self.stumbles_over:
            raise SafecityError("the other side failed", code="internal")
        self.taken.append(message)
        return Done()

    def stream(self, address: str, message: Message) -> AsyncGenerator[Message]:
        raise NotImplementedError

    async def close(self) -> None: ...


async def delivered(spool: Spool, control: Control) -> None:
    task = asyncio.create_task(deliver(spool, control, retry_seconds=0.001))
    async with asyncio.timeout(30):
        while spool.waiting:
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_readings_arrive_in_order_and_wait_no_more(tmp_path: Path) -> None:
    spool, control = Spool(open_file(tmp_path / "v.db")), Control()
    for name in "abc":
        spool.add(reading(name))
    await delivered(spool, control)
    assert [one.id for one in control.taken] == ["a", "b", "c"]
    assert control.taken[0] == reading("a"), "whole, with its picture"
    assert spool.take(0.0) is None


async def test_a_death_of_the_process_loses_none(tmp_path: Path) -> None:
    file = open_file(tmp_path / "v.db")
    Spool(file).add(reading("before"))
    file.close()
    spool, control = Spool(open_file(tmp_path / "v.db")), Control()
    assert spool.waiting == 1
    await delivered(spool, control)
    assert [one.id for one in control.taken] == ["before"]


async def test_while_control_is_away_they_wait(tmp_path: Path) -> None:
    spool, control = Spool(open_file(tmp_path / "v.db")), Control()
    control.away = True
    spool.add(reading("a"))
    task = asyncio.create_task(deliver(spool, control, retry_seconds=0.001))
    await control.asked.wait()
    assert spool.waiting == 1
    control.away = False
    async with asyncio.timeout(30):
        while spool.waiting:
            await asyncio.sleep(0)
    assert [one.id for one in control.taken] == ["a"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_one_that_is_refused_does_not_hold_up_the_others(tmp_path: Path) -> None:
    spool, control = Spool(open_file(tmp_path / "v.db")), Control()
    control.refuses.add("a")
    spool.add(reading("a"))
    spool.add(reading("b"))
    await delivered(spool, control)
    assert [one.id for one in control.taken] == ["b"]


async def test_one_that_control_stumbles_over_does_not_hold_up_the_others_and_comes_later(tmp_path: Path) -> None:
    spool, control = Spool(open_file(tmp_path / "v.db")), Control()
    control.stumbles_over.add("a")
    for name in "abc":
        spool.add(reading(name))
    task = asyncio.create_task(deliver(spool, control, retry_seconds=0.001))
    async with asyncio.timeout(30):
        while spool.waiting > 1:
            await asyncio.sleep(0)
        assert [one.id for one in control.taken] == ["b", "c"]
        control.stumbles_over.clear()
        while spool.waiting:
            await asyncio.sleep(0)
    assert [one.id for one in control.taken] == ["b", "c", "a"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_row_that_the_disk_gave_back_wrong_is_set_aside_and_counted(tmp_path: Path) -> None:
    file = open_file(tmp_path / "v.db")
    spool, control = Spool(file), Control()
    for name in "abc":
        spool.add(reading(name))
    file.execute("UPDATE readings SET body = ? WHERE number = 2", (b"\xc1 no reading",))
    await delivered(spool, control)
    assert [one.id for one in control.taken] == ["a", "c"]
    assert (spool.waiting, spool.lost) == (0, 1)
    assert file.execute("SELECT number, body FROM aside") == [(2, b"\xc1 no reading")]


async def test_of_rows_set_aside_only_the_last_are_kept(tmp_path: Path) -> None:
    file = open_file(tmp_path / "v.db")
    spool, control = Spool(file), Control()
    for number in range(MAX_ASIDE + 5):
        spool.add(reading(str(number)))
    file.execute("UPDATE readings SET body = ?", (b"\xc1",))
    await delivered(spool, control)
    assert file.execute("SELECT min(number), count(*) FROM aside") == [(6, MAX_ASIDE)]
    assert Spool(file).waiting == 0
    assert file.execute("SELECT count(*) FROM aside") == [(MAX_ASIDE,)]
    file.execute("UPDATE aside SET at = at - ? WHERE number < 10", ((ASIDE_DAYS + 1) * DAY_US,))
    Spool(file)
    assert file.execute("SELECT min(number) FROM aside") == [(10,)], "none for longer than anybody looks into it"


async def test_in_an_outage_the_order_is_kept(tmp_path: Path) -> None:
    spool, control = Spool(open_file(tmp_path / "v.db")), Control()
    control.away = True
    for name in "abc":
        spool.add(reading(name))
    task = asyncio.create_task(deliver(spool, control, retry_seconds=0.001))
    async with asyncio.timeout(30):
        while control.asks < 5:
            await asyncio.sleep(0)
        control.away = False
        while spool.waiting:
            await asyncio.sleep(0)
    assert [one.id for one in control.taken] == ["a", "b", "c"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_disk_that_fails_for_a_while_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = open_file(tmp_path / "v.db")
    spool, control = Spool(file), Control()
    spool.add(reading("a"))
    failures = iter(range(3))
    original = file.execute

    def failing(sql: str, values: object = ()) -> list[tuple[object, ...]]:
        if sql.startswith(("SELECT number", "DELETE")) and next(failures, None) is not None:
            raise UnavailableError("not now", code="disk_failed")
        return original(sql, values)  # type: ignore[arg-type]

    monkeypatch.setattr(file, "execute", failing)
    await delivered(spool, control)
    assert {one.id for one in control.taken} == {"a"}


async def test_pictures_of_vehicles_do_not_stay_on_the_disk_once_control_has_them(tmp_path: Path) -> None:
    spool, control = Spool(open_file(tmp_path / "v.db")), Control()
    for number in range(40):
        spool.add(reading(str(number), b"of a vehicle" * 50_000))
    await delivered(spool, control)
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 1 << 20


def test_a_full_spool_gives_up_the_oldest_and_counts_them(tmp_path: Path) -> None:
    spool = Spool(open_file(tmp_path / "v.db"), max_bytes=10_000)
    for number in range(10):
        spool.add(reading(str(number), bytes(3000)))
    assert spool.waiting == 3
    assert spool.lost == 7
    found = spool.take(0.0)
    assert found is not None
    assert isinstance(found[1], VehicleRead)
    assert found[1].id == "7"


def test_a_disk_that_takes_nothing_is_told_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = open_file(tmp_path / "v.db")
    spool = Spool(file)
    spool.add(reading("a"))

    def full(sql: str, values: object = ()) -> list[tuple[object, ...]]:
        if sql.startswith("INSERT"):
            raise UnavailableError("disk full", code="disk_full")
        return original(sql, values)  # type: ignore[arg-type]

    original = file.execute
    monkeypatch.setattr(file, "execute", full)
    with pytest.raises(UnavailableError):
        spool.add(reading("b"))
    assert (spool.waiting, spool.lost) == (1, 1)


async def test_events_go_the_same_way_and_a_wrong_one_holds_up_nothing(tmp_path: Path) -> None:
    spool, control = Spool(open_file(tmp_path / "v.db")), Control()
    for channel in ("ch_wrong", "ch_1"):
        spool.add(Publish((Event(kind="decoder.died", subject=channel, at=1, seen=1),)))
    spool.add(reading("a"))
    await delivered(spool, control)
    assert [one.subject for one in control.events] == ["ch_1"]
    assert [one.id for one in control.taken] == ["a"]
