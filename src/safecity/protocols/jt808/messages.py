"""Which body belongs to which id, and messages as they leave and arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from safecity.kit.errors import InvalidError
from safecity.protocols.jt808 import active_safety, commands, fences, positions, records, registration, video
from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.wire import Body


@dataclass(frozen=True, slots=True)
class Raw:
    """A body that nothing is known of, as it came."""

    id: int
    data: bytes

    @property
    def ID(self) -> int:  # noqa: N802 - stands beside `Body.ID`
        return self.id

    def write(self, version: Version) -> bytes:
        """Unchanged."""
        return self.data


AnyBody = Body | Raw

_PARTS_OF_POSITIONS: Final = frozenset((0x64, 0x65, 0x66, 0x67))


def _bodies() -> dict[int, type[Body]]:
    found: dict[int, type[Body]] = {}
    for module in (registration, positions, commands, fences, records, video, active_safety):
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Body) and value.ID and value.ID not in found:
                found[value.ID] = value
    found[records.DriverCard.ID] = records.DriverCard
    return {id_: body for id_, body in found.items() if id_ not in _PARTS_OF_POSITIONS}


BODIES: Final[dict[int, type[Body]]] = _bodies()
"""By id, the newest form of each."""

_OLD: Final[dict[tuple[int, Version], type[Body]]] = {
    (records.DriverCard2011.ID, Version.V2011): records.DriverCard2011,
}

ANSWERS: Final = frozenset((0x0001, 0x0104, 0x0107, 0x0201, 0x0500, 0x0805, 0x1003, 0x1205))
"""What a terminal sends in answer to something: it is not answered itself."""

ANSWER_OF: Final[dict[int, int]] = {
    0x8104: 0x0104,
    0x8106: 0x0104,
    0x8107: 0x0107,
    0x8201: 0x0201,
    0x8500: 0x0500,
    0x8801: 0x0805,
    0x9003: 0x1003,
    0x9205: 0x1205,
}
"""Commands that are answered by more than a general answer."""

MAY_ANSWER: Final[dict[int, int]] = {0x9201: 0x1205}
"""Commands that some answer by more than a general answer, and others do not."""

YES_IS_ENOUGH: Final = frozenset((0x8801,))
"""Who said "yes" to these and then nothing more has done it: what was asked for comes by itself."""


def read_body(id_: int, data: bytes, version: Version) -> AnyBody:
    """The body of a message. InvalidError when it is shorter than its fields."""
    body = _OLD.get((id_, version)) or BODIES.get(id_)
    return Raw(id_, data) if body is None else body.read(data, version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One whole message, sub-packages joined. `serial` is that of its (first) packet."""

    phone: str
    version: Version
    serial: int
    body: AnyBody

    @property
    def id(self) -> int:
        """What kind it is."""
        return self.body.ID


def body_or_none(id_: int, data: bytes, version: Version) -> AnyBody | None:
    """As `read_body`, None where that would raise."""
    try:
        return read_body(id_, data, version)
    except InvalidError:
        return None
