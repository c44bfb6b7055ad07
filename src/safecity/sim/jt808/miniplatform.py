"""A platform for tests and trials of terminals: admits whom it is told to, keeps everything in memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import cast

from safecity.kit.clock import SystemClock
from safecity.protocols.jt808.messages import AnyBody, Message
from safecity.protocols.jt808.outputs import (
    Answered,
    Arrived,
    Authenticated,
    Output,
    Over,
    Refused,
    Registered,
    Send,
    Unanswered,
)
from safecity.protocols.jt808.platform import Host, PlatformSession
from safecity.protocols.jt808.positions import Batch, Location
from safecity.protocols.jt808.registrar import Terminal


@dataclass(frozen=True, slots=True)
class Reported:
    """One position, and whether it came in a batch."""

    phone: str
    location: Location
    in_batch: bool


class _Connection(asyncio.Protocol):
    def __init__(self, platform: MiniPlatform) -> None:
        self._platform = platform
        self._timer: asyncio.TimerHandle | None = None
        self.session = PlatformSession(platform.host, asyncio.get_running_loop().time())
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self._platform.connections.add(self)
        self._arm()

    def data_received(self, data: bytes) -> None:
        self.carry_out(self.session.receive(data, asyncio.get_running_loop().time()))

    def connection_lost(self, exc: Exception | None) -> None:
        self._platform.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        if self._platform.here.get(self.session.phone) is self:
            del self._platform.here[self.session.phone]
        self._platform.changed()

    def carry_out(self, outputs: list[Output]) -> None:
        assert self.transport is not None
        for one in outputs:
            self._platform.take(one, self)
            if isinstance(one, Send):
                self.transport.write(one.data)
            elif isinstance(one, Arrived) and one.answer and self._platform.answers:
                self.transport.write(one.answer)
            elif isinstance(one, Over):
                self.transport.close()
        self._arm()
        self._platform.changed()

    def _arm(self) -> None:
        deadline = self.session.next_deadline()
        if self._timer is not None:
            self._timer.cancel()
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def _expire(self) -> None:
        self.carry_out(self.session.expire(asyncio.get_running_loop().time()))


class MiniPlatform:
    """`known`: terminals by phone; with `admit_all` everybody is taken in. `until` waits for anything to come true."""

    def __init__(self, *, admit_all: bool = False) -> None:
        self.known: dict[str, Terminal] = {}
        self.here: dict[str, _Connection] = {}
        self.connections: set[_Connection] = set()
        self.reported: list[Reported] = []
        self.messages: list[Message] = []
        self.refused: list[Refused] = []
        self.answered: list[Answered | Unanswered] = []
        self.answers = True
        self.port = 0
        self._admit_all = admit_all
        self._server: asyncio.Server | None = None
        self._changed = asyncio.Condition()
        self._waking: set[asyncio.Task[None]] = set()
        self.host = Host(self._find, lambda phone: phone in self.here, lambda: os.urandom(16), SystemClock().now_us)

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; `port` is then the real one."""
        self._server = await asyncio.get_running_loop().create_server(lambda: _Connection(self), host, port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close everything."""
        if self._server is not None:
            self._server.close()
        for connection in list(self.connections):
            if connection.transport is not None:
                connection.transport.abort()
        await asyncio.gather(*self._waking)

    def _find(self, phone: str) -> Terminal | None:
        if self._admit_all and phone not in self.known:
            self.known[phone] = Terminal(phone=phone)
        return self.known.get(phone)

    def send(self, phone: str, body: AnyBody) -> int:
        """A command; its serial number."""
        connection = self.here[phone]
        data, serial = connection.session.send(body, asyncio.get_running_loop().time())
        assert connection.transport is not None
        connection.transport.write(data)
        return serial

    def cut(self, phone: str) -> None:
        """Break a terminal's connection."""
        connection = self.here[phone]
        assert connection.transport is not None
        connection.transport.abort()

    def take(self, one: Output, connection: _Connection) -> None:
        """What a driver would store."""
        match one:
            case Registered():
                self.known[one.phone] = replace(
                    self.known[one.phone], code_hash=one.code_hash, terminal_id=one.register.terminal,
                    version=one.version,
                )  # fmt: skip
            case Authenticated():
                known = self.known[one.phone]
                self.known[one.phone] = replace(known, imei=known.imei or one.imei)
                before = self.here.get(one.phone)
                self.here[one.phone] = connection
                if before is not None and before is not connection:
                    before.carry_out(before.session.displaced())
            case Arrived(message=message):
                self._arrived(message)
            case Refused():
                self.refused.append(one)
            case Answered() | Unanswered():
                self.answered.append(one)
            case _:
                pass

    def _arrived(self, message: Message) -> None:
        self.messages.append(message)
        match message.body:
            case Location():
                self.reported.append(Reported(message.phone, message.body, False))
            case Batch():
                self.reported += [Reported(message.phone, one, True) for one in message.body.locations()[0]]
            case _:
                pass

    def changed(self) -> None:
        """Wake those who wait."""
        task = asyncio.get_running_loop().create_task(self._wake())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def _wake(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait until that is true."""
        async with self._changed:
            await self._changed.wait_for(true)
