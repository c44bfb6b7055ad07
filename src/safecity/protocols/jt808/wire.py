"""How bodies are written down: each message is a frozen dataclass whose fields carry their form on the wire.

A field's form may change with the version (`since`, `until`), hang on what was read before it (`when`), or be a list of
parts. Reading bounds every list by the bytes that are there; bytes behind the last field are kept in `tail`, since
makers add their own. Text is GBK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cache
from typing import Any, ClassVar, Final, Protocol, Self

from safecity.kit.errors import InvalidError
from safecity.protocols.jt808.header import Version

CHARSET: Final = "gbk"
_HEX: Final = frozenset("0123456789abcdef")


class Reader:
    """A body that is read from front to back."""

    __slots__ = ("at", "data", "version")

    def __init__(self, data: bytes, version: Version) -> None:
        self.data = data
        self.version = version
        self.at = 0

    def take(self, size: int) -> bytes:
        """The next bytes; InvalidError when there are not so many."""
        end = self.at + size
        if end > len(self.data):
            raise InvalidError(f"body ends after {len(self.data)} bytes, {end} are needed")
        part = self.data[self.at : end]
        self.at = end
        return part

    def rest(self) -> bytes:
        """All that is left."""
        part = self.data[self.at :]
        self.at = len(self.data)
        return part

    @property
    def left(self) -> int:
        """How many bytes are left."""
        return len(self.data) - self.at


class Kind(Protocol):
    """One form on the wire."""

    def read(self, reader: Reader) -> Any: ...

    def write(self, value: Any, version: Version) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Number:
    """A big-endian number of so many bytes."""

    size: int
    signed: bool = False

    def read(self, reader: Reader) -> int:
        return int.from_bytes(reader.take(self.size), "big", signed=self.signed)

    def write(self, value: int, version: Version) -> bytes:
        try:
            return value.to_bytes(self.size, "big", signed=self.signed)
        except OverflowError:
            raise InvalidError(f"{value} does not fit into {self.size} bytes") from None


U8, U16, U32, U64 = Number(1), Number(2), Number(4), Number(8)


@dataclass(frozen=True, slots=True)
class Digits:
    """BCD: two digits a byte. What is no digit (a broken clock writes such) stays as hexadecimal letter."""

    size: int

    def read(self, reader: Reader) -> str:
        return reader.take(self.size).hex()

    def write(self, value: str, version: Version) -> bytes:
        text = value.zfill(self.size * 2)
        if len(text) != self.size * 2 or not set(text) <= _HEX:
            raise InvalidError(f"not {self.size * 2} digits: {value[:40]!r}")
        return bytes.fromhex(text)


TIME = Digits(6)
"""yyMMddHHmmss, UTC+8."""


def encode_text(text: str) -> bytes:
    """GBK; what it cannot say becomes a question mark."""
    return text.encode(CHARSET, "replace")


def decode_text(raw: bytes) -> str:
    """From GBK; what is none becomes a replacement character, never a lone surrogate."""
    return raw.decode(CHARSET, "replace")


@dataclass(frozen=True, slots=True)
class Fixed:
    """Text of so many bytes (2011, 2013, 2019), filled up with zeros behind. Zeros in front, as some write, stay."""

    sizes: tuple[int, int, int]

    def _size(self, version: Version) -> int:
        return self.sizes[(Version.V2011, Version.V2013, Version.V2019).index(version)]

    def read(self, reader: Reader) -> str:
        return decode_text(reader.take(self._size(reader.version)).rstrip(b"\0"))

    def write(self, value: str, version: Version) -> bytes:
        raw, size = encode_text(value), self._size(version)
        if len(raw) > size:
            raise InvalidError(f"{value[:40]!r} is longer than {size} bytes")
        return raw.ljust(size, b"\0")


def fixed(size: int) -> Fixed:
    """The same size in all versions."""
    return Fixed((size, size, size))


@dataclass(frozen=True, slots=True)
class Blob:
    """Bytes: behind their length of `prefix` bytes, or `size` of them, or (both 0) all that are left."""

    prefix: int = 0
    size: int = 0

    def read(self, reader: Reader) -> bytes:
        if self.prefix:
            return reader.take(int.from_bytes(reader.take(self.prefix), "big"))
        return reader.take(self.size) if self.size else reader.rest()

    def write(self, value: bytes, version: Version) -> bytes:
        if self.size and len(value) != self.size:
            raise InvalidError(f"{len(value)} bytes where {self.size} belong")
        return (Number(self.prefix).write(len(value), version) if self.prefix else b"") + value


@dataclass(frozen=True, slots=True)
class Text:
    """Text behind its length in bytes, or (prefix 0) to the end."""

    prefix: int = 0

    def read(self, reader: Reader) -> str:
        return decode_text(Blob(self.prefix).read(reader).rstrip(b"\0"))

    def write(self, value: str, version: Version) -> bytes:
        return Blob(self.prefix).write(encode_text(value), version)


@dataclass(frozen=True, slots=True)
class Many:
    """A list behind its count of `count` bytes (`count_2019` where that version differs), or (0) to the end."""

    of: Kind
    count: int = 0
    count_2019: int = 0

    def _count(self, version: Version) -> int:
        return self.count_2019 if self.count_2019 and version is Version.V2019 else self.count

    def read(self, reader: Reader) -> tuple[Any, ...]:
        size = self._count(reader.version)
        if size:
            # Each takes at least a byte, so that a count that lies ends at the end of the body.
            return tuple(self.of.read(reader) for _ in range(Number(size).read(reader)))
        found: list[Any] = []
        while reader.left:
            found.append(self.of.read(reader))
        return tuple(found)

    def write(self, value: tuple[Any, ...], version: Version) -> bytes:
        size = self._count(version)
        head = Number(size).write(len(value), version) if size else b""
        return head + b"".join(self.of.write(one, version) for one in value)


@dataclass(frozen=True, slots=True)
class Nested:
    """A part with fields of its own."""

    of: type[Part]

    def read(self, reader: Reader) -> Part:
        return self.of.read_from(reader)

    def write(self, value: Part, version: Version) -> bytes:
        return value.write(version)


@dataclass(frozen=True, slots=True)
class _Form:
    kind: Kind
    since: Version
    until: Version
    when: Callable[[Mapping[str, Any]], bool] | None

    def applies(self, version: Version, before: Mapping[str, Any]) -> bool:
        return self.since <= version <= self.until and (self.when is None or self.when(before))


def wire(
    kind: Kind,
    default: Any = MISSING,
    *,
    since: Version = Version.V2011,
    until: Version = Version.V2019,
    when: Callable[[Mapping[str, Any]], bool] | None = None,
) -> Any:
    """A field of a message. `default` is also what it is where the form does not apply."""
    form = _Form(kind, since, until, when)
    return field(metadata={"wire": form}) if default is MISSING else field(default=default, metadata={"wire": form})


@cache
def _layout(part: type[Part]) -> tuple[tuple[str, _Form], ...]:
    return tuple((one.name, one.metadata["wire"]) for one in fields(part) if "wire" in one.metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Fields in the order of the wire."""

    @classmethod
    def read_from(cls, reader: Reader) -> Self:
        """Take it off the front. InvalidError when the bytes do not suffice."""
        values: dict[str, Any] = {}
        for name, form in _layout(cls):
            if form.applies(reader.version, values):
                values[name] = form.kind.read(reader)
        return cls(**values)

    def write(self, version: Version) -> bytes:
        """Its bytes. InvalidError for a value that does not fit."""
        parts: list[bytes] = []
        before: dict[str, Any] = {}
        for name, form in _layout(type(self)):
            value = getattr(self, name)
            if form.applies(version, before):
                before[name] = value
                parts.append(form.kind.write(value, version))
        return b"".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body(Part):
    """The body of one message; `ID` names it, `tail` is what came behind its last field."""

    ID: ClassVar[int] = 0
    tail: bytes = b""

    @classmethod
    def read(cls, data: bytes, version: Version) -> Self:
        """From a whole body. InvalidError when it is too short."""
        reader = Reader(data, version)
        values: dict[str, Any] = {}
        for name, form in _layout(cls):
            if form.applies(version, values):
                values[name] = form.kind.read(reader)
        return cls(**values, tail=reader.rest())

    def write(self, version: Version) -> bytes:
        """The whole body."""
        return Part.write(self, version) + self.tail
