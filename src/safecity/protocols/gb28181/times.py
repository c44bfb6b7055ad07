"""Times on the wire: local time of China (UTC+8) without a zone, seconds or milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from safecity.kit.clock import BEIJING, SECOND_US

_LOCAL = re.compile(
    r"\s*(\d{4})[-/]?(\d{1,2})[-/]?(\d{1,2})[T ]+(\d{1,2}):?(\d{1,2}):?(\d{1,2})(?:[.:](\d{1,6})\d*)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?\s*$",
    re.IGNORECASE,
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def local_text(us: int) -> str:
    """`2026-01-02T03:04:05` for microseconds UTC."""
    return datetime.fromtimestamp(us // SECOND_US, BEIJING).strftime("%Y-%m-%dT%H:%M:%S")


def date_text(us: int) -> str:
    """The `Date` of the 200 to REGISTER: `2026-01-02T03:04:05.678` (GB/T 28181, 9.10)."""
    return f"{local_text(us)}.{us // 1000 % 1000:03d}"


def parse_local(text: str | None) -> int | None:
    """Microseconds UTC, or None for what is no time. A zone is obeyed where a device writes one."""
    found = _LOCAL.match(text or "")
    if found is None:
        return None
    try:
        moment = datetime(*(int(part) for part in found.groups()[:6]), tzinfo=BEIJING)
    except ValueError:
        return None
    zone = (found[8] or "").upper()
    if zone:
        digits = "+0000" if zone == "Z" else zone.replace(":", "")
        offset = timedelta(hours=int(digits[1:3]), minutes=int(digits[3:5])) * (-1 if digits[0] == "-" else 1)
        try:
            moment = moment.replace(tzinfo=UTC) - offset
        except OverflowError:  # beyond the years that there are
            return None
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND_US + int(f"{found[7] or '0':0<6}")
