"""Nodes at which nothing can be decided are taken out of a draft: the road goes on, its line has one more point.

Sources that make a node of every bend have five times as many nodes as junctions; every search pays for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from safecity.roads.network.arrays import EdgeFlag, RoadClass
from safecity.roads.network.draft import Draft


class Part(NamedTuple):
    """A row of the source within a joined row; `turned` when it runs the other way."""

    row: int
    turned: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """`parts[i]` are the rows of the source that row `i` of `draft` is made of, in its direction."""

    draft: Draft
    parts: list[list[Part]]


def join_chains(source: Draft) -> Joined:
    """Join rows that meet where nobody else does, and that agree in directions, class, limit and flags.

    Ends of turn rules stay nodes. A ring without any junction keeps one node, where it was first met.
    """
    at: list[list[int]] = [[] for _ in source.node_key]  # rows by node; a loop stands twice
    for row in range(source.rows):
        at[source.tail[row]].append(row)
        at[source.head[row]].append(row)
    fixed = {rule.via for rule in source.turns}
    named = {key for rule in source.turns for key in (rule.from_key, rule.to_key)}

    def passes(node: int) -> bool:
        """Whether the two rows that meet here are one road."""
        rows = at[node]
        if len(rows) != 2 or rows[0] == rows[1] or source.node_key[node] in fixed:
            return False
        one, other = rows
        if _looks(source, one) != _looks(source, other):
            return False
        keys = {source.key[one], source.key[other]}
        if len(keys) == 2 and keys & named:
            return False  # a joined row has one key: the rule must find it
        into = _directions(source, one, source.head[one] == node)
        out = _directions(source, other, source.tail[other] == node)
        return into == out

    through = [passes(node) for node in range(len(at))]
    draft, parts, seen = Draft(turns=list(source.turns)), list[list[Part]](), bytearray(source.rows)
    for node, key in enumerate(source.node_key):
        if not through[node]:
            draft.add_node(key, source.node_lon[node], source.node_lat[node])

    def walk(row: int, node: int) -> None:
        """From `node` along `row` to the next junction."""
        first, chain = node, list[Part]()
        while True:
            seen[row] = 1
            turned = source.tail[row] != node
            chain.append(Part(row, turned))
            node = source.tail[row] if turned else source.head[row]
            if not through[node] or node == first:
                break
            row = at[node][0] if at[node][1] == row else at[node][1]
        _join(source, draft, chain, first, node)
        parts.append(chain)

    for node, rows in enumerate(at):
        if not through[node]:
            for row in rows:
                if not seen[row]:
                    walk(row, node)
    for row in range(source.rows):  # rings
        if not seen[row]:
            node = source.tail[row]
            draft.add_node(source.node_key[node], source.node_lon[node], source.node_lat[node])
            walk(row, node)
    draft.dropped.update(source.dropped)
    return Joined(draft, parts)


def _looks(draft: Draft, row: int) -> tuple[int, int, int]:
    return draft.road_class[row], draft.limit[row], draft.flags[row]


def _directions(draft: Draft, row: int, along: bool) -> tuple[int, int]:
    pair = draft.forward[row], draft.backward[row]
    return pair if along else (pair[1], pair[0])


def _join(source: Draft, draft: Draft, chain: list[Part], first: int, last: int) -> None:
    points = list[tuple[float, float]]()
    for part in chain:
        line = source.line(part.row)
        points += (line[::-1] if part.turned else line)[1:]
    row, turned = chain[0]
    forward, backward = _directions(source, row, not turned)
    taken = draft.add_row(
        source.key[row], source.node_key[first], source.node_key[last], points[:-1],
        forward=bool(forward), backward=bool(backward), road_class=RoadClass(source.road_class[row]),
        limit=source.limit[row], flags=EdgeFlag(source.flags[row]),
    )  # fmt: skip
    assert taken, "its rows were taken one by one"
