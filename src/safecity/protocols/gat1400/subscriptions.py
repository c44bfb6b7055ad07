"""Subscriptions and the notifications that answer them (GA/T 1400.4, 7.2.20 and 7.2.21)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any, Final, cast

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.codes import MAX_ID, clean_id
from safecity.protocols.gat1400.objects import ViidObject, check_required, read_object
from safecity.protocols.gat1400.pictures import sub_images
from safecity.protocols.gat1400.resources import BY_NAME, DETAILS, NOTIFIED
from safecity.protocols.gat1400.times import local_text, parse_time

MAX_URIS: Final = 1000
MAX_INTERVAL: Final = 3600
_CANCELLED: Final = ("SubscribeCancelOrg", "SubscribeCancelPerson", "CancelTime", "CancelReason")
"""Fields of who cancels; some send only these."""


class Operation(IntEnum):
    """`ExecuteOperation`."""

    ADD = 1
    CHANGE = 2
    DELETE = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """What somebody wants to be told. `details` are numbers of the standard; `uris` name tollgates, devices or areas
    by `resource_class` (0 tollgate, 1 device, 5 area), none, or 4 library: all that may be seen."""

    id: str
    title: str
    details: frozenset[int]
    resource_class: int | None
    uris: tuple[str, ...]
    receive_addr: str
    begin: int
    end: int
    interval_seconds: int
    images: frozenset[str] | None
    cancels: bool

    def wants(self, kind: str, *, device: str, tollgate: str, now: int) -> bool:
        """Whether an object of that kind, from there, is to be told now."""
        if not (self.begin <= now < self.end and self.details & frozenset(DETAILS.get(kind, ()))):
            return False
        if not self.uris:
            return True
        match self.resource_class:
            case 0:
                return tollgate in self.uris
            case 4:  # the library itself: whose it is was judged when somebody agreed
                return True
            case 5:
                return any(device.startswith(uri) or tollgate.startswith(uri) for uri in self.uris)
            case _:
                return device in self.uris or tollgate in self.uris


def read_subscription(of: ViidObject) -> Subscription:
    """InvalidError `viid_object` where nobody could tell what is wanted or where to."""
    numbers = re.split(r"[,;/\s]+", of.text("SubscribeDetail", 500))
    details = {int(part) for part in numbers if part.isascii() and part.isdigit()}
    addr = of.text("ReceiveAddr", 500)
    begin, end = parse_time(of.fields.get("BeginTime")), parse_time(of.fields.get("EndTime"))
    operation = of.text("OperateType")
    cancels = operation == "1" or (not operation and any(of.text(name) for name in _CANCELLED))
    if not cancels:
        for name, there in (("SubscribeDetail", details), ("ReceiveAddr", addr), ("EndTime", end)):
            if not there:
                raise InvalidError(
                    f"Subscribe: {name}", code="viid_object", params={"kind": "Subscribe", "field": name}
                )
    kind = of.number("ResourceClass", 0, 9)
    uris = [clean_id(part) for part in re.split("[,;]", str(of.fields.get("ResourceURI") or ""))]
    return Subscription(
        id=of.id,
        title=of.text("Title"),
        details=frozenset(details),
        resource_class=None if kind is None else int(kind),
        uris=tuple(uri for uri in uris if uri)[:MAX_URIS],
        receive_addr=addr,
        begin=begin or 0,
        end=end or 0,
        interval_seconds=int(of.number("ReportInterval", 0, MAX_INTERVAL) or 0),
        images=declared_images(of),
        cancels=cancels,
    )


def write_subscription(
    *, identity: str, title: str, details: Iterable[int], library: str, applicant: tuple[str, str], begin: int,
    end: int, receive_addr: str, interval_seconds: int, reason: str,
) -> dict[str, Any]:  # fmt: skip
    """A Subscribe to all that a library has of these kinds, pictures included. `applicant`: person and organisation;
    times in microseconds UTC."""
    name, organisation = applicant
    fields = {
        "SubscribeID": identity,
        "Title": title,
        "SubscribeDetail": ",".join(str(one) for one in sorted(details)),
        "ResourceClass": 4,
        "ResourceURI": library,
        "ApplicantName": name,
        "ApplicantOrg": organisation,
        "BeginTime": local_text(begin),
        "EndTime": local_text(end),
        "ReceiveAddr": receive_addr,
        "ReportInterval": interval_seconds,
        "Reason": reason,
        "OperateType": 0,
        "SubscribeStatus": 0,
    }
    check_required(BY_NAME["Subscribe"], fields)
    return fields


def write_cancellation(
    fields: Mapping[str, Any], *, organisation: str, person: str, at: int, reason: str
) -> dict[str, Any]:
    """The same Subscribe, cancelled: for a PUT in its place."""
    words = (organisation, person, local_text(at), reason)
    return {**fields, "OperateType": 1, "SubscribeStatus": 1, **dict(zip(_CANCELLED, words, strict=True))}


def declared_images(of: ViidObject) -> frozenset[str] | None:
    """Kinds of pictures that are wanted (`ResultImageDeclare`); None: all."""
    declared = of.text("ResultImageDeclare", 200)
    return frozenset() if declared == "-1" else frozenset(re.split("[,;]", declared)) if declared else None


def strip_images(fields: Mapping[str, Any], images: frozenset[str] | None) -> dict[str, Any]:
    """Without the pictures that were not asked for; None: all stay."""
    kept = dict(fields)
    if images is None or "SubImageList" not in kept:
        return kept
    chosen = [one for one in sub_images(kept) if str(one.get("Type", "")) in images]
    if chosen:
        kept["SubImageList"] = {"SubImageInfoObject": chosen}
    else:
        del kept["SubImageList"]
    return kept


def write_notification(
    *, identity: str, subscription: str, title: str, kind: str, objects: Sequence[Mapping[str, Any]], now: int,
    operation: Operation = Operation.ADD,
) -> dict[str, Any]:  # fmt: skip
    """One SubscribeNotification with objects of one kind."""
    key = BY_NAME[kind].key
    name = next(listed for listed, one in NOTIFIED.items() if one == kind)
    return {
        "NotificationID": identity,
        "SubscribeID": subscription,
        "Title": title,
        "TriggerTime": local_text(now),
        "InfoIDs": ",".join(str(one.get(key, "")) for one in objects),
        "ExecuteOperation": int(operation),
        name: {f"{kind}Object": list(objects)},
    }


def _told_apart(one: ViidObject) -> ViidObject:
    """Lanes are numbered within their tollgate: each has one with the number 1."""
    gate = clean_id(one.fields.get("TollgateID")) if one.resource.name == "Lane" else ""
    name = f"{gate}/{one.id}" if gate else one.id
    return one if name == one.id or len(name) > MAX_ID else replace(one, id=name)


def read_notified(of: ViidObject) -> tuple[Operation, list[ViidObject], int]:
    """The objects of a SubscribeNotification, whatever lists it has, and how many could not be read: each is read as if
    it came by itself."""
    number = of.number("ExecuteOperation", 1, 3)
    found: list[ViidObject] = []
    lost = 0
    for name, kind in NOTIFIED.items():
        value: Any = of.fields.get(name)
        if isinstance(value, dict):
            inner = cast("dict[str, Any]", value)
            value = next((inner[one] for one in (f"{kind}Object", f"{kind}ObjectList", kind) if one in inner), inner)
        if value is None:
            continue
        for one in cast("list[Any]", value) if isinstance(value, list) else [value]:
            try:
                found.append(_told_apart(read_object(BY_NAME[kind], one)))
            except InvalidError:
                lost += 1
    return Operation(int(number or 1)), found, lost
