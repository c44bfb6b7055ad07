"""Follows the positions on the bus, holds each vehicle against its fences, and raises what there is to raise.

What is known of a vehicle and the alarms that come of it are one commit. The bus tells at least once, and a position
that is taken twice changes nothing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from safecity.core.ground.alarms import api as alarms
from safecity.core.ground.alarms.api import Alarm
from safecity.core.ground.devices.api import Device, find_many
from safecity.core.ground.following import Follower
from safecity.core.ground.outbox import api as outbox
from safecity.core.ground.settings.api import Settings, get, put
from safecity.core.upper.fleet import store
from safecity.core.upper.fleet.fences import Fence
from safecity.core.upper.fleet.judging import LATE_US, THEFT, Fix, News, Track, judge, sieved
from safecity.core.upper.fleet.shapes import Shape
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh, parse
from safecity.model.facts.envelope import Event, Mode
from safecity.ports.bus import Bus
from safecity.ports.database import Database, Tx

CONSUMER: Final = "fences"
METHOD: Final = "vehicle"
"""Of the alarms raised here, in place of a method of GB/T 28181; their type is the rule."""
PULL: Final = 500
AHEAD_US: Final = 300 * SECOND_US
"""A clock that is further ahead is wrong."""
MAX_REMEMBERED: Final = 100_000
BEGUN: Final = "fences/begun"
BREACH_BEGAN, BREACH_ENDED = "fence.breach_began", "fence.breach_ended"
THEFT_SUSPECTED, THEFT_OVER = "vehicle.theft_suspected", "vehicle.theft_over"


class FenceFollower(Follower):
    """The only one who judges positions. `told` hears of alarms once they are durable, `wake` of events to be sent."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, settings: Settings, told: Callable[[Sequence[str]], None],
        wake: Callable[[], None],
    ) -> None:  # fmt: skip
        super().__init__(bus, CONSUMER, ("position.received",), PULL)
        self._database = database
        self._clock = clock
        self._settings = settings
        self._told = told
        self._wake = wake
        self._fences: list[tuple[Fence, Shape]] = []
        self._changed = -1
        self._last: OrderedDict[str, tuple[Fix | None, Fix | None]] = OrderedDict()

    async def sweep(self) -> int:
        """Forget vehicles that told nothing for long."""
        before = self._clock.now_us() - 2 * LATE_US
        return await self._database.write(lambda tx: store.forget_tracks(tx, before))

    async def take(self, events: Sequence[Event]) -> None:
        """Judge the positions."""
        now = self._clock.now_us()

        def work(tx: Tx) -> tuple[list[str], dict[str, tuple[Fix | None, Fix | None]]]:
            begun = get(tx, BEGUN, 0)
            if not begun:
                put(tx, BEGUN, now)
            return self._settle(tx, self._every(tx), _by_device(events, begun), now)

        raised, last = await self._database.write(work)
        for device, one in last.items():
            self._last[device] = one
            self._last.move_to_end(device)
        while len(self._last) > MAX_REMEMBERED:
            self._last.popitem(last=False)
        self._told(raised)
        if raised:
            self._wake()

    def _every(self, tx: Tx) -> list[tuple[Fence, Shape]]:
        """All fences with their shapes; read again where the number of their last change is another one."""
        changed = store.last_change(tx)
        if changed != self._changed:
            self._changed, self._fences = changed, [(fence, fence.shape) for fence in store.everything(tx)]
        return self._fences

    def _settle(
        self, tx: Tx, every: Sequence[tuple[Fence, Shape]], fixes: Mapping[str, list[Fix]], now: int
    ) -> tuple[list[str], dict[str, tuple[Fix | None, Fix | None]]]:
        zone = ZoneInfo(self._settings.platform(tx).zone)
        devices, tracks = find_many(tx, list(fixes)), store.tracks_of(tx, fixes)
        changed: dict[str, Track] = {}
        last: dict[str, tuple[Fix | None, Fix | None]] = {}
        raised: list[str] = []
        for name, device in devices.items():
            before, suspect = self._last.get(name, (None, None))
            good, before, suspect = sieved(before, suspect, fixes[name])
            last[name] = before, suspect
            if not good:
                continue
            mine = [
                (fence, shape)
                for fence, shape in every
                if fence.is_for(name, device.area_path, device.organisation_path)
            ]
            track = tracks.get(name) or Track()
            for one in judge(track, mine, good, zone):
                fence = next((fence for fence, _ in mine if fence.id == one.fence), None)
                raised += self._raise(tx, device, fence, one, now)
            changed[name] = track
        store.put_tracks(tx, changed)
        return raised, last

    def _raise(self, tx: Tx, device: Device, fence: Fence | None, one: News, now: int) -> list[str]:
        """An event, and where something began also an alarm: its id."""
        event = Event(
            kind=_kind(one), subject=device.id, at=one.at, seen=now, area=device.area_path,
            organisation=device.organisation_path, mode=Mode.BACKFILL if one.fix.late else Mode.LIVE,
            body=_body(device, fence, one),
        )  # fmt: skip
        outbox.add(tx, [event])
        if not one.on:
            return []
        alarm = Alarm(
            id=fresh("al"), event=event.id, channel=None, device=device.id, name=device.name,
            area_path=device.area_path, organisation_path=device.organisation_path, at=one.at, seen=now,
            priority=fence.priority if fence is not None else 1, method=METHOD, type=str(one.rule),
            description=fence.name if fence is not None else "", longitude=one.fix.longitude,
            latitude=one.fix.latitude, audience=fence.seats if fence is not None else frozenset(),
            body={"fence": one.fence, "late": one.fix.late},
        )  # fmt: skip
        alarms.add(tx, alarm)
        return [alarm.id]


