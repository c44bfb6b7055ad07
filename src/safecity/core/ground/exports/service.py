"""Exports: asked for, run one after the other, fetched, removed; each step is audited or does not happen."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

from safecity.core.ground.access.api import Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.audit.decide import tidy
from safecity.core.ground.channels.api import find, find_channel, thing_of
from safecity.core.ground.exports import store
from safecity.core.ground.exports.holds import check_range
from safecity.core.ground.exports.runner import ExportRunner, Outcome
from safecity.core.ground.exports.store import Export, JobState
from safecity.core.ground.settings.api import Settings
from safecity.core.ground.timekeeping.api import ClockRecord
from safecity.kit.clock import Clock
from safecity.kit.errors import ExhaustedError, InvalidError, NotFoundError, SafecityError
from safecity.kit.ids import fresh
from safecity.ports.blobs import BlobInfo
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
MAX_WAITING = 100
WAIT_SECONDS = 10.0
LONGEST_US = 24 * 3600 * 1_000_000


class Exports:
    """One job at a time: two would only make each other late."""

    def __init__(
        self, database: Database, calls: Calls, clock: Clock, runner: ExportRunner, settings: Settings,
        data_dir: Path, clock_record: ClockRecord,
    ) -> None:  # fmt: skip
        self._database = database
        self._calls = calls
        self._clock = clock
        self._runner = runner
        self._settings = settings
        self._data_dir = data_dir.absolute()
        self._clock_record = clock_record
        self._bell = asyncio.Event()
        self._running: tuple[str, asyncio.Task[Any]] | None = None

    async def page(self, who: Actor, *, before: str, limit: int) -> list[Export]:
        """Newest first."""
        allowed = scope(who, Action.EXPORT_SEE)
        return await self._database.read(lambda tx: store.page_exports(tx, allowed, before=before, limit=limit))

    async def see(self, who: Actor, export: str, action: Action = Action.EXPORT_SEE) -> Export:
        return await self._database.read(lambda tx: _find(tx, who, action, export))

    async def add(self, who: Actor, channel: str, start: int, end: int, product: str, reason: str) -> Export:
        """Ask for one; fails when it cannot be audited."""
        check_range(start, end, LONGEST_US)
        if product not in ("evidence", "viewing"):
            raise InvalidError("product", code="choice", params={"field": "product", "choices": "evidence|viewing"})

        def work(tx: Tx) -> Export:
            found = find_channel(tx, who, Action.EXPORT_MAKE, channel)
            if len(store.in_state(tx, JobState.WAITING)) >= MAX_WAITING:
                raise ExhaustedError("too many jobs wait", code="too_many_jobs", params={"limit": MAX_WAITING})
            job = Export(
                id=fresh("ex"), owner=who.user, owner_name=who.name, channel=channel, channel_name=found.name,
                area_path=found.area_path, organisation_path=found.organisation_path, tags=found.tags, start=start,
                end=end, product=product, reason=tidy(reason), language=who.language, created_at=who.at,
            )  # fmt: skip
            store.add_export(tx, job)
            note(
                tx, who, Action.EXPORT_MAKE, thing_of(found), found.name, reason=reason, export=job.id,
                product=product, start=start, end=end,
            )  # fmt: skip
            return job

        job = await self._database.write(work)
        self._bell.set()
        return job

    async def remove(self, who: Actor, export: str) -> None:
        """Cancel or delete; the audit comes first."""

        def work(tx: Tx) -> None:
            found = _find(tx, who, Action.EXPORT_DELETE, export)
            store.remove_export(tx, export)
            note(tx, who, Action.EXPORT_DELETE, _thing(found), found.channel_name)

        await self._database.write(work)
        if self._running is not None and self._running[0] == export:
            self._running[1].cancel()
        await self._runner.clear(export)

    async def fetch(self, who: Actor, export: str, name: str) -> BlobInfo:
        """A finished file, to be read from the blobs; every fetch is audited or refused."""

        def work(tx: Tx) -> None:
            found = _find(tx, who, Action.EXPORT_SEE, export)
            if found.state is not JobState.DONE or name not in {f["name"] for f in found.files}:
                raise NotFoundError("no such file", code="not_found", params={"kind": "file"})
            # Of the channel, like every other look at its footage: who asks about it finds downloads too.
            channel = replace(_thing(found), kind="channel", id=found.channel)
            # Whoever has lost the right to take footage from there does not take what they made ready before.
            authorize(who, Action.EXPORT_MAKE, channel)
            note(
                tx, who, "export.fetch", channel, found.channel_name, export=export, file=name, start=found.start,
                end=found.end,
            )  # fmt: skip

        await self._database.write(work)
        return await self._runner.kept(export, name)

    # --- running ---------------------------------------------------------------------------------------------

    async def recover(self) -> None:
        """What was running when we went down begins again."""

        def work(tx: Tx) -> None:
            for job in store.in_state(tx, JobState.RUNNING):
                store.save_export(tx, replace(job, state=JobState.WAITING, progress=0.0))

        await self._database.write(work)
        self._bell.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            while waiting := await self._database.read(lambda tx: store.in_state(tx, JobState.WAITING)):
                task = asyncio.ensure_future(self._one(waiting[0]))
                self._running = (waiting[0].id, task)
                try:
                    await asyncio.wait({task})
                finally:
                    self._running = None
                    if not task.done():
                        task.cancel()
                if not task.cancelled() and task.exception() is not None:
                    # It could not even be written down how it went: a full disk, say. The job waits with us.
                    logger.warning("export waits id=%s why=%s", waiting[0].id, task.exception())
                    await asyncio.sleep(WAIT_SECONDS)

    async def _one(self, job: Export) -> None:
        if not await self._save(replace(job, state=JobState.RUNNING)):
            return
        last = 0.0

        async def progress(value: float) -> None:
            nonlocal last
            if value - last >= 0.02:
                last = value
                await self._save(replace(job, state=JobState.RUNNING, progress=value))

        try:
            outcome = await self._runner.run(await self._job(job), progress)
        except (SafecityError, OSError, ValueError) as error:
            # No room for the job, no process to be had: the job has failed, it does not run for ever.
            logger.warning("export could not run id=%s why=%s", job.id, error)
            outcome = Outcome(code="export_broke")
        failed = bool(outcome.code)
        if failed:
            logger.warning("export failed id=%s code=%s", job.id, outcome.code)
        done = replace(
            job,
            state=JobState.FAILED if failed else JobState.DONE,
            progress=last if failed else 1.0,
            files=outcome.files,
            gaps=outcome.gaps,
            code=outcome.code,
            params=outcome.params,
            finished_at=self._clock.now_us(),
        )
        if not await self._save(done):
            await self._runner.clear(job.id)

    async def _save(self, job: Export) -> bool:
        """False when somebody removed it meanwhile."""

        def work(tx: Tx) -> bool:
            if store.find_export(tx, job.id) is None:
                return False
            store.save_export(tx, job)
            return True

        return await self._database.write(work)

    async def _job(self, job: Export) -> dict[str, Any]:
        platform = await self._settings.read()
        channel = await self._database.read(lambda tx: find(tx, job.channel))
        return {
            "id": job.id,
            "product": job.product,
            "channel": job.channel,
            "channel_name": job.channel_name,
            "code": channel.code if channel else "",
            "start_us": job.start,
            "end_us": job.end,
            "volumes": [
                {"name": volume.name, "path": str(self._data_dir / volume.path)} for volume in platform.volumes
            ],
            "slots": [channel.slot] if channel and channel.slot else [],
            "platform": {"code": platform.code, "name": platform.name},
            "operator": job.owner_name,
            "clock": await self._clock_record.around(job.start, job.end),
            "reason": job.reason,
            "zone": platform.zone,
            "language": job.language,
        }


def _thing(export: Export) -> Thing:
    return Thing(
        "export", export.area_path, export.tags, owner=export.owner, id=export.id,
        organisation=export.organisation_path,
    )  # fmt: skip


def _find(tx: Tx, who: Actor, action: Action, export: str) -> Export:
    found = store.find_export(tx, export)
    if found is None or not scope(who, Action.EXPORT_SEE).allows(_thing(found)):
        raise NotFoundError("no such export", code="not_found", params={"kind": "export"})
    authorize(who, action, _thing(found))
    return found
