"""The other side: a stream whose source is another process, one per stream however many viewers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from safecity.kit.errors import InvalidError
from safecity.media.link.wire import Ended, LinkDecoder, encode_ask
from safecity.model.values.media import StreamKey, Unit

logger = logging.getLogger(__name__)

READ_BYTES = 256 * 1024
RETRY_SECONDS = 0.25


async def mirror(path: Path, key: StreamKey, deliver: Callable[[Unit], None], lost: Callable[[str], None]) -> None:
    """Deliver the units of `key` from the slot behind `path` until cancelled; connects again for ever.

    `lost` is told a code at each loss: the owner restarts in place within a fraction of a second.
    """
    while True:
        reason = "duty_gone"
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await asyncio.open_unix_connection(str(path), limit=READ_BYTES)
            writer.write(encode_ask(key))
            decoder = LinkDecoder()
            while data := await reader.read(READ_BYTES):
                for item in decoder.feed(data):
                    if isinstance(item, Unit):
                        deliver(item)
                    elif isinstance(item, Ended):
                        reason = item.reason
        except (OSError, InvalidError) as error:
            logger.info("mirror broken stream=%s why=%s", key.channel, error)
        finally:
            if writer is not None:
                writer.close()
        lost(reason)
        await asyncio.sleep(RETRY_SECONDS)
