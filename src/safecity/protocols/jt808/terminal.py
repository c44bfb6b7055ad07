"""The terminal's side of a connection (JT/T 808-2019, chapters 4 and 7): told bytes and time, it answers with outputs.

It registers once, authenticates with the code it was given, reports, and keeps what was not acknowledged: after a
connection is lost the rest goes out as a blind-area batch. One object lives through all connections of a terminal.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from safecity.protocols.jt808.framing import Malformed
from safecity.protocols.jt808.header import Packet, Version
from safecity.protocols.jt808.line import Line, Part
from safecity.protocols.jt808.messages import AnyBody, body_or_none
from safecity.protocols.jt808.positions import BatchKind, Location, batch
from safecity.protocols.jt808.records import MediaAnswer, MediaData
from safecity.protocols.jt808.registration import (
    Heartbeat,
    PartsMissing,
    PlatformAnswer,
    Register,
    RegisterAnswer,
    RegisterResult,
    Result,
    TerminalAnswer,
    TimeAnswer,
    authenticate,
)

ANSWER_SECONDS: Final = 10.0
"""Wait for an answer before sending again; each time once more as long (4.3.3)."""
TRIES: Final = 3
MAX_KEPT: Final = 10_000
MAX_MEDIA: Final = 20
"""Pictures that the platform has not said it has; the oldest are given up."""
BATCH: Final = 50
WINDOW: Final = 32
"""Reports that may be unacknowledged at once."""


class Phase(StrEnum):
    """Where a connection stands."""

    REGISTERING = "registering"
    AUTHENTICATING = "authenticating"
    ONLINE = "online"
    OVER = "over"


class Send(NamedTuple):
    """Put these bytes on the connection."""

    data: bytes


class Online(NamedTuple):
    """Authenticated."""


class Commanded(NamedTuple):
    """The platform asks for something; `answer` (or `reply`) is to follow."""

    serial: int
    body: AnyBody


class Over(NamedTuple):
    """Close the connection and come again later."""

    reason: str


Output = Send | Online | Commanded | Over


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who the terminal says it is."""

    phone: str
    version: Version = Version.V2019
    terminal_id: str = "0000001"
    maker: str = "SAFEC"
    model: str = "SIM"
    plate: str = ""
    plate_colour: int = 2
    province: int = 34
    city: int = 100
    imei: str = ""
    software: str = "1.0"

    def register(self) -> Register:
        """The registration message."""
        return Register(
            province=self.province, city=self.city, maker=self.maker, model=self.model,
            terminal_id=self.terminal_id, plate_colour=self.plate_colour, plate=self.plate,
        )  # fmt: skip


class _Report(NamedTuple):
    """`unheard`: serials of its packets that were not answered yet."""

    locations: list[Location]
    data: bytes
    unheard: set[int]
    tries: int
    deadline: float


class _Medium(NamedTuple):
    body: MediaData
    deadline: float


