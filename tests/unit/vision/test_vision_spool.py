"""Readings wait on the disk until control has them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from safecity.backends.sqlitefile import open_file
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.model.facts.media_calls import Done, Message
from safecity.model.facts.vision_calls import ShownPicture, VehicleRead
from safecity.vision.spool import Spool, deliver


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
        self.away = False
        self.refuses: set[str] = set()
        self.asked = asyncio.Event()

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        assert isinstance(message, VehicleRead)
        self.asked.set()
        if self.away:
            raise UnavailableError("away", code="duty_unreachable")
        if message.id in self.refuses:
            raise InvalidError("no such tollgate", code="reading_refused")
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
    assert spool.oldest() is None


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


def test_a_full_spool_gives_up_the_oldest_and_counts_them(tmp_path: Path) -> None:
    spool = Spool(open_file(tmp_path / "v.db"), max_bytes=10_000)
    for number in range(10):
        spool.add(reading(str(number), bytes(3000)))
    assert spool.waiting == 3
    assert spool.lost == 7
    found = spool.oldest()
    assert found is not None
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
