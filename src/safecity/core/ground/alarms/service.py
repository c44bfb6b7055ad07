"""Alarms for people: list, acknowledge, report what came of it."""

from __future__ import annotations

from dataclasses import replace

from safecity.core.ground.access.api import Action, Actor, Thing, authorize
from safecity.core.ground.alarms import store
from safecity.core.ground.alarms.audience import hearing
from safecity.core.ground.alarms.store import ALLOWED, Alarm, AlarmState
from safecity.core.ground.audit.api import note
from safecity.core.ground.audit.decide import tidy
from safecity.core.ground.places.api import find_area
from safecity.kit.errors import ConflictError, NotFoundError
from safecity.ports.database import Database, Tx

BATCH = 500


def thing_of(alarm: Alarm) -> Thing:
    """An alarm lies where its channel lay, and belongs to whom it belonged, when it was raised."""
    return Thing("alarm", alarm.area_path, alarm.tags, id=alarm.id, organisation=alarm.organisation_path)


def move_to(alarm: Alarm, state: AlarmState) -> Alarm:
    """ConflictError `alarm_state` when the life of an alarm does not go that way."""
    if state not in ALLOWED[alarm.state]:
        raise ConflictError(
            f"alarm {alarm.id} is {alarm.state}", code="alarm_state", params={"state": str(alarm.state)}
        )
    return replace(alarm, state=state)


class Alarms:
    """Everything is scoped by the area the alarm was born in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, who: Actor, *, before: str = "", limit: int = 100, state: str = "", channel: str = "", area: str = "",
        priority: int = 0,
    ) -> list[Alarm]:  # fmt: skip
        """Newest first."""

        def work(tx: Tx) -> list[Alarm]:
            path = find_area(tx, area).path if area else ""
            return store.page(
                tx,
                hearing(tx, who),
                before=before,
                limit=limit,
                state=state,
                channel=channel,
                area=path,
                priority=priority,
            )

        return await self._database.read(work)

    async def counts(self, who: Actor) -> dict[int, int]:
        """Raised alarms per priority."""
        return await self._database.read(lambda tx: store.open_counts(tx, hearing(tx, who)))

    async def see(self, who: Actor, alarm: str) -> Alarm:
        return await self._database.read(lambda tx: _find(tx, who, Action.ALARM_SEE, alarm))

    async def forget(self, seen_before: int) -> int:
        """Drop what is older, a few at a time; how many went."""
        gone = 0
        while some := await self._database.write(lambda tx: store.forget(tx, seen_before, BATCH)):
            gone += some
        return gone

    async def oldest(self) -> int | None:
        """When the oldest one was seen."""
        return await self._database.read(store.oldest)

    async def acknowledge(self, who: Actor, alarm: str, words: str = "") -> Alarm:
        """Somebody takes notice, or takes it on where somebody has to; the second one learns that it was done."""

        def work(tx: Tx) -> Alarm:
            old = _find(tx, who, Action.ALARM_ACKNOWLEDGE, alarm)
            new = replace(
                move_to(old, AlarmState.ACKNOWLEDGED),
                acknowledged_by=who.name, acknowledged_at=who.at, note=tidy(words, 1000),
                due=old.report_by,
            )  # fmt: skip
            store.save(tx, new)
            note(tx, who, Action.ALARM_ACKNOWLEDGE, thing_of(new), new.name, reason=words)
            return new

        return await self._database.write(work)


def report_on(tx: Tx, who: Actor, alarm: str, result: str, words: str = "") -> Alarm:
    """What came of it, by one who took it on; that ends it. ConflictError `alarm_unsigned` where nobody did yet,
    `alarm_state` where it ended before, `alarm_no_report` where nobody has to."""
    old = _find(tx, who, Action.ALARM_REPORT, alarm)
    if old.report_by is None:
        raise ConflictError("nothing to report", code="alarm_no_report")
    if old.state is AlarmState.RAISED:
        raise ConflictError("not signed for", code="alarm_unsigned")
    new = replace(
        move_to(old, AlarmState.CLEARED),
        reported_by=who.name, reported_at=who.at, result=result, report=tidy(words, 2000), due=None,
    )  # fmt: skip
    store.save(tx, new)
    late = who.at > old.report_by
    note(tx, who, Action.ALARM_REPORT, thing_of(new), new.name, reason=words, result=result, late=late)
    return new


def may_see(tx: Tx, who: Actor, alarm: Alarm) -> bool:
    """Whether the alarm is for `who`."""
    return hearing(tx, who).hears(alarm.audience, thing_of(alarm))


def _find(tx: Tx, who: Actor, action: Action, alarm: str) -> Alarm:
    found = store.find(tx, alarm)
    if found is None or not may_see(tx, who, found):
        raise NotFoundError("no such alarm", code="not_found", params={"kind": "alarm"})
    authorize(who, action, thing_of(found))
    return found
