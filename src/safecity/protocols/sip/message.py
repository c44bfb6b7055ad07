"""SIP messages as values: a start line, fields in order under canonical names, a body (RFC 3261, 7).

Treat them as frozen: what changes makes a new one. Typed readings of the fields every layer needs (`via`, `from_`,
`to`, `cseq`, `call_id`) are made once and kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from safecity.protocols.sip.fields import (
    CSeq,
    NameAddr,
    Via,
    canonical,
    clean,
    is_token,
    parse_cseq,
    parse_known_name_addr,
    parse_name_addr,
    parse_via,
    split_list,
)

Fields = list[tuple[str, str]]

REASONS = {
    100: "Trying", 180: "Ringing", 200: "OK", 202: "Accepted", 302: "Moved Temporarily", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    413: "Request Entity Too Large", 415: "Unsupported Media Type", 416: "Unsupported URI Scheme",
    420: "Bad Extension", 423: "Interval Too Brief", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 486: "Busy Here",
    487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
    500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable",
    505: "Version Not Supported", 513: "Message Too Large", 603: "Decline",
}  # fmt: skip


class Message:
    """What requests and responses share. The typed properties raise ValueError on a message built wrongly by us;
    a parsed message has been checked already."""

    __slots__ = ("_cseq", "_from", "_to", "_via", "body", "fields")

    def __init__(self, fields: Fields, body: bytes = b"") -> None:
        self.fields = fields
        self.body = body
        self._via: Via | None = None
        self._from: NameAddr | None = None
        self._to: NameAddr | None = None
        self._cseq: CSeq | None = None

    def raw(self, name: str) -> str | None:
        """The first field of that canonical name as it came (may hold surrogates), or None."""
        for key, value in self.fields:
            if key == name:
                return value
        return None

    def get(self, name: str, default: str = "") -> str:
        """The first field of that name, fit to be stored and shown; `default` where there is none."""
        value = self.raw(canonical(name))
        return default if value is None else clean(value)

    def has(self, name: str) -> bool:
        """True where such a field stands."""
        return self.raw(canonical(name)) is not None

    def all(self, name: str) -> list[str]:
        """Every element of a list field (Via, Contact, Route, ...), over all its lines."""
        name = canonical(name)
        return [element for key, value in self.fields if key == name for element in split_list(value)]

    @property
    def via(self) -> Via:
        """The topmost Via."""
        if self._via is None:
            self._via = parse_via(self._first_element("Via"))
        return self._via

    @property
    def from_(self) -> NameAddr:
        """From."""
        if self._from is None:
            self._from = parse_name_addr(self._required("From"))
        return self._from

    @property
    def to(self) -> NameAddr:
        """To."""
        if self._to is None:
            self._to = parse_known_name_addr(self._required("To"))
        return self._to

    @property
    def cseq(self) -> CSeq:
        """CSeq."""
        if self._cseq is None:
            self._cseq = parse_cseq(self._required("CSeq"))
        return self._cseq

    @property
    def call_id(self) -> str:
        """Call-ID, as it came."""
        return self._required("Call-ID")

    @property
    def contacts(self) -> list[NameAddr]:
        """The addresses of Contact, without `*`."""
        return [parse_name_addr(element) for element in self.all("Contact") if element != "*"]

    @property
    def expires(self) -> int | None:
        """Expires in seconds (the parameter of the first Contact wins), None where neither stands or is a number."""
        contacts = self.contacts if self.raw("Contact") else []
        text = (contacts[0].params.get("expires") if contacts else None) or self.raw("Expires") or ""
        text = text.strip()
        return min(int(text), 0xFFFF_FFFF) if text.isascii() and text.isdigit() and len(text) < 40 else None

    @property
    def content_type(self) -> str:
        """Lower case, without parameters: `application/manscdp+xml`."""
        return self.get("Content-Type").partition(";")[0].strip().lower()

    def _required(self, name: str) -> str:
        value = self.raw(name)
        if value is None:
            raise ValueError(f"no {name}")
        return value

    def _first_element(self, name: str) -> str:
        value = self._required(name)
        return split_list(value)[0] if "," in value else value

    def _encode(self, start: str) -> bytes:
        lines = [start]
        for name, value in self.fields:
            if name != "Content-Length":
                lines.append(f"{name}: {value}")
        lines.append(f"Content-Length: {len(self.body)}\r\n\r\n")
        text = "\r\n".join(lines)
        # Each line is one field: whoever built a value with a line break tried to write another field.
        if text.count("\n") != len(lines) + 1 or text.count("\r") != len(lines) + 1:
            raise ValueError("line break inside a field")
        return text.encode("utf-8", "surrogateescape") + self.body


class Request(Message):
    """`METHOD uri SIP/2.0`."""

    __slots__ = ("method", "uri")

    def __init__(self, method: str, uri: str, fields: Fields, body: bytes = b"") -> None:
        super().__init__(fields, body)
        self.method = method
        self.uri = uri

    def __repr__(self) -> str:
        return f"<{self.method} {clean(self.uri)[:80]}>"

    def encode(self) -> bytes:
        """The bytes on the wire; Content-Length is ours. ValueError for what may not be sent."""
        if not is_token(self.method) or " " in self.uri:
            raise ValueError("malformed request line")
        return self._encode(f"{self.method} {self.uri} SIP/2.0")

    def with_fields(self, fields: Iterable[tuple[str, str]], *, top: bool = False) -> Request:
        """A copy in which fields of these names are replaced (or put first, keeping the others, with `top`)."""
        added = [(canonical(name), value) for name, value in fields]
        if top:
            return Request(self.method, self.uri, [*added, *self.fields], self.body)
        names = {name for name, _ in added}
        kept = [field for field in self.fields if field[0] not in names]
        return Request(self.method, self.uri, [*kept, *added], self.body)

    def respond(
        self,
        status: int,
        reason: str = "",
        *,
        tag: str = "",
        fields: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """The answer to this request: Via, From, To (with our `tag` where there is none), Call-ID, CSeq and,
        for what makes a dialog, Record-Route are copied (RFC 3261, 8.2.6 and 12.1.1)."""
        copied: list[tuple[str, str]] = []
        for name, value in self.fields:
            if name in _COPIED or (name == "Record-Route" and 101 <= status < 300):
                if name == "To" and tag and status > 100 and not self.to.tag:
                    value = f"{value};tag={tag}"
                copied.append((name, value))
        copied.extend((canonical(name), value) for name, value in fields)
        response = Response(status, reason or REASONS.get(status, "Unknown"), copied, body)
        response._via, response._from, response._cseq = self._via, self._from, self._cseq
        return response


class Response(Message):
    """`SIP/2.0 status reason`."""

    __slots__ = ("reason", "status")

    def __init__(self, status: int, reason: str, fields: Fields, body: bytes = b"") -> None:
        super().__init__(fields, body)
        self.status = status
        self.reason = reason

    def __repr__(self) -> str:
        return f"<{self.status} {clean(self.reason)[:40]}>"

    def encode(self) -> bytes:
        """The bytes on the wire; Content-Length is ours. ValueError for what may not be sent."""
        if not 100 <= self.status <= 699:
            raise ValueError("status out of range")
        return self._encode(f"SIP/2.0 {self.status} {self.reason}")


@dataclass(frozen=True, slots=True)
class Malformed:
    """Bytes that are no SIP message, and why. `status` is what RFC 3261 would answer; `answer` is that answer
    where the bytes were a request from which one can be built, else None."""

    data: bytes
    reason: str
    status: int = 400
    answer: Response | None = None


_COPIED = frozenset(("Via", "From", "To", "Call-ID", "CSeq", "Timestamp"))
