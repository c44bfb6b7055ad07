"""What the matcher remembers of one vehicle, as bytes: taken out after each batch and put back before the next.

Only what can still matter is kept: the positions that wait for their decision, with their states and the ways that lead
to them. Decided ones are never looked at again.
"""

from __future__ import annotations

import struct
from typing import Final

import numpy as np

from safecity.kit.errors import InvalidError
from safecity.roads.conditions.spread import Last
from safecity.roads.matching.settings import RING, STATES, TREE
from safecity.roads.matching.state import Vehicles

_HEAD: Final = struct.Struct("<BBHbiqidqi")
"""Positions, states, entries of a way, choice decided last, outliers, heard at; last edge, along, at, counted on."""
_UNUSED: Final = -9
"""Marks entries of a way that nobody wrote; links are -4 and above."""
_BY_STATE: Final = ("edge", "along", "cost", "parent", "link")
_BY_PLACE: Final = ("us", "lon", "lat", "states")


def clear(vehicles: Vehicles, last: Last, number: int) -> None:
    """As a vehicle that was never heard of."""
    vehicles.tree_up[number] = _UNUSED
    vehicles.heard[number], vehicles.newest[number], vehicles.waiting[number] = 0, -1, 0
    vehicles.decided[number], vehicles.outliers[number] = -1, 0
    last.edge[number], last.along[number], last.us[number], last.counted[number] = -1, 0.0, 0, -1


def taken(vehicles: Vehicles, last: Last, number: int) -> bytes:
    """What must be remembered of it."""
    v, waiting = vehicles, int(vehicles.waiting[number])
    ring = v.us.shape[1]
    slots = (int(v.newest[number]) - np.arange(waiting)[::-1]) % ring
    states = int(v.states[number, slots].max()) if waiting else 0
    used = (v.tree_up[number, slots] != _UNUSED).any(axis=0) if waiting else np.zeros(0, bool)
    tree = int(np.flatnonzero(used)[-1]) + 1 if used.any() else 0
    head = _HEAD.pack(
        waiting, states, tree, int(v.decided[number]), int(v.outliers[number]), int(v.heard[number]),
        int(last.edge[number]), float(last.along[number]), int(last.us[number]), int(last.counted[number]),
    )  # fmt: skip
    parts = [getattr(v, name)[number, slots].tobytes() for name in _BY_PLACE]
    parts += [np.ascontiguousarray(getattr(v, name)[number, slots, :states]).tobytes() for name in _BY_STATE]
    parts += [np.ascontiguousarray(one[number, slots, :tree]).tobytes() for one in (v.tree_edge, v.tree_up)]
    return b"".join((head, *parts))


def put_back(vehicles: Vehicles, last: Last, number: int, memory: bytes) -> None:
    """As it was when `taken`. InvalidError `vehicle_memory` for what is no such memory."""
    v = vehicles
    clear(v, last, number)
    if len(memory) < _HEAD.size:
        raise _bad()
    waiting, states, tree, decided, outliers, heard, edge, along, us, counted = _HEAD.unpack_from(memory)
    if waiting > min(RING, v.us.shape[1]) or states > STATES or tree > TREE:
        raise _bad()
    at = _HEAD.size
    try:
        for name in _BY_PLACE:
            at = _read(getattr(v, name)[number, :waiting], memory, at)
        for name in _BY_STATE:
            at = _read(getattr(v, name)[number, :waiting, :states], memory, at)
        for one in (v.tree_edge, v.tree_up):
            at = _read(one[number, :waiting, :tree], memory, at)
    except ValueError as error:
        raise _bad() from error
    v.newest[number], v.waiting[number], v.decided[number] = waiting - 1, waiting, decided
    v.outliers[number], v.heard[number] = outliers, heard
    last.edge[number], last.along[number], last.us[number], last.counted[number] = edge, along, us, counted


def _read(room: np.ndarray, memory: bytes, at: int) -> int:
    values = np.frombuffer(memory, room.dtype, room.size, at)
    room[...] = values.reshape(room.shape)
    return at + values.nbytes


def _bad() -> InvalidError:
    return InvalidError("not what a matcher remembers", code="vehicle_memory")
