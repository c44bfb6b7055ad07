"""What signalling keeps in its own file, so that a restart goes on where it was: configuration, presence, dialogs.

Changes are gathered for some milliseconds and committed together with the events that tell of them. What a crash
takes is at most that little: a device whose registration was lost is answered 403 and registers again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec
from msgspec import Struct

from safecity.drivers.gb28181.directory import DeviceRow
from safecity.model.facts.envelope import Event
from safecity.model.facts.signal_calls import ApplySignal
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.sip.dialog import Dialog, DialogId
from safecity.protocols.sip.fields import NameAddr

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS config (part INTEGER PRIMARY KEY, revision INTEGER NOT NULL, body BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS device (code TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS dialog (key TEXT PRIMARY KEY, kind TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID",
)
T = TypeVar("T", bound=Struct)


class DialogRow(Struct, frozen=True, array_like=True):
    """A dialog of ours. `state` is what its owner must know beside it."""

    call_id: str
    local_tag: str
    remote_tag: str
    local_uri: str
    remote_uri: str
    target: str
    route: tuple[str, ...]
    local_cseq: int
    remote_cseq: int
    invite_cseq: int


def dialog_row(dialog: Dialog) -> DialogRow:
    """The durable form of a dialog."""
    return DialogRow(
        *dialog.id,
        dialog.local.uri,
        dialog.remote.uri,
        dialog.target,
        tuple(dialog.route),
        dialog.local_cseq,
        dialog.remote_cseq,
        dialog.invite_cseq,
    )


def dialog_of(row: DialogRow) -> Dialog:
    """The dialog again. CSeq numbers jump, since some may have been used after the last write."""
    dialog = Dialog(
        DialogId(row.call_id, row.local_tag, row.remote_tag),
        NameAddr(row.local_uri, {"tag": row.local_tag}),
        NameAddr(row.remote_uri, {"tag": row.remote_tag} if row.remote_tag else {}),
        row.target,
        list(row.route),
        local_cseq=row.local_cseq + 100,
        remote_cseq=row.remote_cseq,
    )
    dialog.invite_cseq = row.invite_cseq
    return dialog


class SignalStore:
    """One writer. `schedule` is called when there is something to commit; its owner calls `flush` soon after."""

    def __init__(self, file: SqlFile, outbox: Outbox, schedule: Callable[[], None]) -> None:
        self._file = file
        self._outbox = outbox
        self._schedule = schedule
        self._devices: dict[str, DeviceRow | None] = {}
        self._dialogs: dict[str, tuple[str, bytes] | None] = {}
        self._events: list[Event] = []
        self._waiting: list[asyncio.Future[None]] = []
        with file.transaction():
            for statement in _SCHEMA:
                file.execute(statement)

    def load_config(self) -> list[ApplySignal]:
        """The parts of the newest whole configuration, in order."""
        rows = self._file.execute("SELECT body FROM config ORDER BY part")
        return [msgspec.msgpack.decode(body, type=ApplySignal) for (body,) in rows]

    def save_config(self, parts: Iterable[ApplySignal]) -> None:
        """Durable on return."""
        self.flush()
        with self._file.transaction():
            self._file.execute("DELETE FROM config")
            rows = [(part.part, part.revision, msgspec.msgpack.encode(part)) for part in parts]
            self._file.executemany("INSERT INTO config (part, revision, body) VALUES (?, ?, ?)", rows)

    def load_devices(self) -> list[DeviceRow]:
        rows = self._file.execute("SELECT body FROM device")
        return [msgspec.msgpack.decode(body, type=DeviceRow) for (body,) in rows]

    def put_device(self, row: DeviceRow) -> None:
        self._devices[row.code] = row
        self._schedule()

    def drop_device(self, code: str) -> None:
        self._devices[code] = None
        self._schedule()

    def load_dialogs(self, kind: str, row: type[T]) -> list[tuple[str, T]]:
        """All of one kind; a row an older program cannot read is left out."""
        found: list[tuple[str, T]] = []
        for key, body in self._file.execute("SELECT key, body FROM dialog WHERE kind = ?", (kind,)):
            try:
                found.append((key, msgspec.msgpack.decode(body, type=row)))
            except msgspec.ValidationError:
                self.drop_dialog(key)
        return found

    def put_dialog(self, key: str, kind: str, row: Struct) -> None:
        self._dialogs[key] = (kind, msgspec.msgpack.encode(row))
        self._schedule()

    def drop_dialog(self, key: str) -> None:
        self._dialogs[key] = None
        self._schedule()

    def add_event(self, event: Event) -> None:
        self._events.append(event)
        self._schedule()

    async def committed(self, patience: float = 1.0) -> None:
        """Until all that was put so far is on the disk. Gives up after `patience` seconds: a full disk must not keep
        pictures from coming."""
        if not (self._devices or self._dialogs or self._events):
            return
        written = asyncio.get_running_loop().create_future()
        self._waiting.append(written)
        await asyncio.wait([written], timeout=patience)
        if not written.done():
            self._waiting.remove(written)

    def flush(self) -> None:
        """Commit what has gathered: states and the events that tell of them in one transaction."""
        devices, dialogs, events = self._devices, self._dialogs, self._events
        if not (devices or dialogs or events):
            return
        self._devices, self._dialogs, self._events = {}, {}, []
        encode = msgspec.msgpack.encode
        try:
            with self._file.transaction():
                rows = [(code, encode(row)) for code, row in devices.items() if row is not None]
                gone = [(code,) for code, row in devices.items() if row is None]
                self._file.executemany("INSERT OR REPLACE INTO device (code, body) VALUES (?, ?)", rows)
                self._file.executemany("DELETE FROM device WHERE code = ?", gone)
                kept = [(key, kind, body) for key, value in dialogs.items() if value for kind, body in [value]]
                ended = [(key,) for key, value in dialogs.items() if value is None]
                self._file.executemany("INSERT OR REPLACE INTO dialog (key, kind, body) VALUES (?, ?, ?)", kept)
                self._file.executemany("DELETE FROM dialog WHERE key = ?", ended)
                if events:
                    self._outbox.add(events)
        except BaseException:
            # A full disk: keep it all, newest wins, and try again with the next change.
            self._devices = devices | self._devices
            self._dialogs = dialogs | self._dialogs
            self._events = events + self._events
            raise
        waiting, self._waiting = self._waiting, []
        for written in waiting:
            written.set_result(None)
