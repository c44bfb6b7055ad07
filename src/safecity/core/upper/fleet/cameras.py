"""Cameras of a vehicle by their logical numbers, and who may look through which: the rights are those of their
channels, by whatever way a picture of them comes."""

from __future__ import annotations

from typing import Final

from safecity.core.ground.access.api import Action, Actor, scope
from safecity.core.ground.channels.api import Channel, find_channel, of_device, thing_of
from safecity.ports.database import Tx

ALL: Final = 0
"""What messages have in the place of a number where they mean each camera."""


def check_camera(tx: Tx, who: Actor, action: Action, device: str, number: int) -> None:
    """NotFoundError or ForbiddenError where `who` may not do that to the camera of that number, or to one of `ALL`. One
    that is no channel here has the rights of its vehicle."""
    for one in of_device(tx, device):
        if number in (ALL, _number(one)):
            find_channel(tx, who, action, one.id)


def closed(tx: Tx, who: Actor, device: str) -> list[int]:
    """Numbers of those of which `who` may see nothing that was recorded."""
    may = scope(who, Action.PLAYBACK_WATCH)
    return [_number(one) for one in of_device(tx, device) if not may.allows(thing_of(one))]


def opened(tx: Tx, who: Actor, device: str) -> list[int]:
    """Numbers of those of which `who` may see what was recorded."""
    may = scope(who, Action.PLAYBACK_WATCH)
    return [_number(one) for one in of_device(tx, device) if may.allows(thing_of(one))]


def _number(channel: Channel) -> int:
    code = channel.code
    return int(code) if code.isascii() and code.isdecimal() and len(code) < 4 else -1
