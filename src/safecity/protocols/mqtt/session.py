"""What a client says on one connection: it comes, subscribes where it wants to hear, acknowledges what it was told to,
and looks whether the broker is still there. Told the bytes and the time, it answers with what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from safecity.protocols.mqtt.packets import (
    GOODBYE,
    PING,
    ConnAck,
    Connect,
    Disconnect,
    Malformed,
    Packet,
    Pong,
    PubAck,
    Publish,
    SubAck,
    TooLong,
    write_connect,
    write_puback,
    write_publish,
    write_subscribe,
)
from safecity.protocols.mqtt.stream import PacketReader
from safecity.protocols.mqtt.wire import SERVER_KEEP_ALIVE

PATIENCE_SECONDS: Final = 20.0
"""A broker that owes an answer has so long."""
_SUBSCRIBED: Final = 1
_REFUSED: Final = 0x80

CODES: Final = {
    1: "mqtt_version", 0x84: "mqtt_version",
    2: "mqtt_client_id", 0x85: "mqtt_client_id",
    4: "mqtt_login", 5: "mqtt_login", 0x86: "mqtt_login", 0x87: "mqtt_login", 0x8C: "mqtt_login",
    0x8E: "mqtt_taken_over",
}  # fmt: skip
"""What a broker says, in both versions, and what we call it; all else is `mqtt_refused` with the number."""


@dataclass(frozen=True, slots=True)
class Listening:
    """From now on messages come. `kept`: the broker knew us and kept what came. `at_least_once`: it promised that
    nothing is lost."""

    kept: bool
    at_least_once: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """Nothing more comes on this connection. `number`: what the broker said, 0: nothing."""

    code: str
    number: int = 0


Happened = Listening | Publish | TooLong | PubAck | Ended


class Session:
    """One connection. `topic`: what to hear; empty: nothing, this one only publishes."""

    def __init__(self, wish: Connect, topic: str, max_bytes: int, now: float) -> None:
        self._wish = wish
        self._topic = topic
        self._reader = PacketReader(wish.version, max_bytes)
        self._out = bytearray(write_connect(wish))
        self._keep_alive = float(wish.keep_alive)
        self._said_at = now
        self._owed_until: float | None = now + PATIENCE_SECONDS
        self._kept = False
        self._greeted = False
        self._listening = False
        self.over = False

    def output(self, now: float) -> bytes:
        """What is to be sent now."""
        out, self._out = bytes(self._out), bytearray()
        if out:
            self._said_at = now
        return out

    def feed(self, data: bytes, now: float) -> list[Happened]:
        """What came, and what it means."""
        found: list[Happened] = []
        # Whatever comes shows that somebody is there; what is owed before messages come stays owed.
        if self._listening:
            self._owed_until = None
        for one in self._reader.feed(data):
            if self.over:
                break
            found += self._heard(one, now)
        return found

    def acknowledge(self, packet_id: int) -> None:
        """The message is kept here, the broker may forget it."""
        if not self.over:
            self._out += write_puback(packet_id)

    def publish(self, message: Publish) -> None:
        """Tell the broker something."""
        if not self.over:
            self._out += write_publish(message, self._wish.version)

    def leave(self) -> None:
        """Say goodbye; the broker goes on keeping what comes."""
        if not self.over:
            self._out += GOODBYE
            self.over = True

    def next_deadline(self) -> float:
        """When `expire` is to be called."""
        return self._owed_until if self._owed_until is not None else self._said_at + self._keep_alive / 2

    def expire(self, now: float, *, deaf: bool = False) -> list[Happened]:
        """Ask whether the broker is still there, or give it up. `deaf`: we let nothing in, so that silence says
        nothing."""
        if self.over:
            return []
        if self._owed_until is not None and now >= self._owed_until:
            if not deaf or not self._listening:
                return [self._end("mqtt_silent")]
            self._owed_until = None
        if self._listening and self._owed_until is None and now >= self._said_at + self._keep_alive / 2:
            self._out += PING
            self._owed_until = now + PATIENCE_SECONDS
        return []

    def _heard(self, one: Packet | TooLong | Malformed, now: float) -> list[Happened]:
        match one:
            case Malformed():
                return [self._end("mqtt_malformed")]
            case ConnAck() if not self._greeted:
                return self._welcomed(one, now)
            case _ if not self._greeted:
                return [self._end("mqtt_malformed")]
            case SubAck(packet_id=number, codes=codes) if number == _SUBSCRIBED and not self._listening:
                if len(codes) != 1 or codes[0] >= _REFUSED:
                    return [self._end("mqtt_not_allowed", codes[0] if codes else 0)]
                return self._listens(at_least_once=codes[0] > 0)
            case Publish() | TooLong() | PubAck():
                # A broker that kept a session may send before it has answered the subscription.
                return [one]
            case Pong():
                return []
            case Disconnect(code=number):
                return [self._end(CODES.get(number, "mqtt_refused"), number)]
            case _:
                return [self._end("mqtt_malformed")]

    def _welcomed(self, one: ConnAck, now: float) -> list[Happened]:
        if one.code:
            return [self._end(CODES.get(one.code, "mqtt_refused"), one.code)]
        self._greeted, self._kept = True, one.session_present
        self._keep_alive = float(one.properties.get(SERVER_KEEP_ALIVE) or self._keep_alive)
        if not self._topic:
            return self._listens(at_least_once=True)
        self._out += write_subscribe(_SUBSCRIBED, self._topic, self._wish.version)
        self._owed_until = now + PATIENCE_SECONDS
        return []

    def _listens(self, *, at_least_once: bool) -> list[Happened]:
        self._listening, self._owed_until = True, None
        return [Listening(self._kept, at_least_once)]

    def _end(self, code: str, number: int = 0) -> Ended:
        self.over = True
        return Ended(code, number)
