"""Follows the passages that are told on the bus, and raises what they hit.

The passage and the word of it are one commit (`passages/filing.py`); a hit and its alarm are one commit here, unique by
watch and passage. Between the two lies the bus, at least once: whatever dies in between, it is read again and nothing
is doubled. Most passages hit nothing; they are only read, so that they cost nobody a write.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from safecity.core.ground.alarms import api as alarms
from safecity.core.ground.alarms.api import Alarm
from safecity.core.ground.following import Follower
from safecity.core.ground.passages.api import RECORDED, WITHDRAWN, Passage, seeking
from safecity.core.ground.tollgates.api import Tollgate
from safecity.core.ground.tollgates.api import find as find_gate
from safecity.core.upper.watches import store
from safecity.core.upper.watches.decide import (
    EXACT,
    METHOD,
    NEAR,
    Hit,
    HitState,
    Watch,
    WatchSettings,
    agrees,
    audience_of,
    concerns,
)
from safecity.core.upper.watches.matching import Looked, Match, WatchIndex, differs
from safecity.core.upper.watches.service import Told, silence
from safecity.core.upper.watches.telling import tell
from safecity.kit.clock import Clock
from safecity.kit.ids import fresh
from safecity.model.facts.envelope import Event, Mode
from safecity.ports.bus import Bus
from safecity.ports.database import Database, Tx

CONSUMER: Final = "watches"
PULL: Final = 200


class WatchFollower(Follower):
    """The only one who raises hits. It learns of watches where it reads passages: by the number of their last change,
    in the same view of the database, so that one approved a moment ago is in force for the next passage."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, settings: WatchSettings, told: Told = lambda _: None
    ) -> None:
        super().__init__(bus, CONSUMER, (RECORDED, WITHDRAWN), PULL)
        self._database = database
        self._clock = clock
        self._settings = settings
        self._told = told
        self._index = WatchIndex()
        self._watches: dict[str, Watch] = {}
        self._changed = 0

    def __len__(self) -> int:
        return len(self._index)

    async def take(self, events: Sequence[Event]) -> None:
        """Look at the passages that were told."""
        ids = list(dict.fromkeys(_passage(event) for event in events))
        gone = {_passage(event) for event in events if event.kind == WITHDRAWN}
        late = {_passage(event) for event in events if event.mode is Mode.BACKFILL}
        now = self._clock.now_us()
        concerned = await self._database.read(lambda tx: self._concerned(tx, ids, now))
        if concerned:
            touched = await self._database.write(lambda tx: self._settle(tx, concerned, gone, late, now))
            self._told(touched)

    def _concerned(self, tx: Tx, ids: Sequence[str], now: int) -> list[str]:
        """Passages that hit something, or did before."""
        self._learn(tx)
        before = store.hits_of_passages(tx, ids)
        seen = {one.id: one for one in seeking.whole(tx, ids)}
        return [name for name in ids if name in before or (name in seen and self._matches(seen[name], now))]

    def _settle(self, tx: Tx, ids: Sequence[str], gone: set[str], late: set[str], now: int) -> list[str]:
        """What these passages hit now, and no longer; the alarms that changed."""
        self._learn(tx)
        before = store.hits_of_passages(tx, ids)
        seen = {one.id: one for one in seeking.whole(tx, ids)}
        touched: list[str] = []
        for name in ids:
            known = {hit.watch: hit for hit in before.get(name, ())}
            passage = seen.get(name)
            if passage is None:
                if name in gone:  # not where its time only ran out
                    touched += [silence(tx, hit, HitState.TAKEN_BACK, now) for hit in known.values() if _live(hit)]
                continue
            matches = {match.watch: match for match in self._matches(passage, now)}
            touched += self._unmatched(tx, passage, [hit for hit in known.values() if hit.watch not in matches], now)
            for watch, match in matches.items():
                touched += self._matched(tx, self._watches[watch], match, passage, known.get(watch), name in late, now)
        return [alarm for alarm in dict.fromkeys(touched) if alarm]

    def _unmatched(self, tx: Tx, passage: Passage, hits: Sequence[Hit], now: int) -> list[str]:
        """Hits of a passage that says something else now. Where only the watch has ended they stay what they were."""
        ended = store.find_many(tx, [hit.watch for hit in hits])
        touched: list[str] = []
        for hit in hits:
            watch = ended.get(hit.watch)
            if _live(hit) and (watch is None or not _still(watch, passage)):
                touched.append(silence(tx, hit, HitState.TAKEN_BACK, now))
        return touched

    def _matched(
        self, tx: Tx, watch: Watch, match: Match, passage: Passage, known: Hit | None, late: bool, now: int
    ) -> list[str]:
        gate = find_gate(tx, passage.tollgate) if passage.tollgate else None
        kind = EXACT if match.differs is None else NEAR
        if known is not None and _live(known):
            if (known.plate, known.kind) == (passage.plate, kind):
                return []
            hit = replace(known, plate=passage.plate, kind=kind, differs=match.differs)
            store.save_hit(tx, hit)
            tell(tx, watch, hit, passage, now, anew=True)
            alarm = alarms.find(tx, known.alarm)
            if alarm is not None:
                alarms.save(tx, replace(alarm, type=kind))
            return [known.alarm]
        if known is not None and known.state is HitState.CALLED_OFF:
            return []
        name = gate.name if gate is not None else ""
        hit = Hit(
            id=known.id if known is not None else fresh("ht"), watch=watch.id, passage=passage.id, alarm=fresh("al"),
            kind=kind, differs=match.differs, plate=passage.plate, tollgate=passage.tollgate, place_name=name,
            device=passage.device, lane=passage.lane, direction=passage.direction, speed_kmh=passage.speed_kmh,
            at=passage.at, raised_at=now, late=late, restricted=passage.restricted, area_path=passage.area_path,
            organisation_path=passage.organisation_path, audience=audience_of(watch, passage),
        )  # fmt: skip
        alarms.add(tx, self._alarm(watch, hit, passage, gate, now))
        (store.add_hit if known is None else store.save_hit)(tx, hit)
        tell(tx, watch, hit, passage, now, anew=known is not None)
        return [hit.alarm]

    def _alarm(self, watch: Watch, hit: Hit, passage: Passage, gate: Tollgate | None, now: int) -> Alarm:
        """Without the plate: lists of alarms are looked at without saying what for."""
        sign_by = now + self._settings.sign_us
        degrees = (gate.longitude, gate.latitude) if gate is not None else (None, None)
        return Alarm(
            id=hit.alarm, event=f"{hit.id}/{hit.alarm}", channel=None, device=hit.device, name=hit.place_name,
            area_path=hit.area_path, organisation_path=hit.organisation_path, at=hit.at, seen=now,
            priority=watch.priority, method=METHOD, type=hit.kind,
            longitude=degrees[0], latitude=degrees[1],
            audience=hit.audience, sign_by=sign_by, report_by=now + self._settings.report_us, due=sign_by,
            body={"hit": hit.id, "watch": watch.id, "pictures": passage.pictures, "late": hit.late},
        )  # fmt: skip

    def _matches(self, passage: Passage, now: int) -> list[Match]:
        if passage.keep_until <= now:
            return []
        return [one for one in self._index.find(passage.plate) if concerns(self._watches[one.watch], passage, now)]

    def _learn(self, tx: Tx) -> None:
        """What became of watches since. The number only moves once all were taken in: what breaks is read again."""
        for watch in store.changed_since(tx, self._changed):
            if watch.in_force(max(watch.valid_from, self._clock.now_us())):
                self._watches[watch.id] = watch
                self._index.put(Looked(watch.id, watch.pattern, watch.near))
            else:
                self._watches.pop(watch.id, None)
                self._index.drop(watch.id)
            self._changed = watch.changed


def _passage(event: Event) -> str:
    return str(event.body.get("passage", ""))


def _live(hit: Hit) -> bool:
    return hit.state is HitState.LIVE


def _still(watch: Watch, passage: Passage) -> bool:
    """Whether it fits, whatever became of the watch."""
    return agrees(watch, passage) and differs(watch.pattern, passage.plate, near=watch.near)[0]
