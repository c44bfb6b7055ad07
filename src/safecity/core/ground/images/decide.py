"""What of an object is kept, for how long, and who may ask for it. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from safecity.core.ground.devices.api import Device
from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.codes import device_type
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.pictures import MAX_PICTURES, Picture, decode_picture, sub_images
from safecity.protocols.gat1400.resources import Resource

OBJECT_DAYS: Final = 30
PERSONAL_DAYS: Final = 7
"""Of what tells of a person."""
STANDING_DAYS: Final = 365
"""Of orders and of descriptions of devices, which are not seen anew every day."""
_STANDING: Final = frozenset({"Disposition", "Case", "Subscribe", "APE", "APS", "Tollgate", "Lane", "AnalysisRule"})
_LIBRARIES: Final = frozenset({"application", "library", "analysis"})


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
    """An object with its pictures taken out. `places` tells, for each picture, the entry of `SubImageList` it was in;
    `left_out` the reasons of those that could not be kept."""

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
    return Unpacked(of, fields, tuple(pictures), tuple(places), tuple(left_out), digest)


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
