"""MANSCDP: bytes of a body to a typed struct and back."""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element

from safecity.kit.errors import InvalidError
from safecity.protocols.gb28181 import answers, controls, notices, queries
from safecity.protocols.gb28181.body import Body, OtherBody
from safecity.protocols.gb28181.codes import clean_code
from safecity.protocols.gb28181.elements import add_plain, read_part, to_plain, write_part
from safecity.protocols.xmlsafe import MAX_BYTES, add, key_of, read_xml, value, write_xml

CONTENT_TYPE: Final = "Application/MANSCDP+xml"

_ROOTS = {"notify": "Notify", "query": "Query", "response": "Response", "control": "Control"}
_COMMAND_ALIASES = {
    "ptzprecisestatusquery": "ptzposition",
    "ptzpositionquery": "ptzposition",
    "storagecardstatusquery": "sdcardstatus",
    "sdcardstatusquery": "sdcardstatus",
    "homeposition": "homepositionquery",
    "cruisetracklist": "cruisetracklistquery",
    "cruisetrack": "cruisetrackquery",
    "preset": "presetquery",
}
"""Other names of a command, both in lower case. Seen with simulators and early 2022 devices."""

_HEAD = ("cmdtype", "sn", "deviceid")


def _all_bodies() -> dict[tuple[str, str], type[Body]]:
    found: dict[tuple[str, str], type[Body]] = {}
    for module in (answers, controls, notices, queries):
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, Body) and kind.COMMAND:
                found[kind.ROOT, kind.COMMAND.lower()] = kind
    return found


BODIES: Final = _all_bodies()


def read_body(data: bytes, *, max_bytes: int = MAX_BYTES) -> Body:
    """The body; OtherBody for commands nobody knows, InvalidError for what is no MANSCDP at all."""
    node = read_xml(data, max_bytes=max_bytes)
    root = _ROOTS.get(key_of(node))
    command = value(node, "CmdType")
    if root is None or not command:
        raise InvalidError(f"no MANSCDP: <{node.tag[:40]}>", code="manscdp_unknown_root")
    key = command.lower()
    kind = BODIES.get((root, _COMMAND_ALIASES.get(key, key)))
    if kind is None:
        return OtherBody(
            root=root,
            command=command[:64],
            sn=_number(value(node, "SN")),
            device_id=clean_code(value(node, "DeviceID")),
            fields={child.tag: to_plain(child) for child in node if key_of(child) not in _HEAD},
        )
    return read_part(kind, node)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        return 0


def write_body(body: Body, charset: str = "GB18030") -> bytes:
    """The document, in the order of the standard: CmdType, SN, DeviceID, then the rest."""
    if isinstance(body, OtherBody):
        node = Element(body.root)
        add(node, "CmdType", body.command)
        add(node, "SN", str(body.sn))
        add(node, "DeviceID", body.device_id)
        for name, field in body.fields.items():
            add_plain(node, name, field)
        return write_xml(node, charset)
    node = Element(body.ROOT)
    add(node, "CmdType", body.COMMAND)
    write_part(body, node)
    if isinstance(body, notices.BroadcastNotify):  # the only one without DeviceID
        node.remove(node[2])
    return write_xml(node, charset)


def command_of(body: Body) -> str:
    """`CmdType`."""
    return body.command if isinstance(body, OtherBody) else body.COMMAND
