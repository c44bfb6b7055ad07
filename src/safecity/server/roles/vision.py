"""The duty `vision`: one slot of analysis, assembled from its parts.

Comes last when the processors are not enough (`context.NICE`): no recording is ever late for it. Streams are decoded
in children of it, which may die of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import resource
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.errors import SafecityError
from safecity.media.link.mirror import mirror
from safecity.media.playback.keys import ShelfKeys
from safecity.model.values.media import Quality, StreamKey, Unit
from safecity.server.context import RoleContext
from safecity.server.engines import INFERENCE, opener
from safecity.server.mapfiles import map_file, open_maps

if TYPE_CHECKING:
    from safecity.vision.movement.search import MovementSearch
    from safecity.vision.objects.detector import Detector
    from safecity.vision.plates.recognise import PlateRecogniser

logger = logging.getLogger(__name__)


async def main(context: RoleContext) -> None:
    """Run until told to stop. Without the extra `vision` it stays, and says so of every task."""
    from safecity.vision.slot import VisionSlot
    from safecity.vision.spool import Spool

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:  # each camera takes four: the usual 1,024 are too few for as many as a slot takes
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536) if hard > 0 else 65_536, hard))
    folder = context.data_dir / "vision"
    file = open_file(folder / f"{context.address}.db")
    maps_at = map_file(folder, context.address)
    links = context.run_dir / "link"

    def follow(
        slot: str, key: StreamKey, deliver: Callable[[Unit], None], lost: Callable[[str], None]
    ) -> Coroutine[Any, Any, None]:
        return mirror(links / f"{slot}.sock", key, deliver, lost)

    def open_search(died: Callable[[str, Quality, str], None]) -> MovementSearch:
        # What it imports may not be installed; the maps are opened by whoever searches first.
        from safecity.vision.movement.kept import KeptMaps
        from safecity.vision.movement.search import MovementSearch

        maps = KeptMaps(open_maps(maps_at), context.clock)
        return MovementSearch(lambda volumes: ShelfKeys(volumes, open_reader), maps, context.clock, died)

    vision = context.settings.vision
    slot = VisionSlot(
        context.address, context.calls, Spool(file), follow, lambda: _open_recogniser(vision.country_set()),
        cores=vision.core_share(), clock=context.clock, open_detector=lambda: _open_detector(vision.detector),
        open_search=open_search,
    )  # fmt: skip
    running = asyncio.get_running_loop().create_task(slot.run())
    stopping = asyncio.get_running_loop().create_task(context.stopping.wait())
    if maps_at.exists():
        with contextlib.suppress(SafecityError):  # whoever searches is told
            slot.searching()
    try:
        await context.server.serve(context.address, slot.handlers(), {})
        logger.info("vision ready cores=%s", vision.core_share())
        # A slot that came to an end would answer for ever and do nothing: the supervisor starts another.
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        running.cancel()
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await running
        finally:
            file.close()


def _open_detector(folder: str) -> Detector | None:
    if not folder:
        return None
    from safecity.vision.objects.detector import open_detector

    url = "onnx:?threads=1"
    return open_detector(opener(INFERENCE, "engines.inference", url)(url), Path(folder).expanduser())


def _open_recogniser(countries: frozenset[str]) -> PlateRecogniser:
    from safecity.vision.plates.recognise import open_recogniser
    from safecity.vision.plates.second import installed

    url = "onnx:?threads=1"  # cameras are looked at beside one another, not one with all cores
    return open_recogniser(opener(INFERENCE, "engines.inference", url)(url), countries=countries, second=installed())