def _kind(one: News) -> str:
    if one.rule in THEFT:
        return THEFT_SUSPECTED if one.on else THEFT_OVER
    return BREACH_BEGAN if one.on else BREACH_ENDED


def _body(device: Device, fence: Fence | None, one: News) -> dict[str, Any]:
    body: dict[str, Any] = {
        "device": device.id, "code": device.code, "rule": str(one.rule), "longitude": one.fix.longitude,
        "latitude": one.fix.latitude, "speed_kmh": one.fix.speed_kmh,
    }  # fmt: skip
    if fence is not None:
        body |= {"fence": fence.id, "name": fence.name, "limit_kmh": fence.speed_kmh or None}
    return body


def _by_device(told: Sequence[Event], begun: int) -> dict[str, list[Fix]]:
    """Only what came since anybody looks: what lies on the bus from before is no news."""
    found: dict[str, list[Fix]] = {}
    for event in told:
        fix = read_fix(event)
        if fix is None or event.seen < begun:
            continue
        try:
            parse("dv", event.subject)
        except InvalidError:
            continue
        if fix.at > event.seen + AHEAD_US:  # else nothing that comes after it would be new for years
            fix = fix._replace(at=event.seen)
        found.setdefault(event.subject, []).append(fix)
    return found


def read_fix(event: Event) -> Fix | None:
    """The position in an event, None where it has no place."""
    body = event.body
    longitude, latitude = _number(body.get("longitude"), 180), _number(body.get("latitude"), 90)
    if longitude is None or latitude is None or body.get("channel"):
        return None
    speed, status, driver = _number(body.get("speed"), 1e6), body.get("status"), body.get("driver")
    return Fix(
        at=event.at, longitude=longitude, latitude=latitude, speed_kmh=None if speed is None else speed * 3.6,
        status=status if isinstance(status, int) else None, driver=driver if isinstance(driver, bool) else None,
        late=event.mode is Mode.BACKFILL,
    )  # fmt: skip


def _number(value: object, most: float) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool) and -most <= value <= most:
        return float(value)
    return None
