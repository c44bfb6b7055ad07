"""Connections over which terminals bring attachments: bytes in, files out to whoever keeps them. A file is said to be
complete once it is durable there; what is cut off comes again over another connection."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from safecity.drivers.jt808.attachments import NO_ROOM, AttachmentDesk
from safecity.drivers.jt808.link import Gate, Limits
from safecity.drivers.jt808.media import until_kept
from safecity.drivers.jt808.spool import Spool, Spooled
from safecity.drivers.jt808.translate import clean
from safecity.drivers.tally import Tally
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.model.facts.vehicle_calls import KeepAttachment
from safecity.protocols.jt808.bringing import (
    AttachmentSession,
    BringOutput,
    Brought,
    Denied,
    FileLimits,
    Listed,
    Whole,
)
from safecity.protocols.jt808.outputs import Dropped, Over, Send

logger = logging.getLogger(__name__)
KeepFile = Callable[[KeepAttachment], Awaitable[None]]
"""Durable on return."""

READ_BYTES: Final = 65_536
WRITE_SECONDS: Final = 30.0
"""So long for an answer to leave; whoever does not read is cut off."""
KEPT_AT_ONCE: Final = 8
NAME_LETTERS: Final = 60
NOT_KEPT: Final = "jt_attachment_not_kept"
_KINDS: Final = ("picture", "sound", "video")
_FORMATS: Final = {
    "jpg": "jpeg", "jpeg": "jpeg", "png": "png", "mp3": "mp3", "wav": "wav", "aac": "aac", "mp4": "mp4",
    "h264": "h264", "h265": "h265", "avi": "avi", "wmv": "wmv", "txt": "txt", "bin": "bin",
}  # fmt: skip


def format_of(name: str) -> str:
    """By the ending of its name."""
    return _FORMATS.get(name.rpartition(".")[2].lower(), "bin")


def channel_of(name: str) -> int:
    """The camera's number, which is the second part of a name as the standard makes it; 0 where there is none."""
    parts = name.split("_")
    number = parts[1] if len(parts) >= 4 else ""
    is_number = number.isascii() and number.isdecimal() and len(number) <= 3
    return int(number) if is_number and int(number) <= 255 else 0


