"""Deadlines: a hit that nobody signed for or reported on in time goes on to others, and a watch ends with its time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from safecity.core.ground.alarms import api as alarms
from safecity.core.ground.alarms.api import Alarm, AlarmState
from safecity.core.ground.audit.api import Record, append
from safecity.core.ground.images.api import answering
from safecity.core.ground.places.api import find_organisation
from safecity.core.upper.watches import store
from safecity.core.upper.watches.decide import (
    DAY_US,
    METHOD,
    Watch,
    WatchSettings,
    WatchState,
    goes_on_to,
    move_to,
)
from safecity.core.upper.watches.service import Told
from safecity.kit.clock import Clock
from safecity.kit.errors import NotFoundError, SafecityError
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)
LOOK_SECONDS: Final = 5.0
BATCH: Final = 200


class WatchDuties:
    """Looks at what is due, every few seconds."""

    def __init__(
        self, database: Database, clock: Clock, settings: WatchSettings, told: Told = lambda _: None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`ended`: a watch did."""
        self._database = database
        self._clock = clock
        self._settings = settings
        self._told = told
        self._ended = ended

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                while await self.step():
                    pass
            except SafecityError as error:
                logger.warning("deadlines of hits wait code=%s why=%s", error.code, error)
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self) -> int:
        """Do what is due now; how much that was."""
        now = self._clock.now_us()
        if not await self._database.read(lambda tx: _anything(tx, now)):
            return 0

        def work(tx: Tx) -> tuple[list[str], int]:
            gone_on = [self._escalate(tx, alarm, now) for alarm in alarms.due_by(tx, now, BATCH)]
            over = store.over(tx, now, BATCH)
            for watch in over:
                self._expire(tx, watch, now)
            return gone_on, len(over)

        touched, over = await self._database.write(work)
        self._told(touched)
        if over:
            self._ended()
        return len(touched) + over

    def _escalate(self, tx: Tx, alarm: Alarm, now: int) -> str:
        """To the next seats; where nobody is left it only stays overdue."""
        hit = store.hit_of_alarm(tx, alarm.id) if alarm.method == METHOD else None
        watch = store.find(tx, hit.watch) if hit is not None else None
        if hit is None or watch is None or alarm.state is AlarmState.CLEARED:
            alarms.save(tx, replace(alarm, due=None))
            return alarm.id
        unsigned = alarm.state is AlarmState.RAISED
        further = frozenset[str]() if hit.restricted else watch.further
        audience = goes_on_to(alarm.audience, further, frozenset() if hit.restricted else _above(tx, alarm.audience))
        if audience is None:
            alarms.save(tx, replace(alarm, due=None, priority=1, escalated=alarm.escalated + 1))
        else:
            again = now + (self._settings.sign_us if unsigned else self._settings.report_us)
            times = {"sign_by": again} if unsigned else {"report_by": again}
            alarms.save(tx, replace(
                alarm, audience=audience, priority=1, escalated=alarm.escalated + 1, due=again, **times,
            ))  # fmt: skip
            store.save_hit(tx, replace(hit, audience=audience))
        to = sorted((audience or frozenset()) - alarm.audience)
        append(tx, Record(
            at=now, actor="", actor_name="", action="alarm.escalate", kind="alarm", thing=alarm.id,
            thing_name=alarm.name, area=alarm.area_path, organisation=alarm.organisation_path,
            reason="unsigned" if unsigned else "unreported", details={"to": " ".join(to), "hit": hit.id},
        ))  # fmt: skip
        return alarm.id

    def _expire(self, tx: Tx, watch: Watch, now: int) -> None:
        answering.stop(tx, watch.id, over=True)
        new = replace(
            move_to(watch, WatchState.EXPIRED), ended_at=now, changed=store.next_change(tx),
            keep_until=now + self._settings.keep_days * DAY_US,
        )  # fmt: skip
        store.save(tx, new)
        append(tx, Record(
            at=now, actor="", actor_name="", action="watch.expire", kind="watch", thing=watch.id,
            thing_name=watch.plate, area=watch.area_path, organisation=watch.organisation_path,
        ))  # fmt: skip


def _anything(tx: Tx, now: int) -> bool:
    moments = (alarms.next_due(tx), store.next_over(tx))
    return any(moment is not None and moment <= now for moment in moments)


def _above(tx: Tx, audience: frozenset[str]) -> frozenset[str]:
    """Organisations right above those that an alarm is for."""
    found: set[str] = set()
    for seat in audience:
        kind, _, name = seat.partition(":")
        if kind != "organisation":
            continue
        try:
            parent = find_organisation(tx, name).parent
        except NotFoundError:  # dissolved meanwhile
            continue
        if parent is not None:
            found.add(f"organisation:{parent}")
    return frozenset(found)
