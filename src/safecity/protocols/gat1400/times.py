"""Times on the wire: `YYYYMMDDhhmmss` in China's local time, without a zone (GA/T 1400.4)."""

from __future__ import annotations

import re
from datetime import datetime

from safecity.kit.clock import BEIJING, SECOND_US
from safecity.protocols.gb28181.times import parse_local

_DENSE = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.?(\d{1,6})\d*)?")


def local_text(us: int) -> str:
    """`20260102030405` for microseconds UTC."""
    return datetime.fromtimestamp(us // SECOND_US, BEIJING).strftime("%Y%m%d%H%M%S")


def parse_time(value: object) -> int | None:
    """Microseconds UTC, or None for what is no time. RFC 3339 and the forms with dashes are read too; 14 digits are
    followed by a fraction where a device writes milliseconds."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    found = _DENSE.fullmatch(text)
    if found is None:
        return parse_local(text)
    year, month, day, hour, minute, second = found.groups()[:6]
    whole = parse_local(f"{year}-{month}-{day}T{hour}:{minute}:{second}")
    return None if whole is None else whole + int(f"{found[7] or '0':0<6}")
