"""Small networks in ONNX's file format, written by hand: the tests need no library that can make them."""

from __future__ import annotations

import struct
from collections.abc import Sequence

FLOAT, INT64, UINT8 = 1, 7, 2


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        value, low = value >> 7, value & 0x7F
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes | str) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def node(operation: str, inputs: Sequence[str], outputs: Sequence[str]) -> bytes:
    """A NodeProto without attributes."""
    return (
        b"".join(_bytes(1, name) for name in inputs)
        + b"".join(_bytes(2, name) for name in outputs)
        + _bytes(4, operation)
    )


def constant(name: str, values: Sequence[float], shape: Sequence[int]) -> bytes:
    """A TensorProto of float32."""
    raw = struct.pack(f"<{len(values)}f", *values)
    return b"".join(_number(1, side) for side in shape) + _number(2, FLOAT) + _bytes(8, name) + _bytes(9, raw)


def integers(name: str, values: Sequence[int], shape: Sequence[int]) -> bytes:
    """A TensorProto of int64."""
    raw = struct.pack(f"<{len(values)}q", *values)
    return b"".join(_number(1, side) for side in shape) + _number(2, INT64) + _bytes(8, name) + _bytes(9, raw)


def value(name: str, shape: Sequence[int | str], numbers: int = FLOAT) -> bytes:
    """A ValueInfoProto; a side that is a word may be of any length."""
    sides = b"".join(_bytes(1, _number(1, side) if isinstance(side, int) else _bytes(2, side)) for side in shape)
    return _bytes(1, name) + _bytes(2, _bytes(1, _number(1, numbers) + _bytes(2, sides)))


def model(
    nodes: Sequence[bytes], inputs: Sequence[bytes], outputs: Sequence[bytes], constants: Sequence[bytes] = ()
) -> bytes:
    """The bytes of a file."""
    graph = (
        b"".join(_bytes(1, one) for one in nodes)
        + _bytes(2, "graph")
        + b"".join(_bytes(5, one) for one in constants)
        + b"".join(_bytes(11, one) for one in inputs)
        + b"".join(_bytes(12, one) for one in outputs)
    )
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 17))
