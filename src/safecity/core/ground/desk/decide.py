"""Who may steer a camera now: pure."""

from __future__ import annotations

from dataclasses import replace

from safecity.core.ground.access.api import Actor, Role
from safecity.core.ground.desk.store import PtzLock
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ConflictError

STEER_US = 15 * SECOND_US
"""Whoever moves a camera keeps it this long after the last move."""
HOLD_US = 600 * SECOND_US
"""Who takes it on purpose keeps it at most this long without asking again."""


def priority_of(who: Actor) -> int:
    """Administrators before operators; 1 is the highest."""
    roles = {grant.role for grant in who.in_force() if not grant.deny}
    return 1 if Role.ADMINISTRATOR in roles else 2 if Role.OPERATOR in roles else 4


def take(lock: PtzLock | None, who: Actor, channel: str, keep_us: int) -> PtzLock:
    """The lock after `who` took it; ConflictError `ptz_locked` while somebody of the same or higher priority has it."""
    mine = priority_of(who)
    if lock is not None and who.at < lock.expires_at:
        if lock.session == who.session:
            return replace(lock, expires_at=max(lock.expires_at, who.at + keep_us))
        if lock.owner != who.user and lock.priority <= mine:
            raise ConflictError(
                f"{lock.owner_name} steers it",
                code="ptz_locked",
                params={"owner": lock.owner_name, "seconds": max(1, (lock.expires_at - who.at) // SECOND_US)},
            )
    return PtzLock(
        channel=channel, owner=who.user, owner_name=who.name, session=who.session, priority=mine, taken_at=who.at,
        expires_at=who.at + keep_us,
    )  # fmt: skip
