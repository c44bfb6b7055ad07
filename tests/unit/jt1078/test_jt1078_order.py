"""Datagrams of a terminal in the order in which it sent them, whatever the network did to them."""

from __future__ import annotations

import random

import pytest

from safecity.protocols.jt1078.order import HELD_SECONDS, MAX_HELD, PacketOrder
from safecity.protocols.jt1078.packets import Kind, MediaPacket, Piece


def packet(sequence: int, kind: Kind = Kind.P_FRAME) -> MediaPacket:
    return MediaPacket(
        phone="1", channel=1, kind=kind, piece=Piece.WHOLE, payload_type=98, sequence=sequence & 0xFFFF,
        payload=b"", timestamp_ms=0,
    )  # fmt: skip


def numbers(packets: list[MediaPacket]) -> list[int]:
    return [one.sequence for one in packets]


def test_nothing_is_held_where_nothing_is_missing() -> None:
    order = PacketOrder()
    for at in range(65_530, 65_550):
        assert numbers(order.add(packet(at), 0.0)) == [at & 0xFFFF]


def test_what_was_overtaken_is_put_back_and_what_came_twice_is_left_out() -> None:
    order = PacketOrder()
    came = [0, 2, 1, 1, 4, 4, 3, 2, 5]
    assert [one for at in came for one in numbers(order.add(packet(at), 0.0))] == [0, 1, 2, 3, 4, 5]
    assert order.late == 2


@pytest.mark.parametrize("own_count", [False, True])
def test_sound_and_pictures_are_counted_together_by_some_and_apart_by_others(own_count: bool) -> None:
    kinds = [Kind.AUDIO if at % 3 == 2 else Kind.P_FRAME for at in range(300)]
    counted = {Kind.AUDIO: 40_000, Kind.P_FRAME: 100}
    sent: list[MediaPacket] = []
    for at, kind in enumerate(kinds):
        sent.append(packet(counted[kind] if own_count else at, kind))
        counted[kind] += 1
    came, chance = list(sent), random.Random(7)
    for at in range(3, 299, 2):
        if chance.random() < 0.3:
            came[at], came[at + 1] = came[at + 1], came[at]
    order = PacketOrder()
    found = [one for each in came for one in order.add(each, 0.0)]
    for kind in (Kind.AUDIO, Kind.P_FRAME):
        assert [one for one in found if one.kind == kind] == [one for one in sent if one.kind == kind]


def test_what_is_lost_is_waited_for_so_long_and_no_longer() -> None:
    order = PacketOrder()
    order.add(packet(0), 0.0)
    assert order.add(packet(2), 1.0) == []
    assert order.add(packet(3), 1.0 + HELD_SECONDS / 2) == []
    assert numbers(order.add(packet(4), 1.0 + HELD_SECONDS)) == [2, 3, 4]
    assert order.add(packet(1), 1.2) == [], "it comes too late"


def test_a_fast_stream_holds_only_so_much() -> None:
    order = PacketOrder()
    order.add(packet(0), 0.0)
    found = [one for at in range(2, 2 + 2 * MAX_HELD) for one in numbers(order.add(packet(at), 0.0))]
    assert found == list(range(2, 2 + 2 * MAX_HELD))
