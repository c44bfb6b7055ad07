"""What leaves the platform: a ZIP with the pictures as they came and a manifest that says what they are.

Documented in docs/guide/violations.md; `manifest.json` carries the SHA-256 of every file and is signed, so that whoever
receives it can tell that nothing was changed. Pure but for the iterator that brings the pictures.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from typing import Any, Final

from safecity import __version__
from safecity.core.ground.packages.api import SIGNATURE
from safecity.core.upper.violations.decide import Evidence, Violation
from safecity.kit.clock import rfc3339
from safecity.kit.errors import UnavailableError

FORMAT: Final = "safecity-violations"
VERSION: Final = 1
_STATEMENT: Final = (
    "Times are UTC. clock_error_ms is the largest error of the time as stated by whoever measured it. Two persons "
    "reviewed each violation one after the other; nothing that was void is in a package."
)
Read = Callable[[str], AsyncIterator[bytes]]


def picture_path(one: Violation, number: int) -> str:
    """Where a picture lies in the package: names are ours, never a stranger's."""
    return f"{one.id}/{number}.{one.pictures[number].format}"


def manifest(violations: Sequence[Violation], *, name: str, by: str, at: int) -> dict[str, Any]:
    """What `manifest.json` says; see the guide."""
    return {
        "format": FORMAT, "version": VERSION, "software": f"safecity {__version__}", "name": name,
        "made_at": rfc3339(at), "made_by": by, "statement": _STATEMENT,
        "violations": [_said(one) for one in violations],
    }  # fmt: skip


def _said(one: Violation) -> dict[str, Any]:
    names = (
        "id", "code", "words", "plate", "plate_read", "plate_colour", "vehicle_class", "confidence", "tollgate",
        "channel", "lane", "place_name", "direction", "clock_error_ms", "light", "light_source", "speed_kmh",
        "speed_error_kmh", "limit_kmh", "certificate", "details", "origin", "reference",
    )  # fmt: skip
    return {
        "kind": str(one.kind), "at": rfc3339(one.at), **{name: getattr(one, name) for name in names},
        "first_review": {"by": one.first_name, "at": rfc3339(one.first_at or 0)},
        "second_review": {"by": one.second_name, "at": rfc3339(one.second_at or 0)},
        "pictures": [_picture(one, number) for number in range(len(one.pictures))],
    }  # fmt: skip


def _picture(one: Violation, number: int) -> dict[str, Any]:
    of = one.pictures[number]
    return {
        "file": picture_path(one, number), "sha256": of.sha256, "bytes": of.size, "kind": of.kind,
        "at": rfc3339(of.at), "width": of.width, "height": of.height, "light": of.light,
        "box": None if of.box is None else list(of.box),
    }  # fmt: skip


async def whole(read: Read, picture: Evidence) -> bytes:
    """UnavailableError `picture_changed` for one that is not what was kept."""
    data = b"".join([piece async for piece in read(picture.key)])
    if hashlib.sha256(data).hexdigest() != picture.sha256:
        raise UnavailableError("a picture is not what was kept", code="picture_changed")
    return data


def written(said: dict[str, Any]) -> bytes:
    """The bytes of `manifest.json`: those that are signed."""
    return json.dumps(said, ensure_ascii=False, indent=2, sort_keys=True).encode()


async def contents(
    read: Read, violations: Sequence[Violation], text: bytes, signature: bytes
) -> AsyncGenerator[tuple[str, bytes]]:
    """What is in the package: the manifest, its signature, and the pictures as they came."""
    yield "manifest.json", text
    yield SIGNATURE, signature
    for one in violations:
        for number, picture in enumerate(one.pictures):
            yield picture_path(one, number), await whole(read, picture)
