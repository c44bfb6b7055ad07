"""What measurements of the clock mean: pure.

The platform never sets the clock of its machine: that is the work of the machine's own time service, and two who
pull at one clock make it worse. It measures, says so, and keeps what it measured for whoever doubts a recording.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError

OFF_US = SECOND_US
"""Beyond this the clock is wrong: an event and its picture no longer fit together."""
QUIET_SECONDS = 300.0
BUSY_SECONDS = 30.0
REFUSED_SECONDS = 3600.0
STALE_US = 3600 * SECOND_US
MAX_SERVERS = 4
PORT = 123

_NAME = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9A-Za-z.-]{1,253}))(?::([0-9]{1,5}))?")


@dataclass(frozen=True, slots=True)
class TimeServer:
    """What one server said last. `code` says why it said nothing; `at` is when it last answered, 0 never."""

    name: str
    at: int = 0
    offset_us: int = 0
    delay_us: int = 0
    stratum: int = 0
    code: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the clock stands.

    state      `unmeasured` (no server is named), `measuring`, `good`, `off` (by more than a second), `disagreeing`
               (the servers themselves), `silent` (none answers)
    offset_us  what would have to be added to this machine's clock, when `at`
    kept       whether the machine's own time service says that it keeps the clock; None where it cannot be asked
    """

    state: str = "unmeasured"
    source: str = "system"
    offset_us: int = 0
    at: int = 0
    kept: bool | None = None
    servers: tuple[TimeServer, ...] = ()

    @property
    def fault(self) -> bool:
        """Somebody must look."""
        return self.state in ("off", "disagreeing")


def servers_of(text: str) -> tuple[tuple[str, int], ...]:
    """`ntp1.example, 192.0.2.1:1123 [2001:db8::1]` as hosts and ports; InvalidError names the one that is none."""
    found: list[tuple[str, int]] = []
    for part in re.split(r"[\s,;]+", text.strip()):
        if not part:
            continue
        match = _NAME.fullmatch(part)
        port = int(match[3]) if match is not None and match[3] else PORT
        if match is None or not 1 <= port <= 65535:
            raise InvalidError(f"{part[:60]!r} is no server", code="setting_invalid", params={"setting": "ntp_server"})
        found.append((match[1] or match[2], port))
    if len(found) > MAX_SERVERS:
        raise InvalidError("too many servers", code="setting_invalid", params={"setting": "ntp_server"})
    return tuple(dict.fromkeys(found))


def judge(source: str, servers: Sequence[TimeServer], kept: bool | None, now: int) -> Standing:
    """What the newest answers say together. An answer older than an hour says nothing any more."""
    fresh = [one for one in servers if one.at and now - one.at < STALE_US]
    if source != "ntp" or not servers:
        return Standing("unmeasured", source, kept=kept)
    if not fresh:
        state = "silent" if all(one.code for one in servers) else "measuring"
        return Standing(state, source, kept=kept, servers=tuple(servers))
    offsets = sorted(one.offset_us for one in fresh)
    offset = offsets[len(offsets) // 2] if len(offsets) % 2 else sum(offsets[len(offsets) // 2 - 1 :][:2]) // 2
    # Apart by more than both ways can explain, and nobody is in the majority: whom should one believe?
    apart = sum(abs(one.offset_us - offset) > OFF_US // 2 + one.delay_us for one in fresh)
    state = "disagreeing" if apart * 2 >= len(fresh) and apart else "off" if abs(offset) > OFF_US else "good"
    return Standing(state, source, offset, max(one.at for one in fresh), kept, tuple(servers))


def wait(standing: Standing) -> float:
    """Seconds until the next round: seldom while all is well, as whoever runs public servers asks."""
    if any(one.code == "ntp_refused" for one in standing.servers):
        return REFUSED_SECONDS
    return QUIET_SECONDS if standing.state in ("good", "unmeasured") else BUSY_SECONDS
