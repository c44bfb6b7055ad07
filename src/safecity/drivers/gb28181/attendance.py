"""Who is here: REGISTER, keepalives, lost connections, expiry; and the events that tell of changes."""

from __future__ import annotations

import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from safecity.drivers.gb28181.directory import Device, DeviceRow, Directory
from safecity.drivers.gb28181.store import SignalStore
from safecity.kit.clock import SECOND_US, Clock
from safecity.links.sip import Flow, Incoming
from safecity.model.facts.signal_calls import DeviceFigure, PlatformIdentity, UnknownFigure
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.gb28181.presence import PresenceState
from safecity.protocols.gb28181.registrar import Member, Policy, Registrar, Ruling, Source, Verdict
from safecity.protocols.sip.digest import Nonces
from safecity.protocols.sip.uri import parse_uri

logger = logging.getLogger(__name__)

MAX_UNKNOWN = 100
RECONNECT_SECONDS = 10.0
"""A device whose TCP connection broke may open another before it counts as offline."""
REASK_SECONDS = 60.0


class Attendance:
    """`arrived(device)` is called when a device is here anew: ask it what it is and has."""

    def __init__(
        self,
        directory: Directory,
        store: SignalStore,
        clock: Clock,
        publish: Callable[[str, str, dict[str, Any]], None],
        arrived: Callable[[Device], None],
    ) -> None:
        self._directory = directory
        self._store = store
        self._clock = clock
        self._publish = publish
        self._arrived = arrived
        self._nonces = Nonces(os.urandom(32))
        self._registrar = Registrar(Policy(realm=""), self._nonces)
        self._refusals = Buckets(rate=1 / 60, burst=1.0)
        self._unknown: OrderedDict[str, UnknownFigure] = OrderedDict()
        self._by_connection: dict[object, set[str]] = {}
        self._by_flow: dict[Flow, str] = {}
        self.silenced = 0

    def use(self, identity: PlatformIdentity) -> None:
        """Take the identity over; bans start anew only when what we answer changes."""
        policy = Policy(
            realm=identity.domain,
            version=identity.version,
            algorithms=identity.algorithms,
            send_date=identity.send_date,
        )
        if policy != self._registrar.policy:
            self._registrar = Registrar(policy, self._nonces)

    def restore(self, rows: list[DeviceRow]) -> None:
        """After a restart: registrations hold on, and every device gets a full patience to show itself."""
        now, now_us = self._clock.monotonic(), self._clock.now_us()
        for row in rows:
            device = self._directory.by_code(row.code)
            if device is None:
                self._store.drop_device(row.code)
                continue
            for name in ("transport", "host", "port", "contact", "user_agent", "version", "call_id", "manufacturer"):
                setattr(device, name, getattr(row, name))
            device.since, device.expires_at, device.model = row.since, row.expires_at, row.model
            device.catalog_at, device.refusal, device.clock_offset_ms = row.catalog_at, row.refusal, row.clock_offset_ms
            device.be_patient(self._directory.patience, row.heartbeat_seconds)
            device.presence.state = PresenceState(row.state)
            device.presence.expires_at = now + (row.expires_at - now_us) / SECOND_US
            device.presence.silent_at = now + device.presence.patience
            if row.transport == "udp" and row.host:
                self._bind(device, Flow("udp", row.host, row.port))

    def forget(self, device: Device) -> None:
        """The device was taken out of the configuration."""
        self._store.drop_device(device.code)
        self._unbind(device)

    # --- REGISTER ---------------------------------------------------------------------------------------------

    def on_register(self, incoming: Incoming) -> None:
        request, flow = incoming.request, incoming.flow
        now, now_us = self._clock.monotonic(), self._clock.now_us()
        code = Registrar.code_of(request)
        device = self._directory.by_code(code)
        member = None
        bound = ""
        if device is not None:
            config = device.config
            member = Member(
                config.code, config.password, config.username, config.enabled, config.redirect, config.algorithms
            )
            bound = device.host if device.is_online else ""
        source = Source(flow.transport, flow.host, flow.port)
        ruling = self._registrar.rule(
            request, source, member, now=now, now_us=now_us, salt=os.urandom(8), bound_host=bound
        )
        if ruling.status:
            incoming.respond(ruling.status, fields=ruling.fields)
        match ruling.verdict:
            case Verdict.ACCEPTED if device is not None:
                self._welcome(device, incoming, ruling, now, now_us)
            case Verdict.LEFT if device is not None:
                self._leave(device, "unregistered")
            case Verdict.REFUSED if device is not None:
                self._refuse(device, ruling, source, now)
            case Verdict.SILENT:
                self.silenced += 1
                incoming.ignore()
            case _ if device is None:
                self._note_unknown(code, source, request.get("User-Agent"), now_us)
            case _:
                pass

    def _welcome(self, device: Device, incoming: Incoming, ruling: Ruling, now: float, now_us: int) -> None:
        request, flow = incoming.request, incoming.flow
        moved = (device.host, device.transport) != (flow.host, flow.transport)
        rebooted = device.call_id != request.call_id
        device.contact = ruling.contact[:256]
        device.user_agent = request.get("User-Agent")[:128]
        device.version = ruling.version or device.version
        device.call_id = request.call_id[:128]
        device.expires_at = now_us + ruling.expires * SECOND_US
        device.refusal = ""
        self._bind(device, flow)
        came_back = device.presence.registered(now, ruling.expires)
        if came_back:
            device.since = now_us
        self._store.put_device(device.row())
        if came_back or moved:
            self._publish("device.registered", device.id, self._facts(device))
        if came_back:
            self._publish("device.went_online", device.id, self._facts(device))
        due = now_us - device.catalog_at > REASK_SECONDS * SECOND_US
        if came_back or moved or (rebooted and due):
            self._arrived(device)

    def _refuse(self, device: Device, ruling: Ruling, source: Source, now: float) -> None:
        device.refusal = ruling.refusal
        news = device.presence.refused()
        if news:
            device.since = self._clock.now_us()
            self._store.put_device(device.row())
        # A device with a wrong password tries for ever: one fact a minute is enough.
        taken = self._refusals.take(device.code, now)
        if news or taken:
            body = {"device": device.id, "code": device.code, "address": str(source), "reason": ruling.refusal}
            self._publish("device.refused", device.id, body)

    def _note_unknown(self, code: str, source: Source, user_agent: str, now_us: int) -> None:
        old = self._unknown.pop(code, None)
        figure = UnknownFigure(
            code=code,
            address=str(source),
            transport=source.transport,
            user_agent=user_agent[:128],
            last_seen=now_us,
            attempts=old.attempts + 1 if old else 1,
        )
        self._unknown[code] = figure
        if len(self._unknown) > MAX_UNKNOWN:
            self._unknown.popitem(last=False)

    # --- being there ------------------------------------------------------------------------------------------

    def admits(self, device: Device, flow: Flow) -> bool:
        """Whether a message on this flow may speak for the device: it is registered, from the same host.

        A new connection is taken over, and a new port where the device is behind NAT, which gives out new ones. A
        device that is not still listens where it registered from, whatever socket it sends a message by.
        """
        if not device.presence.is_registered(self._clock.monotonic()) or flow.host != device.host:
            return False
        if device.flow != flow and (device.flow is None or flow.connection is not None or _behind_nat(device)):
            self._bind(device, flow)
        return True

    def speaker(self, code: str, flow: Flow) -> Device | None:
        """The device behind a message: by the code in its From, else by the way it came (inside dialogs devices
        speak in the name of a channel)."""
        return self._directory.by_code(code) or self._directory.by_code(self._by_flow.get(flow, ""))

    def heard(self, device: Device, *, keepalive: bool = False) -> None:
        """Something of a registered device came."""
        if keepalive:
            device.last_keepalive = self._clock.now_us()
        if device.presence.heard(self._clock.monotonic()):
            device.since = self._clock.now_us()
            self._store.put_device(device.row())
            self._publish("device.went_online", device.id, self._facts(device))
            self._arrived(device)

    def connection_lost(self, flow: Flow) -> None:
        """A TCP connection is gone; its devices have a moment to open another."""
        for code in self._by_connection.pop(flow.connection, ()):
            device = self._directory.by_code(code)
            if device is not None and device.flow is not None and device.flow.connection is flow.connection:
                deadline = self._clock.monotonic() + RECONNECT_SECONDS
                device.presence.silent_at = min(device.presence.silent_at, deadline)

    def sweep(self) -> list[Device]:
        """Ask for it once a second or so. Devices that have just gone offline."""
        now = self._clock.monotonic()
        gone = [device for device in self._directory if device.presence.expire(now)]
        for device in gone:
            self._went_offline(device, "keepalive" if device.presence.is_registered(now) else "expired")
        return gone

    def _leave(self, device: Device, why: str) -> None:
        if device.presence.left():
            self._went_offline(device, why)

    def _went_offline(self, device: Device, why: str) -> None:
        now_us = self._clock.now_us()
        silent = (now_us - device.last_keepalive) // SECOND_US if device.last_keepalive else None
        device.since = now_us
        self._store.put_device(device.row())
        body = {"device": device.id, "code": device.code, "why": why, "silent_seconds": silent}
        self._publish("device.went_offline", device.id, body)

    def _bind(self, device: Device, flow: Flow) -> None:
        self._unbind(device)
        device.flow = flow
        device.transport, device.host, device.port = flow.transport, flow.host, flow.port
        self._by_flow[flow] = device.code
        if flow.connection is not None:
            self._by_connection.setdefault(flow.connection, set()).add(device.code)

    def _unbind(self, device: Device) -> None:
        old = device.flow
        if old is not None and self._by_flow.get(old) == device.code:
            del self._by_flow[old]
        if old is not None and old.connection is not None:
            codes = self._by_connection.get(old.connection)
            if codes is not None:
                codes.discard(device.code)
                if not codes:
                    del self._by_connection[old.connection]

    # --- figures ----------------------------------------------------------------------------------------------

    @staticmethod
    def _facts(device: Device) -> dict[str, Any]:
        return {
            "device": device.id,
            "code": device.code,
            "address": f"{device.host}:{device.port}",
            "transport": device.transport,
            "user_agent": device.user_agent,
            "version": device.version,
        }

    def in_list(self, codes: Iterable[str]) -> None:
        """These are no longer unknown, if they were."""
        for code in codes:
            self._unknown.pop(code, None)

    def unknown(self) -> tuple[UnknownFigure, ...]:
        """The newest first."""
        return tuple(reversed(self._unknown.values()))

    @staticmethod
    def figure(device: Device) -> DeviceFigure:
        return DeviceFigure(
            device=device.id,
            code=device.code,
            state=str(device.presence.state),
            since=device.since,
            address=f"{device.host}:{device.port}" if device.host else "",
            transport=device.transport,
            user_agent=device.user_agent,
            version=device.version,
            last_keepalive=device.last_keepalive,
            expires_at=device.expires_at,
            clock_offset_ms=device.clock_offset_ms,
            code_of_refusal=device.refusal,
        )


def _behind_nat(device: Device) -> bool:
    """Whether its Contact names another address than the one it was heard from."""
    try:
        contact = parse_uri(device.contact)
    except ValueError:
        return True
    return (contact.host, contact.port or 5060) != (device.host, device.port)
