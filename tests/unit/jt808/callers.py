"""Terminals written by hand, and what the platform's side of a connection asks of its surroundings."""

from __future__ import annotations

import dataclasses
from typing import Any

from safecity.protocols.jt808.checks import parse_time
from safecity.protocols.jt808.framing import FrameReader, frame
from safecity.protocols.jt808.header import Packet, Version, read_packet, write_packet
from safecity.protocols.jt808.messages import AnyBody, read_body
from safecity.protocols.jt808.outputs import (
    Authenticated,
    Registered,
    Send,
)
from safecity.protocols.jt808.platform import Host, PlatformSession
from safecity.protocols.jt808.positions import Location
from safecity.protocols.jt808.registrar import CODE_BYTES, Terminal
from safecity.protocols.jt808.registration import (
    PlatformAnswer,
    RegisterAnswer,
    Result,
    authenticate,
)
from safecity.protocols.jt808.subpackages import cut
from safecity.protocols.jt808.terminal import (
    Identity,
)

PHONE = "13912345678"
ALL = [Version.V2011, Version.V2013, Version.V2019]
FIX = Location(status=2, latitude_micro=31_230_000, longitude_micro=121_470_000, time="260101120000")
NOW_US = parse_time("260101120000") or 0


class Registry:
    """What the platform knows, and one session on it."""

    def __init__(self, **known: Any) -> None:
        self.terminals = {PHONE: Terminal(phone=PHONE, **known)} if known.pop("there", True) else {}
        self.codes = 0
        self.elsewhere = False

    def random(self) -> bytes:
        self.codes += 1
        return self.codes.to_bytes(CODE_BYTES, "big")

    def session(self, now: float = 0.0) -> PlatformSession:
        host = Host(self.terminals.get, lambda _: self.elsewhere, self.random, lambda: NOW_US)
        return PlatformSession(host, now)

    def keep(self, outputs: list[Any]) -> None:
        """Store what a driver would store."""
        for one in outputs:
            known = self.terminals.get(getattr(one, "phone", ""))
            if isinstance(one, Registered):
                assert known is not None
                self.terminals[one.phone] = dataclasses.replace(
                    known, code_hash=one.code_hash, terminal_id=one.register.terminal, version=one.version
                )
            elif isinstance(one, Authenticated) and one.imei:
                assert known is not None
                self.terminals[one.phone] = dataclasses.replace(known, imei=one.imei)


class Caller:
    """A terminal written by hand: sends what it likes, reads what comes."""

    def __init__(self, registry: Registry, version: Version = Version.V2013, phone: str = PHONE) -> None:
        self.registry, self.version, self.phone = registry, version, phone
        self.session = registry.session()
        self.serial = 0

    def raw(self, data: bytes, now: float = 1.0) -> list[Any]:
        outputs = self.session.receive(data, now)
        self.registry.keep(outputs)
        return outputs

    def say(self, body: AnyBody, now: float = 1.0, **more: Any) -> list[Any]:
        self.serial += 1
        packet = Packet(
            id=body.ID, phone=more.pop("phone", self.phone), serial=self.serial, body=body.write(self.version),
            version=self.version, **more,
        )  # fmt: skip
        return self.raw(frame(write_packet(packet)), now)

    def heard(self, outputs: list[Any]) -> list[AnyBody]:
        """What the platform said."""
        data = b"".join(one.data if isinstance(one, Send) else getattr(one, "answer", b"") for one in outputs)
        found: list[AnyBody] = []
        for raw in FrameReader().feed(data):
            assert isinstance(raw, bytes)
            packet = read_packet(raw)
            assert isinstance(packet, Packet)
            assert packet.phone == self.phone
            found.append(read_body(packet.id, packet.body, self.version))
        return found

    def register(self, **more: Any) -> RegisterAnswer:
        identity = Identity(phone=self.phone, version=self.version, **more)
        (answer,) = self.heard(self.say(identity.register()))
        assert isinstance(answer, RegisterAnswer)
        return answer

    def log_in(self) -> None:
        code = self.register().code
        (answer,) = self.heard(self.say(authenticate(code, self.version)))
        assert isinstance(answer, PlatformAnswer)
        assert answer.result == Result.OK


def pieces(caller: Caller, body: AnyBody) -> list[bytes]:
    packet = Packet(
        id=body.ID, phone=PHONE, serial=caller.serial + 1, body=body.write(caller.version), version=caller.version
    )
    parts = cut(packet)
    caller.serial += len(parts)
    return [frame(write_packet(one)) for one in parts]
