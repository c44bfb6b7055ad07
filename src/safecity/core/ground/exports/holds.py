"""Holds: placed in the slot that has the footage, and remembered here."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from safecity.core.ground.access.api import Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.audit.decide import tidy
from safecity.core.ground.channels.api import find_channel
from safecity.core.ground.exports import store
from safecity.core.ground.exports.store import Hold
from safecity.core.ground.settings.api import touch_desired
from safecity.kit.clock import Clock
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError, SafecityError, UnavailableError
from safecity.kit.ids import fresh
from safecity.model.facts.media_calls import PlaceHold, ReleaseHold
from safecity.ports.calls import Calls
from safecity.ports.database import Database, Tx

logger = logging.getLogger(__name__)

MAX_RANGE_US = 31 * 86_400 * 1_000_000


def check_range(start: int, end: int, longest: int = MAX_RANGE_US) -> None:
    """InvalidError `range_invalid`."""
    if not 0 <= start < end <= start + longest or end > 1 << 60:
        raise InvalidError("not a range", code="range_invalid", params={"longest_hours": longest // 3_600_000_000})


class Holds:
    """The channel's slot is asked first: a hold that is not in force is not shown. Other slots, which may have older
    footage of the channel, are told with what is desired of them."""

    def __init__(self, database: Database, calls: Calls, clock: Clock) -> None:
        self._database = database
        self._calls = calls
        self._clock = clock

    async def page(self, who: Actor, *, before: str, limit: int, channel: str = "") -> list[Hold]:
        """Newest first."""
        allowed = scope(who, Action.HOLD_SEE)
        return await self._database.read(
            lambda tx: store.page_holds(tx, allowed, before=before, limit=limit, channel=channel)
        )

    async def place(
        self, who: Actor, channel: str, start: int, end: int, reason: str, *, case: str | None = None
    ) -> Hold:
        """Keep [start, end) whatever retention says; `case`: as long as that one needs it."""
        check_range(start, end)
        found = await self._database.read(lambda tx: find_channel(tx, who, Action.HOLD_PLACE, channel))
        if not found.slot:
            raise UnavailableError("the channel has no slot", code="channel_not_placed")
        hold = Hold(
            id=fresh("ho"), channel=channel, channel_name=found.name, area_path=found.area_path,
            organisation_path=found.organisation_path, tags=found.tags, start=start, end=end, reason=tidy(reason),
            placed_by=who.name, placed_at=who.at, slot=found.slot, case=case,
        )  # fmt: skip
        await self._calls.call(found.slot, PlaceHold(hold.id, channel, start, end, hold.reason), timeout=10)

        def work(tx: Tx) -> None:
            store.add_hold(tx, hold)
            touch_desired(tx)
            note(tx, who, Action.HOLD_PLACE, _thing(hold), hold.channel_name, reason=reason, start=start, end=end)

        await self._database.write(work)
        return hold

    async def release(self, who: Actor, hold: str) -> None:
        """Audited before the slots let go; one that does not answer now is told when it is back. ConflictError
        `hold_of_case` for one that a case needs: it goes with the case."""

        def work(tx: Tx) -> Hold:
            found = store.find_hold(tx, hold)
            if found is None or not scope(who, Action.HOLD_SEE).allows(_thing(found)):
                raise NotFoundError("no such hold", code="not_found", params={"kind": "hold"})
            authorize(who, Action.HOLD_RELEASE, _thing(found))
            if found.case is not None:
                raise ConflictError("a case needs it", code="hold_of_case", params={"case": found.reason})
            let_go(tx, who, [found])
            return found

        await self.tell([await self._database.write(work)])

    async def tell(self, gone: Sequence[Hold]) -> None:
        """The slots, of holds that were let go and are so durably."""
        for hold in gone:
            try:
                await self._calls.call(hold.slot, ReleaseHold(hold.id), timeout=10)
            except SafecityError as error:
                logger.warning("hold released later slot=%s code=%s", hold.slot, error.code)


def let_go(tx: Tx, who: Actor, some: Sequence[Hold], **details: str) -> None:
    """In the transaction of whoever may: what they were placed for needs them no more. The slots are told after it."""
    for hold in some:
        store.release_hold(tx, hold.id, who.at)
        note(tx, who, Action.HOLD_RELEASE, _thing(hold), hold.channel_name, **details)
    if some:
        touch_desired(tx)


def _thing(hold: Hold) -> Thing:
    return Thing("hold", hold.area_path, hold.tags, id=hold.id, organisation=hold.organisation_path)
