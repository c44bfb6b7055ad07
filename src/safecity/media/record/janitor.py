"""Deleting on one shelf: in two phases, with a reason row, never what is held.

Phase one is a commit that takes the rows away and writes down why (and what is to be done to the media); phase two
does it (extent back to the pool, or holes punched); then the note goes. A crash between the two is finished at the
next opening. All of it in the writer thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from safecity.kit.errors import ConflictError
from safecity.media.record.chunk import HEADER_BYTES
from safecity.media.record.extent import Layout
from safecity.media.record.files import aligned
from safecity.media.record.index import CLOSED, GARBAGE, Index
from safecity.media.record.phasetwo import free_extents, punch_holes
from safecity.media.record.retention import REQUEST, ChannelUse, Held, Keep, Plan, Removal, Use, plan
from safecity.media.record.rows import MINUTE_MS, MINUTE_US, Entry, pack, unpack
from safecity.media.record.shelf import Shelf

OLDEST: Final = 64
"""So many parts of each channel are looked at in one round."""
_MERGE_US: Final = 3_600_000_000


class Hold(NamedTuple):
    """What is kept whatever retention says. Microseconds UTC."""

    channel: bytes
    start: int
    end: int
    reason: str
    placed: int


class Janitor:
    """Retention, holds and erasure of one shelf."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._index: Index = shelf.index
        rows = {row[0]: Keep(*row[1:]) for row in self._index.sql.execute("SELECT * FROM keep")}
        self._written: dict[int, Keep] = rows
        self.keeps = {key: rows[number] for key, number in self._index.channels().items() if number in rows}
        """By (channel, quality), also of channels that are recorded elsewhere or not at all by now: what they left here
        goes when it is due. Who was never named keeps what there is until pressure takes it."""
        self.held_bytes = 0
        self.recorded_bytes = 0
        self._held_parts: dict[int, int] = {}

    # --- holds ------------------------------------------------------------------------------------------------

    def place_hold(self, name: str, hold: Hold) -> None:
        """Durable on return. Placing it again changes it."""
        self._index.add("INSERT OR REPLACE INTO hold VALUES (?, ?, ?, ?, ?, ?)", (name, *hold))
        self._index.commit()

    def release_hold(self, name: str) -> None:
        """Also when it is gone already."""
        self._index.add("DELETE FROM hold WHERE id = ?", (name,))
        self._index.commit()

    def use_holds(self, holds: Mapping[str, Hold | None]) -> None:
        """Holds that were placed, or released (None), while this volume was away; others stay as they are."""
        known = {row[0]: Hold(*row[1:]) for row in self._index.sql.execute("SELECT * FROM hold")}
        for name, hold in holds.items():
            if hold is None and name in known:
                self._index.add("DELETE FROM hold WHERE id = ?", (name,))
            elif hold is not None and known.get(name) != hold:
                self._index.add("INSERT OR REPLACE INTO hold VALUES (?, ?, ?, ?, ?, ?)", (name, *hold))
        self._index.commit()

    def holds(self) -> list[Held]:
        """Each hold once per stream of its channel."""
        streams = self._index.channels()
        rows = self._index.sql.execute('SELECT channel, start, "end" FROM hold')
        return [
            Held(number, start // 1000, -(-end // 1000))
            for channel, start, end in rows
            for (one, _), number in streams.items()
            if one == channel
        ]

    # --- retention --------------------------------------------------------------------------------------------

    def sweep(self, now: int, need_bytes: int = 0, *, punch: bool = True) -> Plan:
        """Enforce days and quotas, and under pressure free `need_bytes`.

        Without `punch`, what goes of extents that others still use stays there until `punch_all`: under pressure the
        rest mostly follows within seconds, and the whole extent is free without a hole.
        """
        self.note_keeps()
        holds = self.holds()
        self._note_held(holds)
        done: list[Removal] = []
        while True:
            found = plan(self._channel_uses(), holds, now // 1000, need_bytes)
            for channel_no in {removal.use.channel for removal in found.removals}:
                self._shelf.settle(channel_no)  # its last minute may reach into an extent that goes
            self._shelf.commit()
            for together in rounds(found.removals):
                for (channel_no, reason), uses in together.items():
                    self._remove_parts(channel_no, uses, reason, now)
                for extent in {use.extent for uses in together.values() for use in uses}:
                    self._free_if_empty(extent)
                self._index.commit()
            self._free_extents()
            if punch:
                self.punch_all()
            done += found.removals
            need_bytes -= sum(removal.use.bytes for removal in found.removals)
            if not found.removals or (need_bytes <= 0 and len(found.removals) < OLDEST):
                return Plan(done, found.stuck and need_bytes > 0)

    def _remove_parts(self, channel_no: int, uses: list[Use], reason: str, now: int) -> None:
        """Phase one for one channel's parts of some extents."""
        extents = {use.extent for use in uses}
        start, end = min(use.start for use in uses), max(use.end for use in uses)
        self._remove(channel_no, start, end, lambda one: one.extent in extents, reason, now)
        for extent in extents:
            self._index.add("DELETE FROM extent_channel WHERE extent_no = ? AND channel_no = ?", (extent, channel_no))

    def note_keeps(self) -> None:
        """Put what changed into the next commit: the shelf remembers it when nobody else does any more."""
        for key, number in self._index.channels().items():
            keep = self.keeps.get(key)
            if keep is not None and self._written.get(number) != keep:
                self._written[number] = keep
                self._index.add("INSERT OR REPLACE INTO keep VALUES (?, ?, ?, ?)", (number, *keep))

    def erase(self, channel: bytes, start: int, end: int, reason: str, now: int) -> int:
        """Delete [start, end) microseconds on request; bytes deleted. ConflictError (`held`) when a hold touches it."""
        first, last = start // 1000, -(-end // 1000)
        numbers = [number for (one, _), number in self._index.channels().items() if one == channel]
        if any(hold.channel in numbers and hold.start < last and first < hold.end for hold in self.holds()):
            raise ConflictError("held footage cannot be erased", code="held")
        erased = 0
        for number in numbers:
            for (extent,) in self._index.sql.execute(
                'SELECT extent_no FROM extent_channel WHERE channel_no = ? AND "end" > ? AND start < ?',
                (number, first, last),
            ):
                self._shelf.roll(extent)
            for extent, open_extent in list(self._shelf.open_extents.items()):
                if number in open_extent.uses:
                    self._shelf.roll(extent)
            stream = next((one for one in self._shelf.streams.values() if one.channel_no == number), None)
            if stream is not None:
                stream.finish()
            self._shelf.commit()
            erased += self._remove(
                number, first, last, lambda one: one.start < last and first < one.end, f"{REQUEST}:{reason}"[:200], now
            )
            self._index.commit()
        self._free_extents()
        self.punch_all()
        return erased

    # --- phase one --------------------------------------------------------------------------------------------

    def _remove(
        self, channel_no: int, start: int, end: int, pick: Callable[[Entry], bool], reason: str, now: int
    ) -> int:
        """Take the picked entries of [start, end) milliseconds out of the rows and note what is to be punched."""
        sql = self._index.sql
        rows = sql.execute(
            "SELECT minute, chunks FROM pack WHERE channel_no = ? AND minute BETWEEN ? AND ?",
            (channel_no, start // MINUTE_MS - 1, end // MINUTE_MS),
        )
        gone: list[Entry] = []
        for minute, chunks in rows:
            entries = list(unpack(bytes(chunks), minute))
            keep = [one for one in entries if not pick(one)]
            if len(keep) == len(entries):
                continue
            gone += [one for one in entries if pick(one)]
            self._rewrite(channel_no, minute, keep)
        if gone:
            self._note_deletion(channel_no, gone, reason, now)
            self._note_punches(channel_no, gone)
        return sum(one.payload for one in gone)

    def _rewrite(self, channel_no: int, minute: int, keep: list[Entry]) -> None:
        if not keep:
            for table in ("minute", "pack"):
                self._index.add(f"DELETE FROM {table} WHERE channel_no = ? AND minute = ?", (channel_no, minute))  # noqa: S608
            return
        base = minute * MINUTE_MS
        self._index.add(
            "UPDATE minute SET first = ?, last = ?, bytes = ?, flags = flags | 1 "  # BROKEN
            "WHERE channel_no = ? AND minute = ?",
            (min(one.start for one in keep) - base, max(one.end for one in keep) - base,
             sum(one.payload for one in keep), channel_no, minute),
        )  # fmt: skip
        self._index.add(
            "UPDATE pack SET chunks = ? WHERE channel_no = ? AND minute = ?",
            (pack(keep, minute, self._shelf.layout.align), channel_no, minute),
        )

    def _note_deletion(self, channel_no: int, gone: list[Entry], reason: str, now: int) -> None:
        """One row per stretch: what touches the last row of the same reason makes that one longer."""
        start, end = min(one.start for one in gone) * 1000, max(one.end for one in gone) * 1000
        size = sum(one.payload for one in gone)
        last = self._index.sql.execute(
            'SELECT no, "end" FROM deletion WHERE channel_no = ? AND reason = ? ORDER BY no DESC LIMIT 1',
            (channel_no, reason),
        )
        if last and 0 <= start - last[0][1] <= MINUTE_US and not reason.startswith(REQUEST):
            self._index.add(
                'UPDATE deletion SET "end" = ?, bytes = bytes + ?, at = ?, extents = extents + 1 WHERE no = ?',
                (end, size, now, last[0][0]),
            )
        else:
            self._index.add(
                "INSERT INTO deletion VALUES (NULL, ?, ?, ?, ?, ?, ?, 1)", (channel_no, start, end, size, reason, now)
            )

    def _note_punches(self, channel_no: int, gone: list[Entry]) -> None:
        align = self._shelf.layout.align
        per_extent: dict[int, list[tuple[int, int]]] = {}
        for one in sorted(gone, key=lambda entry: (entry.extent, entry.offset)):
            spans = per_extent.setdefault(one.extent, [])
            end = one.offset + aligned(HEADER_BYTES + one.payload, align)
            if spans and spans[-1][1] == one.offset:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((one.offset, end))
        for extent, spans in per_extent.items():
            for start, end in spans:
                self._index.add("INSERT OR REPLACE INTO punch VALUES (?, ?, ?)", (extent, start, end - start))
            size = sum(end - start for start, end in spans)
            self._index.add(
                "UPDATE extent_channel SET bytes = max(0, bytes - ?) WHERE extent_no = ? AND channel_no = ?",
                (size, extent, channel_no),
            )

    def _free_if_empty(self, extent_no: int) -> None:
        self._index.add(
            f"UPDATE extent SET state = {GARBAGE} WHERE no = ?1 AND state = {CLOSED} "  # noqa: S608
            "AND NOT EXISTS (SELECT 1 FROM extent_channel WHERE extent_no = ?1)",
            (extent_no,),
        )
        self._index.add(
            f"DELETE FROM punch WHERE extent_no = ?1 AND (SELECT state FROM extent WHERE no = ?1) = {GARBAGE}",  # noqa: S608
            (extent_no,),
        )

    # --- phase two --------------------------------------------------------------------------------------------

    def _free_extents(self) -> None:
        free_extents(self._shelf.pool, self._index)

    def punch_all(self) -> None:
        """What was deleted of extents that others still use becomes holes."""
        punch_holes(self._shelf.pool, self._index)

    # --- figures ----------------------------------------------------------------------------------------------

    def _channel_uses(self) -> list[ChannelUse]:
        sql = self._index.sql
        rows = sql.execute("SELECT channel_no, sum(bytes) FROM extent_channel GROUP BY channel_no")
        totals: dict[int, int] = {row[0]: row[1] for row in rows}
        self.recorded_bytes = sum(totals.values())
        uses: list[ChannelUse] = []
        for key, number in self._index.channels().items():
            rows = sql.execute(
                'SELECT u.extent_no, u.channel_no, u.bytes, u.start, u."end" FROM extent_channel u '
                'JOIN extent e ON e.no = u.extent_no AND e.state = ? WHERE u.channel_no = ? ORDER BY u."end" LIMIT ?',
                (CLOSED, number, OLDEST + self._held_parts.get(number, 0)),
            )
            keep = self.keeps.get(key, Keep())
            uses.append(ChannelUse(number, totals.get(number, 0), keep, [Use(*row) for row in rows]))
        return uses

    def _note_held(self, holds: list[Held]) -> None:
        """How many parts of each channel are held: so many more must be looked at to find one that is not."""
        self._held_parts = {}
        self.held_bytes = 0
        seen: set[tuple[int, int]] = set()
        for hold in holds:
            for extent, size in self._index.sql.execute(
                'SELECT extent_no, bytes FROM extent_channel WHERE channel_no = ? AND "end" > ? AND start < ?',
                (hold.channel, hold.start, hold.end),
            ):
                if (hold.channel, extent) not in seen:
                    seen.add((hold.channel, extent))
                    self._held_parts[hold.channel] = self._held_parts.get(hold.channel, 0) + 1
                    self.held_bytes += size


def rounds(removals: Sequence[Removal]) -> list[dict[tuple[int, str], list[Use]]]:
    """Removals by (channel, reason), in rounds that name each channel once: each round is one commit. (What a round
    changes it does not see itself, so a channel's two reasons must not stand in the same one.)"""
    groups: dict[tuple[int, str], list[Use]] = {}
    for removal in removals:
        groups.setdefault((removal.use.channel, removal.reason), []).append(removal.use)
    found: list[dict[tuple[int, str], list[Use]]] = []
    seen: Counter[int] = Counter()
    for (channel, reason), uses in groups.items():
        if seen[channel] == len(found):
            found.append({})
        found[seen[channel]][channel, reason] = uses
        seen[channel] += 1
    return found


def room_wanted(layout: Layout, streams: int) -> int:
    """Extents to keep free: two per stream, or two per lane."""
    return 2 if layout is Layout.SHARED else 2 * max(1, streams)
