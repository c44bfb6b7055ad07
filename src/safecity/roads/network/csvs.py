"""Networks from CSV, gzipped or not, with the columns that OSMnx exports.

Nodes: `osmid, x, y`. Edges: `u, v`, and as far as they are known `osmid, highway, maxspeed, tunnel, bridge, junction`
and `wkt` or `geometry`.
"""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TextIO, cast

from safecity.kit.errors import InvalidError
from safecity.roads.network.arrays import EdgeFlag, RoadClass
from safecity.roads.network.draft import Draft
from safecity.roads.network.tags import flags_of, limit_of, road_class_of

MAX_FIELD: Final = 1_000_000
"""Characters of one field: a line of some 30,000 points."""
MAX_BYTES: Final = 4 << 30
"""Of text, unpacked."""


def draft_from_csv(nodes: Path, edges: Path) -> Draft:
    """Rows are directed; two that run against each other along the same line become one road with both directions.

    InvalidError `roads_csv` with `line` and `why` where it is no such file; rows that make no sense are counted in
    `Draft.dropped` (`number`, `line` for what is none or does not end at its nodes, and those of `Draft`).
    """
    draft = Draft()
    for row in _rows(nodes, ("osmid", "x", "y")):
        key, lon, lat = _whole(row["osmid"]), _number(row["x"]), _number(row["y"])
        if key is None:
            draft.dropped["number"] += 1
        else:
            draft.add_node(key, lon, lat)
    waiting = dict[tuple[int, int, tuple[tuple[float, float], ...]], int]()
    for row in _rows(edges, ("u", "v")):
        tail, head = _whole(row["u"]), _whole(row["v"])
        key = _whole(row.get("osmid", "0").strip("[] ").split(",")[0]) or 0
        if tail is None or head is None:
            draft.dropped["number"] += 1
            continue
        text = row.get("wkt") or row.get("geometry") or ""
        between = points_of(text) if text else ()
        if between is None or (between and not (draft.meets(tail, *between[0]) and draft.meets(head, *between[-1]))):
            draft.dropped["line"] += 1
            continue
        inner = tuple(between[1:-1])
        other = waiting.pop((head, tail, inner[::-1]), None)
        if other is not None:
            draft.backward[other] = 1
            continue
        kind, link = road_class_of(row.get("highway", ""))
        taken = draft.add_row(
            key, tail, head, inner, road_class=kind or RoadClass.UNKNOWN, limit=limit_of(row.get("maxspeed", "")),
            flags=flags_of(row) | (EdgeFlag.LINK if link else EdgeFlag(0)),
        )  # fmt: skip
        if taken and (tail != head or inner != inner[::-1]):
            waiting[tail, head, inner] = draft.rows - 1
    return draft


def points_of(wkt: str) -> list[tuple[float, float]] | None:
    """Of `LINESTRING(lon lat, ...)`; None for anything else."""
    name, bracket, rest = wkt.strip().partition("(")
    if name.strip().upper() != "LINESTRING" or not bracket or not rest.endswith(")"):
        return None
    points = list[tuple[float, float]]()
    for pair in rest[:-1].split(","):
        numbers = pair.split()
        if len(numbers) not in (2, 3):
            return None
        lon, lat = _number(numbers[0]), _number(numbers[1])
        if not (math.isfinite(lon) and math.isfinite(lat)):
            return None
        points.append((lon, lat))
    return points if len(points) >= 2 else None


def _rows(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    with _opened(path) as file:
        csv.field_size_limit(MAX_FIELD)
        reader = csv.DictReader(_bounded(file), restkey="", restval="")
        try:
            missing = [name for name in needed if name not in (reader.fieldnames or ())]
            if missing:
                raise _bad(1, f"no column {', '.join(missing)}")
            for row in reader:
                row.pop("", None)
                yield row
        except (csv.Error, UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
            raise _bad(reader.line_num, str(error)) from error


@contextmanager
def _opened(path: Path) -> Generator[TextIO]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    with (
        gzip.open(path, "rt", encoding="utf-8", newline="")
        if packed
        else path.open(encoding="utf-8", newline="") as file
    ):
        yield cast(TextIO, file)


def _bounded(file: TextIO) -> Iterator[str]:
    """Lines, until there is more of them than a country has."""
    taken = 0
    while line := file.readline(MAX_FIELD * 4):
        taken += len(line)
        if taken > MAX_BYTES:
            raise _bad(0, "too large")
        yield line


def _whole(text: str) -> int | None:
    text = text.strip()
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _bad(line: int, why: str) -> InvalidError:
    return InvalidError(f"roads, line {line}: {why}", code="roads_csv", params={"line": line, "why": why})
