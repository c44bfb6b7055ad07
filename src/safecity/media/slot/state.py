"""`media-N.db`: all a slot must know to go on after it was killed, without control and without signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from safecity.kit.errors import ConflictError, UnavailableError
from safecity.media.receive.feed import SessionRecord
from safecity.model.facts.envelope import Event
from safecity.model.facts.media_calls import Assignment, SlotSettings, StartRecording
from safecity.model.values.media import Quality
from safecity.ports.sqlfile import SqlFile

SCHEMA: Final = 1
MAX_OUTBOX: Final = 200_000
"""Facts kept while control is away (about a week of a busy slot); beyond it the oldest go, and are counted."""

_TABLES = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epoch (channel TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS assignment (channel TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session (channel TEXT NOT NULL, quality TEXT NOT NULL, body BLOB NOT NULL,
  PRIMARY KEY (channel, quality)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS demand (channel TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS outbox (no INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL);
"""


class SlotFile:
    """The file, with one writing connection; used from the event loop alone."""

    def __init__(self, sql: SqlFile) -> None:
        self._sql = sql
        self.outbox_dropped = 0
        self._sessions: dict[tuple[str, Quality], SessionRecord] = {}
        for statement in _TABLES.split(";\n"):
            if statement.strip():
                sql.execute(statement)
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

    def keep_assignments(self, revision: int, assignments: Sequence[Assignment]) -> None:
        """The whole truth; ConflictError (`epoch_too_low`) when a channel was entrusted with a higher epoch before."""
        known = dict(self._sql.execute("SELECT channel, epoch FROM epoch"))
        for one in assignments:
            if one.epoch < known.get(one.channel, 0):
                raise ConflictError(
                    f"epoch {one.epoch} of {one.channel} is older than {known[one.channel]}",
                    code="epoch_too_low",
                    params={"channel": one.channel, "epoch": one.epoch, "seen": known[one.channel]},
                )
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

    # --- outbox ---

    def add(self, events: Sequence[Event]) -> None:
        """Keep facts until control has them; durable on return."""
        if not events:
            return
        with self._sql.transaction():
            self._sql.executemany(
                "INSERT INTO outbox (body) VALUES (?)", ((msgspec.msgpack.encode(one),) for one in events)
            )
            [(first, last)] = self._sql.execute("SELECT coalesce(min(no), 0), coalesce(max(no), 0) FROM outbox")
            if last - first >= MAX_OUTBOX:
                self._sql.execute("DELETE FROM outbox WHERE no <= ?", (last - MAX_OUTBOX,))
                self.outbox_dropped += last - MAX_OUTBOX - first + 1

    def waiting(self, limit: int) -> list[tuple[int, Event]]:
        """The oldest facts that control does not have yet, with their numbers."""
        rows = self._sql.execute("SELECT no, body FROM outbox ORDER BY no LIMIT ?", (limit,))
        return [(no, msgspec.msgpack.decode(bytes(body), type=Event)) for no, body in rows]

    def sent(self, up_to: int) -> None:
        """Control has committed them."""
        with self._sql.transaction():
            self._sql.execute("DELETE FROM outbox WHERE no <= ?", (up_to,))

    def close(self) -> None:
        """Checkpoint and close."""
        self._sql.close()

    def _meta(self, key: str) -> Any:
        rows = self._sql.execute("SELECT value FROM meta WHERE key = ?", (key,))
        return rows[0][0] if rows else None

    def _set(self, key: str, value: object) -> None:
        self._sql.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))
