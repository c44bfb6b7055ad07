"""Pairs of matched positions to times on the edges between them."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np

from safecity.roads.compiled import F32, F64, I32, I64, U8, compiled

DWELL_SECONDS: Final = 120.0
DWELL_MPS: Final = 1.0
"""Longer and slower than that between two positions: parked, a fare, a delivery. A jam moves on, if slowly."""
SILENT_SECONDS: Final = 300.0
"""Longer between two positions: whether it drove slowly or stood for most of it, and in which minute, is not known."""
FASTEST_MPS: Final = 70.0
FASTEST_SHARE: Final = 2.5
"""Of the free speed of the way: faster is an error of clock or place."""


class Last(NamedTuple):
    """Of each vehicle, [V]: its last matched edge (-1 none), place on it, time, and the edge it was counted on last."""

    edge: I32
    along: F64
    us: I64
    counted: I32


class Tally(NamedTuple):
    """Of each vehicle, [V], for who keeps several buckets: the one it was counted in last, and until when what it drove
    is counted. Empty: a vehicle is counted where it enters, and nothing is known to come twice."""

    bucket: I64
    until: I64


class Sums(NamedTuple):
    """By bucket of time and edge, [R, E]: share of the edge that was driven (summed), seconds per metre times it, their
    square times it, vehicles. bucket [R]: its number since 1970, or -1; pairs [R] that are in it. refused: as `REFUSED`
    names them."""

    share: F32
    pace: F32
    square: F32
    vehicles: I32
    bucket: I64
    pairs: I64
    refused: I64


REFUSED: Final = ("dwell", "too_fast", "too_late", "too_early", "repeated", "silent", "turned")
"""Why a pair was not counted. Early is what lies farther ahead than buckets can be open: a clock that is wrong."""
_DWELL, _TOO_FAST, _TOO_LATE, _TOO_EARLY, _REPEATED, _SILENT, _TURNED = 0, 1, 2, 3, 4, 5, 6


_NOBODY: Final = Tally(np.zeros(0, np.int64), np.zeros(0, np.int64))
_NO_TWINS: Final = np.zeros(0, np.int32)


def spread_pairs(
    lengths: F32, expected: F64, last: Last, sums: Sums, bucket_us: int, closed_before: int, vehicle: I32, us: I64,
    edge: I32, along: F32, flags: U8, path_start: I64, path: I32, twins: I32 = _NO_TWINS, tally: Tally = _NOBODY,
) -> None:  # fmt: skip
    """Add decided positions (`Matched`) to `sums`. The time between two of a vehicle is spread over the edges between
    them in proportion to `expected` [E], m/s. Buckets of numbers below `closed_before` are closed.

    `twins` [E], the other direction of each edge: where on an edge a vehicle turned round is not known, the matcher
    turns at its end, so that how far it drove is not known either; without them such a pair is counted."""
    _spread(
        lengths, expected, last, sums, bucket_us, closed_before, vehicle, us, edge, along, flags, path_start, path,
        twins, tally,
    )  # fmt: skip


@compiled
def _spread(
    lengths: F32, expected: F64, last: Last, sums: Sums, bucket_us: int, closed_before: int, vehicle: I32, us: I64,
    edge: I32, along: F32, flags: U8, path_start: I64, path: I32, twins: I32, tally: Tally,
) -> None:  # fmt: skip
    for n in range(len(vehicle)):
        one = vehicle[n]
        here, at, now = edge[n], float(along[n]), us[n]
        before, begun, then = last.edge[one], last.along[one], last.us[one]
        last.edge[one], last.along[one], last.us[one] = here, at, now
        first, end = path_start[n], path_start[n + 1]
        if here < 0 or before < 0 or flags[n] & 3 or now <= then:  # off the roads, a beginning, no way known
            continue
        if first == end and at <= begun:  # a little back is noise: what was driven is kept, and since when
            last.along[one], last.us[one] = begun, then
            continue
        metres = needed = 0.0
        turned = False
        if first == end:
            metres = at - begun
            needed = metres / expected[here]
        else:
            metres = lengths[before] - begun
            needed = metres / expected[before]
            for k in range(first, end):
                if len(twins) > 0 and twins[path[k]] == (path[k - 1] if k > first else before):
                    turned = True
                part = at if k == end - 1 else float(lengths[path[k]])
                metres += part
                needed += part / expected[path[k]]
        seconds = (now - then) * 1e-6
        if len(tally.until) > 0:
            ahead = tally.until[one] - now
            if 0 <= ahead < len(sums.bucket) * bucket_us:  # farther ahead it was a clock that was wrong
                sums.refused[_REPEATED] += 1
                continue
        if turned:
            sums.refused[_TURNED] += 1
            continue
        if metres < DWELL_MPS * seconds and seconds > DWELL_SECONDS:
            sums.refused[_DWELL] += 1
            continue
        if seconds > SILENT_SECONDS:
            sums.refused[_SILENT] += 1
            continue
        if metres > FASTEST_MPS * seconds or seconds * FASTEST_SHARE < needed:
            sums.refused[_TOO_FAST] += 1
            continue
        if metres <= 0.0 or needed <= 0.0:
            continue
        slot = _slot(sums, now // bucket_us, closed_before)
        if slot < 0:
            continue
        sums.pairs[slot] += 1
        if len(tally.until) > 0:
            tally.until[one] = now
            if tally.bucket[one] != now // bucket_us:
                tally.bucket[one], last.counted[one] = now // bucket_us, -1
        slower = seconds / needed
        if first == end:
            _add(sums, last, slot, one, here, metres / lengths[here], slower / expected[here])
        else:
            _add(sums, last, slot, one, before, (lengths[before] - begun) / lengths[before], slower / expected[before])
            for k in range(first, end):
                passed = path[k]
                share = at / lengths[passed] if k == end - 1 else 1.0
                _add(sums, last, slot, one, passed, share, slower / expected[passed])


@compiled
def _slot(sums: Sums, number: int, closed_before: int) -> int:
    """Where a bucket is kept; -1 when it is closed, or too far ahead.

    Before the first bucket is closed nobody knows the time. Then the earlier one of two that want one place has it: a
    clock that runs ahead must not keep the others from being counted."""
    count = len(sums.bucket)
    if number < max(closed_before, 0):
        sums.refused[_TOO_LATE] += 1
        return -1
    if closed_before > 0 and number >= closed_before + count:
        sums.refused[_TOO_EARLY] += 1
        return -1
    slot = number % count
    if sums.bucket[slot] == number:
        return slot
    if sums.bucket[slot] >= 0:
        if sums.bucket[slot] < number:
            sums.refused[_TOO_EARLY] += 1
            return -1
        sums.refused[_TOO_EARLY] += sums.pairs[slot]
        sums.share[slot], sums.pace[slot], sums.square[slot], sums.vehicles[slot] = 0.0, 0.0, 0.0, 0
    sums.bucket[slot], sums.pairs[slot] = number, 0
    return slot


@compiled
def _add(sums: Sums, last: Last, slot: int, vehicle: Any, edge: Any, share: Any, pace: Any) -> None:
    if share <= 0.0:
        return
    sums.share[slot, edge] += share
    sums.pace[slot, edge] += share * pace
    sums.square[slot, edge] += share * pace * pace
    if last.counted[vehicle] != edge:
        last.counted[vehicle] = edge
        sums.vehicles[slot, edge] += 1


def new_last(vehicles: int) -> Last:
    """Nothing is known of them."""
    return Last(
        np.full(vehicles, -1, np.int32),
        np.zeros(vehicles),
        np.zeros(vehicles, np.int64),
        np.full(vehicles, -1, np.int32),
    )


def new_tally(vehicles: int) -> Tally:
    """Nothing is counted of them."""
    return Tally(np.full(vehicles, -1, np.int64), np.full(vehicles, -1, np.int64))


def new_sums(buckets: int, edges: int) -> Sums:
    """Nothing is measured."""
    size = (buckets, edges)
    return Sums(
        np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(size, np.int32),
        np.full(buckets, -1, np.int64), np.zeros(buckets, np.int64), np.zeros(len(REFUSED), np.int64),
    )  # fmt: skip
