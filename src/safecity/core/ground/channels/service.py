"""Commands and queries about channels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from safecity.core.ground.access.api import Action, Actor, Thing, authorize, scope
from safecity.core.ground.audit.api import note
from safecity.core.ground.channels import store
from safecity.core.ground.channels.board import Board
from safecity.core.ground.channels.decide import Channel, Standing, check_tags
from safecity.core.ground.channels.offers import check_offers
from safecity.core.ground.places.api import check_name, find_area, find_organisation
from safecity.core.ground.settings.api import touch_desired
from safecity.kit.errors import ConflictError, InvalidError, NotFoundError
from safecity.model.values.media import Quality
from safecity.ports.database import Database, Tx

_RECORD_RANGES = {
    "pre_roll_seconds": (0, 60),
    "post_roll_seconds": (0, 3600),
    "retention_days": (0, 3650),
    "floor_days": (0, 3650),
    "priority": (1, 4),
    "max_bytes": (0, 1 << 60),
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A channel and how it stands."""

    channel: Channel
    standing: Standing


def thing_of(channel: Channel) -> Thing:
    """What decisions about it need."""
    return Thing("channel", channel.area_path, channel.tags, id=channel.id, organisation=channel.organisation_path)


def find_channel(tx: Tx, who: Actor, action: Action, channel: str) -> Channel:
    """The channel, if `who` may do `action` to it. What one may not even see does not exist (NotFoundError)."""
    found = store.find(tx, channel)
    if found is None or not scope(who, Action.CHANNEL_SEE).allows(thing_of(found)):
        raise NotFoundError("no such channel", code="not_found", params={"kind": "channel"})
    authorize(who, action, thing_of(found))
    return found


class Channels:
    """Lists are cut by scope, single ones by authorize."""

    def __init__(self, database: Database, board: Board) -> None:
        self._database = database
        self._board = board

    async def find(self, who: Actor, action: Action, channel: str) -> Channel:
        """One, for an action."""
        return await self._database.read(lambda tx: find_channel(tx, who, action, channel))

    async def see(self, who: Actor, channel: str) -> Seen:
        found = await self.find(who, Action.CHANNEL_SEE, channel)
        return Seen(found, self._board.standing(found))

    async def page(
        self, who: Actor, *, after: tuple[str, str] | None, limit: int, area: str = "", device: str = "",
        q: str = "", state: str = "",
    ) -> tuple[list[Seen], tuple[str, str] | None]:  # fmt: skip
        """By name; `after` and the answer's second part are the place of the last one. `area` is an id."""
        allowed = scope(who, Action.CHANNEL_SEE)

        def work(tx: Tx) -> tuple[list[Seen], tuple[str, str] | None]:
            path = find_area(tx, area).path if area else ""
            found: list[Seen] = []
            place = after
            while True:
                rows = store.page(tx, allowed, after=place, limit=limit + 1, area=path, device=device, q=q)
                for key, channel in rows[:limit]:
                    place = (key, channel.id)
                    seen = Seen(channel, self._board.standing(channel))
                    if not state or seen.standing.state == state:
                        found.append(seen)
                        if len(found) == limit:
                            return found, place if rows[-1][1].id != channel.id else None
                if len(rows) <= limit:
                    return found, None

        return await self._database.read(work)

    async def change(self, who: Actor, channel: str, revision: int | None, changes: dict[str, Any]) -> Seen:
        """Set name, area, organisation, tags, enabled, qualities, record policy or place of a channel."""

        def work(tx: Tx) -> Channel:
            old = find_channel(tx, who, Action.CHANNEL_CHANGE, channel)
            if revision is not None and revision != old.revision:
                raise ConflictError("changed meanwhile", code="changed_meanwhile")
            new = self._changed(tx, old, changes)
            # Into an area or to an organisation where one has no rights nothing may be pushed either.
            authorize(who, Action.CHANNEL_CHANGE, thing_of(new))
            store.save(tx, new)
            touch_desired(tx)
            note(tx, who, Action.CHANNEL_CHANGE, thing_of(new), new.name, changed=", ".join(sorted(changes)))
            return new

        new = await self._database.write(work)
        return Seen(new, self._board.standing(new))

    def _changed(self, tx: Tx, old: Channel, changes: dict[str, Any]) -> Channel:
        values = dict(changes)
        if "name" in values:
            values["name"], values["name_given"] = check_name(values["name"]), True
        if "tags" in values:
            values["tags"] = check_tags(values["tags"])
        if "area" in values:
            values["area_path"] = find_area(tx, values["area"]).path if values["area"] else "/"
        if "organisation" in values:
            named = values["organisation"]
            values["organisation_path"] = find_organisation(tx, named).path if named else "/"
        if "qualities" in values:
            values["qualities"] = _check_qualities(values["qualities"])
        if "ptz_offers" in values:
            values["ptz_offers"] = check_offers(values["ptz_offers"])
        if "record" in values:
            values["record"] = {**old.record, **check_record(values["record"])}
        return replace(old, **values, revision=old.revision + 1)


def _check_qualities(qualities: list[str]) -> tuple[str, ...]:
    known = tuple(str(quality) for quality in Quality if str(quality) in qualities)
    if not known or len(known) != len(set(qualities)):
        raise InvalidError("unknown quality", code="choice", params={"field": "qualities", "choices": "main|sub"})
    return known


def check_record(record: dict[str, Any]) -> dict[str, Any]:
    """Fields of a record policy. InvalidError `out_of_range` or `choice`."""
    clean: dict[str, Any] = {}
    for name, value in record.items():
        if name in _RECORD_RANGES:
            low, high = _RECORD_RANGES[name]
            if not isinstance(value, int) or not low <= value <= high:
                raise InvalidError(name, code="out_of_range", params={"field": name, "low": low, "high": high})
            clean[name] = value
        elif (name == "mode" and value in ("off", "continuous", "schedule")) or (
            name == "quality" and value in ("main", "sub")
        ):
            clean[name] = value
        elif name == "schedule" and isinstance(value, list) and len(value) <= 100:  # pyright: ignore[reportUnknownArgumentType]
            clean[name] = [_check_span(span) for span in value]  # pyright: ignore[reportUnknownVariableType]
        else:
            raise InvalidError(name, code="choice", params={"field": f"record.{name[:40]}", "choices": ""})
    return clean


def _check_span(span: Any) -> dict[str, int]:
    try:
        day, start, end = int(span["weekday"]), int(span["start_minute"]), int(span["end_minute"])
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidError("not a span", code="schedule_span") from error
    if not (0 <= day <= 6 and 0 <= start < end <= 1440):
        raise InvalidError("not a span", code="schedule_span")
    return {"weekday": day, "start_minute": start, "end_minute": end}
