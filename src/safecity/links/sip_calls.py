"""A request that came in and an INVITE that went out, as the users of a SIP endpoint hold them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from safecity.kit.errors import UnavailableError
from safecity.links.sip_flows import Flow
from safecity.protocols.sip.dialog import Dialog
from safecity.protocols.sip.message import Request, Response
from safecity.protocols.sip.transactions import Key

Provisional = Callable[[Response], None]


class _Chance:
    """Random bytes fetched in bulk: each call of the kernel costs as much as reading a message."""

    def __init__(self) -> None:
        self._pool = b""
        self._at = 0

    def take(self) -> str:
        if self._at >= len(self._pool):
            self._pool, self._at = secrets.token_bytes(2048), 0
        self._at += 8
        return self._pool[self._at - 8 : self._at].hex()


_chance = _Chance()


def new_tag() -> str:
    """A fresh tag or Call-ID part: 64 random bits."""
    return _chance.take()


class Endpoint(Protocol):
    """What these need of the endpoint."""

    def respond(self, incoming: Incoming, response: Response) -> None:
        """Send an answer."""
        ...

    def acknowledge(self, key: Key, ack: Request, flow: Flow) -> None:
        """Send the ACK of a 2xx."""
        ...

    def ignore(self, incoming: Incoming) -> None:
        """Forget the request."""
        ...


class Incoming:
    """A request from the other side. `respond` may be called several times until a final status (>= 200)."""

    __slots__ = ("_acknowledged", "_endpoint", "_tag", "answered", "flow", "key", "on_cancel", "request")

    def __init__(self, endpoint: Endpoint, key: Key, request: Request, flow: Flow) -> None:
        self._endpoint = endpoint
        self._tag = ""
        self._acknowledged: asyncio.Future[None] | None = None
        self.key = key
        self.request = request
        self.flow = flow
        self.answered = False
        self.on_cancel: Callable[[], None] | None = None

    @property
    def tag(self) -> str:
        """Our To tag for this request: the one it carries, else a fresh one."""
        if not self._tag:
            self._tag = self.request.to.tag or new_tag()
        return self._tag

    def respond(
        self, status: int, reason: str = "", *, fields: Iterable[tuple[str, str]] = (), body: bytes = b""
    ) -> None:
        """Send a response. Does nothing for an ACK, and after the final response."""
        if self.answered or self.request.method == "ACK":
            return
        self.answered = status >= 200
        self._endpoint.respond(self, self.request.respond(status, reason, tag=self.tag, fields=fields, body=body))

    def ignore(self) -> None:
        """Never answer, not even with 100, and keep nothing of it: a flood or a scanner learns and costs nothing."""
        self.answered = True
        self._endpoint.ignore(self)

    def dialog(self) -> Dialog:
        """The dialog that our 2xx to this INVITE or SUBSCRIBE makes."""
        return Dialog.by_server(self.request, self.tag)

    async def acknowledged(self) -> None:
        """Wait for the ACK to our 2xx; UnavailableError (`sip_no_ack`) when none comes in 32 s."""
        if self._acknowledged is None:
            self._acknowledged = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._acknowledged)

    def settle(self, error: Exception | None) -> None:
        """For the endpoint: the ACK came, or did not."""
        if self._acknowledged is None:
            self._acknowledged = asyncio.get_running_loop().create_future()
        if not self._acknowledged.done():
            if error is None:
                self._acknowledged.set_result(None)
            else:
                self._acknowledged.set_exception(error)
                self._acknowledged.exception()  # nobody may be waiting


class Call:
    """What became of our INVITE. `dialog` is None where it was refused."""

    def __init__(self, endpoint: Endpoint, key: Key, response: Response, flow: Flow, dialog: Dialog | None) -> None:
        self._endpoint = endpoint
        self._key = key
        self.response = response
        self.flow = flow
        self.dialog = dialog

    def acknowledge(self) -> None:
        """Send the ACK of a 2xx (again whenever the 2xx comes again). A refusal is acknowledged by itself."""
        if self.dialog is not None:
            self._endpoint.acknowledge(self._key, self.dialog.ack(), self.flow)


@dataclass(slots=True)
class Pending:
    """A request of ours that waits for its final answer."""

    answer: asyncio.Future[Response]
    on_provisional: Provisional | None
    flow: Flow
    abandoned: Request | None = None  # the INVITE nobody waits for any more: a late 2xx is ended at once


def no_answer(request: Request, flow: Flow) -> UnavailableError:
    """What a request that nobody answered is raised as."""
    return UnavailableError(
        f"{flow}: no answer to {request.method}",
        code="sip_timeout",
        params={"method": request.method, "peer": str(flow)},
    )
