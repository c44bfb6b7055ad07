"""Simple network time (RFC 4330; wire format of RFC 5905, 7.3): a question of 48 bytes, an answer, and what it proves.

The question carries a random number where its time of sending would stand. A server sends that field back unread, so
only who has seen the question can answer it, and the question tells nobody what the clock of this machine says.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

PORT = 123
VERSION = 4
MAX_DISTANCE_US = 1_500_000
"""A server further than this from its own reference is not asked about the time (RFC 5905, MAXDIST)."""

_EPOCH = 2_208_988_800  # from 1900 to 1970
_ERA = 1 << 32
_HEAD = struct.Struct("!BBbbII4sQQQQ")
_CLIENT, _SERVER = 3, 4
_UNSYNCHRONISED = 3
_LAST_STRATUM = 15


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said; times as NTP has them. `reference` names its source (`GPS`, or an address)."""

    stratum: int
    version: int
    received: int
    sent: int
    distance_us: int
    reference: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Bytes that are no answer to the question, or an answer nobody may set a clock by. `reason` is a code:
    `short`, `mode`, `version`, `other_question`, `unsynchronised`, `far`, `no_time`, or `kiss_` and four letters."""

    reason: str


@dataclass(frozen=True, slots=True)
class Measured:
    """How far this clock is behind the server's (positive) or ahead of it, and the way there and back."""

    offset_us: int
    delay_us: int
    stratum: int
    reference: str


def ask(nonce: int) -> bytes:
    """The question; `nonce` is 64 random bits, never 0."""
    return _HEAD.pack(VERSION << 3 | _CLIENT, 0, 0, 0, 0, 0, b"", 0, 0, 0, nonce)


def read_answer(data: bytes, nonce: int) -> Answer | Refusal:
    """Extension fields and signatures behind the 48 bytes are not looked at."""
    if len(data) < _HEAD.size:
        return Refusal("short")
    flags, stratum, _, _, delay, dispersion, reference, _, origin, received, sent = _HEAD.unpack_from(data)
    leap, version, mode = flags >> 6, flags >> 3 & 7, flags & 7
    if mode != _SERVER:
        return Refusal("mode")
    if origin != nonce:
        return Refusal("other_question")
    if not 1 <= version <= VERSION:
        return Refusal("version")
    if stratum == 0:
        # "Kiss of death" (RFC 5905, 7.4): four letters say why not.
        return Refusal(f"kiss_{_letters(reference).lower()}" if _letters(reference) else "unsynchronised")
    if leap == _UNSYNCHRONISED or stratum > _LAST_STRATUM:
        return Refusal("unsynchronised")
    if not sent or not received:
        return Refusal("no_time")
    distance = (delay // 2 + dispersion) * 1_000_000 >> 16
    if distance > MAX_DISTANCE_US:
        return Refusal("far")
    named = _letters(reference) if stratum == 1 else ".".join(map(str, reference))
    return Answer(stratum, version, received, sent, distance, named)


def measure(answer: Answer, asked_us: int, heard_us: int) -> Measured:
    """`asked_us` and `heard_us` by the clock of this machine, microseconds UTC."""
    received, sent = to_us(answer.received, asked_us), to_us(answer.sent, asked_us)
    return Measured(
        offset_us=((received - asked_us) + (sent - heard_us)) // 2,
        delay_us=max(0, (heard_us - asked_us) - (sent - received)),
        stratum=answer.stratum,
        reference=answer.reference,
    )


def clearest(measured: Iterable[Measured]) -> Measured:
    """Of several answers of one server the one that travelled least: queues make offsets wrong, never right."""
    return min(measured, key=lambda one: one.delay_us)


def agreed(offsets_us: Iterable[int]) -> int:
    """Of several servers the middle one: one that lies does not move it far, half of them must lie together."""
    return round(median(offsets_us))


def from_us(us: int) -> int:
    """Microseconds UTC as 64 bits of NTP."""
    seconds, rest = divmod(us, 1_000_000)
    return (seconds + _EPOCH) % _ERA << 32 | (rest << 32) // 1_000_000


def to_us(stamp: int, near_us: int) -> int:
    """64 bits of NTP as microseconds UTC, in the era (136 years) that lies nearest to `near_us`; rounded."""
    us = ((stamp >> 32) - _EPOCH) * 1_000_000 + ((stamp & 0xFFFFFFFF) * 1_000_000 + (1 << 31) >> 32)
    era_us = _ERA * 1_000_000
    return us + round((near_us - us) / era_us) * era_us


def answer(question: bytes, received_us: int, sent_us: int, *, stratum: int = 2, leap: int = 0) -> bytes | None:
    """The other side, for tests and the simulated city: None for what is no question."""
    if len(question) < _HEAD.size or question[0] & 7 != _CLIENT:
        return None
    nonce = _HEAD.unpack_from(question)[-1]
    version = question[0] >> 3 & 7
    head = leap << 6 | version << 3 | _SERVER
    reference = b"GPS\0" if stratum == 1 else bytes((127, 0, 0, 1))
    received, sent = from_us(received_us), from_us(sent_us)
    return _HEAD.pack(head, stratum, 6, -20, 0, 0, reference, received, nonce, received, sent)


def _letters(reference: bytes) -> str:
    text = reference.rstrip(b"\0")
    return text.decode("ascii") if text and text.isalnum() and text.isascii() else ""
