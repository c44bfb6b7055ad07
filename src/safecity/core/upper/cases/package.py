"""What leaves of a case: a table of all that lies in it, and a signed ZIP of table, pictures and manifest.

Documented in docs/guide/cases.md. Video leaves as exported evidence (docs/guide/playback.md): the manifest names the
stretches, each with its camera.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Any, Final

from safecity import __version__
from safecity.core.ground.packages.api import SIGNATURE
from safecity.core.upper.cases.decide import Case, CasePicture, Entry, EntrySeen, Result
from safecity.kit.clock import rfc3339
from safecity.kit.csvtext import BOM, line
from safecity.kit.errors import UnavailableError

FORMAT: Final = "safecity-case"
VERSION: Final = 1
TABLE: Final = "results.csv"
_STATEMENT: Final = (
    "Times are UTC. A search was asked again by the platform when it was put into the case: `looked` says what it "
    "looked at then. Pictures are copies made at that time. What the exporting person has no right to, and what a "
    "review found void, is left out and counted in `withheld`. Video is not in this package: it leaves as exported "
    "evidence."
)
COLUMNS: Final = (
    "at", "until", "kind", "plate", "place", "longitude", "latitude", "lane", "speed_kmh", "direction", "offence",
    "code", "finding", "with", "seconds", "km", "kmh", "words", "pictures", "held", "entry", "added_at",
    "added_by", "source",
)  # fmt: skip
Read = Callable[[str], AsyncIterator[bytes]]


def picture_path(one: Result, number: int) -> str:
    """Where a picture lies in the package: names are ours, never a stranger's."""
    return f"{one.id}/{number}.{one.pictures[number].format}"


def table(seen: Sequence[EntrySeen]) -> str:
    """One row for each result, and for an entry that has none; in the order they were put in."""
    rows = [line(COLUMNS)]
    for each in seen:
        for result in each.results or [None]:
            said = _row(each.entry, result)
            rows.append(line(said.get(name) for name in COLUMNS))
    return BOM + "".join(rows)


def _row(entry: Entry, one: Result | None) -> dict[str, Any]:
    added = {"entry": str(entry.kind), "added_at": rfc3339(entry.at), "added_by": entry.by_name, "words": entry.words}
    if one is None:
        return {**added, "at": rfc3339(entry.at), "kind": str(entry.kind)}
    return {
        **added, **one.details, "at": rfc3339(one.at), "until": None if one.until is None else rfc3339(one.until),
        "kind": str(one.kind), "plate": one.plate, "place": one.place_name, "longitude": one.longitude,
        "latitude": one.latitude, "pictures": len(one.pictures), "held": one.hold is not None, "source": one.source,
    }  # fmt: skip


def manifest(one: Case, seen: Sequence[EntrySeen], rows: bytes, *, name: str, by: str, at: int) -> dict[str, Any]:
    """What `manifest.json` says; see the guide."""
    pictures = [
        {"file": picture_path(result, number), "sha256": picture.sha256, "bytes": picture.size}
        for each in seen
        for result in each.results
        for number, picture in enumerate(result.pictures)
    ]
    return {
        "format": FORMAT, "version": VERSION, "software": f"safecity {__version__}", "name": name,
        "made_at": rfc3339(at), "made_by": by, "statement": _STATEMENT,
        "case": {
            "id": one.id, "number": one.number, "title": one.title, "purpose": one.purpose, "ground": one.ground,
            "state": str(one.state), "owner": one.owner_name, "opened_at": rfc3339(one.opened_at),
            "closed_at": None if one.closed_at is None else rfc3339(one.closed_at),
        },
        "files": [{"file": TABLE, "sha256": hashlib.sha256(rows).hexdigest(), "bytes": len(rows)}, *pictures],
        "entries": [_said(each) for each in seen],
    }  # fmt: skip


def _said(each: EntrySeen) -> dict[str, Any]:
    entry = each.entry
    return {
        "id": entry.id, "kind": str(entry.kind), "stock": entry.stock, "question": entry.question,
        "looked": entry.looked, "words": entry.words, "added_by": entry.by_name, "added_at": rfc3339(entry.at),
        "withheld": each.withheld, "results": [_result(one) for one in each.results],
    }  # fmt: skip


def _result(one: Result) -> dict[str, Any]:
    return {
        "id": one.id, "kind": str(one.kind), "source": one.source, "at": rfc3339(one.at),
        "until": None if one.until is None else rfc3339(one.until), "plate": one.plate, "place": one.place_name,
        "channel": one.channel, "tollgate": one.tollgate, "longitude": one.longitude, "latitude": one.latitude,
        "details": one.details, "pictures": [picture_path(one, number) for number in range(len(one.pictures))],
    }  # fmt: skip


def written(said: dict[str, Any]) -> bytes:
    """The bytes of `manifest.json`: those that are signed."""
    return json.dumps(said, ensure_ascii=False, indent=2, sort_keys=True).encode()


async def whole(read: Read, picture: CasePicture) -> bytes:
    """UnavailableError `picture_changed` for one that is not what was kept."""
    data = b"".join([piece async for piece in read(picture.key)])
    if hashlib.sha256(data).hexdigest() != picture.sha256:
        raise UnavailableError("a picture is not what was kept", code="picture_changed")
    return data


async def contents(
    read: Read, seen: Sequence[EntrySeen], rows: bytes, text: bytes, signature: bytes
) -> AsyncGenerator[tuple[str, bytes]]:
    """What is in the package."""
    yield "manifest.json", text
    yield SIGNATURE, signature
    yield TABLE, rows
    for each in seen:
        for one in each.results:
            for number, picture in enumerate(one.pictures):
                yield picture_path(one, number), await whole(read, picture)
