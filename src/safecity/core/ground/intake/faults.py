"""The platform's own faults that ask somebody to look: a volume out of service, footage that a disk does not give
back, a clock that is wrong.

They stand in the list of alarms like those of devices, with `PLATFORM` as their method and the code of the step
catalogue as their type; what heals by itself clears its alarm.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from safecity.core.ground.alarms import api as alarms
from safecity.core.ground.channels import api as channels
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh
from safecity.model.facts.envelope import Event
from safecity.ports.database import Tx

PLATFORM: Final = "platform"
"""In place of a method of GB/T 28181."""
_VOLUME_PRIORITY: Final = {"failed": 1, "offline": 1, "full": 2}
_DAMAGE_PRIORITY: Final = 1
_CLOCK_PRIORITY: Final = {"off": 2, "disagreeing": 3}


def volume_changed(tx: Tx, event: Event) -> list[str]:
    """A volume went out of service, or came back; the alarms that changed."""
    state, volume = str(event.body.get("state", ""))[:20], event.subject[:100]
    origin = event.origin[:100]
    before = [one for one in alarms.open_of(tx, PLATFORM) if _same(one, volume, origin)]
    code = str(event.body.get("code") or f"volume_{state}")[:60]
    if any(one.type == code for one in before):
        return []  # a restarted slot tells again what is known
    changed = [_clear(tx, one) for one in before]
    if state in _VOLUME_PRIORITY:
        params = {"volume": volume}
        raised = _fault(event, code, volume, _VOLUME_PRIORITY[state], {**params, "origin": origin})
        alarms.add(tx, raised)
        changed.append(raised.id)
    return changed


def footage_damaged(tx: Tx, event: Event) -> list[str]:
    """The scrub read something else than was written. Nothing is mended: somebody must look at the disk."""
    volume, extent = str(event.body.get("volume", ""))[:100], str(event.body.get("extent", ""))[:100]
    open_ones = alarms.open_of(tx, PLATFORM)
    if any(one.type == "footage_damaged" and one.body.get("params", {}).get("extent") == extent for one in open_ones):
        return []  # one sick extent is one alarm, however many of its chunks are hit
    alarm = _fault(event, "footage_damaged", volume, _DAMAGE_PRIORITY, {"volume": volume, "extent": extent})
    try:
        channel = channels.find(tx, event.subject)
    except InvalidError:
        channel = None
    if channel is not None:
        alarm = replace(
            alarm, channel=channel.id, device=channel.device, name=channel.name, area_path=channel.area_path,
            organisation_path=channel.organisation_path, tags=channel.tags,
        )  # fmt: skip
    alarms.add(tx, alarm)
    return [alarm.id]


def clock_measured(tx: Tx, event: Event) -> list[str]:
    """The clock of the machine is wrong, or right again; where no server answers, nobody knows and nothing changes."""
    state = str(event.body.get("state", ""))
    if state not in ("good", *_CLOCK_PRIORITY):
        return []
    code = f"clock_{state}"
    before = [one for one in alarms.open_of(tx, PLATFORM) if one.type.startswith("clock_")]
    if any(one.type == code for one in before):
        return []
    changed = [_clear(tx, one) for one in before]
    if state in _CLOCK_PRIORITY:
        offset = event.body.get("offset_us")
        seconds = f"{offset / SECOND_US:+.3f}" if isinstance(offset, int) else "?"
        raised = _fault(event, code, "", _CLOCK_PRIORITY[state], {"seconds": seconds})
        alarms.add(tx, raised)
        changed.append(raised.id)
    return changed


def _fault(event: Event, code: str, name: str, priority: int, params: dict[str, Any]) -> alarms.Alarm:
    return alarms.Alarm(
        id=fresh("al"), event=event.id, channel=None, device=None, name=name, area_path="/", at=event.at,
        seen=event.seen, priority=priority, method=PLATFORM, type=code,
        body={"params": params, "mode": str(event.mode)},
    )  # fmt: skip


def _same(alarm: alarms.Alarm, volume: str, origin: str) -> bool:
    params = alarm.body.get("params", {})
    return "extent" not in params and (params.get("volume"), params.get("origin")) == (volume, origin)


def _clear(tx: Tx, alarm: alarms.Alarm) -> str:
    alarms.save(tx, alarms.move_to(alarm, alarms.AlarmState.CLEARED))
    return alarm.id
