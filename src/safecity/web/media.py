"""Opening pictures: tickets, the wait for a device that must be asked first, and the end of it all at sign-out."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from typing import Any

from fastapi import Request

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.audit.api import note
from safecity.core.ground.channels.api import Channel, thing_of
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.media_calls import EndSessions
from safecity.model.facts.signal_calls import OpenStream
from safecity.model.values.media import Quality
from safecity.model.values.ticket import MAX_LIFE_SECONDS, Ticket, sign
from safecity.web.services import Services

logger = logging.getLogger(__name__)
OPEN_SECONDS = 12.0
MAX_SEARCHES = 10_000
"""Searches for movement of which we know that they were written down."""


async def note_watching(here: Services, who: Actor, action: Action, channel: Channel, **details: Any) -> None:
    """Write down who watches what. Watching goes on when the log cannot be written; that it could not is logged."""
    try:
        await here.database.write(lambda tx: note(tx, who, action, thing_of(channel), channel.name, **details))
    except UnavailableError as error:
        logger.error("watching could not be audited user=%s channel=%s why=%s", who.user, channel.id, error)


async def note_movement(
    here: Services, who: Actor, channel: Channel, start: int, end: int, reason: str, *, begins: bool
) -> None:
    """Write down who searches what for movement: once, however many pages it takes; again where it `begins` again."""
    search = (who.session, channel.id, start, end)
    if search in here.searches and not begins:
        return
    try:
        await here.database.write(
            lambda tx: note(
                tx, who, "movement.search", thing_of(channel), channel.name, reason=reason, start=start, end=end
            )
        )
    except UnavailableError as error:
        logger.error("search could not be audited user=%s channel=%s why=%s", who.user, channel.id, error)
        return
    if len(here.searches) >= MAX_SEARCHES:
        here.searches.clear()  # the next page of each is written down once more
    here.searches.add(search)


def choose_quality(channel: Channel, wanted: str) -> Quality:
    """What is asked for if the channel has it, else what it has."""
    return Quality(wanted if wanted in channel.qualities else channel.qualities[0])


async def open_live(here: Services, channel: Channel, quality: Quality) -> None:
    """Make sure that a picture is on its way, or say which step failed (RefusedError, UnavailableError)."""
    if not channel.slot:
        raise UnavailableError("the channel has no slot", code="channel_not_placed")
    standing = here.board.standing(channel)
    if standing.state in ("never", "offline"):
        raise UnavailableError(f"{channel.name}: {standing.step}", code=standing.step, params={"channel": channel.name})
    stream = here.board.streams_of(channel.id).get(str(quality))
    if channel.sources or (stream is not None and stream.state == "running"):
        return  # the slot pulls it itself, and tells on the media connection how it goes
    await here.calls.call("signal", OpenStream(channel.id, quality), timeout=OPEN_SECONDS)


def make_ticket(
    here: Services, who: Actor, channel: Channel, action: str, quality: Quality, start: int = 0, end: int = 0
) -> tuple[str, int]:
    """(signed text, microseconds of its end)."""
    not_after = here.clock.now_us() // SECOND_US + MAX_LIFE_SECONDS
    ticket = Ticket(
        session=who.session,
        subject=who.user,
        channel=channel.id,
        action=action,
        quality=quality,
        not_after=not_after,
        start=start,
        end=end,
        nonce=secrets.token_urlsafe(9),
        slot=slot_number(channel.slot),
    )
    return sign(ticket, here.keys.keys[0]), not_after * SECOND_US


def slot_number(slot: str) -> int:
    """`media-3` -> 3."""
    digits = slot.rpartition("-")[2]
    return int(digits) if digits.isdigit() else 0


def media_url(here: Services, request: Request, kind: str, ticket: str) -> str:
    """The whole address; no client builds one."""
    if here.web.media_url:
        return f"{here.web.media_url.rstrip('/')}/v1/{kind}/{ticket}"
    host = request.url.hostname or "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    return f"{'wss' if here.web.tls else 'ws'}://{host}:{here.web.media_port}/v1/{kind}/{ticket}"


async def end_media(here: Services, sessions: Sequence[str]) -> None:
    """End the pictures, downloads and pushes of sessions; a slot that is silent is asked again in the background."""
    if not sessions:
        return
    here.hub.end_sessions(sessions)
    here.downloads.end(sessions)
    message = EndSessions(tuple(sessions))

    async def tell(slot: str) -> None:
        for _ in range(5):
            try:
                await here.calls.call(slot, message, timeout=2)
            except SafecityError as error:
                logger.warning("sessions not ended yet slot=%s code=%s", slot, error.code)
                await asyncio.sleep(1)
            else:
                return

    tasks = [asyncio.create_task(tell(slot)) for slot in here.web.slots]
    for task in tasks:
        _background.add(task)
        task.add_done_callback(_background.discard)
    await asyncio.wait(tasks, timeout=1)


_background: set[asyncio.Task[None]] = set()
