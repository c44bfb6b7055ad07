"""SIP dialogs (RFC 3261, 12; RFC 6665 for subscriptions): who talks with whom, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

from safecity.protocols.sip.fields import NameAddr, parse_name_addr
from safecity.protocols.sip.message import Message, Request, Response


class DialogId(NamedTuple):
    """As seen by us: `local_tag` is ours."""

    call_id: str
    local_tag: str
    remote_tag: str

    @classmethod
    def of_request(cls, request: Request) -> DialogId:
        """The dialog that a request from the other side belongs to."""
        return cls(request.call_id, request.to.tag, request.from_.tag)

    @classmethod
    def of_response(cls, response: Response) -> DialogId:
        """The dialog that a response to our request belongs to."""
        return cls(response.call_id, response.from_.tag, response.to.tag)


class Order(Enum):
    """How a request stands in its dialog. OLD is to be answered with 500."""

    NEXT = "next"
    OLD = "old"
    FOREIGN = "foreign"


class Dialog:
    """One dialog, made by either side. Not thread-safe; `request` counts CSeq."""

    def __init__(
        self,
        dialog_id: DialogId,
        local: NameAddr,
        remote: NameAddr,
        target: str,
        route: list[str],
        *,
        local_cseq: int,
        remote_cseq: int = 0,
    ) -> None:
        self.id = dialog_id
        self.local = local
        self.remote = remote
        self.target = target
        self.route = route
        self.local_cseq = local_cseq
        self.remote_cseq = remote_cseq
        self.invite_cseq = local_cseq

    @classmethod
    def by_client(cls, request: Request, response: Response) -> Dialog:
        """The dialog our INVITE or SUBSCRIBE made. An answer without a tag makes one too (RFC 3261, 12.1.2)."""
        route = response.all("Record-Route")[::-1]
        target = _target(response) or request.uri
        return cls(
            DialogId.of_response(response),
            request.from_,
            response.to,
            target,
            route,
            local_cseq=request.cseq.number,
        )

    @classmethod
    def by_server(cls, request: Request, tag: str) -> Dialog:
        """The dialog a request from the other side makes when we answer it with `tag`."""
        return cls(
            DialogId(request.call_id, tag, request.from_.tag),
            request.to.with_tag(tag),
            request.from_,
            _target(request) or request.from_.uri,
            request.all("Record-Route"),
            local_cseq=0,
            remote_cseq=request.cseq.number,
        )

    def request(
        self, method: str, *, fields: Iterable[tuple[str, str]] = (), body: bytes = b"", contact: str = ""
    ) -> Request:
        """The next request within the dialog, without Via (the endpoint adds it). `contact` is needed for
        INVITE, SUBSCRIBE and NOTIFY, which refresh the target."""
        self.local_cseq += 1
        if method == "INVITE":
            self.invite_cseq = self.local_cseq
        return self._build(method, self.local_cseq, fields, body, contact)

    def ack(self, *, body: bytes = b"") -> Request:
        """The ACK to the 2xx of the last INVITE: its CSeq number, a transaction of its own."""
        return self._build("ACK", self.invite_cseq, (), body, "")

    def _build(self, method: str, number: int, fields: Iterable[tuple[str, str]], body: bytes, contact: str) -> Request:
        built = [("Route", route) for route in self.route]
        built += [
            ("From", str(self.local)),
            ("To", str(self.remote)),
            ("Call-ID", self.id.call_id),
            ("CSeq", f"{number} {method}"),
            ("Max-Forwards", "70"),
        ]
        if contact:
            built.append(("Contact", f"<{contact}>"))
        built.extend(fields)
        return Request(method, self.target, built, body)

    def judge(self, request: Request) -> Order:
        """Whether a request from the other side is of this dialog and in order; takes its CSeq and new target over.

        Some devices begin every request in a dialog with the same CSeq: an equal number passes, a lower one not.
        """
        here = DialogId.of_request(request)
        if here != self.id and (self.id.remote_tag or here[:2] != self.id[:2]):
            return Order.FOREIGN
        if request.method in ("ACK", "CANCEL"):
            return Order.NEXT
        if request.cseq.number < self.remote_cseq:
            return Order.OLD
        self.remote_cseq = request.cseq.number
        if request.method in ("INVITE", "SUBSCRIBE", "NOTIFY", "UPDATE"):
            self.target = _target(request) or self.target
        return Order.NEXT

    def refreshed(self, response: Response) -> None:
        """A 2xx to our re-INVITE or SUBSCRIBE moves the target."""
        if 200 <= response.status < 300:
            self.target = _target(response) or self.target


def _target(message: Message) -> str:
    for element in message.all("Contact")[:1]:
        try:
            return parse_name_addr(element).uri if element != "*" else ""
        except ValueError:
            return ""
    return ""