class Visit:
    """One connection."""

    def __init__(self, hall: AttachmentHall, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._hall = hall
        self._reader = reader
        self._writer = writer
        host, port = (writer.get_extra_info("peername") or ("", 0))[:2]
        self.address, self.peer = str(host), f"{host}:{port}"
        self.session = AttachmentSession(hall.desk.ordered, hall.limits, hall.now())
        self.number = ""
        self._reserved = 0
        self._files: dict[int, Spooled] = {}

    async def run(self) -> None:
        """Until either side ends it."""
        try:
            while not self.session.over:
                patience = max(0.0, self.session.next_deadline() - self._hall.now())
                try:
                    async with asyncio.timeout(patience):
                        data = await self._reader.read(READ_BYTES)
                except TimeoutError:
                    await self._carry_out(self.session.expire(self._hall.now()))
                    continue
                if not data:
                    break
                await self._carry_out(self.session.receive(data, self._hall.now()))
        finally:
            for file in self._files.values():
                self._hall.spool.close(file)
            self._hall.spool.release(self._reserved)

    def abort(self) -> None:
        """At once."""
        self._writer.transport.abort()

    def close(self) -> None:
        """After what was said has been sent."""
        self._writer.close()

    async def _carry_out(self, outputs: list[BringOutput]) -> None:
        desk = self._hall.desk
        for one in outputs:
            match one:
                case Send(data=data):
                    self._writer.write(data)
                case Listed():
                    if not self._listed(one):
                        desk.denied(one.number, NO_ROOM, self.peer)
                        self.abort()
                        return
                case Brought():
                    await self._write(one)
                case Whole():
                    await self._keep(one)
                case Denied(number=number, reason=reason):
                    desk.denied(number, reason, self.peer)
                case Dropped(reason=reason):
                    self._hall.tally.note(reason, self.peer)
                case Over(reason=reason):
                    logger.debug("connection for attachments ends peer=%s why=%s", self.peer, reason)
                    if self.number:
                        desk.denied(self.number, reason, self.peer)
        async with asyncio.timeout(WRITE_SECONDS):
            await self._writer.drain()

    def _listed(self, one: Listed) -> bool:
        self._hall.spool.release(self._reserved)
        self._reserved = 0
        if not self._hall.spool.reserve(one.size):
            return False
        self._reserved = one.size
        self.number = one.number
        self._hall.visiting(self)
        self._hall.desk.visit(one.number)
        self._finish()  # of what is kept already nothing is missing
        return True

    async def _write(self, one: Brought) -> None:
        file = self._files.get(one.file)
        if file is None:
            self._files[one.file] = file = await self._hall.spool.open()
        await self._hall.spool.write(file, one.offset, one.data)

    async def _keep(self, whole: Whole) -> None:
        row, spool = self._hall.desk.row(self.number), self._hall.spool
        file = self._files.pop(whole.file, None) or await spool.open()  # one without a byte
        try:
            if row is None:
                raise SafecityError("the order is over", code=NOT_KEPT)
            fact = KeepAttachment(
                device=row.device, number=row.alarm, event=row.event, name=clean(whole.name, NAME_LETTERS),
                kind=_KINDS[whole.kind] if whole.kind < len(_KINDS) else "file", format=format_of(whole.name),
                at=row.at, seen=self._hall.clock.now_us(), size=whole.size, digest=await spool.digest(file),
                spool=file.name, longitude=row.longitude, latitude=row.latitude, channel=channel_of(whole.name),
            )  # fmt: skip
            async with self._hall.keeping:
                await until_kept(self._hall.keep, fact)
        except SafecityError as error:
            logger.debug("attachment not kept phone=%s why=%s", row.phone if row else "", error)
            await self._carry_out(self.session.not_kept())
            return
        finally:
            spool.close(file)
        self._hall.desk.kept(self.number, whole.name, whole.size)
        for send in self.session.kept(whole.file):
            assert isinstance(send, Send)
            self._writer.write(send.data)
        self._finish()

    def _finish(self) -> None:
        if self.session.done:
            self._hall.desk.finished(self.number)


class AttachmentHall:
    """All connections."""

    def __init__(
        self, desk: AttachmentDesk, spool: Spool, keep: KeepFile, clock: Clock, tally: Tally, *,
        gate: Limits, limits: FileLimits,
    ) -> None:  # fmt: skip
        self.desk = desk
        self.spool = spool
        self.keep = keep
        self.clock = clock
        self.now = clock.monotonic
        self.tally = tally
        self.limits = limits
        self.keeping = asyncio.Semaphore(KEPT_AT_ONCE)
        self.gate = Gate(gate)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._visits: dict[str, Visit] = {}
        desk.visited = self._visits.__contains__

    async def open(self, listening: socket.socket) -> None:
        """Accept on a socket that the supervisor opened; from now on attachments are ordered."""
        self.spool.begin()
        self._server = await asyncio.start_server(self._came, sock=listening, limit=READ_BYTES, backlog=256)
        self.desk.start(int(listening.getsockname()[1]))

    async def close(self) -> None:
        """Cut all connections: terminals come again to whoever starts next."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.desk.close()

    def visiting(self, visit: Visit) -> None:
        """One connection for each order: the last, since lines of vehicles break without a word."""
        before = self._visits.get(visit.number)
        self._visits[visit.number] = visit
        if before is not None and before is not visit:
            before.abort()

    def _came(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visit = Visit(self, reader, writer)
        if not self.gate.admits(visit.address, self.now()):
            visit.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(visit))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, visit: Visit) -> None:
        try:
            await visit.run()
        except (OSError, TimeoutError) as error:
            logger.debug("connection for attachments broke peer=%s why=%s", visit.peer, error)
            visit.abort()
        except SafecityError as error:
            self.desk.denied(visit.number, error.code, visit.peer)
            visit.abort()
        except Exception:
            logger.exception("connection for attachments failed peer=%s", visit.peer)
            visit.abort()
        finally:
            self.gate.left(visit.address)
            for number in [number for number, one in self._visits.items() if one is visit]:
                del self._visits[number]
                self.desk.broke(number)
            visit.close()
