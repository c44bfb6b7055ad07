"""A SIP endpoint on asyncio: sockets, the transaction layer and its one timer.

Platform and simulated devices use the same class. Requests that come in go to one synchronous callback, which answers
at once or later through `Incoming.respond`; answers go back over the same connection, or to where the packet came
from (never to what the message says about itself). `request` and `invite` await the final answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import socket
from collections.abc import Callable

from safecity.kit.errors import UnavailableError
from safecity.links.sip_calls import Call, Incoming, Pending, Provisional, new_tag, no_answer
from safecity.links.sip_flows import (
    Admit,
    DatagramLink,
    Flow,
    SipCounters,
    SipLimits,
    StreamLink,
    StreamOwner,
    bind_address,
    host_towards,
)
from safecity.links.sip_shield import SipShield
from safecity.protocols.sip.dialog import Dialog
from safecity.protocols.sip.guard import Patience
from safecity.protocols.sip.message import Malformed, Request, Response
from safecity.protocols.sip.transactions import (
    MAGIC,
    Answered,
    Arrived,
    Key,
    Output,
    Send,
    Stray,
    TimedOut,
    Timing,
    Transactions,
    stamp_source,
)

logger = logging.getLogger(__name__)

__all__ = ["Call", "Flow", "Incoming", "SipCounters", "SipEndpoint", "SipLimits", "new_tag"]

_SWEEP_SECONDS = 5.0
_USELESS = frozenset({400, 403})  # unreadable, or of somebody who may not
_TICK_SECONDS = 0.01

Handler = Callable[[Incoming], None]


class SipEndpoint:
    """Open with `start`, close with `close`. All methods belong to the loop it was started in.

    public_host   what Via and Contact say about us; empty: the address this machine reaches the peer from
    on_lost       a TCP connection is gone (behind NAT that means: the device is offline)
    patience      how much that is good for nothing is put up with (`links.sip_shield`); None: everything is read
    """

    def __init__(
        self,
        on_request: Handler,
        *,
        public_host: str = "",
        public_port: int = 0,
        admit: Admit | None = None,
        patience: Patience | None = None,
        timing: Timing | None = None,
        limits: SipLimits | None = None,
        on_lost: Callable[[Flow], None] | None = None,
    ) -> None:
        self._on_request = on_request
        self._limits = limits or SipLimits()
        self._admit = admit
        self._transactions = Transactions(timing, limit=self._limits.transactions)
        self._pending: dict[Key, Pending] = {}
        self._calls: dict[Key, Incoming] = {}
        self._public_host = public_host
        self._public_port = public_port
        self._local_hosts: dict[str, str] = {}
        self._datagrams: DatagramLink | None = None
        self._server: asyncio.Server | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._armed_at = 0.0
        self._sweeper: asyncio.TimerHandle | None = None
        self._own_sockets: list[socket.socket] = []
        self._closed = False
        self.counters = SipCounters()
        self._shield = SipShield(patience)
        self._streams = StreamOwner(self._heard, admit, self.counters, self._limits)
        self._streams.on_lost = self._lost
        self._on_lost = on_lost
        self.udp_port = 0
        self.tcp_port = 0

    async def start(
        self,
        *,
        udp: socket.socket | tuple[str, int] | None = None,
        tcp: socket.socket | tuple[str, int] | None = None,
    ) -> None:
        """Take over bound sockets, or bind to addresses. OSError where that fails."""
        loop = asyncio.get_running_loop()
        self._loop = loop
        if udp is not None:
            bound = udp if isinstance(udp, socket.socket) else bind_address(udp, socket.SOCK_DGRAM)
            bound.setblocking(False)
            self.udp_port = int(bound.getsockname()[1])
            _, self._datagrams = await loop.create_datagram_endpoint(
                lambda: DatagramLink(self._heard, self._admit, self.counters, self._shield.useless), sock=bound
            )
            self._shield.cover(bound)
        if tcp is not None:
            bound = tcp if isinstance(tcp, socket.socket) else bind_address(tcp, socket.SOCK_STREAM)
            bound.setblocking(False)
            self.tcp_port = int(bound.getsockname()[1])
            self._server = await loop.create_server(
                lambda: StreamLink(self._streams, dialled=False), sock=bound, backlog=1024
            )
        self._sweep()

    async def close(self) -> None:
        """Stop listening, drop connections, fail what waits with UnavailableError (`sip_closed`)."""
        self._closed = True
        for timer in (self._timer, self._sweeper):
            if timer is not None:
                timer.cancel()
        if self._server is not None:
            self._server.close()
        if self._datagrams is not None and self._datagrams.transport is not None:
            self._datagrams.transport.close()
        for link in list(self._streams.links):
            link.close()
        for pending in list(self._pending.values()):
            self._fail(pending, UnavailableError("SIP endpoint closed", code="sip_closed"))
        self._pending.clear()
        await asyncio.sleep(0)

    # --- ways -----------------------------------------------------------------------------------------------

    def udp_flow(self, host: str, port: int) -> Flow:
        """The way to an address over our UDP socket."""
        return Flow("udp", host, port)

    async def connect(self, host: str, port: int, *, timeout: float = 5.0) -> Flow:
        """Open a TCP connection; UnavailableError (`sip_connect_failed`)."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout):
                _, link = await loop.create_connection(lambda: StreamLink(self._streams, dialled=True), host, port)
        except (OSError, TimeoutError) as error:
            raise UnavailableError(
                f"no TCP connection to {host}:{port}", code="sip_connect_failed", params={"host": host, "port": port}
            ) from error
        return link.flow

    def local_address(self, flow: Flow) -> tuple[str, int]:
        """Host and port under which the peer of this flow can reach us (Via, Contact, SDP)."""
        port = self._public_port or (self.tcp_port if flow.reliable else self.udp_port)
        if flow.connection is not None:
            host, own_port = flow.connection.local
            return self._public_host or host, port or own_port
        host = self._public_host or self._local_hosts.get(flow.host, "")
        if not host:
            host = host_towards(flow.host, flow.port)
            if len(self._local_hosts) > 4096:
                self._local_hosts.clear()
            self._local_hosts[flow.host] = host
        return host, port

    def contact(self, user: str, flow: Flow) -> str:
        """`sip:user@host:port` of ours for this flow."""
        host, port = self.local_address(flow)
        host = f"[{host}]" if ":" in host else host
        return f"sip:{user}@{host}:{port}" + (";transport=tcp" if flow.reliable else "")

    # --- requests of ours -----------------------------------------------------------------------------------

    async def request(
        self, request: Request, flow: Flow, *, timeout: float | None = None, on_provisional: Provisional | None = None
    ) -> Response:
        """The final answer, whatever its status. UnavailableError (`sip_timeout`, `sip_connection_lost`).

        The Via is added here; INVITE goes through `invite`.
        """
        key, pending = self._begin(request, flow, on_provisional)
        try:
            async with asyncio.timeout(timeout):
                return await pending.answer
        except TimeoutError as error:
            raise no_answer(request, flow) from error
        finally:
            self._pending.pop(key, None)
            self._transactions.forget(key) if not pending.answer.done() else None

    async def invite(
        self, request: Request, flow: Flow, *, timeout: float = 32.0, on_provisional: Provisional | None = None
    ) -> Call:
        """Send an INVITE. A timeout or a cancelled task sends CANCEL; a 2xx that comes later is ended with BYE."""
        key, pending = self._begin(request, flow, on_provisional)
        try:
            async with asyncio.timeout(timeout):
                response = await pending.answer
        except BaseException as error:
            if key in self._pending:
                pending.abandoned = request
                self._run(self._transactions.cancel(key, self._loop.time()))
            if isinstance(error, TimeoutError):
                raise no_answer(request, flow) from error
            raise
        self._pending.pop(key, None)
        dialog = Dialog.by_client(request, response) if 200 <= response.status < 300 else None
        return Call(self, key, response, flow, dialog)

    def acknowledge(self, key: Key, ack: Request, flow: Flow) -> None:
        """For `Call`: send the ACK of a 2xx."""
        self._run(self._transactions.acknowledge(key, self._with_via(ack, flow)))

    def send_blind(self, request: Request, flow: Flow) -> None:
        """Send once and follow nothing (a BYE while shutting down)."""
        self._out(self._with_via(request, flow).encode(), flow)

    def _begin(self, request: Request, flow: Flow, on_provisional: Provisional | None) -> tuple[Key, Pending]:
        if self._closed or (flow.connection is not None and not flow.connection.is_open):
            raise UnavailableError(f"{flow}: connection is gone", code="sip_connection_lost")
        key, outputs = self._transactions.send(self._with_via(request, flow), flow, flow.reliable, self._loop.time())
        pending = Pending(self._loop.create_future(), on_provisional, flow)
        self._pending[key] = pending
        self._run(outputs)
        return key, pending

    def _with_via(self, request: Request, flow: Flow) -> Request:
        host, port = self.local_address(flow)
        host = f"[{host}]" if ":" in host else host
        via = f"SIP/2.0/{flow.transport.upper()} {host}:{port};rport;branch={MAGIC}{secrets.token_hex(10)}"
        return request.with_fields([("Via", via)], top=True)

    # --- requests of the other side -------------------------------------------------------------------------

    def respond(self, incoming: Incoming, response: Response) -> None:
        """For `Incoming`."""
        self._run(self._transactions.answer(incoming.key, response, self._loop.time()))
        if response.status in _USELESS:
            self._shield.useless(incoming.flow)
        if incoming.request.method == "INVITE" and response.status >= 300:
            self._calls.pop(incoming.key, None)

    def ignore(self, incoming: Incoming) -> None:
        """For `Incoming`."""
        self._transactions.forget(incoming.key)
        self._calls.pop(incoming.key, None)
        self._shield.useless(incoming.flow)

    def _heard(self, message: Request | Response | Malformed, flow: Flow) -> None:
        if isinstance(message, Malformed):
            self.counters.malformed += 1
            self._shield.useless(flow)
            if message.answer is not None and self._limits.answer_malformed:
                with contextlib.suppress(ValueError):
                    self._out(message.answer.encode(), flow)
            return
        self.counters.messages_in += 1
        if isinstance(message, Request):
            stamp_source(message, flow.host, flow.port)
            if self._transactions.full:
                self.counters.dropped += 1
                return
        self._run(self._transactions.received(message, flow, flow.reliable, self._loop.time()))

    def _run(self, outputs: list[Output]) -> None:
        for output in outputs:
            match output:
                case Send(data, flow):
                    self._out(data, flow)
                case Arrived(key, request, flow):
                    self._arrived(key, request, flow)
                case Answered(key, response, flow):
                    self._answered(key, response)
                case TimedOut(key):
                    self._timed_out(key)
                case Stray():
                    self.counters.strays += 1
        self._arm()

    def _arrived(self, key: Key, request: Request, flow: object) -> None:
        assert isinstance(flow, Flow)
        if request.method == "CANCEL":
            call = self._calls.pop(key, None)
            if call is not None and not call.answered:
                if call.on_cancel is not None:
                    self._guarded(call.on_cancel)
                call.respond(487)
            return
        if request.method == "ACK":
            call = self._calls.pop(key, None)
            if call is not None:
                call.settle(None)
        incoming = Incoming(self, key, request, flow)
        if request.method == "INVITE":
            self._calls[key] = incoming
        try:
            self._on_request(incoming)
        except Exception:
            self.counters.handler_errors += 1
            logger.exception("request handler failed method=%s peer=%s", request.method, flow)
            incoming.respond(500)

    def _answered(self, key: Key, response: Response) -> None:
        pending = self._pending.get(key)
        if pending is None:
            return
        if response.status < 200:
            if pending.on_provisional is not None:
                callback = pending.on_provisional
                self._guarded(lambda: callback(response))
            return
        if pending.abandoned is not None:
            self._pending.pop(key, None)
            self._end_late(key, pending.abandoned, response, pending.flow)
        elif not pending.answer.done():
            pending.answer.set_result(response)

    def _end_late(self, key: Key, invite: Request, response: Response, flow: Flow) -> None:
        """The 200 crossed our CANCEL: acknowledge it and hang up, or the camera pushes for ever."""
        if not 200 <= response.status < 300:
            return
        dialog = Dialog.by_client(invite, response)
        self.acknowledge(key, dialog.ack(), flow)
        bye = self._with_via(dialog.request("BYE"), flow)
        _, outputs = self._transactions.send(bye, flow, flow.reliable, self._loop.time())
        self._run(outputs)

    def _timed_out(self, key: Key) -> None:
        self.counters.timeouts += 1
        call = self._calls.pop(key, None)
        if call is not None:
            call.settle(UnavailableError("no ACK", code="sip_no_ack"))
        pending = self._pending.pop(key, None)
        if pending is not None:
            error = UnavailableError(
                f"{pending.flow}: no answer", code="sip_timeout", params={"peer": str(pending.flow)}
            )
            self._fail(pending, error)

    @staticmethod
    def _fail(pending: Pending, error: Exception) -> None:
        if not pending.answer.done() and pending.abandoned is None:
            pending.answer.set_exception(error)
            pending.answer.exception()

    def _guarded(self, callback: Callable[[], None]) -> None:
        try:
            callback()
        except Exception:
            self.counters.handler_errors += 1
            logger.exception("callback failed")

    def _lost(self, flow: Flow) -> None:
        for key, pending in list(self._pending.items()):
            if pending.flow is flow or pending.flow.connection is flow.connection:
                self._pending.pop(key, None)
                self._transactions.forget(key)
                self._fail(pending, UnavailableError(f"{flow}: connection lost", code="sip_connection_lost"))
        if self._on_lost is not None and not self._closed:
            callback = self._on_lost
            self._guarded(lambda: callback(flow))

    # --- bytes and time -------------------------------------------------------------------------------------

    def _out(self, data: bytes, flow: object) -> None:
        assert isinstance(flow, Flow)
        self.counters.messages_out += 1
        if flow.connection is not None:
            flow.connection.send(data)
        elif self._datagrams is not None:
            self._datagrams.send(data, flow.host, flow.port)

    def _arm(self) -> None:
        at = self._transactions.next_deadline()
        if at is None or self._closed:
            return
        if self._timer is not None:
            if self._armed_at <= at:
                return
            self._timer.cancel()
        self._armed_at = at
        self._timer = self._loop.call_at(at, self._expire)

    def _expire(self) -> None:
        self._timer = None
        # A few milliseconds are taken together: thousands of answered transactions end every second.
        self._run(self._transactions.expire(self._loop.time() + _TICK_SECONDS))

    def _sweep(self) -> None:
        self._streams.sweep(self._loop.time())
        self._shield.expire(self._loop.time())
        self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep)
