"""JSON bodies: every wrapping that is seen in the field is read, one is written (GA/T 1400.4, chapter 8)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, cast

import orjson

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.objects import ViidObject, read_object
from safecity.protocols.gat1400.resources import Resource
from safecity.protocols.gat1400.times import local_text
from safecity.protocols.gat1400.xmlform import read_form

CONTENT_TYPE: Final = "application/VIID+JSON;charset=UTF-8"
MAX_OBJECTS: Final = 10_000
"""Objects in one request."""

_NUMBER = re.compile("[0-9]{1,9}")


class StatusCode(IntEnum):
    """Table of the standard; 0 to 6 are as in the vendor interface it comes from."""

    OK = 0
    OTHER = 1
    BUSY = 2
    DEVICE_ERROR = 3
    INVALID_OPERATION = 4
    XML_FORMAT = 5
    XML_CONTENT = 6
    JSON_FORMAT = 7
    JSON_CONTENT = 8
    REBOOTING = 9


@dataclass(frozen=True, slots=True)
class Status:
    """What came of one object."""

    url: str
    code: StatusCode = StatusCode.OK
    text: str = "OK"
    id: str = ""

    def fields(self, now: int) -> dict[str, Any]:
        """As the standard spells them."""
        values: dict[str, Any] = {
            "RequestURL": self.url,
            "StatusCode": int(self.code),
            "StatusString": self.text,
            "LocalTime": local_text(now),
        }
        return {"Id": self.id, **values} if self.id else values


@dataclass(frozen=True, slots=True)
class Refused:
    """An object of a batch that could not be read; the others stand."""

    id: str
    field: str


def media_type_fits(header: str) -> bool:
    """What a client calls its JSON, or its XML, differs from vendor to vendor."""
    kind = _kind(header)
    return not kind or kind.endswith(("json", "xml"))


def read_body(header: str, data: bytes) -> Any:
    """By its media type: what the JSON form holds. InvalidError `viid_json`, `xml_...`."""
    return read_form(data) if _kind(header).endswith("xml") else read_json(data)


def _kind(header: str) -> str:
    return header.partition(";")[0].strip().lower()


def read_json(data: bytes, charset: str = "") -> Any:
    """InvalidError `viid_json`. Bytes that are not UTF-8 are taken for GB18030, as some devices write."""
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            try:
                return orjson.loads(data.decode("gb18030").encode())
            except ValueError:
                pass
        raise InvalidError("not JSON", code="viid_json") from error


def write_json(value: Mapping[str, Any]) -> bytes:
    """Compact UTF-8."""
    return orjson.dumps(value)


def read_list(resource: Resource, body: Any) -> list[ViidObject | Refused]:
    """The objects of a request. InvalidError `viid_content` when nothing of the kind is in it, `viid_too_many` above
    `MAX_OBJECTS`."""
    found = _find(resource, body, 4)
    if found is None:
        raise InvalidError(f"no {resource.name} in it", code="viid_content", params={"kind": resource.name})
    if len(found) > MAX_OBJECTS:
        raise InvalidError("too many objects", code="viid_too_many", params={"limit": MAX_OBJECTS})
    objects: list[ViidObject | Refused] = []
    for raw in found:
        try:
            objects.append(read_object(resource, raw))
        except InvalidError as error:
            identity = clean_id(cast("dict[str, Any]", raw).get(resource.key)) if isinstance(raw, dict) else ""
            objects.append(Refused(identity, str(error.params.get("field", ""))))
    return objects


def _find(resource: Resource, value: Any, depth: int) -> list[Any] | None:
    """`XListObject.XObject[]`, `XObjectList`, `XList`, `XObject`, a bare object or list: whichever is there."""
    if isinstance(value, list):
        return cast("list[Any]", value)
    if not isinstance(value, dict) or depth == 0:
        return None
    known = {str(key).lower(): item for key, item in cast("dict[str, Any]", value).items()}
    name = resource.name.lower()
    for wrapper in (f"{name}listobject", f"{name}objectlist", f"{name}list", f"{name}objects", f"{name}object"):
        if wrapper in known:
            inner = _find(resource, known[wrapper], depth - 1)
            return [known[wrapper]] if inner is None else inner
    return [cast("Any", value)] if resource.key.lower() in known else None


def write_list(resource: Resource, objects: Sequence[Mapping[str, Any]], **paging: int) -> dict[str, Any]:
    """`XListObject.XObject[]`."""
    return {f"{resource.name}ListObject": {**paging, f"{resource.name}Object": list(objects)}}


def write_one(resource: Resource, fields: Mapping[str, Any]) -> dict[str, Any]:
    """`XObject`."""
    return {f"{resource.name}Object": dict(fields)}


def write_statuses(statuses: Iterable[Status], now: int) -> dict[str, Any]:
    """The answer to a batch: one entry per object, always an array."""
    return {
        "ResponseStatusListObject": {"ResponseStatusObject": [{"Id": one.id, **one.fields(now)} for one in statuses]}
    }


def write_status(status: Status, now: int) -> dict[str, Any]:
    """The answer to a single object or a system call."""
    return {"ResponseStatusObject": status.fields(now)}


def read_statuses(body: Any) -> list[tuple[str, int]]:
    """(Id, StatusCode) of an answer, codes as numbers or texts. InvalidError `viid_content`."""
    bad = InvalidError("no status in it", code="viid_content", params={"kind": "ResponseStatus"})
    if not isinstance(body, dict):
        raise bad
    given = cast("dict[str, Any]", body)
    inner: Any = given.get("ResponseStatusListObject", given.get("ResponseStatusList", given))
    if isinstance(inner, dict):
        inner = cast("dict[str, Any]", inner).get("ResponseStatusObject", inner)
    items = cast("list[Any]", inner if isinstance(inner, list) else [inner])
    found: list[tuple[str, int]] = []
    for one in items:
        code = cast("dict[str, Any]", one).get("StatusCode") if isinstance(one, dict) else None
        if isinstance(code, bool) or not isinstance(code, int | str) or _NUMBER.fullmatch(str(code).strip()) is None:
            raise bad
        found.append((clean_id(cast("dict[str, Any]", one).get("Id")), int(code)))
    return found


def read_device_id(body: Any, wrapper: str) -> str:
    """`DeviceID` of `RegisterObject` and the like, with or without the wrapping. InvalidError `viid_content`."""
    value: Any = body
    if isinstance(body, dict):
        known = {str(key).lower(): item for key, item in cast("dict[str, Any]", body).items()}
        inner = known.get(wrapper.lower(), cast("Any", body))
        value = {str(key).lower(): item for key, item in inner.items()} if isinstance(inner, dict) else {}  # pyright: ignore
    identity = clean_id(cast("dict[str, Any]", value).get("deviceid")) if isinstance(value, dict) else ""
    if not identity:
        raise InvalidError("no DeviceID in it", code="viid_content", params={"kind": wrapper})
    return identity


def write_time(server: str, now: int) -> dict[str, Any]:
    """The answer to `GET /VIID/System/Time`. `TimeMode` 2: our own clock."""
    fields = {"VIIDServerID": server, "TimeMode": "2", "LocalTime": local_text(now), "TimeZone": "UTC+8"}
    return {"SystemTimeObject": fields}