class TerminalSession:
    """`code` is what an earlier registration gave, empty: register first."""

    def __init__(self, identity: Identity, *, code: str = "", heartbeat_seconds: float = 60.0) -> None:
        self.identity = identity
        self.code = code
        self.phase = Phase.OVER
        self.acknowledged = 0
        self.whole = 0
        """Pictures, sounds and films that the platform has."""
        self.heartbeat_seconds = heartbeat_seconds
        self._line = Line(identity.version, identity.phone)
        self._kept: deque[Location] = deque(maxlen=MAX_KEPT)
        self._fresh: deque[Location] = deque(maxlen=MAX_KEPT)
        self._flying: OrderedDict[int, _Report] = OrderedDict()
        self._media: OrderedDict[int, _Medium] = OrderedDict()
        self._login: tuple[bytes, int, float] = (b"", 0, 0.0)
        self._beat_at = 0.0

    @property
    def waiting(self) -> int:
        """Positions the platform has not acknowledged."""
        return len(self._kept) + len(self._fresh) + sum(len(one.locations) for one in self._flying.values())

    def connected(self, now: float) -> list[Output]:
        """A connection is there: register, or authenticate with the code that is known."""
        self.lost()
        self._line = Line(self.identity.version, self.identity.phone)
        return [self._log_in(now)]

    def lost(self) -> None:
        """The connection is gone: what it did not acknowledge is kept, in the order it was reported. Pictures are sent
        again over the next one."""
        self._media = OrderedDict((number, one._replace(deadline=0.0)) for number, one in self._media.items())
        self.phase = Phase.OVER
        flying = [location for report in self._flying.values() for location in report.locations]
        self._kept = deque([*flying, *self._kept, *self._fresh], maxlen=MAX_KEPT)
        self._flying.clear()
        self._fresh.clear()

    def _log_in(self, now: float) -> Send:
        if self.code:
            self.phase = Phase.AUTHENTICATING
            body: AnyBody = authenticate(self.code, self._line.version, self.identity.imei, self.identity.software)
        else:
            self.phase = Phase.REGISTERING
            body = self.identity.register()
        data, _ = self._line.write(body)
        self._login = data, 1, now + ANSWER_SECONDS
        return Send(data)

    # --- what goes out ----------------------------------------------------------------------------------------

    def report(self, location: Location, now: float) -> list[Output]:
        """A position: sent when there is a connection, kept otherwise."""
        if self.phase is not Phase.ONLINE:
            self._kept.append(location)
            return []
        self._fresh.append(location)
        return self._pump(now)

    def bring(self, body: MediaData, now: float) -> list[Output]:
        """A picture, sound or film: sent until the platform says that it has it."""
        self._media.pop(body.media_id, None)
        self._media[body.media_id] = _Medium(body, 0.0)
        if len(self._media) > MAX_MEDIA:
            self._media.popitem(last=False)
        return self._bring(now) if self.phase is Phase.ONLINE else []

    def _bring(self, now: float) -> list[Output]:
        outputs: list[Output] = []
        for number, one in self._media.items():
            if now >= one.deadline:
                self._media[number] = one._replace(deadline=now + ANSWER_SECONDS)
                outputs.append(self.send(one.body, now))
        return outputs

    def send(self, body: AnyBody, now: float) -> Send:
        """Anything else."""
        self._beat_at = now + self.heartbeat_seconds
        return Send(self._line.write(body)[0])

    def answer(self, commanded: Commanded, now: float, result: Result = Result.OK) -> Send:
        """The general answer to a command."""
        return self.send(TerminalAnswer(serial=commanded.serial, answered=commanded.body.ID, result=result), now)

    def _pump(self, now: float) -> list[Output]:
        outputs: list[Output] = []
        while self._kept and len(self._flying) < WINDOW:
            several = [self._kept.popleft() for _ in range(min(BATCH, len(self._kept)))]
            outputs.append(self._fly(several, batch(several, BatchKind.CATCH_UP, self._line.version), now))
        while self._fresh and len(self._flying) < WINDOW:
            location = self._fresh.popleft()
            outputs.append(self._fly([location], location, now))
        return outputs

    def _fly(self, locations: list[Location], body: AnyBody, now: float) -> Send:
        data, serial = self._line.write(body)
        packets = (self._line.next_serial - serial) & 0xFFFF
        unheard = {(serial + index) & 0xFFFF for index in range(packets)}
        self._flying[serial] = _Report(locations, data, unheard, 1, now + ANSWER_SECONDS)
        self._beat_at = now + self.heartbeat_seconds
        return Send(data)

    # --- what comes in ----------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: float) -> list[Output]:
        """Bytes of the connection."""
        outputs: list[Output] = []
        for item in self._line.feed(data, now):
            if not isinstance(item, Part | Malformed) and self.phase is not Phase.OVER:
                self._packet(item, now, outputs)
        return outputs

    def _packet(self, packet: Packet, now: float, outputs: list[Output]) -> None:
        body = body_or_none(packet.id, packet.body, self._line.version)
        match body:
            case None:
                bad = TerminalAnswer(serial=packet.serial, answered=packet.id, result=Result.BAD_MESSAGE)
                outputs.append(self.send(bad, now))
            case RegisterAnswer() if self.phase is Phase.REGISTERING:
                if body.result != RegisterResult.OK or not body.code:
                    self._end(outputs, f"registration refused: {body.result}")
                    return
                self.code = body.code
                outputs.append(self._log_in(now))
            case PlatformAnswer():
                self._acknowledged(body, now, outputs)
            case PartsMissing():
                outputs.append(Send(self._line.again(body.serial, body.parts)))
            case MediaAnswer():
                if body.missing:
                    outputs.append(Send(self._line.again(None, body.missing)))
                elif self._media.pop(body.media_id, None) is not None:
                    self.whole += 1
            case RegisterAnswer() | TimeAnswer():
                pass
            case _:
                outputs.append(Commanded(packet.serial, body))

    def _acknowledged(self, body: PlatformAnswer, now: float, outputs: list[Output]) -> None:
        if body.answered == 0x0102 and self.phase is Phase.AUTHENTICATING:
            if body.result != Result.OK:
                self.code = ""  # given to another one meanwhile, or never: register again
                self._end(outputs, f"authentication refused: {body.result}")
                return
            self.phase = Phase.ONLINE
            self._beat_at = now + self.heartbeat_seconds
            outputs.append(Online())
            outputs += self._bring(now)
        elif body.answered in (0x0200, 0x0704) and body.result in (Result.OK, Result.ALARM_CONFIRMED):
            for serial, report in self._flying.items():
                if body.serial in report.unheard:
                    # A message of several packets is received when each of them was answered.
                    report.unheard.remove(body.serial)
                    if not report.unheard:
                        del self._flying[serial]
                        self.acknowledged += len(report.locations)
                    break
        if self.phase is Phase.ONLINE:
            outputs += self._pump(now)

    def _end(self, outputs: list[Output], reason: str) -> None:
        self.phase = Phase.OVER
        outputs.append(Over(reason))

    # --- time -------------------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `expire` is to be called, None without a connection."""
        if self.phase is Phase.OVER:
            return None
        if self.phase is not Phase.ONLINE:
            return self._login[2]
        due = (one.deadline for kept in (self._flying, self._media) for one in kept.values())
        return min([self._beat_at, *due])

    def expire(self, now: float) -> list[Output]:
        """Time has passed: send again, beat, or give the connection up."""
        outputs: list[Output] = []
        if self.phase is Phase.OVER:
            return outputs
        if self.phase is not Phase.ONLINE:
            data, tries, deadline = self._login
            if now >= deadline:
                if tries >= TRIES:
                    self._end(outputs, "no answer")
                else:
                    self._login = data, tries + 1, now + ANSWER_SECONDS * (tries + 1)
                    outputs.append(Send(data))
            return outputs
        for serial, report in list(self._flying.items()):
            if now < report.deadline:
                continue
            if report.tries >= TRIES:
                self._end(outputs, "no answer")
                return outputs
            tries = report.tries + 1
            self._flying[serial] = report._replace(tries=tries, deadline=now + ANSWER_SECONDS * tries)
            outputs.append(Send(report.data))
        outputs += self._bring(now)
        if now >= self._beat_at:
            outputs.append(self.send(Heartbeat(), now))
        return outputs
