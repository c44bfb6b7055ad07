"""What a simulated terminal recorded of an alarm of active safety (T/JSATL 12-2017), and how it brings it where its
platform says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from safecity.protocols.jt808.active_safety import (
    AlarmMark,
    Attachment,
    Attachments,
    DriverState,
    FileAnswer,
    FileBegins,
    FileEnds,
    UploadAttachments,
)
from safecity.protocols.jt808.attachments import MAX_PIECE, Piece, write_piece
from safecity.protocols.jt808.header import Packet
from safecity.protocols.jt808.line import Line
from safecity.protocols.jt808.messages import AnyBody, body_or_none
from safecity.protocols.jt808.positions import Item, Location
from safecity.protocols.jt808.registration import PlatformAnswer, Result
from safecity.protocols.jt808.terminal import Identity

logger = logging.getLogger(__name__)

PICTURE, SOUND, FILM, WORDS, OTHER = range(5)
_ENDINGS: Final = ("jpg", "wav", "h264", "txt", "bin")
ANSWER_SECONDS: Final = 30.0
TRIES: Final = 5
MAX_WISHES: Final = 100


@dataclass(frozen=True, slots=True)
class Recorded:
    """One file; `kind` as of 0x1211. `name` empty: made as the standard has it."""

    kind: int
    data: bytes
    channel: int = 1
    name: str = ""


@dataclass(slots=True)
class Trouble:
    """What goes wrong on the way, each once: pieces that get lost, by their number over the whole upload, and after how
    many the connection breaks (None: it holds)."""

    lost: set[int] = field(default_factory=set[int])
    breaks_after: int | None = None


@dataclass(slots=True)
class SafetyAlarms:
    """Alarms that a terminal has raised, with their files.

    wishes             orders it heard of; it says yes, and follows them while it is `willing`
    brought, refused   numbers of those of which all was complete, and of those that the platform did not take
    """

    identity: Identity
    trouble: Trouble = field(default_factory=Trouble)
    willing: bool = True
    wishes: list[UploadAttachments] = field(default_factory=list[UploadAttachments])
    brought: list[str] = field(default_factory=list[str])
    refused: list[str] = field(default_factory=list[str])
    connections: int = 0
    retry_seconds: float = 5.0
    piece_bytes: int = MAX_PIECE
    _files: dict[tuple[str, int], tuple[int, Sequence[Recorded]]] = field(
        default_factory=dict[tuple[str, int], tuple[int, Sequence[Recorded]]]
    )
    _under_way: set[str] = field(default_factory=set[str])
    _raised: int = 0
    _sent: int = 0

    def raised(self, location: Location, kind: int, files: Sequence[Recorded]) -> Item:
        """An alarm of the driver's state (item 65) at that position: 1 fatigue, 2 phone, 3 smoking, 4 distracted."""
        self._raised += 1
        number = self._raised & 0xFF
        mark = AlarmMark(
            terminal_id=self.identity.terminal_id[-7:], time=location.time, number=number, attachments=len(files)
        )  # fmt: skip
        self._files[location.time, number] = kind, files
        state = DriverState(
            alarm_id=self._raised, flag=1, kind=kind, level=2, fatigue=7 if kind == 1 else 0,
            speed=min(255, location.speed_tenths // 10), height=location.height,
            latitude_micro=location.latitude_micro, longitude_micro=location.longitude_micro, time=location.time,
            vehicle_status=1, mark=mark,
        )  # fmt: skip
        return Item(DriverState.ID, state.write(self.identity.version))

    def hears(self, wish: UploadAttachments) -> bool:
        """Whether there are files of that alarm."""
        self.wishes = [*self.wishes, wish][-MAX_WISHES:]
        return (wish.mark.time, wish.mark.number) in self._files

    async def bring(self, wish: UploadAttachments) -> None:
        """Until the platform has all of it, refuses it, or cannot be reached. Said again meanwhile it is under way."""
        if wish.number in self._under_way:
            return
        self._under_way.add(wish.number)
        try:
            await self._bring(wish)
        finally:
            self._under_way.discard(wish.number)

    async def _bring(self, wish: UploadAttachments) -> None:
        kind, recorded = self._files[wish.mark.time, wish.mark.number]
        files = {_name(one, kind, at, wish.number): one for at, one in enumerate(recorded)}
        for _ in range(TRIES):
            try:
                async with asyncio.timeout(ANSWER_SECONDS * (1 + len(files))):
                    taken = await self._once(wish, files)
            except (OSError, EOFError, TimeoutError) as error:
                logger.info("attachments not brought to=%s why=%r", wish.host, error)
                await asyncio.sleep(self.retry_seconds)
                continue
            (self.brought if taken else self.refused).append(wish.number)
            return

    async def _once(self, wish: UploadAttachments, files: dict[str, Recorded]) -> bool:
        reader, writer = await asyncio.open_connection(wish.host, wish.tcp_port)
        self.connections += 1
        talk = _Talk(reader, writer, Line(self.identity.version, self.identity.phone))
        try:
            listed = Attachments(
                terminal_id=wish.mark.terminal_id, mark=wish.mark, number=wish.number, kind=0,
                files=tuple(Attachment(name=name, size=len(one.data)) for name, one in files.items()),
            )  # fmt: skip
            if await talk.ask(listed) != Result.OK:
                return False
            for name, one in files.items():
                if await talk.ask(FileBegins(name=name, kind=one.kind, size=len(one.data))) != Result.OK:
                    return False
                await self._pieces(talk, name, one.data, 0, len(one.data))
                over = FileEnds(name=name, kind=one.kind, size=len(one.data))
                while (answer := await talk.end(over)).result:
                    for stretch in answer.missing:
                        await self._pieces(talk, name, one.data, stretch.offset, stretch.offset + stretch.size)
            return True
        finally:
            writer.close()

    async def _pieces(self, talk: _Talk, name: str, data: bytes, start: int, end: int) -> None:
        for at in range(start, end, self.piece_bytes):
            if self._sent == self.trouble.breaks_after:
                self.trouble.breaks_after = None
                talk.writer.transport.abort()
                raise ConnectionAbortedError("broken, as was wished")
            if self._sent not in self.trouble.lost:
                await talk.put(write_piece(Piece(name, at, data[at : min(end, at + self.piece_bytes)])))
            self._sent += 1


@dataclass(slots=True)
class _Talk:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    line: Line
    waiting: list[AnyBody] = field(default_factory=list[AnyBody])

    async def put(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def ask(self, body: AnyBody) -> int:
        """The result of the general answer."""
        data, serial = self.line.write(body)
        await self.put(data)
        while True:
            answer = await self._heard()
            if isinstance(answer, PlatformAnswer) and answer.serial == serial:
                return answer.result

    async def end(self, body: FileEnds) -> FileAnswer:
        """What the platform says of the file."""
        await self.put(self.line.write(body)[0])
        while True:
            answer = await self._heard()
            if isinstance(answer, FileAnswer) and answer.name == body.name:
                return answer

    async def _heard(self) -> AnyBody:
        while not self.waiting:
            data = await self.reader.read(65_536)
            if not data:
                raise EOFError("the platform closed the connection")
            for one in self.line.feed(data, 0.0):
                body = body_or_none(one.id, one.body, self.line.version) if isinstance(one, Packet) else None
                if body is not None:
                    self.waiting.append(body)
        return self.waiting.pop(0)


def _name(one: Recorded, kind: int, at: int, number: str) -> str:
    """Kind, channel, item and kind of the alarm, place in the list, the platform's number (chapter 4)."""
    return one.name or f"{one.kind:02}_{one.channel}_65{kind:02}_{at}_{number}.{_ENDINGS[one.kind]}"
