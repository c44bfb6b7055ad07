"""What all MANSCDP bodies share: `CmdType`, `SN`, `DeviceID` and the root that says which way they go."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from safecity.protocols.gb28181.elements import Part, Plain


class Body(Part, frozen=True, kw_only=True):
    """A message. `sn` pairs an answer with its question; it is unique only beside the peer and the command."""

    ROOT: ClassVar[str] = ""
    COMMAND: ClassVar[str] = ""

    sn: int = 0
    device_id: str = ""


class Notify(Body, frozen=True, kw_only=True):
    ROOT: ClassVar[str] = "Notify"


class Query(Body, frozen=True, kw_only=True):
    ROOT: ClassVar[str] = "Query"


class Response(Body, frozen=True, kw_only=True):
    ROOT: ClassVar[str] = "Response"


class Control(Body, frozen=True, kw_only=True):
    ROOT: ClassVar[str] = "Control"


class OtherBody(Body, frozen=True, kw_only=True):
    """A message of a command or direction that is not in the standard; `fields` as they came."""

    root: str = ""
    command: str = ""
    fields: dict[str, Plain] = msgspec.field(default_factory=dict)
