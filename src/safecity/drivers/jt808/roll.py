"""A terminal that is in the list: what control wants of it, and what is known of it now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field

from safecity.drivers.jt808.link import TerminalLink
from safecity.drivers.jt808.store import TerminalRow
from safecity.model.facts.signal_calls import DeviceFigure, JtTerminal


@dataclass(slots=True, eq=False)
class Vehicle:
    """A terminal that is in the list. `silent_at`: when it is offline if nothing comes before.

    `row.alarms` are those of its newest position, which is of `alarms_at`; `past` those of the catch-up that is under
    way where it is older than that. `told` holds what was raised lately: (bit, time) and the marks of active safety.
    """

    config: JtTerminal
    row: TerminalRow
    link: TerminalLink | None = None
    silent_at: float = 0.0
    heard_us: int = 0
    refusal: str = ""
    alarms_at: int = 0
    past: int = 0
    told: OrderedDict[tuple[Hashable, ...], None] = field(default_factory=OrderedDict[tuple[Hashable, ...], None])

    @property
    def is_online(self) -> bool:
        return self.row.state == "online"

    def facts(self) -> dict[str, str]:
        """What is told when it comes."""
        row = self.row
        version = f"JT/T 808-{row.version}" if row.version else ""
        return {"address": row.address, "transport": "tcp", "user_agent": row.software, "version": version}

    def figure(self) -> DeviceFigure:
        """For lists."""
        row = self.row
        return DeviceFigure(
            device=self.config.device,
            code=row.phone,
            state=row.state,
            since=row.since,
            last_keepalive=self.heard_us,
            code_of_refusal=self.refusal,
            address=row.address,
            transport="tcp",
            user_agent=row.software,
            version=self.facts()["version"],
        )
