"""Query strings of lists: paging, and filters against a fixed list of fields and operators; never text for SQL."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.resources import Resource
from safecity.protocols.gat1400.times import parse_time

MAX_PAGE: Final = 100
MAX_START: Final = 1_000_000
MAX_IDS: Final = 1000
_KEY = re.compile(r"(?:([A-Za-z]{1,40})\.)?([A-Za-z0-9]{1,40})(>=|<=|>|<|!)?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Query:
    """`start` counts from 0 here; times in microseconds UTC, [since, until)."""

    start: int = 0
    count: int = MAX_PAGE
    ids: tuple[str, ...] = ()
    device: str = ""
    tollgate: str = ""
    plate: str = ""
    since: int | None = None
    until: int | None = None


def read_ids(pairs: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """`IDList=a,b,c` of a DELETE, in either spelling. InvalidError `viid_query` when there is none or too many."""
    for name, value in pairs:
        if name.lower() == "idlist":
            ids = tuple(dict.fromkeys(one for one in map(clean_id, re.split("[,;]", value)) if one))
            if 0 < len(ids) <= MAX_IDS:
                return ids
    raise InvalidError("no IDList", code="viid_query", params={"field": "IDList"})


def read_query(resource: Resource, pairs: Iterable[tuple[str, str]]) -> Query:
    """InvalidError `viid_query` names the key that is not understood: a filter that is passed over would show too much.

    Keys may carry the object's name and an operator (`MotorVehicle.PassTime>=20260101000000`): a comparison arrives
    as the key `PassTime>` with the value after the sign of equality.
    """
    values: dict[str, object] = {}
    vehicles = resource.name == "MotorVehicle"
    for name, value in pairs:
        match = _KEY.fullmatch(name)
        if match is None or (match[1] and match[1].lower() != resource.name.lower()):
            raise _bad(name)
        field, operator = match[2].lower(), match[3] or ""
        if field in ("recordstartno", "pagerecordnum"):
            if not (value.isascii() and value.isdigit() and len(value) <= 7):
                raise _bad(name)
            key, low, high = ("start", 1, MAX_START) if field == "recordstartno" else ("count", 1, 10_000_000)
            number = int(value)
            if not low <= number <= high or operator:
                raise _bad(name)
            values[key] = number - 1 if key == "start" else min(number, MAX_PAGE)
        elif field in (time.lower() for time in resource.times):
            moment = parse_time(value)
            if moment is None:
                raise _bad(name)
            if operator.startswith(">"):
                values["since"] = moment
            elif operator.startswith("<"):
                values["until"] = moment + 1_000_000
            elif not operator:
                values |= {"since": moment, "until": moment + 1_000_000}
            else:
                raise _bad(name)
        elif not operator and field in (resource.key.lower(), "idlist"):
            values["ids"] = tuple(one for one in map(clean_id, re.split("[,;]", value)) if one)[:MAX_IDS] or ("",)
        elif not operator and (field in ("deviceid", "apeid", "tollgateid") or (field == "plateno" and vehicles)):
            key = {"tollgateid": "tollgate", "plateno": "plate"}.get(field, "device")
            values[key] = value.strip()[:64]
        else:
            raise _bad(name)
    return Query(**values)  # pyright: ignore[reportArgumentType]


def _bad(name: str) -> InvalidError:
    return InvalidError(f"{name[:40]!r} is no filter here", code="viid_query", params={"field": name[:40]})
