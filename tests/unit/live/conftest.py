"""Made-up streams and connections for the live part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from safecity.media.door import messages
from safecity.model.values.media import VIDEO, Codec, CodecParameters, Unit, VideoParameters

SPS = bytes.fromhex("6742c01e d9005005 bb016a02 02028000 00030080 00001e47 8c19f0".replace(" ", ""))
PPS = bytes.fromhex("68cb83cb20")
VIDEO_PARAMETERS = VideoParameters(Codec.H264, 640, 360, (SPS, PPS), "avc1.42c01e", 25.0)


def picture(number: int, *, gop: int = 25, size: int = 100, damaged: bool = False, start: int = 900_000) -> Unit:
    dts = start + number * 3600
    data = bytes([number & 255]) * size
    return Unit(VIDEO, data, dts, dts, number % gop == 0, damaged, 1_000_000 + number * 40_000, VIDEO_PARAMETERS)


class FakeStream:
    """A stream the test feeds by hand."""

    def __init__(self) -> None:
        self.parameters: Sequence[CodecParameters] = (VIDEO_PARAMETERS,)
        self.readers: list[Any] = []
        self.ring: list[Unit] = []

    def gop(self) -> Sequence[Unit]:
        return list(self.ring)

    def attach(self, reader: Any) -> None:
        self.readers.append(reader)

    def detach(self, reader: Any) -> None:
        self.readers.remove(reader)

    def deliver(self, unit: Unit) -> None:
        if unit.track == VIDEO and unit.is_key:
            self.ring.clear()
        self.ring.append(unit)
        for reader in list(self.readers):
            reader.offer(unit)


class FakeConnection:
    """Takes what is sent; `waiting_bytes` and `full` are what the test says."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.said: list[Mapping[str, Any]] = []
        self.ended = ""
        self.full = False
        self.waiting_bytes = 0

    def send(self, frames: bytes) -> None:
        self.sent.append(frames)

    def say(self, fields: Mapping[str, Any]) -> None:
        self.said.append(fields)

    def end(self, code: str, close: int = 1000) -> None:
        self.ended = code

    def kinds(self) -> list[int]:
        """Kinds of the binary messages so far, 0 for text."""
        found: list[int] = []
        for frames in self.sent:
            at = 0
            while at < len(frames):
                opcode, size = frames[at] & 15, frames[at + 1]
                head = 2
                if size == 126:
                    size, head = int.from_bytes(frames[at + 2 : at + 4], "big"), 4
                elif size == 127:
                    size, head = int.from_bytes(frames[at + 2 : at + 10], "big"), 10
                found.append(frames[at + head] if opcode == 2 else 0)
                at += head + size
        return found


@pytest.fixture
def stream() -> FakeStream:
    return FakeStream()


@pytest.fixture
def connection() -> FakeConnection:
    return FakeConnection()


@pytest.fixture
def make_picture() -> Any:
    return picture


@pytest.fixture
def make_connection() -> Any:
    return FakeConnection


assert messages.HEAD_BYTES == 17
