"""Where an event was born: the area and organisation of its subject, copied into it before anybody reads it.

The duties that tell events know neither tree. Control, which alone moves things in them, writes the paths in at the
door of the bus; whatever is moved or deleted afterwards, who may read the fact stays as it was then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec.structs import replace

from safecity.core.ground.access.api import ROOT
from safecity.core.ground.channels import api as channels
from safecity.core.ground.devices import api as devices
from safecity.core.ground.places.api import borders
from safecity.kit.errors import InvalidError
from safecity.kit.ids import parse
from safecity.model.facts.envelope import Event
from safecity.ports.database import Tx

ON_ROADS: Final = "traffic."
"""Facts about roads are no device's: they lie where their place lies."""


def placed(tx: Tx, events: Sequence[Event]) -> list[Event]:
    """The same events; those about a channel, a device or a place on a road that is known and have no paths yet, with
    its paths."""
    subjects = {event.subject for event in events if not event.area}
    paths: dict[str, tuple[str, str]] = {}
    for found in (
        channels.find_many(tx, _ids("ch", subjects)).values(),
        devices.find_many(tx, _ids("dv", subjects)).values(),
    ):
        paths.update({one.id: (one.area_path, one.organisation_path) for one in found})
    return [_with(event, paths.get(event.subject) or _on_road(tx, event)) for event in events]


def _with(event: Event, paths: tuple[str, str] | None) -> Event:
    if event.area or paths is None:
        return event
    return replace(event, area=paths[0], organisation=paths[1])


def _on_road(tx: Tx, event: Event) -> tuple[str, str] | None:
    if event.area or not event.kind.startswith(ON_ROADS):
        return None
    place = event.body.get("longitude"), event.body.get("latitude")
    match place:
        case ((float() | int() as longitude), (float() | int() as latitude)):
            return borders(tx).area_at(longitude, latitude) or ROOT, ROOT
        case _:
            return ROOT, ROOT


def _ids(kind: str, subjects: Iterable[str]) -> list[str]:
    good: list[str] = []
    for subject in subjects:
        try:
            parse(kind, subject)
        except InvalidError:
            continue
        good.append(subject)
    return good
