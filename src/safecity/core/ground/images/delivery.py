"""What the answer to a notification means, and when it is tried again. Pure."""

from __future__ import annotations

from typing import Final

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.envelope import StatusCode, read_body, read_statuses

FIRST_WAIT: Final = 5.0
LONGEST_WAIT: Final = 900.0
_UNWANTED: Final = frozenset({400, 413, 415, 422})
_UNWANTED_CODES: Final = frozenset({
    StatusCode.INVALID_OPERATION, StatusCode.XML_FORMAT, StatusCode.XML_CONTENT, StatusCode.JSON_FORMAT,
    StatusCode.JSON_CONTENT,
})  # fmt: skip


def pause(tries: int) -> float:
    """Seconds until the next try, however many there were: a library may be away for months."""
    return min(FIRST_WAIT * 2 ** min(tries, 16), LONGEST_WAIT)


def understood(status: int, answer: bytes, kind: str = "") -> tuple[bool, bool]:
    """Whether it arrived, and whether it never will because of what it is. Some libraries answer 200 and say in the
    body that they did not take it. `kind`: its media type, JSON where it is none of XML."""
    if not 200 <= status < 300:
        return False, status in _UNWANTED
    try:
        codes = {code for _, code in read_statuses(read_body(kind, answer))}
    except InvalidError:
        return True, False
    return codes <= {0}, bool(codes & _UNWANTED_CODES)
