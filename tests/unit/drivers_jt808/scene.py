"""A platform for vehicle terminals without a network, and terminals written by hand."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from pathlib import Path
from typing import Any

from safecity.backends.outbox import SqlOutbox
from safecity.backends.sqlitefile import open_file
from safecity.drivers.jt808.driver import TerminalPlatform
from safecity.drivers.jt808.link import Limits, TerminalLink
from safecity.drivers.jt808.media import Keep
from safecity.kit.clock import FakeClock
from safecity.model.facts.envelope import Event
from safecity.model.facts.signal_calls import ApplySignal, JtTerminal, PlatformIdentity
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.jt808.checks import time_text
from safecity.protocols.jt808.framing import FrameReader, frame
from safecity.protocols.jt808.header import Packet, Version, read_packet, write_packet
from safecity.protocols.jt808.messages import AnyBody, read_body
from safecity.protocols.jt808.positions import Location
from safecity.protocols.jt808.registration import (
    PlatformAnswer,
    RegisterAnswer,
    Result,
    authenticate,
)
from safecity.protocols.jt808.subpackages import cut
from safecity.protocols.jt808.terminal import Identity

PHONE = "13912345678"
US = PlatformIdentity(code="34020000002000000001", domain="3402000000", public_host="10.0.0.1")
TERMINAL = JtTerminal("dv_1", PHONE)


class Wire(asyncio.Transport):
    """The transport of a connection: what was written, and whether it is over."""

    def __init__(self, host: str) -> None:
        super().__init__({"peername": (host, 40_000)})
        self.written = b""
        self.over = self.cut = self.paused = False

    def write(self, data: Any) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.over

    def close(self) -> None:
        self.over = True

    def abort(self) -> None:
        self.over = self.cut = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


@dataclasses.dataclass
class Scene:
    """A platform on a file, its clock turned by hand."""

    platform: TerminalPlatform
    file: SqlFile
    outbox: SqlOutbox
    clock: FakeClock

    async def killed(self) -> None:
        """Without a chance to write anything."""
        platform = self.platform
        assert platform._ticking is not None
        platform._ticking.cancel()
        if platform.store._timer is not None:
            platform.store._timer.cancel()
        await platform.hall.close()
        self.file.close()

    def events(self, kind: str = "") -> list[Event]:
        """What has been told so far."""
        self.platform.store.flush()
        return [event for _, event in self.outbox.pending(10_000) if kind in ("", event.kind)]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events()]

    def pass_time(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.platform.tick()


class Vehicle:
    """A terminal on a connection without a network."""

    def __init__(self, scene: Scene, host: str = "10.1.1.1", version: Version = Version.V2019) -> None:
        self.scene, self.version = scene, version
        self.wire = Wire(host)
        self.link = TerminalLink(scene.platform.hall)
        self.link.connection_made(self.wire)
        self.serial = 0
        self.said = b""

    def say(self, body: AnyBody, phone: str = PHONE) -> None:
        self.serial += 1
        packet = Packet(
            id=body.ID, phone=phone, serial=self.serial, body=body.write(self.version), version=self.version
        )
        self.serial += len(parts := cut(packet)) - 1
        self.said = b"".join([frame(write_packet(part)) for part in parts])
        self.link.data_received(self.said)

    def repeat(self) -> None:
        """The last once more, as who was not answered does."""
        self.link.data_received(self.said)

    def heard(self) -> list[AnyBody]:
        """What was said to it since the last time."""
        data, self.wire.written = self.wire.written, b""
        found: list[AnyBody] = []
        for raw in FrameReader().feed(data):
            assert isinstance(raw, bytes)
            packet = read_packet(raw)
            assert isinstance(packet, Packet)
            found.append(read_body(packet.id, packet.body, self.version))
        return found

    def come_in(self, **who: Any) -> str:
        """Register and authenticate; the code."""
        self.say(Identity(phone=PHONE, version=self.version, plate="皖A12345", **who).register())
        self.scene.platform.store.flush()
        (answer,) = self.heard()
        assert isinstance(answer, RegisterAnswer)
        self.say(authenticate(answer.code, self.version))
        self.scene.platform.store.flush()
        assert self.heard() == [PlatformAnswer(serial=2, answered=0x0102, result=Result.OK)]
        return answer.code

    def fix(self, **more: Any) -> Location:
        values: dict[str, Any] = {
            "status": 2, "latitude_micro": 31_230_000, "longitude_micro": 121_470_000, "speed_tenths": 360,
            "direction": 90, "height": 12, "time": time_text(self.scene.clock.now_us()),
        }  # fmt: skip
        return Location(**{**values, **more})


async def open_scene(
    path: Path, clock: FakeClock, limits: Limits | None = None, terminals: tuple[JtTerminal, ...] = (TERMINAL,),
    keep_media: Keep | None = None,
) -> Scene:  # fmt: skip
    file = open_file(path / "signal.db")
    outbox = SqlOutbox(file)
    platform = TerminalPlatform(file, outbox, clock, node="signal", limits=limits, keep_media=keep_media)
    platform.configure([ApplySignal(1, US, (), (), terminals=terminals)])
    await platform.start(socket.create_server(("127.0.0.1", 0)))
    return Scene(platform, file, outbox, clock)
