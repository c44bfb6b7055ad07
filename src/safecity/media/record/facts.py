"""What the recorder tells its slot; the slot makes events of it. Times are microseconds UTC."""

from __future__ import annotations

from typing import NamedTuple

from safecity.model.values.media import StreamKey


class SegmentClosed(NamedTuple):
    """A minute of footage is finished."""

    key: StreamKey
    start: int
    end: int
    bytes: int
    volume: str


class GapOpened(NamedTuple):
    """Footage is missing from `start` on."""

    key: StreamKey
    start: int
    cause: str
    detail: str


class GapClosed(NamedTuple):
    """Footage is missing in [start, end)."""

    key: StreamKey
    start: int
    end: int
    cause: str
    detail: str


class VolumeChanged(NamedTuple):
    """`state` is `ready`, `full`, `offline` or `failed`; `code` says why."""

    name: str
    state: str
    code: str


class FootageDamaged(NamedTuple):
    """The disk does not give back what was written; nothing was mended. `key` is None when the stream is not open."""

    key: StreamKey | None
    at: int
    volume: str
    extent: str


Fact = FootageDamaged | SegmentClosed | GapOpened | GapClosed | VolumeChanged
