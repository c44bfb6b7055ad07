"""A terminal that is in the list: what control wants of it, and what is known of it now."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from safecity.drivers.jt808.link import TerminalLink
from safecity.drivers.jt808.store import TerminalRow
from safecity.model.facts.signal_calls import DeviceFigure, JtTerminal
from safecity.protocols.jt808.bringing import (
    BAD_NAME,
    FLOOD,
    INCOMPLETE,
    NOT_ANNOUNCED,
    OTHER_SIZE,
    OUTSIDE,
    TOO_LARGE,
    TOO_MANY,
)
from safecity.protocols.jt808.registrar import LIVE, OTHER_PHONE

REFUSAL_SECONDS: Final = 3600.0
_WARNINGS: Final = (
    LIVE, OTHER_PHONE, TOO_MANY, TOO_LARGE, BAD_NAME, NOT_ANNOUNCED, OTHER_SIZE, OUTSIDE, INCOMPLETE, FLOOD,
    "jt_attachment_no_room", "jt_attachment_not_given", "jt_attachment_no_connection", "jt_attachment_not_kept",
)  # fmt: skip
"""Of one that is online: somebody else in its name, it in another's, attachments that did not come."""


@dataclass(slots=True, eq=False)
class Vehicle:
    """A terminal that is in the list. `silent_at`: when it is offline if nothing comes before.

    `row.levels` are those of its newest position, which is of `alarms_at`; `past` those of the catch-up that is under
    way where it is older than that. `told` holds what was raised lately: (bit, time) and the marks of active safety.
    """

    config: JtTerminal
    row: TerminalRow
    link: TerminalLink | None = None
    silent_at: float = 0.0
    heard_at: float = 0.0
    heard_us: int = 0
    refusal: str = ""
    refused_at: float = 0.0
    alarms_at: int = 0
    past: int = 0
    told: OrderedDict[tuple[Hashable, ...], None] = field(default_factory=OrderedDict[tuple[Hashable, ...], None])

    @property
    def device(self) -> str:
        return self.config.device

    @property
    def number(self) -> str:
        return self.row.phone

    @property
    def is_online(self) -> bool:
        return self.row.state == "online"

    def leave(self, at_us: int) -> None:
        """Its row says offline since then."""
        self.row = replace(self.row, state="offline", since=at_us)

    def facts(self) -> dict[str, str]:
        """What is told when it comes."""
        row = self.row
        version = f"JT/T 808-{row.version}" if row.version else ""
        return {"address": row.address, "transport": "tcp", "user_agent": row.software, "version": version}

    def refused(self, reason: str, now: float) -> None:
        """Somebody was turned away in its name, or it spoke in another's. Of one that is online only the two are told:
        whoever else failed in its name was not it."""
        if not self.is_online or reason in _WARNINGS:
            self.refusal, self.refused_at = reason, now

    def came_in(self) -> None:
        """Settles what kept it out, not what was done in its name or by it in another's."""
        if self.refusal not in _WARNINGS:
            self.refusal = ""

    def figure(self, now: float) -> DeviceFigure:
        """For lists. Of one that is online only what lately happened in its name is worth a look."""
        row = self.row
        is_shown = not self.is_online or now - self.refused_at < REFUSAL_SECONDS
        return DeviceFigure(
            device=self.config.device,
            code=row.phone,
            state=row.state,
            since=row.since,
            last_keepalive=self.heard_us,
            code_of_refusal=self.refusal if is_shown else "",
            address=row.address,
            transport="tcp",
            user_agent=row.software,
            version=self.facts()["version"],
        )
