"""One object as it came: every field kept, but those that say what a person believes or descends from.

The reader is liberal: the identifier must be there, everything else may be missing, misspelt or of a wrong type. What
it does not know it keeps untouched, so that a round trip loses nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.codes import IdKind, clean_id, kind_of
from safecity.protocols.gat1400.resources import NOTIFIED, Resource
from safecity.protocols.gat1400.times import parse_time

MAX_DEPTH: Final = 12
MAX_FIELDS: Final = 500
"""Fields of one object, those of its parts included."""
MAX_TEXT: Final = 20_000
"""Characters of one text that is no picture."""
_ETHNIC = re.compile(r"ethni|(^|_)nation(code|name)?$|minzu|relig|belief|faith|creed", re.IGNORECASE)
_ETHNIC_TYPO = re.compile(r"ethiccode|^ethic", re.IGNORECASE)  # the standard's own spelling
_SECRET = frozenset({"password", "passwd", "pwd"})
_CODED = frozenset({"data", "featuredata", "imagedata"})
"""Texts that may be long: base64."""


@dataclass(frozen=True, slots=True)
class ViidObject:
    """`fields` as they came, cleaned; `dropped` names what was left at the door."""

    resource: Resource
    id: str
    fields: Mapping[str, Any]
    dropped: tuple[str, ...] = field(default=())

    @property
    def regular(self) -> bool:
        """Whether its identifier has a form of the standard; many devices send UUIDs or short numbers."""
        return kind_of(self.id) is not IdKind.IRREGULAR

    def text(self, name: str, limit: int = 200) -> str:
        """A field as one line, empty where it is missing."""
        value = self.fields.get(name)
        if value is None or isinstance(value, bool | dict | list):
            return ""
        return "".join(
            letter if letter.isprintable() else " " for letter in " ".join(str(value).split())[:limit]
        ).strip()

    def number(self, name: str, low: float = -1e12, high: float = 1e12) -> float | None:
        """A field as a number in [low, high], texts of digits too; None for anything else."""
        value = self.fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            number = float(value)
        except ValueError:
            return None
        return number if low <= number <= high else None

    def time(self) -> int | None:
        """When it happened, microseconds UTC, as far as it says."""
        found = (parse_time(self.fields.get(name)) for name in self.resource.times)
        return next((us for us in found if us is not None), None)

    def device(self) -> str:
        """Who took it."""
        return clean_id(self.fields.get("DeviceID")) or clean_id(self.fields.get("ApeID"))


def read_object(resource: Resource, raw: object) -> ViidObject:
    """InvalidError `viid_object` with the field that is wrong."""
    if not isinstance(raw, dict):
        raise _bad(resource, resource.name)
    given = cast("dict[str, Any]", raw)
    key = next((name for name in given if name.lower() == resource.key.lower()), None)
    identity = clean_id(given[key]) if key is not None else ""
    if not identity:
        raise _bad(resource, resource.key)
    dropped: list[str] = []
    room = [MAX_FIELDS]
    fields = _clean(resource, given, dropped, room, 1)
    if key is not None and key != resource.key:
        fields[resource.key] = fields.pop(key)
    return ViidObject(resource, identity, fields, tuple(dropped))


def forbidden(name: str) -> bool:
    """Whether a field of that name is never taken in: ethnicity and religion (a nationality is none), and passwords."""
    lowered = name.strip().lower()
    return lowered in _SECRET or bool(_ETHNIC.search(lowered) or _ETHNIC_TYPO.search(lowered))


def check_required(resource: Resource, fields: Mapping[str, Any]) -> None:
    """For what we write ourselves: InvalidError `viid_object` names the first field that is missing."""
    for name in resource.required:
        if fields.get(name) in (None, ""):
            raise _bad(resource, name)


def _clean(
    resource: Resource, given: dict[str, Any], dropped: list[str], room: list[int], depth: int
) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise _bad(resource, "depth")
    kept: dict[str, Any] = {}
    for name, value in given.items():
        room[0] -= 1
        if room[0] < 0 or len(name) > 100:
            raise _bad(resource, name[:40])
        if forbidden(name):
            dropped.append(name)
        elif depth == 1 and resource.name == "SubscribeNotification" and name in NOTIFIED:
            # What a notification carries has limits of its own, each object for itself: see `read_notified`.
            kept[name] = value
        else:
            kept[name] = _value(resource, name, value, dropped, room, depth)
    return kept


def _value(resource: Resource, name: str, value: Any, dropped: list[str], room: list[int], depth: int) -> Any:
    if isinstance(value, dict):
        return _clean(resource, cast("dict[str, Any]", value), dropped, room, depth + 1)
    if isinstance(value, list):
        if depth >= MAX_DEPTH:
            raise _bad(resource, "depth")
        items = cast("list[Any]", value)
        room[0] -= len(items)
        if room[0] < 0:
            raise _bad(resource, name)
        return [_value(resource, name, item, dropped, room, depth + 1) for item in items]
    if isinstance(value, str) and len(value) > MAX_TEXT and name.lower() not in _CODED:
        raise _bad(resource, name)
    return value


def _bad(resource: Resource, name: str) -> InvalidError:
    return InvalidError(
        f"{resource.name}: {name[:40]!r} is missing or wrong", code="viid_object",
        params={"kind": resource.name, "field": name[:40]},
    )  # fmt: skip
