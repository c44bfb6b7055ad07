"""SIP transactions (RFC 3261, 17 and RFC 6026), told the time.

The layer matches, retransmits and gives up. It knows no sockets: what is to be sent comes back as `Send`, with the
`flow` (any object of the caller: an address, a connection) it is to go out on. Timers A-M are those of the RFC.
"""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass, field

from safecity.protocols.sip.derive import ack_of_refusal, cancel_of, stamp_source
from safecity.protocols.sip.message import Request, Response
from safecity.protocols.sip.steps import (
    MAGIC,
    Answered,
    Arrived,
    Key,
    Output,
    Send,
    State,
    Stray,
    TimedOut,
    Timing,
)

__all__ = [
    "MAGIC",
    "Answered",
    "Arrived",
    "Key",
    "Output",
    "Send",
    "State",
    "Stray",
    "TimedOut",
    "Timing",
    "Transactions",
    "stamp_source",
]


@dataclass(slots=True, eq=False)
class _Transaction:
    key: Key
    client: bool
    invite: bool
    reliable: bool
    flow: object
    request: Request | None
    state: State
    wire: bytes = b""  # what a retransmission sends: our request, or our last response
    interval: float = 0.0
    again_at: float = 0.0  # next retransmission, 0: none
    end_at: float = 0.0
    wake_at: float = 0.0  # what stands in the heap for it
    ack: bytes = b""
    cancelled: bool = False
    call: Key = field(default=())


