"""Sightings into the passages they belong to: a batch at a time, for a camera may bring what it kept for a day."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from safecity.core.ground.loose.api import named, unnamed
from safecity.core.ground.outbox import api as outbox
from safecity.core.ground.passages import store
from safecity.core.ground.passages.decide import KeptPicture, Sighting, merged, nearest
from safecity.core.ground.passages.store import Known, Passage
from safecity.core.ground.passages.telling import Changes
from safecity.core.ground.tollgates.api import Purpose, Tollgate
from safecity.kit.clock import SECOND_US
from safecity.kit.ids import fresh
from safecity.ports.database import Tx
from safecity.protocols.gat1400.pictures import MAX_PICTURES

DAY_US = 86_400 * SECOND_US
_SAID = tuple(Sighting.__dataclass_fields__)
UNPLACED_DAYS = 7
"""How long passages are kept that belong to no tollgate."""


class Filed(StrEnum):
    """What became of a sighting."""

    NEW = "new"
    FUSED = "fused"
    KNOWN = "known"
    CORRECTED = "corrected"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """Where something was seen, and what follows for what is kept of it."""

    id: str
    tollgate: str | None
    device: str | None
    area_path: str
    organisation_path: str
    purposes: frozenset[str]
    restricted: bool
    retention_days: int
    window_us: int


def place_of(
    gate: Tollgate | None, *, device: str | None = None, area_path: str = "/", organisation_path: str = "/"
) -> Place:
    """A tollgate; without one, the device itself is the place."""
    if gate is not None:
        return Place(
            id=gate.id, tollgate=gate.id, device=device, area_path=gate.area_path,
            organisation_path=gate.organisation_path, purposes=gate.purposes, restricted=gate.restricted,
            retention_days=gate.retention_days, window_us=gate.fuse_seconds * SECOND_US,
        )  # fmt: skip
    assert device is not None
    return Place(
        id=device, tollgate=None, device=device, area_path=area_path, organisation_path=organisation_path,
        purposes=frozenset({Purpose.SECURITY}), restricted=False, retention_days=UNPLACED_DAYS, window_us=4 * SECOND_US,
    )  # fmt: skip


def file(tx: Tx, place: Place, new: Sequence[Sighting]) -> list[Filed]:
    """What an origin said before is known by its reference: said again it changes nothing, said otherwise or of another
    place it corrects what was said. The bus hears of what is new or says something else now, and pictures are named,
    with the same commit."""
    before = _known(tx, new)
    digests = [_digest(one) for one in new]
    latest: dict[tuple[str, str], int] = {}
    for index, one in enumerate(new):
        before_it = latest.get((one.origin, one.reference))
        if before_it is None or digests[before_it] != digests[index]:
            latest[one.origin, one.reference] = index
    told: dict[tuple[str, str], tuple[str, str]] = {}
    outcomes: list[Filed | None] = []
    corrected: dict[int, Known] = {}
    to_file: list[int] = []
    for index, (one, digest) in enumerate(zip(new, digests, strict=True)):
        name = (one.origin, one.reference)
        old, says = before.get(name), (place.id, digest)
        said = told.get(name, (old.place, old.digest) if old is not None else None)
        told[name] = says
        outcomes.append(Filed.KNOWN if said == says else Filed.CORRECTED if said is not None else None)
        # Of several with one name in a batch the last is what counts; where it only repeats what is kept, nothing does.
        if latest[name] == index and (old is None or (old.place, old.digest) != says):
            to_file.append(index)
            if old is not None:
                corrected[index] = old
    changes = Changes()
    ready = [_with_what_it_showed(tx, new[index], corrected.get(index), changes) for index in to_file]
    desk = _Desk(tx, place, ready)
    filed = dict(zip(to_file, (desk.put(one) for one in ready), strict=True))
    desk.close({one.id: digests[index] for index, one in zip(to_file, ready, strict=True)}, changes)
    named(tx, [picture.key for one in ready for picture in one.pictures])
    outbox.add(tx, changes.events(max((one.seen for one in new), default=0)))
    by_name = {(new[index].origin, new[index].reference): outcome for index, outcome in filed.items()}
    return [
        by_name.get((one.origin, one.reference), Filed.KNOWN) if outcome is None else outcome
        for one, outcome in zip(new, outcomes, strict=True)
    ]


def forget(tx: Tx, origin: str, references: Sequence[str], seen: int) -> int:
    """What an origin takes back, with its pictures; how many."""
    found, changes = store.known(tx, origin, references), Changes()
    for old in found.values():
        unnamed(tx, [picture.key for picture in _shown(tx, old)], seen)
        _taken_out(tx, old, changes)
    outbox.add(tx, changes.events(seen))
    return len(found)


def show(tx: Tx, origin: str, reference: str, pictures: Sequence[KeptPicture]) -> None:
    """Pictures that came after the words, to what was said; as far as there is room for them."""
    old = store.known(tx, origin, [reference]).get(reference)
    if old is None:
        return
    seen = {one.id: one for one in store.sightings_of(tx, [old.passage])[old.passage]}
    mine = seen[old.sighting]
    together = tuple(dict.fromkeys([*mine.pictures, *pictures]))[:MAX_PICTURES]
    passage = store.find(tx, old.passage)
    if together != mine.pictures and passage is not None:
        seen[old.sighting] = replace(mine, pictures=together)
        store.save_sighting(tx, seen[old.sighting])
        store.save(tx, replace(passage, **merged(list(seen.values()))))


def shown(tx: Tx, origin: str, references: Sequence[str]) -> set[str]:
    """Keys of the pictures that passages show of what an origin said."""
    found = store.known(tx, origin, references).values()
    said = {old.sighting for old in found}
    seen = store.sightings_of(tx, list({old.passage for old in found})).values()
    return {picture.key for many in seen for one in many if one.id in said for picture in one.pictures}


def changed(tx: Tx, new: Sequence[tuple[str, Sighting]]) -> list[bool]:
    """Which of these (place, sighting) say something that was not said before: of the others no picture needs to be
    kept again."""
    known = _known(tx, [one for _, one in new])
    olds = (known.get((one.origin, one.reference)) for _, one in new)
    return [
        old is None or (old.place, old.digest) != (place, _digest(one))
        for old, (place, one) in zip(olds, new, strict=True)
    ]


@dataclass(slots=True)
class _Group:
    """A passage on the desk: what is known of it, and what was added."""

    sightings: list[Sighting]
    stored: Passage | None = None
    added: list[Sighting] = field(default_factory=list[Sighting])


class _Desk:
    """The passages around a batch, read at once and written at once."""

    def __init__(self, tx: Tx, place: Place, new: Sequence[Sighting]) -> None:
        self._tx = tx
        self._place = place
        found = store.near(tx, place.id, spans((one.at for one in new), 2 * place.window_us))
        sightings = store.sightings_of(tx, [passage.id for passage in found])
        self._groups = {passage.id: _Group(sightings[passage.id], passage) for passage in found}
        self._by_time: dict[int, set[str]] = defaultdict(set)
        for name, group in self._groups.items():
            self._remember(name, group.sightings)

    def put(self, one: Sighting) -> Filed:
        """Into the passage it is of, or a new one."""
        groups = ((name, self._groups[name].sightings) for name in self._about(one.at))
        name = nearest(one, groups, self._place.window_us)
        if name is None:
            name = fresh("ps")
            self._groups[name] = _Group([])
        group = self._groups[name]
        outcome = Filed.FUSED if group.sightings else Filed.NEW
        group.sightings.append(one)
        group.added.append(one)
        self._remember(name, [one])
        return outcome

    def _remember(self, name: str, sightings: Iterable[Sighting]) -> None:
        for one in sightings:
            self._by_time[one.at // self._place.window_us].add(name)

    def _about(self, at: int) -> set[str]:
        """All that can lie within the window: of a batch that spans a day only a few do."""
        middle = at // self._place.window_us
        return self._by_time[middle - 1] | self._by_time[middle] | self._by_time[middle + 1]

    def close(self, digests: dict[str, str], changes: Changes) -> None:
        """Write what changed."""
        place, added = self._place, [(name, group) for name, group in self._groups.items() if group.added]
        fresh_ones = [
            Passage(
                id=name, place=place.id, tollgate=place.tollgate, device=place.device, area_path=place.area_path,
                organisation_path=place.organisation_path, purposes=place.purposes, restricted=place.restricted,
                keep_until=group.added[0].seen + place.retention_days * DAY_US, **merged(group.sightings),
            )
            for name, group in added
            if group.stored is None
        ]  # fmt: skip
        store.add(self._tx, fresh_ones)
        for one in fresh_ones:
            changes.note(None, one)
        for _, group in added:
            if group.stored is not None:
                now = replace(group.stored, **merged(group.sightings))
                store.save(self._tx, now)
                changes.note(group.stored, now)
        store.add_sightings(self._tx, [(name, one, digests[one.id]) for name, group in added for one in group.added])


def spans(moments: Iterable[int], reach_us: int) -> list[tuple[int, int]]:
    """The stretches of time around these moments, joined where they touch."""
    joined: list[tuple[int, int]] = []
    for at in sorted(moments):
        if joined and at - reach_us <= joined[-1][1]:
            joined[-1] = joined[-1][0], at + reach_us
        else:
            joined.append((at - reach_us, at + reach_us))
    return joined


def _known(tx: Tx, new: Sequence[Sighting]) -> dict[tuple[str, str], Known]:
    by_origin: dict[str, list[str]] = {}
    for one in new:
        by_origin.setdefault(one.origin, []).append(one.reference)
    return {
        (origin, reference): found
        for origin, references in by_origin.items()
        for reference, found in store.known(tx, origin, references).items()
    }


def _with_what_it_showed(tx: Tx, one: Sighting, old: Known | None, changes: Changes) -> Sighting:
    """A correction takes the place of what was said, under its id. What that showed stays: a correction of the words
    takes no evidence away."""
    if old is None:
        return one
    kept = tuple(dict.fromkeys([*_shown(tx, old), *one.pictures]))
    _taken_out(tx, old, changes)
    return replace(one, id=old.sighting, pictures=kept[:MAX_PICTURES])


def _shown(tx: Tx, old: Known) -> tuple[KeptPicture, ...]:
    return next(each for each in store.sightings_of(tx, [old.passage])[old.passage] if each.id == old.sighting).pictures


def _taken_out(tx: Tx, gone: Known, changes: Changes) -> None:
    store.remove_sighting(tx, gone.sighting)
    left = store.sightings_of(tx, [gone.passage])[gone.passage]
    old = store.find(tx, gone.passage)
    now = replace(old, **merged(left)) if old is not None and left else None
    if now is None:
        store.remove(tx, [gone.passage])
    else:
        store.save(tx, now)
    if old is not None:
        changes.note(old, now)


def _digest(one: Sighting) -> str:
    """Of what was said, not of when we heard it nor of where its pictures went."""
    said: dict[str, Any] = {name: getattr(one, name) for name in _SAID} | {"id": "", "seen": 0, "pictures": []}
    if one.clock_doubtful:
        said["at"] = 0
    return hashlib.sha256(_as_text(said).encode()).hexdigest()


_as_text = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str).encode
"""As it was written when the digests that are kept were made."""
