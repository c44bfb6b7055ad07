"""Hits that libraries below us tell, for watches that went down to them.

The vehicle is taken as a passage like any other, and `WatchFollower` finds that it is a hit, as it does with what our
own cameras see: same seats, same deadlines, and nothing that a library says can make a hit of what the watch does not
fit. A hit that the library takes back is taken back here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, cast

from safecity.core.ground.devices.api import Device
from safecity.core.ground.images.api import Images, Outcome, known_objects, origin_of
from safecity.core.ground.lowers import api as lowers
from safecity.core.ground.passages.api import passages_of
from safecity.core.upper.watches import store
from safecity.core.upper.watches.decide import HitState, Watch
from safecity.core.upper.watches.matching import differs
from safecity.core.upper.watches.service import silence
from safecity.kit.clock import Clock
from safecity.ports.database import Database, Tx
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.dispositions import Answered, read_answered
from safecity.protocols.gat1400.envelope import Refused, StatusCode
from safecity.protocols.gat1400.objects import ViidObject, read_object
from safecity.protocols.gat1400.resources import BY_NAME
from safecity.protocols.gat1400.vehicles import read_vehicle

_KIND: Final = "DispositionNotification"
_HEAVY: Final = ("SubImageList", "FeatureList")


class Hits:
    """For the door that libraries come in by. `told` hears of alarms that changed."""

    def __init__(
        self, database: Database, images: Images, clock: Clock, told: Callable[[Sequence[str]], None] = lambda _: None
    ) -> None:
        self._database = database
        self._images = images
        self._clock = clock
        self._told = told

    async def take(self, sender: Device, notices: Sequence[ViidObject | Refused]) -> list[Outcome]:
        """One outcome for each, in their order. What answers a watch of ours that is over is refused, and so is a
        vehicle that the watch does not fit; what answers a watch of the library's own makes no hit."""
        return [await self._one(sender, notice) for notice in notices]

    async def _one(self, sender: Device, notice: ViidObject | Refused) -> Outcome:
        if isinstance(notice, Refused):
            return Outcome(notice.id, StatusCode.JSON_CONTENT, f"{notice.field} is missing or wrong")
        answer, now = read_answered(notice), self._clock.now_us()

        def look(tx: Tx) -> tuple[str, str, bool]:
            order, why = lowers.asked_by(tx, sender.id, answer.disposition, now)
            if order is None or why:
                return "", why, False
            watch = store.find(tx, order.watch) if order.watch is not None else None
            why = _misfit(watch, answer, now)
            known = answer.vehicle is not None and bool(
                known_objects(tx, sender.id, "MotorVehicle", [answer.vehicle.id])
            )
            return order.id, why, known

        order, why, known = await self._database.read(look)
        if not order and not why:
            # Of a watch of its own: kept as it is, and nobody is alarmed.
            return (await self._images.take(sender, [notice]))[0]
        if why or answer.vehicle is None:
            return Outcome(notice.id, StatusCode.INVALID_OPERATION, why or "no vehicle in it")
        # Before the vehicle: what dies in between is sent again, and then it is known that it came with this.
        await self._database.write(lambda tx: lowers.answered(tx, order, notice.id, not known, now))
        (taken,) = await self._images.take(sender, [answer.vehicle])
        await self._images.take(sender, [_light(notice)])
        return Outcome(notice.id, taken.code, taken.text)

    async def take_back(self, sender: Device, ids: Sequence[str]) -> None:
        """The library says that these were none. What it says of the vehicle itself stays, where it said that apart."""
        now = self._clock.now_us()

        def work(tx: Tx) -> tuple[list[str], list[str]]:
            touched: list[str] = []
            alone: list[str] = []
            for notice in known_objects(tx, sender.id, _KIND, ids).values():
                answer = read_answered(read_object(BY_NAME[_KIND], notice.body))
                order, _ = lowers.asked_by(tx, sender.id, answer.disposition, now)
                if order is None or answer.vehicle is None:
                    continue
                touched += _silenced(tx, sender, order.watch or "", answer.vehicle.id, now)
                if lowers.brought_by(tx, order.id, notice.object_id):
                    alone.append(answer.vehicle.id)
            return touched, alone

        touched, alone = await self._database.write(work)
        if alone:
            await self._images.remove(sender, BY_NAME["MotorVehicle"], alone)
        self._told(touched)


def _misfit(watch: Watch | None, answer: Answered, now: int) -> str:
    if watch is None or not watch.in_force(now):
        return "not asked for any more"
    if answer.vehicle is None:
        return "no vehicle in it"
    fits, _ = differs(watch.pattern, read_vehicle(answer.vehicle).plate, near=watch.near)
    return "" if fits else "not what was asked for"


def _silenced(tx: Tx, sender: Device, watch: str, vehicle: str, now: int) -> list[str]:
    kept = known_objects(tx, sender.id, "MotorVehicle", [vehicle]).get(vehicle)
    if kept is None:
        return []
    passages = passages_of(tx, origin_of(sender.code, kept), [vehicle])
    hits = [hit for found in store.hits_of_passages(tx, passages).values() for hit in found]
    touched = [
        silence(tx, hit, HitState.TAKEN_BACK, now) for hit in hits if hit.watch == watch and hit.state is HitState.LIVE
    ]
    return [alarm for alarm in touched if alarm]


def _light(notice: ViidObject) -> ViidObject:
    """As it is kept: the pictures lie with the vehicle."""
    fields = dict(notice.fields)
    for name, value in notice.fields.items():
        if name.lower() == "motorvehicleobject" and isinstance(value, dict):
            vehicle = cast("dict[str, Any]", value)
            fields[name] = {inner: part for inner, part in vehicle.items() if inner not in _HEAVY}
    return ViidObject(notice.resource, clean_id(notice.id), fields, notice.dropped)
