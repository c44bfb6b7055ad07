"""`media-N.db`: all a slot must know to go on after it was killed, without control and without signal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from safecity.kit.errors import UnavailableError
from safecity.media.receive.feed import SessionRecord
from safecity.media.slot.outbox import Outbox
from safecity.model.facts.media_calls import Assignment, PlaceHold, SlotSettings, StaleEpoch, StartRecording
from safecity.model.values.media import Quality
from safecity.ports.sqlfile import SqlFile

SCHEMA: Final = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epoch (channel TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS assignment (channel TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (channel TEXT NOT NULL, quality TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (channel, quality)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS demand (channel TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hold (id TEXT PRIMARY KEY, body BLOB, placed INTEGER NOT NULL) WITHOUT ROWID;
"""


class SlotFile:
    """The file, with one writing connection; used from the event loop alone."""

    def __init__(self, sql: SqlFile) -> None:
        self._sql = sql
        self._sessions: dict[tuple[str, Quality], SessionRecord] = {}
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                sql.execute(statement)
        self.outbox = Outbox(sql)
        version = self._meta("schema")
        if version is None:
            with sql.transaction():
                self._set("schema", SCHEMA)
        elif version != SCHEMA:
            raise UnavailableError(
                f"media file of version {version}", code="state_version", params={"is": str(version)}
            )

    # --- settings and assignments ---

    def settings(self) -> SlotSettings | None:
        """What control said last, None before it ever did."""
        body = self._meta("settings")
        return None if body is None else msgspec.msgpack.decode(bytes(body), type=SlotSettings)

    def keep_settings(self, settings: SlotSettings) -> None:
        """Durable on return."""
        with self._sql.transaction():
            self._set("settings", msgspec.msgpack.encode(settings))

    def assignments(self) -> tuple[int, list[Assignment]]:
        """(revision, assignments) as last applied."""
        rows = self._sql.execute("SELECT body FROM assignment ORDER BY channel")
        found = [msgspec.msgpack.decode(bytes(body), type=Assignment) for (body,) in rows]
        return int(self._meta("revision") or 0), found

    def stale(self, assignments: Sequence[Assignment]) -> tuple[StaleEpoch, ...]:
        """Those that come under a lower epoch than their channel was entrusted with before."""
        known: dict[str, int] = dict(self._sql.execute("SELECT channel, epoch FROM epoch"))
        return tuple(
            StaleEpoch(one.channel, one.epoch, seen)
            for one in assignments
            if one.epoch < (seen := known.get(one.channel, 0))
        )

    def keep_assignments(self, revision: int, assignments: Sequence[Assignment]) -> None:
        """The whole truth, without what is stale."""
        with self._sql.transaction():
            self._sql.execute("DELETE FROM assignment")
            self._sql.executemany(
                "INSERT INTO assignment VALUES (?, ?)",
                ((one.channel, msgspec.msgpack.encode(one)) for one in assignments),
            )
            self._sql.executemany(
                "INSERT INTO epoch VALUES (?, ?) ON CONFLICT DO UPDATE SET epoch = max(epoch, excluded.epoch)",
                ((one.channel, one.epoch) for one in assignments),
            )
            self._set("revision", revision)

    # --- receiving ---

    def sessions(self) -> list[SessionRecord]:
        """Streams that were being received."""
        rows = self._sql.execute("SELECT body FROM session")
        found = [msgspec.msgpack.decode(bytes(body), type=SessionRecord) for (body,) in rows]
        self._sessions = {(one.channel, one.quality): one for one in found}
        return found

    def keep_sessions(self, sessions: Sequence[SessionRecord]) -> None:
        """The whole table; only what changed is written. Durable on return."""
        now = {(one.channel, one.quality): one for one in sessions}
        gone = [key for key in self._sessions if key not in now]
        changed = [(key, one) for key, one in now.items() if self._sessions.get(key) != one]
        if not gone and not changed:
            return
        with self._sql.transaction():
            self._sql.executemany("DELETE FROM session WHERE channel = ? AND quality = ?", gone)
            self._sql.executemany(
                "INSERT OR REPLACE INTO session VALUES (?, ?, ?)",
                ((channel, str(quality), msgspec.msgpack.encode(one)) for (channel, quality), one in changed),
            )
        self._sessions = now

    # --- recording on demand ---

    def demands(self) -> list[StartRecording]:
        """Recordings asked for besides the policy."""
        rows = self._sql.execute("SELECT body FROM demand")
        return [msgspec.msgpack.decode(bytes(body), type=StartRecording) for (body,) in rows]

    def keep_demand(self, channel: str, demand: StartRecording | None) -> None:
        """Durable on return; None forgets it."""
        with self._sql.transaction():
            if demand is None:
                self._sql.execute("DELETE FROM demand WHERE channel = ?", (channel,))
            else:
                self._sql.execute(
                    "INSERT OR REPLACE INTO demand VALUES (?, ?)", (channel, msgspec.msgpack.encode(demand))
                )

    # --- holds ---

    def holds(self) -> dict[str, tuple[PlaceHold, int] | None]:
        """Every hold ever placed here with its time; None: released. A volume that was away must hear of both."""
        rows = self._sql.execute("SELECT id, body, placed FROM hold")
        return {
            name: None if body is None else (msgspec.msgpack.decode(bytes(body), type=PlaceHold), placed)
            for name, body, placed in rows
        }

    def keep_holds(self, holds: Mapping[str, PlaceHold | None], at: int) -> None:
        """Durable on return; None: it is released."""
        rows = [(name, None if one is None else msgspec.msgpack.encode(one), at) for name, one in holds.items()]
        with self._sql.transaction():
            self._sql.executemany("INSERT OR REPLACE INTO hold VALUES (?, ?, ?)", rows)

    def close(self) -> None:
        """Checkpoint and close."""
        self._sql.close()

    def _meta(self, key: str) -> Any:
        rows = self._sql.execute("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def _set(self, key: str, value: object) -> None:
        self._sql.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
