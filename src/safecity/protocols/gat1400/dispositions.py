"""Dispositions: what a library above wants to be watched for (GA/T 1400.4, 7.2.18).

What it asks to withdraw is told apart with care. `OperateType` is 0 set, 1 withdraw in the text, and 1 set, 2 withdraw
in products; so a 1 withdraws only where the object is changed in its place (PUT), or says who removed it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.times import parse_time

_REMOVED: Final = (
    "DispositionRemoveTime",
    "DispositionRemovePerson",
    "DispositionRemoveOrg",
    "DispositionRemoveReason",
)
_PLATE: Final = re.compile(r"(?=.*[0-9?*])\w?[A-Z?*][A-Z0-9?*]{2,8}\w?")
"""A plate or a pattern of one: at most ten signs, with a letter. An identity number, eighteen digits, is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Disposition:
    """`plate` is empty where something else than a vehicle is meant. `begin` and `end` are microseconds UTC."""

    id: str
    title: str
    plate: str
    priority: int
    applicant: str
    reason: str
    case_number: str
    begin: int
    end: int
    withdraws: bool
    removal: str


def read_disposition(of: ViidObject, *, changed_in_place: bool = False) -> Disposition:
    """InvalidError `viid_object` where nobody could tell until when it counts."""
    kind = of.text("OperateType")
    removed = any(of.text(name) for name in _REMOVED)
    withdraws = kind == "2" or removed or (kind == "1" and changed_in_place)
    begin, end = parse_time(of.fields.get("BeginTime")), parse_time(of.fields.get("EndTime"))
    if end is None and not withdraws:
        raise InvalidError(
            "Disposition: EndTime", code="viid_object", params={"kind": "Disposition", "field": "EndTime"}
        )
    priority = of.number("PriorityLevel", 1, 4)
    who = (of.text("ApplicantName"), of.text("ApplicantOrg"))
    return Disposition(
        id=of.id,
        title=of.text("Title"),
        plate=_plate(of.text("TargetFeature", 60)),
        priority=3 if priority is None else int(priority),
        applicant=" ".join(part for part in who if part),
        reason=of.text("Reason", 500),
        case_number=of.text("CaseID", 100),
        begin=begin or 0,
        end=end or 0,
        withdraws=withdraws,
        removal=" ".join(text for name in _REMOVED[1:] if (text := of.text(name))),
    )


def _plate(text: str) -> str:
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum() or sign in "*?")
    return plain if _PLATE.fullmatch(plain) else ""
