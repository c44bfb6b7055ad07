"""What of an object is kept, for how long, and who may ask for it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

from safecity.core.ground.devices.api import Device
from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.codes import device_type
from safecity.protocols.gat1400.objects import MAX_TEXT, ViidObject
from safecity.protocols.gat1400.pictures import (
    MAX_PICTURES,
    Picture,
    check_picture,
    decode_base64,
    decode_picture,
    sub_images,
)
from safecity.protocols.gat1400.resources import Resource

OBJECT_DAYS: Final = 30
UPLOADED: Final = -1
"""The place of what an image, a file or a video slice is itself: not in a list, and asked for by `/Data`."""
MAX_CODED: Final = 256 << 10
"""Characters of base64 that stay among the words of an object, together: features, mostly. A list shows a hundred."""
PERSONAL_DAYS: Final = 7
"""Of what tells of a person."""
STANDING_DAYS: Final = 365
"""Of orders and of descriptions of devices, which are not seen anew every day."""
_STANDING: Final = frozenset({"Disposition", "Case", "Subscribe", "APE", "APS", "Tollgate", "Lane", "AnalysisRule"})
_LIBRARIES: Final = frozenset({"application", "library", "analysis", "platform"})


def is_library(device: Device) -> bool:
    """Whether it is another platform, told by the type in its code: it may ask for what lies in its areas. A camera
    gets nothing back but its own."""
    return device_type(device.code) in _LIBRARIES


def days_of(resource: Resource) -> int:
    """How long an object of that kind is kept."""
    if resource.name in _STANDING:
        return STANDING_DAYS
    return PERSONAL_DAYS if resource.personal else OBJECT_DAYS


@dataclass(frozen=True, slots=True)
class Unpacked:
    """An object with its pictures taken out. `places` tells, for each picture, the entry of `SubImageList` it was in,
    or that it is `UPLOADED`; `left_out` the reasons of those that could not be kept."""

    of: ViidObject
    fields: dict[str, Any]
    pictures: tuple[Picture, ...]
    places: tuple[int, ...]
    left_out: tuple[str, ...]
    digest: str


def unpack(of: ViidObject) -> Unpacked:
    """A picture that is none does not take the facts with it: it is left out, and the sender is told."""
    digest = hashlib.sha256(orjson.dumps(of.fields, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)).hexdigest()
    entries: list[dict[str, Any]] = []
    pictures: list[Picture] = []
    places: list[int] = []
    left_out: list[str] = []
    for index, entry in enumerate(sub_images(dict(of.fields))):
        plain = dict(entry)
        data = plain.pop("Data", None)
        entries.append(plain)
        if not data:
            continue
        try:
            if len(pictures) >= MAX_PICTURES:
                raise InvalidError("too many", code="viid_picture", params={"reason": "many"})
            kind, identity = str(plain.get("Type", ""))[:3], str(plain.get("ImageID", ""))[:64]
            pictures.append(decode_picture(data, kind=kind, identity=identity))
            places.append(index)
        except InvalidError as error:
            left_out.append(str(error.params["reason"]))
    fields = dict(of.fields)
    if entries:
        fields["SubImageList"] = {"SubImageInfoObject": entries}
    own = next((name for name in fields if name.lower() == "data"), None) if of.resource.data else None
    if own is not None and (text := fields.pop(own)):
        try:
            data = decode_base64(text)
            pictures.append(check_picture(data) if of.resource.name == "Image" else Picture(data, "", 0, 0))
            places.append(UPLOADED)
        except InvalidError as error:
            left_out.append(str(error.params["reason"]))
    fields = _light(fields, [MAX_CODED], left_out)
    return Unpacked(of, fields, tuple(pictures), tuple(places), tuple(left_out), digest)


def _light(value: Any, room: list[int], left_out: list[str]) -> Any:
    """Without the long texts for which there is no room left."""

    def fits(item: Any) -> bool:
        if not isinstance(item, str) or len(item) <= MAX_TEXT:
            return True
        if room[0] < len(item):
            left_out.append("large")
            return False
        room[0] -= len(item)
        return True

    if isinstance(value, list):
        return [_light(item, room, left_out) for item in cast("list[Any]", value) if fits(item)]
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
        return {name: _light(item, room, left_out) for name, item in items if fits(item)}
    return value


def packed(fields: Mapping[str, Any], places: Mapping[int, str]) -> dict[str, Any]:
    """The object as it came: `places` holds base64 by entry of `SubImageList`."""
    whole = dict(fields)
    if places:
        entries = [dict(entry) for entry in sub_images(whole)]
        for index, text in places.items():
            if index < len(entries):
                entries[index]["Data"] = text
        whole["SubImageList"] = {"SubImageInfoObject": entries}
    return whole