class Transactions:
    """All transactions of one endpoint. Every call may return outputs, which the caller carries out in order."""

    def __init__(self, timing: Timing | None = None, *, limit: int = 50_000) -> None:
        self._timing = timing or Timing()
        self._limit = limit
        self._all: dict[Key, _Transaction] = {}
        self._calls: dict[Key, _Transaction] = {}  # INVITE server transactions waiting for the ACK to a 2xx
        self._heap: list[tuple[float, int, _Transaction]] = []
        self._count = 0
        self._answered: deque[_Transaction] = deque()  # server transactions kept only for retransmissions

    def __len__(self) -> int:
        return len(self._all)

    @property
    def full(self) -> bool:
        """No room for another: answer 503 or stay silent. What is answered already makes room, oldest first."""
        return len(self._all) >= self._limit and not self._make_room()

    def _make_room(self) -> bool:
        while self._answered:
            transaction = self._answered.popleft()
            if transaction.state is State.COMPLETED:
                self._end(transaction)
                return True
        return False

    # --- as client ------------------------------------------------------------------------------------------

    def send(self, request: Request, flow: object, reliable: bool, now: float) -> tuple[Key, list[Output]]:
        """Send a request (its top Via carries a fresh branch) and follow it. ACK goes out by `acknowledge`."""
        wire = request.encode()
        invite = request.method == "INVITE"
        key = _client_key(request.via.branch, request.method)
        transaction = _Transaction(key, True, invite, reliable, flow, request, State.CALLING, wire)
        if not reliable:
            transaction.interval = self._timing.t1
            transaction.again_at = now + transaction.interval
        transaction.end_at = now + self._timing.give_up
        self._all[key] = transaction
        self._wake(transaction)
        return key, [Send(wire, flow)]

    def acknowledge(self, key: Key, ack: Request) -> list[Output]:
        """Send the ACK to the 2xx of our INVITE; it is sent again whenever the 2xx comes again."""
        transaction = self._all.get(key)
        data = ack.encode()
        if transaction is None:
            return []
        transaction.ack = data
        return [Send(data, transaction.flow)]

    def cancel(self, key: Key, now: float) -> list[Output]:
        """Cancel our INVITE: at once where it was answered provisionally, else as soon as it is (RFC 3261, 9.1)."""
        transaction = self._all.get(key)
        if transaction is None or not transaction.invite or transaction.cancelled or transaction.request is None:
            return []
        if transaction.state is State.CALLING:
            transaction.cancelled = True
            return []
        if transaction.state is not State.PROCEEDING:
            return []
        transaction.cancelled = True
        return self._send_cancel(transaction, now)

    def forget(self, key: Key) -> None:
        """Stop following a request: its answers become strays."""
        self._end(self._all.get(key))

    # --- as server ------------------------------------------------------------------------------------------

    def answer(self, key: Key, response: Response, now: float) -> list[Output]:
        """Send a response to an arrived request. Empty where the transaction is over already."""
        transaction = self._all.get(key)
        if transaction is None or transaction.client or transaction.state not in (State.CALLING, State.PROCEEDING):
            return []
        wire = response.encode()
        transaction.wire = wire
        transaction.again_at = 0.0
        timing = self._timing
        if response.status < 200:
            transaction.state = State.PROCEEDING
            transaction.end_at = now + 180.0
        elif not transaction.invite:
            if transaction.reliable:
                self._end(transaction)
            else:
                transaction.state = State.COMPLETED
                transaction.request = None
                transaction.end_at = now + timing.give_up
                self._answered.append(transaction)
        else:
            accepted = response.status < 300
            transaction.state = State.ACCEPTED if accepted else State.COMPLETED
            transaction.end_at = now + timing.give_up
            if accepted or not transaction.reliable:
                transaction.interval = timing.t1
                transaction.again_at = now + timing.t1
            if accepted:
                transaction.call = _call_key(response)
                self._calls[transaction.call] = transaction
        self._wake(transaction)
        return [Send(wire, transaction.flow)]

    def request_of(self, key: Key) -> Request | None:
        """The request of a transaction that still waits for its final answer."""
        transaction = self._all.get(key)
        return None if transaction is None else transaction.request

    # --- what comes in --------------------------------------------------------------------------------------

    def received(self, message: Request | Response, flow: object, reliable: bool, now: float) -> list[Output]:
        """A message from the wire."""
        if isinstance(message, Response):
            return self._response(message, flow, now)
        if message.method == "ACK":
            return self._ack(message, flow, now)
        key = _server_key(message, message.method)
        transaction = self._all.get(key)
        if transaction is not None:
            return [Send(transaction.wire, transaction.flow)] if transaction.wire else []
        if message.method == "CANCEL":
            return self._cancelled(message, key, flow, reliable, now)
        transaction = self._open_server(message, key, flow, reliable, now)
        if transaction.invite:
            transaction.again_at = now + self._timing.trying_after
            self._wake(transaction)
        return [Arrived(key, message, flow)]

    def _open_server(self, request: Request, key: Key, flow: object, reliable: bool, now: float) -> _Transaction:
        invite = request.method == "INVITE"
        transaction = _Transaction(key, False, invite, reliable, flow, request, State.CALLING)
        transaction.end_at = now + (180.0 if invite else self._timing.give_up)
        self._all[key] = transaction
        self._wake(transaction)
        return transaction

    def _cancelled(self, request: Request, key: Key, flow: object, reliable: bool, now: float) -> list[Output]:
        """Answer the CANCEL; where the INVITE still waits, hand the CANCEL up so that it be answered 487."""
        invite = self._all.get(_server_key(request, "INVITE"))
        self._open_server(request, key, flow, reliable, now)
        if invite is None:
            return self.answer(key, request.respond(481), now)
        outputs = self.answer(key, request.respond(200), now)
        if invite.request is not None and invite.state in (State.CALLING, State.PROCEEDING):
            outputs.append(Arrived(invite.key, request, flow))
        return outputs

    def _ack(self, ack: Request, flow: object, now: float) -> list[Output]:
        transaction = self._all.get(_server_key(ack, "INVITE"))
        if transaction is not None and transaction.state in (State.COMPLETED, State.CONFIRMED):
            transaction.state = State.CONFIRMED
            transaction.again_at = 0.0
            transaction.end_at = now + (0.0 if transaction.reliable else self._timing.t4)
            self._wake(transaction)
            return []
        transaction = self._calls.get((ack.call_id, str(ack.cseq.number), ack.from_.tag, ack.to.tag))
        if transaction is None:
            return [Stray(ack)]
        again = transaction.state is State.CONFIRMED
        transaction.state = State.CONFIRMED
        transaction.again_at = 0.0
        self._wake(transaction)
        return [] if again else [Arrived(transaction.key, ack, flow)]

    def _response(self, response: Response, flow: object, now: float) -> list[Output]:
        transaction = self._all.get(_client_key(response.via.branch, response.cseq.method))
        if transaction is None or not transaction.client:
            return [Stray(response)]
        outputs: list[Output] = []
        first = transaction.state in (State.CALLING, State.PROCEEDING)
        if response.status < 200:
            if not first:
                return []
            began = transaction.state is State.CALLING
            transaction.state = State.PROCEEDING
            if transaction.invite:
                transaction.again_at = 0.0
                transaction.end_at = now + 180.0  # timer C: nobody rings for ever
                if began and transaction.cancelled:
                    outputs += self._send_cancel(transaction, now)
            else:
                transaction.interval = self._timing.t2
        elif transaction.invite:
            if response.status < 300:
                if transaction.state is State.ACCEPTED:
                    return [Send(transaction.ack, transaction.flow)] if transaction.ack else []
                if not first:
                    return []
                transaction.state = State.ACCEPTED
            else:
                if transaction.state is State.COMPLETED:
                    return [Send(transaction.ack, transaction.flow)]
                if not first or transaction.request is None:
                    return []
                transaction.state = State.COMPLETED
                transaction.ack = ack_of_refusal(transaction.request, response).encode()
                outputs.append(Send(transaction.ack, transaction.flow))
            transaction.again_at = 0.0
            transaction.end_at = now + self._timing.give_up
            if transaction.reliable and transaction.state is State.COMPLETED:
                transaction.end_at = now
        else:
            if not first:
                return []
            transaction.state = State.COMPLETED
            transaction.again_at = 0.0
            transaction.end_at = now + (0.0 if transaction.reliable else self._timing.t4)
        self._wake(transaction)
        outputs.append(Answered(transaction.key, response, flow))
        return outputs

    def _send_cancel(self, transaction: _Transaction, now: float) -> list[Output]:
        if transaction.request is None:
            return []
        cancel = cancel_of(transaction.request)
        transaction.end_at = now + self._timing.give_up  # a 487 must come, else we give up on it
        self._wake(transaction)
        return self.send(cancel, transaction.flow, transaction.reliable, now)[1]

    # --- time -----------------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """When `expire` has work next; None while there is nothing to wait for."""
        heap = self._heap
        while heap:
            at, _, transaction = heap[0]
            if transaction.wake_at == at and transaction.state is not State.TERMINATED:
                return at
            heapq.heappop(heap)
        return None

    def expire(self, now: float) -> list[Output]:
        """Retransmit and give up what is due."""
        outputs: list[Output] = []
        heap = self._heap
        while heap and heap[0][0] <= now:
            at, _, transaction = heapq.heappop(heap)
            if transaction.wake_at != at or transaction.state is State.TERMINATED:
                continue
            transaction.wake_at = 0.0
            if transaction.end_at <= now:
                if self._is_failure(transaction):
                    outputs.append(TimedOut(transaction.key))
                self._end(transaction)
                while self._answered and self._answered[0].state is State.TERMINATED:
                    self._answered.popleft()
            elif transaction.again_at and transaction.again_at <= now:
                self._again(transaction, now, outputs)
                self._wake(transaction)
            else:
                self._wake(transaction)
        return outputs

    def _again(self, transaction: _Transaction, now: float, outputs: list[Output]) -> None:
        waiting_invite = not transaction.client and transaction.state is State.CALLING
        if waiting_invite and transaction.request is not None:
            transaction.again_at = 0.0
            outputs += self.answer(transaction.key, transaction.request.respond(100), now)
            return
        outputs.append(Send(transaction.wire, transaction.flow))
        transaction.interval *= 2
        if not (transaction.client and transaction.invite):
            transaction.interval = min(transaction.interval, self._timing.t2)
        transaction.again_at = now + transaction.interval

    @staticmethod
    def _is_failure(transaction: _Transaction) -> bool:
        if transaction.client:
            return transaction.state in (State.CALLING, State.PROCEEDING)
        return transaction.invite and transaction.state is not State.CONFIRMED

    def _wake(self, transaction: _Transaction) -> None:
        at = transaction.end_at
        if transaction.again_at and transaction.again_at < at:
            at = transaction.again_at
        if transaction.state is State.TERMINATED or (transaction.wake_at and transaction.wake_at <= at):
            return
        transaction.wake_at = at
        self._count += 1
        heapq.heappush(self._heap, (at, self._count, transaction))

    def _end(self, transaction: _Transaction | None) -> None:
        if transaction is None:
            return
        transaction.state = State.TERMINATED
        self._all.pop(transaction.key, None)
        if transaction.call and self._calls.get(transaction.call) is transaction:
            del self._calls[transaction.call]


def _client_key(branch: str, method: str) -> Key:
    return (branch, method)


def _server_key(request: Request, method: str) -> Key:
    via = request.via
    branch = via.branch
    cseq = str(request.cseq.number)
    if branch.startswith(MAGIC) and len(branch) > len(MAGIC):
        # Some devices write one branch for ever. Call-ID and number are the same in whatever belongs together (its
        # repetition, its ACK, its CANCEL), so that they may tell apart what the branch should have.
        return (branch, via.host.lower(), str(via.port or 5060), method, request.call_id, cseq, "server")
    # RFC 2543 peers have no unique branch (RFC 3261, 17.2.3).
    return ("2543", request.call_id, cseq, request.from_.tag, method, via.host, str(via.port or 5060), branch)


def _call_key(response: Response) -> Key:
    return (response.call_id, str(response.cseq.number), response.from_.tag, response.to.tag)
