"""MANSRTSP: control of a history stream in the bodies of INFO (GB/T 28181, annex B). Requests and answers.

One of `start` (seek), `scale` (speed) and neither (resume) stands in a PLAY; `Range` and `Scale` together are
accepted from others and never written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from safecity.kit.errors import InvalidError

CONTENT_TYPE: Final = "Application/MANSRTSP"
MAX_BYTES: Final = 4096

_REQUEST = re.compile(r"(PLAY|PAUSE|TEARDOWN)\s+(?:\S+\s+)?(?:MANS)?RTSP/1\.[01]$", re.IGNORECASE)
_STATUS = re.compile(r"(?:MANS)?RTSP/1\.[01]\s+(\d{3})(?:\s+(.*))?$", re.IGNORECASE)
_RANGE = re.compile(r"npt\s*=\s*(now|[0-9]*\.?[0-9]+)?\s*-\s*(now|[0-9]*\.?[0-9]+)?$", re.IGNORECASE)
_RTP_INFO = re.compile(r"(seq|rtptime)\s*=\s*(\d{1,10})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Play:
    """Go on. `start`, `end`: seconds from the start of the asked window; `scale` below 0 plays backwards [2022]."""

    cseq: int
    start: float | None = None
    end: float | None = None
    scale: float | None = None

    @property
    def resumes(self) -> bool:
        """Neither seek nor speed: only goes on after a pause."""
        return self.start is None and self.scale is None


@dataclass(frozen=True, slots=True)
class Pause:
    cseq: int


@dataclass(frozen=True, slots=True)
class Teardown:
    cseq: int


@dataclass(frozen=True, slots=True)
class Answer:
    """May stand in the 200 to INFO; `rtp_seq` and `rtp_time` say from which packet the new position holds."""

    status: int
    cseq: int
    reason: str = "OK"
    rtp_seq: int | None = None
    rtp_time: int | None = None


Act = Play | Pause | Teardown | Answer


def write_mansrtsp(act: Act, *, old: bool = False) -> bytes:
    """The body; `old` writes `MANSRTSP/1.0` for devices that ask for it."""
    version = "MANSRTSP/1.0" if old else "RTSP/1.0"
    match act:
        case Play(cseq, start, end, scale):
            lines = [f"PLAY {version}", f"CSeq: {cseq}"]
            if start is not None:
                lines.append(f"Range: npt={start:g}-{'' if end is None else f'{end:g}'}")
            elif scale is not None:
                lines.append(f"Scale: {scale:.6g}" if scale % 1 else f"Scale: {scale:.1f}")
            else:
                lines.append("Range: npt=now-")
        case Pause(cseq):
            lines = [f"PAUSE {version}", f"CSeq: {cseq}", "PauseTime: now"]
        case Teardown(cseq):
            lines = [f"TEARDOWN {version}", f"CSeq: {cseq}"]
        case Answer(status, cseq, reason, rtp_seq, rtp_time):
            lines = [f"{version} {status} {reason}", f"CSeq: {cseq}"]
            if rtp_seq is not None:
                lines.append(f"RTP-Info: seq={rtp_seq};rtptime={rtp_time or 0}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii", "replace")


def read_mansrtsp(data: bytes) -> Act:
    """InvalidError (`mansrtsp_malformed`) for what is none."""
    if len(data) > MAX_BYTES:
        raise InvalidError("MANSRTSP too long", code="mansrtsp_malformed")
    lines = [line.strip() for line in data.decode("ascii", "replace").replace("\r", "\n").split("\n") if line.strip()]
    if not lines:
        raise InvalidError("MANSRTSP empty", code="mansrtsp_malformed")
    fields: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        fields.setdefault(name.strip().lower(), value.strip())
    cseq = int(fields["cseq"]) if fields.get("cseq", "").isdecimal() and len(fields["cseq"]) < 11 else 0
    status = _STATUS.match(lines[0])
    if status is not None:
        info = {name.lower(): int(value) for name, value in _RTP_INFO.findall(fields.get("rtp-info", ""))}
        return Answer(int(status[1]), cseq, status[2] or "", info.get("seq"), info.get("rtptime"))
    request = _REQUEST.match(lines[0])
    if request is None:
        raise InvalidError(f"not MANSRTSP: {lines[0][:40]!r}", code="mansrtsp_malformed")
    match request[1].upper():
        case "PAUSE":
            return Pause(cseq)
        case "TEARDOWN":
            return Teardown(cseq)
        case _:
            start, end = _range(fields.get("range", ""))
            return Play(cseq, start, end, _scale(fields.get("scale", "")))


def _range(text: str) -> tuple[float | None, float | None]:
    found = _RANGE.match(text)
    if found is None:
        return None, None
    start, end = (None if part is None or part.lower() == "now" else float(part) for part in found.groups())
    return start, end


def _scale(text: str) -> float | None:
    try:
        scale = float(text)
    except ValueError:
        return None
    return scale if 0 < abs(scale) <= 64 else None
