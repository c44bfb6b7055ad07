"""Packets of MQTT 3.1.1 (protocol level 4) and 5: those a client says, and those it hears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from safecity.protocols.mqtt.wire import (
    MAXIMUM_PACKET,
    PROTOCOL_5,
    PROTOCOL_311,
    RECEIVE_MAXIMUM,
    SESSION_EXPIRY,
    BadPacketError,
    Cursor,
    write_binary,
    write_length,
    write_properties,
    write_text,
)

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK, PINGREQ, PINGRESP, DISCONNECT = 1, 2, 3, 4, 8, 9, 12, 13, 14
_RETAIN_NOT_SENT: Final = 0x20
"""Retain handling 2 (MQTT 5, 3.8.3.1): what was kept at the broker is not sent when we subscribe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Who comes. `keep_alive` in seconds; of MQTT 5 alone: `session_seconds` (how long the broker keeps what comes
    while we are away), `in_flight` (messages that may wait for our acknowledgement) and `max_bytes` of one packet."""

    client_id: str
    version: int = PROTOCOL_5
    username: str = ""
    password: str = ""
    clean: bool = False
    keep_alive: int = 30
    session_seconds: int = 0
    in_flight: int = 0xFFFF
    max_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ConnAck:
    """`code`: 0 where we may stay."""

    session_present: bool
    code: int
    properties: dict[int, int]


@dataclass(frozen=True, slots=True)
class SubAck:
    packet_id: int
    codes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Publish:
    """A message. `packet_id`: 0 where `qos` is 0. `retained`: the broker kept it from before."""

    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int = 0
    retained: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class TooLong:
    """A message that was passed over unread, because it was longer than we take. `size`: bytes of its packet."""

    topic: str
    qos: int
    packet_id: int
    size: int


@dataclass(frozen=True, slots=True)
class PubAck:
    packet_id: int
    code: int = 0


@dataclass(frozen=True, slots=True)
class Pong:
    """The broker is still there."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    code: int = 0


@dataclass(frozen=True, slots=True)
class Malformed:
    """Nothing after it can be read."""

    reason: str


Packet = ConnAck | SubAck | Publish | PubAck | Pong | Disconnect


def _packet(head: int, body: bytes) -> bytes:
    return bytes((head,)) + write_length(len(body)) + body


def write_connect(wish: Connect) -> bytes:
    """3.1."""
    flags = 0x02 if wish.clean else 0
    tail = write_text(wish.client_id)
    if wish.username:
        flags |= 0x80
        tail += write_text(wish.username)
    if wish.password:
        # MQTT 3.1.1 knows no password without a name (3.1.2-22).
        flags |= 0x40
        tail += write_binary(wish.password.encode("utf-8"))
    body = write_text("MQTT") + bytes((wish.version, flags)) + wish.keep_alive.to_bytes(2, "big")
    if wish.version == PROTOCOL_5:
        values = {SESSION_EXPIRY: wish.session_seconds, RECEIVE_MAXIMUM: wish.in_flight, MAXIMUM_PACKET: wish.max_bytes}
        body += write_properties({kind: value for kind, value in values.items() if value})
    return _packet(CONNECT << 4, body + tail)


def write_subscribe(packet_id: int, topic: str, version: int) -> bytes:
    """At least once (QoS 1); 3.8."""
    options = 1 | (_RETAIN_NOT_SENT if version == PROTOCOL_5 else 0)
    properties = write_properties({}) if version == PROTOCOL_5 else b""
    return _packet(
        SUBSCRIBE << 4 | 2, packet_id.to_bytes(2, "big") + properties + write_text(topic) + bytes((options,))
    )


def write_publish(message: Publish, version: int) -> bytes:
    """3.3."""
    head = PUBLISH << 4 | message.again << 3 | message.qos << 1 | message.retained
    number = message.packet_id.to_bytes(2, "big") if message.qos else b""
    properties = write_properties({}) if version == PROTOCOL_5 else b""
    return _packet(head, write_text(message.topic) + number + properties + message.payload)


def write_puback(packet_id: int) -> bytes:
    """3.4; the short form says success in both versions."""
    return _packet(PUBACK << 4, packet_id.to_bytes(2, "big"))


PING: Final = _packet(PINGREQ << 4, b"")
GOODBYE: Final = _packet(DISCONNECT << 4, b"")
"""Without an end to the session: what comes is kept."""


def read_packet(head: int, body: bytes, version: int) -> Packet:
    """One whole packet that a broker sent. BadPacketError."""
    kind, flags, part = head >> 4, head & 0x0F, Cursor(body)
    if kind == PUBLISH:
        return _read_publish(flags, part, version)
    if flags:
        raise BadPacketError(f"flags {flags} of a packet of kind {kind}")
    if kind == CONNACK:
        present, code = part.number(1), part.number(1)
        # A broker that knows no MQTT 5 answers in the words of 3.1.1.
        return ConnAck(bool(present & 1), code, part.properties() if version == PROTOCOL_5 and part.left else {})
    if kind == PUBACK:
        number = part.number(2)
        return PubAck(number, part.number(1) if version == PROTOCOL_5 and part.left else 0)
    if kind == SUBACK:
        number = part.number(2)
        if version == PROTOCOL_5:
            part.properties()
        return SubAck(number, tuple(part.rest()))
    if kind == PINGRESP:
        return Pong()
    if kind == DISCONNECT and version == PROTOCOL_5:
        return Disconnect(part.number(1) if part.left else 0)
    raise BadPacketError(f"a packet of kind {kind}")


def read_start(flags: int, part: Cursor) -> tuple[str, int, int]:
    """Of a message: (topic, qos, packet id)."""
    qos = flags >> 1 & 3
    if qos > 1:
        raise BadPacketError("more than was asked for")
    topic = part.text()
    # An alias may only be used where we allowed one, and wildcards stand in subscriptions alone (3.3.2.1).
    if not topic or "+" in topic or "#" in topic:
        raise BadPacketError("no topic")
    number = part.number(2) if qos else 0
    if qos and not number:
        raise BadPacketError("a message without a number")
    return topic, qos, number


def _read_publish(flags: int, part: Cursor, version: int) -> Publish:
    topic, qos, number = read_start(flags, part)
    if version == PROTOCOL_5:
        part.properties()
    return Publish(topic, part.rest(), qos, number, retained=bool(flags & 1), again=bool(flags & 8))


__all__ = [
    "GOODBYE", "PING", "PROTOCOL_5", "PROTOCOL_311", "ConnAck", "Connect", "Disconnect", "Malformed", "Packet", "Pong",
    "PubAck", "Publish", "SubAck", "TooLong", "read_packet", "read_start", "write_connect", "write_puback",
    "write_publish", "write_subscribe",
]  # fmt: skip
