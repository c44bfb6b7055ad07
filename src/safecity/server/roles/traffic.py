"""The duty `traffic`: the road network, the speeds of now and the ways through it, in a process of its own, so that no
search is ever in the way of a click."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from safecity.backends.callsbus import CallsBus
from safecity.core.upper.traffic.slot import TrafficSlot
from safecity.ports.database import Database
from safecity.server.context import RoleContext

logger = logging.getLogger(__name__)


async def main(context: RoleContext) -> None:
    """Run until told to stop, or until another network is in force: then the supervisor begins it anew."""

    def open_own() -> Database:
        # Loaded with the first network: it brings SQLAlchemy along.
        from safecity.backends.database import open_database

        path = context.data_dir / "traffic" / "traffic.db"
        return open_database(f"sqlite:///{path.absolute()}", migrate=False)

    slot = TrafficSlot(
        context.settings.roads_dir(), open_own, CallsBus(context.calls), context.clock,
        bucket_minutes=context.settings.roads.bucket_minutes, changed=context.stopping.set,
    )  # fmt: skip
    await context.server.serve(context.address, slot.handlers(), {})
    running = asyncio.get_running_loop().create_task(slot.run())
    stopping = asyncio.get_running_loop().create_task(context.stopping.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()  # it never ends by itself but by an error
    finally:
        stopping.cancel()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await running
