"""Who may steer a camera now: pure."""

from __future__ import annotations

from dataclasses import replace

from safecity.core.ground.access.api import Actor, Role, Thing
from safecity.core.ground.desk.store import PtzLock
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ConflictError

STEER_US = 15 * SECOND_US
"""Whoever moves a camera keeps it this long after the last move."""
HOLD_US = 30 * SECOND_US
"""Who takes it on purpose keeps it this long without asking again. A page asks every 10 s; a closed one does not."""


def priority_of(who: Actor, channel: Thing) -> int:
    """Administrators before operators, by what they are where the camera is; 1 is the highest."""
    roles = {grant.role for grant in who.in_force() if not grant.deny and grant.covers(channel)}
    roles -= {grant.role for grant in who.in_force() if grant.deny and grant.covers(channel)}
    return 1 if Role.ADMINISTRATOR in roles else 2 if roles & {Role.OPERATOR, Role.SUPERVISOR} else 4


def held(lock: PtzLock | None, at: int) -> bool:
    """Whether somebody has it. A lock with longer to run than any may be given was taken before the clock was set
    back: it must not hold the camera until the clock has caught up."""
    return lock is not None and at < lock.expires_at <= at + HOLD_US


def take(lock: PtzLock | None, who: Actor, channel: Thing, keep_us: int) -> PtzLock:
    """The lock after `who` took it; ConflictError `ptz_locked` while somebody of the same or higher priority has it."""
    mine = priority_of(who, channel)
    if lock is not None and held(lock, who.at):
        if lock.session == who.session:
            return replace(lock, expires_at=max(lock.expires_at, who.at + keep_us))
        if lock.owner != who.user and lock.priority <= mine:
            raise ConflictError(
                f"{lock.owner_name} steers it",
                code="ptz_locked",
                params={"owner": lock.owner_name, "seconds": max(1, (lock.expires_at - who.at) // SECOND_US)},
            )
    return PtzLock(
        channel=channel.id, owner=who.user, owner_name=who.name, session=who.session, priority=mine, taken_at=who.at,
        expires_at=who.at + keep_us,
    )  # fmt: skip
