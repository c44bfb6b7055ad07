"""What the kernels remember: of each vehicle between calls, and of one search."""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

import numpy as np

from safecity.roads.compiled import F32, F64, I8, I16, I32, I64, U8
from safecity.roads.matching.settings import RING, STATES, TREE

SHAPES: Final = 8
ENTRIES: Final = 4096
"""Labels of one search; a search that needs more gives up what it has not found."""


class Verdict(IntEnum):
    """What became of a position that came in."""

    TAKEN = 0
    NEAR = 1  # passed over: nothing new
    NO_FIX = 2  # not finite, out of range, or the latitude 0 of who does not know it
    TIME_BACKWARDS = 3  # not later than the one before; the third in a row of a whole gap earlier begins a new trip
    JUMP = 4  # faster than anything drives
    UNKNOWN_VEHICLE = 5  # a number outside of the batch's vehicles


class StepFlag(IntFlag):
    """Bits of a decided position."""

    START = 1  # a trip begins here
    BROKEN = 2  # no way from the one before is known
    OFF_ROAD = 4


class Vehicles(NamedTuple):
    """V vehicles, R positions each in a ring, STATES states each; state 0 is off the road.

    edge, along, cost, parent, link [V, R, STATES]: edge or -1, metres from its start, cost so far, state of the
    position before (-1 none), entry of the tree that leads here (-1: along the same edge, -2: no way known, -3: from
    the end of the edge before).
    tree_edge, tree_up [V, R, TREE]: the last edge of a way, and the entry before it (-1: none).
    states, choice, us, lon, lat [V, R]: number of states, the one that is decided, time, place.
    heard, newest, waiting, decided, outliers [V]: time of the last position, place in the ring, positions not decided
    yet, state that was decided last (-1: none), positions in a row that were too far off, in place or in time.
    """

    edge: I32
    along: F32
    cost: F64
    parent: I8
    link: I16
    tree_edge: I32
    tree_up: I16
    states: I8
    choice: I8
    us: I64
    lon: F64
    lat: F64
    heard: I64
    newest: I32
    waiting: I32
    decided: I32
    outliers: I32


def new_vehicles(count: int, ring: int = RING) -> Vehicles:
    """`count` vehicles of which nothing is known yet; `ring` positions of each can wait."""
    by_state, by_tree, by_place = (count, ring, STATES), (count, ring, TREE), (count, ring)
    return Vehicles(
        edge=np.full(by_state, -1, np.int32),
        along=np.zeros(by_state, np.float32),
        cost=np.full(by_state, np.inf),
        parent=np.full(by_state, -1, np.int8),
        link=np.full(by_state, -1, np.int16),
        tree_edge=np.zeros(by_tree, np.int32),
        tree_up=np.zeros(by_tree, np.int16),
        states=np.zeros(by_place, np.int8),
        choice=np.zeros(by_place, np.int8),
        us=np.zeros(by_place, np.int64),
        lon=np.zeros(by_place),
        lat=np.zeros(by_place),
        heard=np.zeros(count, np.int64),
        newest=np.full(count, -1, np.int32),
        waiting=np.zeros(count, np.int32),
        decided=np.full(count, -1, np.int32),
        outliers=np.zeros(count, np.int32),
    )


class Search(NamedTuple):
    """Reused from search to search. `stamp`, `at` [N nodes]: the search that met a node last, and its label.

    node, edge, up, source, placed, label, way [ENTRIES]: node, edge it was reached by, label before it, state it comes
    from, place in the tree, cost as metres, metres driven. heap_key, heap_entry: a binary heap. run [2]: the number of
    the search, entries of the tree that are taken. shapes, gaps, alongs [SHAPES]: what is near.
    best, best_entry, begun, own [STATES]: cost of the best way as metres, its label, cost before it, cost of the state.
    """

    stamp: I32
    at: I32
    node: I32
    edge: I32
    up: I32
    source: I32
    placed: I32
    label: F64
    way: F64
    heap_key: F64
    heap_entry: I32
    run: I32
    shapes: I32
    gaps: F64
    alongs: F64
    best: F64
    best_entry: I32
    begun: F64
    own: F64


def new_search(nodes: int) -> Search:
    """For a network of so many nodes."""

    def numbers() -> I32:
        return np.zeros(ENTRIES, np.int32)

    return Search(
        stamp=np.zeros(nodes, np.int32),
        at=np.zeros(nodes, np.int32),
        node=numbers(),
        edge=numbers(),
        up=numbers(),
        source=numbers(),
        placed=numbers(),
        label=np.zeros(ENTRIES),
        way=np.zeros(ENTRIES),
        heap_key=np.zeros(ENTRIES + 1),
        heap_entry=np.zeros(ENTRIES + 1, np.int32),
        run=np.zeros(2, np.int32),
        shapes=np.zeros(SHAPES, np.int32),
        gaps=np.zeros(SHAPES),
        alongs=np.zeros(SHAPES),
        best=np.zeros(STATES),
        best_entry=np.zeros(STATES, np.int32),
        begun=np.zeros(STATES),
        own=np.zeros(STATES),
    )


class Output(NamedTuple):
    """Decided positions, room for as many as the arrays are long; `size` [2] says how many positions and path edges
    there are. `path_start` [n+1]."""

    vehicle: I32
    us: I64
    edge: I32
    along: F32
    flags: U8
    path_start: I64
    path: I32
    size: I64


def new_output(positions: int, edges: int) -> Output:
    """Room for so many positions, and edges of their ways."""
    return Output(
        np.empty(positions, np.int32), np.empty(positions, np.int64), np.empty(positions, np.int32),
        np.empty(positions, np.float32), np.empty(positions, np.uint8), np.zeros(positions + 1, np.int64),
        np.empty(edges, np.int32), np.zeros(2, np.int64),
    )  # fmt: skip
