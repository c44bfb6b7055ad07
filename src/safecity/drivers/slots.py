"""What desks say to the media slots that take the streams of their devices."""

from __future__ import annotations

import logging
from typing import Final

from safecity.kit.errors import Param, SafecityError, UnavailableError
from safecity.model.facts.media_calls import CloseStream, Prepared, PrepareStream
from safecity.model.values.media import StreamKey
from safecity.ports.calls import Calls

logger = logging.getLogger(__name__)

SLOT_SECONDS: Final = 5.0


async def prepare(calls: Calls, slot: str, wish: PrepareStream) -> int:
    """Have a slot expect a stream; the port to tell the device. UnavailableError (`media_unavailable`, or why not)."""
    prepared = await calls.call(slot, wish, timeout=SLOT_SECONDS)
    if not isinstance(prepared, Prepared):
        raise UnavailableError("slot answered otherwise", code="media_unavailable")
    return prepared.port


async def tell_closed(calls: Calls, slot: str, key: StreamKey, reason: str, params: dict[str, Param]) -> None:
    """That nothing more comes, and why; a slot that does not hear it sees it."""
    try:
        await calls.call(slot, CloseStream(*key, reason, params), timeout=SLOT_SECONDS)
    except SafecityError as error:
        logger.debug("slot not told slot=%s why=%s", slot, error)
