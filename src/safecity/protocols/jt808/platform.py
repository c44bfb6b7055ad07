"""The platform's side of one connection (JT/T 808-2019, chapters 4 and 7): bytes and time in, outputs out.

Until a terminal has authenticated only its registration, its authentication and a question for the time are listened
to. Afterwards every message is answered, and the answer is handed out beside the message, so that the caller can store
first: what a terminal was told to be received it does not send again.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from safecity.kit.errors import ConflictError
from safecity.protocols.jt808.checks import time_text
from safecity.protocols.jt808.framing import Malformed
from safecity.protocols.jt808.header import Packet, Version
from safecity.protocols.jt808.line import MAX_NONSENSE, Line, Part, as_version
from safecity.protocols.jt808.messages import (
    ANSWER_OF,
    ANSWERS,
    MAY_ANSWER,
    YES_IS_ENOUGH,
    AnyBody,
    Message,
    Raw,
    body_or_none,
)
from safecity.protocols.jt808.outputs import (
    Answered,
    Arrived,
    Authenticated,
    Dropped,
    Output,
    Over,
    Refused,
    Registered,
    Send,
    Unanswered,
)
from safecity.protocols.jt808.records import MediaAnswer, MediaData
from safecity.protocols.jt808.registrar import (
    NOT_AUTHENTICATED,
    OTHER_PHONE,
    UNREADABLE,
    Terminal,
    code_text,
    hash_code,
    rule_authentication,
    rule_registration,
)
from safecity.protocols.jt808.registration import (
    MAX_REGISTER_2011,
    AskTime,
    Authenticate,
    Heartbeat,
    PartsMissing,
    PlatformAnswer,
    Register,
    RegisterAnswer,
    RegisterResult,
    Result,
    TerminalAnswer,
    TerminalPartsMissing,
    TimeAnswer,
    Unregister,
)

LOGIN_SECONDS: Final = 60.0
"""A connection that has not authenticated by then is closed."""
MAX_FAILURES: Final = 5
MAX_EARLY: Final = 50
"""Messages before it has authenticated, of those too that are no failure (heartbeats, questions for the time)."""
ANSWER_SECONDS: Final = 15.0
MAX_WAITING: Final = 64
SEEN: Final = 256


@dataclass(frozen=True, slots=True)
class Host:
    """What the session asks of its surroundings: who a phone belongs to, whether a session of it is elsewhere, 16 fresh
    random bytes, wall time in microseconds."""

    find: Callable[[str], Terminal | None]
    live: Callable[[str], bool]
    random: Callable[[], bytes]
    now_us: Callable[[], int]


class PlatformSession:
    """Created when the connection is, at `now` (seconds that never go back). `heard_at`: when its terminal last said
    something that could be read."""

    def __init__(self, host: Host, now: float, *, heartbeat_seconds: float = 60.0) -> None:
        self._host = host
        self._patience = 3 * heartbeat_seconds
        self._silent_at = now + LOGIN_SECONDS
        self._line = Line()
        self._old = Version.V2013
        self._failures = 0
        self._early = 0
        self._waiting: OrderedDict[int, tuple[int, float]] = OrderedDict()
        self._agreed: set[int] = set()
        self._seen: OrderedDict[tuple[int, int, bytes], None] = OrderedDict()
        self.phone = ""
        self.heard_at = now
        self.here = False
        self.over = False

    @property
    def version(self) -> Version:
        """Of the terminal, as far as is known."""
        return self._line.version

    def receive(self, data: bytes, now: float) -> list[Output]:
        """Bytes of the connection."""
        outputs: list[Output] = []
        for item in self._line.feed(data, now):
            if self.over:
                break
            match item:
                case Malformed(reason=reason):
                    outputs.append(Dropped(reason))
                    if self._line.nonsense >= MAX_NONSENSE:
                        self._end(outputs, "jt_nonsense")
                case Part(packet=packet):
                    self._part(packet, now, outputs)
                case Packet():
                    self._packet(as_version(item, self._old), now, outputs)
        return outputs

    def send(self, body: AnyBody, now: float) -> tuple[bytes, int]:
        """A command's bytes and serial; `Answered` or `Unanswered` will tell what came of it.

        ConflictError when the terminal is not here, or too much of it is unanswered.
        """
        if not self.here or self.over:
            raise ConflictError("the terminal is not connected", code="device_offline")
        if len(self._waiting) >= MAX_WAITING:
            raise ConflictError("the terminal answers nothing", code="device_silent")
        data, serial = self._line.write(body)
        self._waiting[serial] = (body.ID, now + ANSWER_SECONDS)
        return data, serial

    def not_taken(self, message: Message) -> None:
        """It was handed out but could not be kept, and not answered: when it comes again it is no double."""
        for key in [key for key in self._seen if key[:2] == (message.id, message.serial)]:
            del self._seen[key]

    def displaced(self) -> list[Output]:
        """The same terminal has come in over another connection."""
        outputs: list[Output] = []
        self._end(outputs, "jt_displaced")
        return outputs

    def next_deadline(self) -> float | None:
        """When `expire` is to be called, if nothing comes before."""
        if self.over:
            return None
        times = [self._silent_at, *(deadline for _, deadline in self._waiting.values())]
        parts = self._line.next_deadline()
        return min(times if parts is None else [*times, parts])

    def expire(self, now: float) -> list[Output]:
        """Time has passed."""
        outputs: list[Output] = []
        if self.over:
            return outputs
        for serial, (id_, deadline) in list(self._waiting.items()):
            if now >= deadline:
                del self._waiting[serial]
                done = serial in self._agreed and id_ in YES_IS_ENOUGH
                self._agreed.discard(serial)
                outputs.append(Answered(serial, id_, Result.OK, None) if done else Unanswered(serial, id_))
        ask, gone = self._line.expire(now)
        for missing in ask:
            if self.here:
                media = int.from_bytes(missing.first[:4], "big")
                if missing.id == MediaData.ID and len(missing.first) >= 4 and len(missing.parts) <= 255:
                    body: AnyBody = MediaAnswer(media_id=media, missing=missing.parts)
                else:
                    most = 255 if self.version is not Version.V2019 else 65_535
                    body = PartsMissing(serial=missing.serial, parts=missing.parts[:most])
                outputs.append(Send(self._line.write(body)[0]))
        outputs += [Dropped("jt_parts_missing") for _ in gone]
        if now >= self._silent_at:
            self._end(outputs, "jt_silent" if self.here else "jt_no_login")
        return outputs

    def _hear(self, now: float) -> None:
        self.heard_at = now
        self._silent_at = now + self._patience

    # --- one message ------------------------------------------------------------------------------------------

    def _end(self, outputs: list[Output], reason: str) -> None:
        self.over = True
        self.here = False
        outputs.append(Over(reason))

    def _part(self, packet: Packet, now: float, outputs: list[Output]) -> None:
        """Parts are acknowledged one by one, since terminals send the next only then."""
        if not self._belongs(packet, outputs):
            return
        self._hear(now)
        outputs.append(Send(self._general(packet.answer_serial, packet.id, Result.OK)))

    def _belongs(self, packet: Packet, outputs: list[Output]) -> bool:
        """Whether it comes from the terminal that authenticated here; if not, that is said."""
        if self.here and packet.phone == self.phone:
            return True
        reason, result = OTHER_PHONE if self.here else NOT_AUTHENTICATED, Result.FAILED
        if not self.here:
            self._line.learn(packet, as_version(packet, self._old).version)
            if packet.id in (Register.ID, Authenticate.ID) and not packet.cipher:
                reason, result = UNREADABLE, Result.BAD_MESSAGE
        outputs.append(Send(self._general(packet.answer_serial, packet.id, result)))
        if packet.id != Heartbeat.ID or self.here:
            outputs.append(Refused(packet.phone, reason, None, packet.version))
            self._failed(outputs)
        return False

    def _failed(self, outputs: list[Output]) -> None:
        self._failures += 1
        if self._failures >= MAX_FAILURES:
            self._end(outputs, "jt_too_many_failures")

    def _packet(self, packet: Packet, now: float, outputs: list[Output]) -> None:
        own = not self.here or packet.phone == self.phone
        self._early += not self.here
        if self._early > MAX_EARLY:
            self._end(outputs, "jt_too_many_failures")
            return
        if packet.id == Register.ID and packet.version is not Version.V2019 and own:
            self._old = Version.V2011 if len(packet.body) <= MAX_REGISTER_2011 else Version.V2013
            packet = as_version(packet, self._old)
        body = body_or_none(packet.id, packet.body, packet.version) if not packet.cipher else None
        match body:
            case Register() if own:
                self._register(packet, body, outputs)
            case Authenticate() if own:
                self._authenticate(packet, body, now, outputs)
            case AskTime() if own:
                if self.here:
                    self._hear(now)
                else:
                    self._line.learn(packet)
                outputs.append(Send(self._line.write(TimeAnswer(time=time_text(self._host.now_us())))[0]))
            case _:
                if self._belongs(packet, outputs):
                    self._hear(now)
                    self._take(packet, body, outputs)

    def _register(self, packet: Packet, body: Register, outputs: list[Output]) -> None:
        self._line.learn(packet, packet.version)
        elsewhere = not self.here and self._host.live(packet.phone)
        verdict = rule_registration(body, self._host.find(packet.phone), live=elsewhere)
        code = code_text(self._host.random()) if verdict.result is RegisterResult.OK else ""
        answer, _ = self._line.write(RegisterAnswer(serial=packet.answer_serial, result=verdict.result, code=code))
        if verdict.refusal:
            outputs += [Send(answer), Refused(packet.phone, verdict.refusal, body, packet.version)]
            self._failed(outputs)
            return
        # The hash is to be stored before the terminal has the code, hence the order.
        outputs.append(Registered(packet.phone, body, packet.version, hash_code(code, packet.phone)))
        outputs.append(Send(answer))

    def _authenticate(self, packet: Packet, body: Authenticate, now: float, outputs: list[Output]) -> None:
        terminal = self._host.find(packet.phone)
        if terminal is not None and terminal.version is Version.V2011 and packet.version is not Version.V2019:
            self._old = Version.V2011  # it registered long ago, and its messages do not tell
            packet = as_version(packet, self._old)
        self._line.learn(packet, packet.version)
        refusal = rule_authentication(body, terminal, packet.phone)
        result = Result.FAILED if refusal else Result.OK
        if refusal:
            outputs.append(Send(self._general(packet.answer_serial, packet.id, result)))
            outputs.append(Refused(packet.phone, refusal, None, packet.version))
            self._failed(outputs)
            return
        self._failures = 0
        self._hear(now)
        self.phone = packet.phone
        first, self.here = not self.here, True
        if first:
            outputs.append(Authenticated(packet.phone, packet.version, body.imei, body.software.strip("\0 ")))
        outputs.append(Send(self._general(packet.answer_serial, packet.id, result)))

    def _take(self, packet: Packet, body: AnyBody | None, outputs: list[Output]) -> None:
        if packet.cipher:
            outputs += [
                Send(self._general(packet.answer_serial, packet.id, Result.UNSUPPORTED)),
                Dropped("jt_encrypted_body"),
            ]
            return
        if body is None:
            outputs += [
                Send(self._general(packet.answer_serial, packet.id, Result.BAD_MESSAGE)),
                Dropped("jt_bad_body"),
            ]
            return
        answer = self._answer(packet, body)
        # Of what is kept elsewhere nobody here knows whether it is: it is handed out again, and answered once it is.
        if not isinstance(body, MediaData) and self._is_double(packet):
            outputs.append(Send(answer))
            return
        match body:
            case TerminalAnswer():
                self._answered(body, outputs)
                return
            case TerminalPartsMissing():
                outputs.append(Send(self._line.again(body.serial, body.parts)))
                return
            case Heartbeat():
                outputs.append(Send(answer))
                return
            case Unregister():
                outputs += [Arrived(self._message(packet, body), b""), Send(answer)]
                self._end(outputs, "jt_unregistered")
                return
            case _:
                pass
        if packet.id in ANSWERS:
            self._answered_by(packet, body, outputs)
        outputs.append(Arrived(self._message(packet, body), answer))

    def _message(self, packet: Packet, body: AnyBody) -> Message:
        return Message(phone=packet.phone, version=packet.version, serial=packet.serial, body=body)

    def _is_double(self, packet: Packet) -> bool:
        """The terminal has not heard our answer and sends it again."""
        key = packet.id, packet.serial, hashlib.blake2b(packet.body, digest_size=8).digest()
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)
        return False

    def _answer(self, packet: Packet, body: AnyBody) -> bytes:
        if packet.id in ANSWERS:
            return b""
        if isinstance(body, MediaData):
            return self._line.write(MediaAnswer(media_id=body.media_id))[0]
        result = Result.UNSUPPORTED if isinstance(body, Raw) else Result.OK
        return self._general(packet.answer_serial, packet.id, result)

    def _general(self, serial: int, answered: int, result: Result) -> bytes:
        return self._line.write(PlatformAnswer(serial=serial, answered=answered, result=result))[0]

    def _answered(self, body: TerminalAnswer, outputs: list[Output]) -> None:
        waiting = self._waiting.get(body.serial)
        if waiting is None or waiting[0] != body.answered:
            return
        if body.result == Result.OK and waiting[0] in ANSWER_OF:
            self._agreed.add(body.serial)
            return  # some say "yes" first and answer afterwards
        del self._waiting[body.serial]
        self._agreed.discard(body.serial)
        outputs.append(Answered(body.serial, body.answered, body.result, None))

    def _answered_by(self, packet: Packet, body: AnyBody, outputs: list[Output]) -> None:
        """Answers with a body begin with the serial of what they answer."""
        serial = int.from_bytes(packet.body[:2], "big")
        waiting = self._waiting.get(serial)
        if waiting is None or packet.id not in (ANSWER_OF.get(waiting[0]), MAY_ANSWER.get(waiting[0])):
            # 0x1003 and 0x0107 carry no serial: they answer the oldest question of theirs.
            serial = next((one for one, (id_, _) in self._waiting.items() if ANSWER_OF.get(id_) == packet.id), -1)
            waiting = self._waiting.get(serial)
        if waiting is None:
            return
        del self._waiting[serial]
        self._agreed.discard(serial)
        outputs.append(Answered(serial, waiting[0], Result.OK, body))
