"""The platform's side of a connection for attachments (T/JSATL 12-2017, chapter 4): bytes and time in, outputs out.

Only what was ordered is listened to (0x9208: a number of 128 random bits and the mark of the alarm), and of that only
what was announced (0x1210). A file is said to be complete (0x9212) once whoever keeps it says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from safecity.protocols.jt808.active_safety import (
    AlarmMark,
    Attachments,
    FileAnswer,
    FileBegins,
    FileEnds,
    Stretch,
)
from safecity.protocols.jt808.attachments import MAX_SPANS, NAME_BYTES, Piece, PieceReader, Spans
from safecity.protocols.jt808.framing import Malformed
from safecity.protocols.jt808.header import Packet
from safecity.protocols.jt808.line import Line, Part
from safecity.protocols.jt808.messages import AnyBody, body_or_none
from safecity.protocols.jt808.outputs import Dropped, Over, Send
from safecity.protocols.jt808.registration import Heartbeat, PlatformAnswer, Result
from safecity.protocols.jt808.wire import encode_text

LIST_SECONDS: Final = 30.0
"""So long until it is known what it brings."""
SILENT_SECONDS: Final = 60.0
LONGEST_SECONDS: Final = 1_800.0
MAX_ROUNDS: Final = 20
"""How often the rest of one file is asked for."""
MAX_MISSING: Final = 100
"""Stretches asked for at once: with them the answer fits into one packet."""
MAX_NOISE: Final = 65_536
MAX_BAD: Final = 20
"""Messages and pieces of one connection that are not taken."""
_SPARE_BYTES: Final = 1 << 20

UNKNOWN: Final = "jt_attachment_unknown"
OTHER_MARK: Final = "jt_attachment_other_mark"
OTHER_PHONE: Final = "jt_attachment_other_phone"
TOO_MANY: Final = "jt_attachment_too_many"
TOO_LARGE: Final = "jt_attachment_too_large"
BAD_NAME: Final = "jt_attachment_bad_name"
NOT_ANNOUNCED: Final = "jt_attachment_not_announced"
OTHER_SIZE: Final = "jt_attachment_other_size"
OUTSIDE: Final = "jt_attachment_outside"
INCOMPLETE: Final = "jt_attachment_incomplete"
FLOOD: Final = "jt_attachment_flood"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """What was asked for. `kept`: names of its files that are kept already, `kept_bytes` together."""

    phone: str
    mark: AlarmMark
    kept: frozenset[str] = frozenset()
    kept_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """Of one alarm: files, bytes of one, and bytes of all of them."""

    files: int = 16
    file_bytes: int = 32 << 20

    @property
    def bytes(self) -> int:
        return self.file_bytes * 4


class Listed(NamedTuple):
    """These files of that order come now; another connection for it is over. `size` bytes of it are new."""

    number: str
    size: int


class Brought(NamedTuple):
    """Bytes of a file: write them down."""

    file: int
    offset: int
    data: bytes


class Whole(NamedTuple):
    """All of it has come: keep it, then say so by `AttachmentSession.kept`."""

    file: int
    name: str
    kind: int
    size: int


class Denied(NamedTuple):
    """It may not bring this. `number`: of the order, where it has one."""

    number: str
    reason: str


BringOutput = Send | Listed | Brought | Whole | Denied | Dropped | Over


def rule_list(body: Attachments, phone: str, ordered: Ordered | None, limits: FileLimits) -> str:
    """Why it may not bring these files, empty: it may. Pure."""
    if ordered is None:
        return UNKNOWN
    if phone != ordered.phone:
        return OTHER_PHONE
    if _identity(body.mark) != _identity(ordered.mark):
        return OTHER_MARK
    names = [one.name for one in body.files]
    if len(set(names)) < len(names) or any(not 0 < len(encode_text(name)) <= NAME_BYTES for name in names):
        return BAD_NAME
    if len(ordered.kept | set(names)) > min(ordered.mark.attachments, limits.files):
        return TOO_MANY
    fresh = [one.size for one in body.files if one.name not in ordered.kept]
    if max(fresh, default=0) > limits.file_bytes or sum(fresh) + ordered.kept_bytes > limits.bytes:
        return TOO_LARGE
    return ""


def _identity(mark: AlarmMark) -> tuple[str, str, int, int]:
    """Some write something else into the reserved byte."""
    return mark.terminal_id, mark.time, mark.number, mark.attachments


@dataclass(slots=True)
class _File:
    index: int
    name: str
    size: int
    spans: Spans
    kept: bool
    begun: bool = False
    kind: int = 4
    rounds: int = 0
    handed: bool = False


@dataclass(slots=True)
class _List:
    number: str
    phone: str
    announced: tuple[tuple[str, int], ...]
    files: dict[str, _File] = field(default_factory=dict[str, _File])
    budget: int = 0


class AttachmentSession:
    """Created when the connection is, at `now`. `find`: the order of a number."""

    def __init__(self, find: Callable[[str], Ordered | None], limits: FileLimits, now: float) -> None:
        self._find = find
        self._limits = limits
        self._line = Line()
        self._reader = PieceReader()
        self._list: _List | None = None
        self._files: list[_File] = []
        self._bad = 0
        self._silent_at = now + LIST_SECONDS
        self._ends_at = now + LONGEST_SECONDS
        self.over = False

    @property
    def done(self) -> bool:
        """Whether all that was announced is kept."""
        return self._list is not None and all(one.kept for one in self._list.files.values())

    def next_deadline(self) -> float:
        """When `expire` is to be called, if nothing comes before."""
        return min(self._silent_at, self._ends_at)

    def expire(self, now: float) -> list[BringOutput]:
        """Time has passed."""
        outputs: list[BringOutput] = []
        if not self.over and now >= self.next_deadline():
            self._end(outputs, "jt_silent" if self._list is not None else "jt_no_login")
        return outputs

    def receive(self, data: bytes, now: float) -> list[BringOutput]:
        """Bytes of the connection."""
        outputs: list[BringOutput] = []
        if self.over:
            return outputs
        if self._list is not None:
            self._silent_at = now + SILENT_SECONDS
        for one in self._reader.feed(data):
            if self.over:
                break
            if isinstance(one, Piece):
                self._piece(one, outputs)
                continue
            for item in self._line.feed(one, now):
                match item:
                    case Malformed(reason=reason):
                        self._not_taken(reason, outputs)
                    case Part(packet=packet):
                        outputs.append(self._general(packet, Result.OK))
                    case Packet():
                        self._packet(item, now, outputs)
        if not self.over and (self._reader.lost or self._reader.noise > MAX_NOISE):
            self._end(outputs, "jt_nonsense")
        return outputs

    def kept(self, file: int) -> list[BringOutput]:
        """It is on the disk."""
        one = self._files[file]
        one.kept = True
        return [self._complete(one)]

    def not_kept(self) -> list[BringOutput]:
        """It could not be kept: nothing is said of it, so that it comes again over another connection."""
        outputs: list[BringOutput] = []
        self._end(outputs, "jt_attachment_not_kept")
        return outputs

    # --- one message or piece ---------------------------------------------------------------------------------

    def _end(self, outputs: list[BringOutput], reason: str) -> None:
        self.over = True
        outputs.append(Over(reason))

    def _not_taken(self, reason: str, outputs: list[BringOutput]) -> None:
        outputs.append(Dropped(reason))
        self._bad += 1
        if self._bad >= MAX_BAD and not self.over:
            self._end(outputs, "jt_too_many_failures")

    def _packet(self, packet: Packet, now: float, outputs: list[BringOutput]) -> None:
        body = body_or_none(packet.id, packet.body, packet.version) if not packet.cipher else None
        if self._list is None or packet.phone == self._list.phone:
            self._line.learn(packet)
        elif not isinstance(body, Attachments):
            self._not_taken(OTHER_PHONE, outputs)
            return
        match body:
            case Attachments():
                self._announced(packet, body, now, outputs)
            case FileBegins() | FileEnds():
                self._of_file(packet, body, outputs)
            case Heartbeat():
                outputs.append(self._general(packet, Result.OK))
            case None:
                outputs.append(self._general(packet, Result.BAD_MESSAGE))
                self._not_taken("jt_bad_body", outputs)
            case _:
                outputs.append(self._general(packet, Result.UNSUPPORTED))
                self._not_taken("jt_not_here", outputs)

    def _announced(self, packet: Packet, body: Attachments, now: float, outputs: list[BringOutput]) -> None:
        ordered = self._find(body.number)
        refusal = rule_list(body, packet.phone, ordered, self._limits)
        if refusal or ordered is None:
            self._line.learn(packet)
            number = "" if refusal in (UNKNOWN, OTHER_PHONE, OTHER_MARK) else body.number
            outputs += [self._general(packet, Result.FAILED), Denied(number, refusal)]
            self._end(outputs, refusal)
            return
        self._silent_at = now + SILENT_SECONDS
        announced = tuple((one.name, one.size) for one in body.files)
        before = self._list
        if before is not None and (before.number, before.announced) == (body.number, announced):
            outputs.append(self._general(packet, Result.OK))  # what of it has come stays
            return
        self._list = made = _List(body.number, packet.phone, announced)
        for name, size in announced:
            one = _File(len(self._files), name, size, Spans(size), name in ordered.kept)
            self._files.append(one)
            made.files[name] = one
        fresh = sum(one.size for one in made.files.values() if not one.kept)
        made.budget = 3 * sum(size for _, size in announced) + _SPARE_BYTES
        outputs += [Listed(body.number, fresh), self._general(packet, Result.OK)]

    def _of_file(self, packet: Packet, body: FileBegins | FileEnds, outputs: list[BringOutput]) -> None:
        one = self._list.files.get(body.name) if self._list is not None else None
        refusal = NOT_ANNOUNCED if one is None else OTHER_SIZE if body.size != one.size else ""
        if one is None or refusal:
            outputs += [self._general(packet, Result.FAILED), Denied(self._list.number if self._list else "", refusal)]
            self._not_taken(refusal, outputs)
            return
        one.kind, one.begun = body.kind, True
        if isinstance(body, FileBegins):
            outputs.append(self._general(packet, Result.OK))
        else:
            self._ended(one, outputs)

    def _ended(self, one: _File, outputs: list[BringOutput]) -> None:
        if one.kept:
            outputs.append(self._complete(one))
            return
        missing = one.spans.missing()
        if not missing:
            if not one.handed:  # said twice while it is being kept: one answer is enough
                one.handed = True
                outputs.append(Whole(one.index, one.name, one.kind, one.size))
            return
        one.rounds += 1
        if one.rounds > MAX_ROUNDS:
            self._end(outputs, INCOMPLETE)
            return
        stretches = tuple(Stretch(offset=offset, size=size) for offset, size in missing[:MAX_MISSING])
        outputs.append(self._write(FileAnswer(name=one.name, kind=one.kind, result=1, missing=stretches)))

    def _piece(self, piece: Piece, outputs: list[BringOutput]) -> None:
        one = self._list.files.get(piece.name) if self._list is not None else None
        if self._list is None or one is None or not one.begun:
            self._not_taken(NOT_ANNOUNCED, outputs)
            return
        self._list.budget -= len(piece.data)
        if self._list.budget < 0 or len(one.spans) > MAX_SPANS:
            self._end(outputs, FLOOD)
            return
        end = piece.offset + len(piece.data)
        if end > one.size:
            self._not_taken(OUTSIDE, outputs)
            return
        if one.kept or one.handed or not piece.data:
            return
        one.spans.add(piece.offset, end)
        outputs.append(Brought(one.index, piece.offset, piece.data))

    def _complete(self, one: _File) -> Send:
        return self._write(FileAnswer(name=one.name, kind=one.kind, result=0))

    def _general(self, packet: Packet, result: Result) -> Send:
        return self._write(PlatformAnswer(serial=packet.answer_serial, answered=packet.id, result=result))

    def _write(self, body: AnyBody) -> Send:
        return Send(self._line.write(body)[0])
