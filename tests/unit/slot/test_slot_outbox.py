"""What a slot has to tell while nobody listens, for days: bounded, and nothing that matters is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from safecity.backends.sqlitefile import open_file
from safecity.kit.errors import UnavailableError
from safecity.media.slot import outbox as module
from safecity.media.slot import relay as relay_module
from safecity.media.slot.outbox import Outbox
from safecity.media.slot.relay import Relay
from safecity.model.facts.envelope import Event


def fact(kind: str, subject: str, at: int, **body: Any) -> Event:
    return Event(kind=kind, subject=subject, at=at, seen=at, body=body)


def flap(channel: str, at: int) -> Event:
    return fact("stream.lost" if at % 2 else "stream.recovered", channel, at, quality="main")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "media-0.db"


@pytest.fixture
def outbox(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
    monkeypatch.setattr(module, "CALM", 10)
    monkeypatch.setattr(module, "MAX_OUTBOX", 50)
    sql = open_file(path)
    yield Outbox(sql)
    sql.close()


def test_in_calm_times_every_fact_is_kept_in_order(outbox: Outbox) -> None:
    outbox.add([flap("ch_1", at) for at in range(8)])
    assert [event.at for _, event in outbox.waiting(100)] == list(range(8))
    outbox.sent(outbox.waiting(100)[2][0])
    assert [event.at for _, event in outbox.waiting(100)] == [3, 4, 5, 6, 7]
    assert outbox.size == 5


def test_a_week_of_flapping_cameras_costs_a_row_each_and_no_viewing_is_forgotten(outbox: Outbox) -> None:
    seen = []
    for at in range(300):
        outbox.add([flap(f"ch_{number}", at) for number in range(4)])
        if at % 15 == 0:
            seen.append(fact("viewing.ended", "ch_1", at, session=f"s{at}"))
            outbox.add(seen[-1:])
    assert outbox.size == len(outbox.waiting(1000)) <= 10 + 4 + len(seen)
    told = [event for _, event in outbox.waiting(1000)]
    assert [event for event in told if event.kind == "viewing.ended"] == seen
    for number in range(4):
        mine = [event for event in told if event.subject == f"ch_{number}" and event.kind.startswith("stream.")]
        assert mine[-1].at == 299, "the last state is there"
        assert sum(event.body.get("stands_for", 1) for event in mine) == 300, "and for how many it stands"
    assert outbox.dropped == 0


def test_the_two_qualities_of_a_channel_and_its_gaps_do_not_take_each_others_place(outbox: Outbox) -> None:
    outbox.add([fact("x.y", "s", at) for at in range(10)])
    kinds = [
        fact("stream.lost", "ch_1", 1, quality="main"),
        fact("stream.lost", "ch_1", 2, quality="sub"),
        fact("recording.gap_opened", "ch_1", 3, quality="main"),
        fact("volume.changed", "main", 4, state="full"),
    ]
    outbox.add(kinds)
    assert [event for _, event in outbox.waiting(100)][10:] == kinds


def test_when_even_that_is_too_much_states_go_before_what_somebody_did(outbox: Outbox) -> None:
    outbox.add([fact("stream.lost", f"ch_{number}", number, quality="main") for number in range(30)])
    outbox.add([fact("viewing.ended", "ch_1", number) for number in range(40)])
    told = [event for _, event in outbox.waiting(1000)]
    assert outbox.size == len(told) == 50
    assert sum(event.kind == "viewing.ended" for event in told) == 40
    assert [event.subject for event in told if event.kind == "stream.lost"] == [f"ch_{n}" for n in range(20, 30)]
    assert outbox.dropped == 20
    outbox.add([fact("viewing.ended", "ch_1", 40 + number) for number in range(30)])
    assert [event.at for _, event in outbox.waiting(1000)] == list(range(20, 70)), "then the oldest go"
    assert outbox.dropped == 20 + 10 + 20


def test_a_file_of_an_earlier_version_goes_on(path: Path) -> None:
    before = sqlite3.connect(path)
    before.execute("CREATE TABLE outbox (no INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL)")
    before.execute("INSERT INTO outbox (body) VALUES (?)", (msgspec.msgpack.encode(flap("ch_1", 1)),))
    before.commit()
    before.close()
    sql = open_file(path)
    outbox = Outbox(sql)
    outbox.add([flap("ch_1", 2)])
    assert [event.at for _, event in outbox.waiting(10)] == [1, 2]
    assert outbox.size == 2
    assert Outbox(sql).size == 2
    sql.close()


def test_which_streams_are_lost_is_known_in_the_next_life_too(outbox: Outbox, path: Path) -> None:
    outbox.add([flap("ch_1", 1), flap("ch_2", 1), flap("ch_2", 2), flap("ch_3", 2)])
    outbox.sent(100)
    again = Outbox(outbox._sql)
    assert again.lost() == [("ch_1", "main")]


def test_what_could_not_be_written_is_not_counted_as_waiting(
    outbox: Outbox, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise UnavailableError("database or disk is full", code="database_unavailable")

    outbox.add([flap("ch_1", 1)])
    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_make_room", fail)
        with pytest.raises(UnavailableError):
            outbox.add([flap("ch_1", 2), flap("ch_1", 3)])
    assert outbox.size == 1
    assert [event.at for _, event in outbox.waiting(10)] == [1]


class FullDisk:
    """Takes nothing."""

    size = 0
    dropped = 0

    def add(self, events: list[Event]) -> None:
        raise UnavailableError("database or disk is full", code="database_unavailable")


async def test_while_the_disk_takes_nothing_facts_wait_in_memory_and_what_is_lost_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay_module, "MAX_GATHERED", 5)
    disk: Any = FullDisk()
    nobody: Any = None
    relay = Relay(disk, nobody)
    for at in range(8):
        relay.add([flap("ch_1", at)])
    relay.flush()
    assert (relay.waiting, relay.dropped) == (5, 3)
    kept: list[Event] = []
    disk.add = kept.extend
    relay.flush()
    assert [event.at for event in kept] == [3, 4, 5, 6, 7]
