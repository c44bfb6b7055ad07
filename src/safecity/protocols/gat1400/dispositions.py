"""Dispositions: what a library above wants to be watched for, and the notifications that answer them (GA/T 1400.4,
7.2.18 and 7.2.19).

What it asks to withdraw is told apart with care. `OperateType` is 0 set, 1 withdraw in the text, and 1 set, 2 withdraw
in products; so a 1 withdraws only where the object is changed in its place (PUT), or says who removed it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, cast

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.objects import ViidObject, check_required, read_object
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.protocols.gat1400.subscriptions import declared_images
from safecity.protocols.gat1400.times import local_text, parse_time

_REMOVED: Final = (
    "DispositionRemoveTime",
    "DispositionRemovePerson",
    "DispositionRemoveOrg",
    "DispositionRemoveReason",
)
_VEHICLE: Final = "2"
"""`DispositionCategory` of a motor vehicle."""
_PLATE: Final = re.compile(r"(?=.*[0-9?*])\w?[A-Z?*][A-Z0-9?*]{2,8}\w?")
"""A plate or a pattern of one: at most ten signs, with a letter. An identity number, eighteen digits, is none."""


class DispositionStatus(IntEnum):
    """What becomes of one."""

    IN_FORCE = 0
    WITHDRAWN = 1
    EXPIRED = 2
    NOT_IN_FORCE = 9


@dataclass(frozen=True, kw_only=True, slots=True)
class Disposition:
    """`plate` is empty where something else than a vehicle is meant. `begin` and `end` are microseconds UTC.
    `receive_addr` is where the library wants to be told, `images` the kinds of pictures it wants then; None: all."""

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
    receive_addr: str = ""
    images: frozenset[str] | None = None


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
        receive_addr=of.text("ReceiveAddr", 500),
        images=declared_images(of),
    )


def write_wish(wish: Disposition) -> dict[str, Any]:
    """A Disposition with only what is needed to answer it; `read_disposition` reads it back."""
    fields = {
        "DispositionID": wish.id, "Title": wish.title, "EndTime": local_text(wish.end),
        "ReceiveAddr": wish.receive_addr,
    }  # fmt: skip
    if wish.images is not None:
        fields["ResultImageDeclare"] = ",".join(sorted(wish.images)) or "-1"
    return fields


def write_disposition(
    *, identity: str, title: str, plate: str, priority: int, applicant: tuple[str, str], begin: int, end: int,
    made: int, receive_addr: str, reason: str, case_number: str = "",
) -> dict[str, Any]:  # fmt: skip
    """A Disposition for one vehicle. `applicant`: person and organisation; times in microseconds UTC."""
    name, organisation = applicant
    fields: dict[str, Any] = {
        "DispositionID": identity,
        "Title": title,
        "DispositionCategory": _VEHICLE,
        "TargetFeature": plate,
        "PriorityLevel": priority,
        "ApplicantName": name,
        "ApplicantOrg": organisation,
        "BeginTime": local_text(begin),
        "EndTime": local_text(end),
        "CreatTime": local_text(made),
        "OperateType": 0,
        "DispositionStatus": 0,
        "ReceiveAddr": receive_addr,
        "Reason": reason,
    }
    if case_number:
        fields["CaseID"] = case_number
    check_required(BY_NAME["Disposition"], fields)
    return fields


def write_removal(fields: Mapping[str, Any], *, organisation: str, person: str, at: int, reason: str) -> dict[str, Any]:
    """The same Disposition, withdrawn: for a PUT in its place."""
    words = (local_text(at), person, organisation, reason)
    return {**fields, "OperateType": 1, "DispositionStatus": 1, **dict(zip(_REMOVED, words, strict=True))}


@dataclass(frozen=True, slots=True)
class Answered:
    """A DispositionNotification: `disposition` is the number it answers, `vehicle` what was met; None where it tells of
    something else."""

    disposition: str
    vehicle: ViidObject | None


def read_answered(of: ViidObject) -> Answered:
    """Whatever is in it; see `Answered`."""
    given = next((value for name, value in of.fields.items() if name.lower() == "motorvehicleobject"), None)
    if isinstance(given, list):
        items = cast("list[Any]", given)
        given = items[0] if len(items) == 1 else None
    try:
        vehicle = read_object(BY_NAME["MotorVehicle"], given) if given is not None else None
    except InvalidError:
        vehicle = None
    return Answered(clean_id(of.fields.get("DispositionID")), vehicle)


def write_hit(
    *, identity: str, disposition: str, title: str, vehicle: Mapping[str, Any], at: int
) -> dict[str, Any]:  # fmt: skip
    """One DispositionNotification: the vehicle that was met. `at`: when we knew, microseconds UTC."""
    fields = {
        "NotificationID": identity,
        "DispositionID": disposition,
        "Title": title,
        "TriggerTime": local_text(at),
        "CntObjectID": str(vehicle.get("MotorVehicleID", "")),
        "MotorVehicleObject": dict(vehicle),
    }
    check_required(BY_NAME["DispositionNotification"], fields)
    return fields


def _plate(text: str) -> str:
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text).upper() if sign.isalnum() or sign in "*?")
    return plain if _PLATE.fullmatch(plain) else ""
