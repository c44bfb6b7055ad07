"""The values of SIP header fields: names, parameters, addresses, Via, CSeq (RFC 3261, 7.3 and 25.1).

Reading is liberal (compact names, folding, blanks, any case), writing is strict. Values are text decoded with
`surrogateescape`, so that bytes which are no UTF-8 go back as they came; `clean` makes them fit for people.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

MAX_PARAMS = 64
MAX_CSEQ = 0xFFFF_FFFF

_NAMES = [
    "Accept",
    "Accept-Contact",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow",
    "Allow-Events",
    "Authentication-Info",
    "Authorization",
    "Call-ID",
    "Call-Info",
    "Contact",
    "Content-Disposition",
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Type",
    "CSeq",
    "Date",
    "Error-Info",
    "Event",
    "Expires",
    "From",
    "Identity",
    "Identity-Info",
    "In-Reply-To",
    "Max-Forwards",
    "MIME-Version",
    "Min-Expires",
    "Monitor-User-Identity",
    "Note",
    "Organization",
    "Priority",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "Record-Route",
    "Refer-To",
    "Referred-By",
    "Reject-Contact",
    "Reply-To",
    "Request-Disposition",
    "Require",
    "Retry-After",
    "Route",
    "Server",
    "Session-Expires",
    "Subject",
    "Subscription-State",
    "Supported",
    "Timestamp",
    "To",
    "Unsupported",
    "User-Agent",
    "Via",
    "Warning",
    "WWW-Authenticate",
    "X-GB-Ver",
    "X-PreferredPath",
    "X-RoutePath",
]
_COMPACT = {
    "a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
    "e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
    "l": "Content-Length", "m": "Contact", "n": "Identity-Info", "o": "Event", "r": "Refer-To", "s": "Subject",
    "t": "To", "u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}  # fmt: skip
KNOWN = {name: name for name in _NAMES}
_BY_LOWER = {name.lower(): name for name in _NAMES} | _COMPACT

WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_TOKEN_RE = re.compile(WORD)
_PLAIN = re.compile(WORD + r"|[0-9A-Za-z.\-:\[\]]+")  # tokens, and hosts with their ports
_PARAM = re.compile(
    r"\s*;\s*(?:([^\s=;,\"]+)(?:\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^\s;,\"]*))?)?\s*", re.S
)  # an empty parameter (";;") is read over
_NAME_ADDR = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([^<>",;]*?))\s*<([^<>\s"]+)>\s*(;.*)?$', re.S)
_ADDR_SPEC = re.compile(r'\s*([A-Za-z][A-Za-z0-9+.\-]*:[^<>\s",;?]+)\s*(;.*)?$', re.S)
_VIA = re.compile(
    r"\s*SIP\s*/\s*2\.0\s*/\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s+(\[[0-9A-Fa-f:.]+\]|[^\s\[\]:;,/\"<>@]+)"
    r"(?:\s*:\s*([0-9]{1,5}))?\s*(;.*)?$",
    re.S | re.I,
)
_CSEQ = re.compile(r"([0-9]{1,20})\s+(" + WORD + r")$")
_QUOTED_PAIR = re.compile(r"\\(.)", re.S)

Params = dict[str, str | None]
"""Parameters by lower-case name; None where there is no `=`."""


def canonical(name: str) -> str:
    """The one spelling of a field name: `v`, `VIA` and `Via` are `Via`."""
    known = KNOWN.get(name)
    if known is not None:
        return known
    known = _BY_LOWER.get(name.lower())
    return known if known is not None else "-".join(part.capitalize() for part in name.split("-"))


def is_token(text: str) -> bool:
    """True where the text may stand as a name or a method (RFC 3261, `token`)."""
    return _TOKEN_RE.fullmatch(text) is not None


def clean(text: str) -> str:
    """The text with what was no UTF-8 replaced, so that it can be stored and shown."""
    if text.isascii():
        return text
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def quote(text: str) -> str:
    """A quoted-string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def unquote(text: str) -> str:
    """The inside of a quoted-string; other text unchanged."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    inside = text[1:-1]
    return _QUOTED_PAIR.sub(r"\1", inside) if "\\" in inside else inside


def parse_params(text: str) -> Params:
    """`;a=1;b` as a dict; quotes taken off, the first of equal names wins. ValueError for what is no parameter."""
    params: Params = {}
    if '"' not in text and " " not in text and "\t" not in text:
        for part in text.split(";"):
            name, equals, value = part.partition("=")
            if name:
                params.setdefault(name.lower(), value if equals else None)
        if len(params) > MAX_PARAMS or "," in text:
            raise ValueError("parameters out of bounds")
        return params
    place = 0
    while place < len(text):
        match = _PARAM.match(text, place)
        if match is None or len(params) >= MAX_PARAMS:
            raise ValueError("malformed parameters")
        place = match.end()
        name, value = match.group(1), match.group(2)
        if name:
            params.setdefault(name.lower(), None if value is None else unquote(value))
    return params


def write_params(params: Params) -> str:
    """`;a=1;b`, quoting where needed."""
    parts: list[str] = []
    for name, value in params.items():
        if value is None:
            parts.append(f";{name}")
        elif _PLAIN.fullmatch(value):
            parts.append(f";{name}={value}")
        else:
            parts.append(f";{name}={quote(value)}")
    return "".join(parts)


def split_list(text: str) -> list[str]:
    """Elements between commas that stand outside quotes and angle brackets; empty ones are left out."""
    if "," not in text:
        stripped = text.strip()
        return [stripped] if stripped else []
    parts: list[str] = []
    start = depth = 0
    quoted = escaped = False
    for place, letter in enumerate(text):
        if escaped:
            escaped = False
        elif quoted:
            escaped = letter == "\\"
            quoted = letter != '"'
        elif letter == '"':
            quoted = True
        elif letter == "<":
            depth += 1
        elif letter == ">":
            depth = max(0, depth - 1)
        elif letter == "," and depth == 0:
            parts.append(text[start:place].strip())
            start = place + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


class NameAddr(NamedTuple):
    """From, To, Contact, Route: a display name, a URI as text and the field's own parameters."""

    uri: str
    params: Params
    display: str = ""

    @property
    def tag(self) -> str:
        """The tag, empty where there is none."""
        return self.params.get("tag") or ""

    @property
    def user(self) -> str:
        """What stands before the `@` of a SIP URI: the 20-digit code."""
        scheme, colon, rest = self.uri.partition(":")
        user, at, _ = rest.partition("@")
        return user if colon and at and scheme.lower() in ("sip", "sips") else ""

    def __str__(self) -> str:
        display = f"{quote(self.display)} " if self.display else ""
        return f"{display}<{self.uri}>{write_params(self.params)}"

    def with_tag(self, tag: str) -> NameAddr:
        """The same with this tag."""
        return NameAddr(self.uri, {**self.params, "tag": tag}, self.display)


def parse_name_addr(text: str) -> NameAddr:
    """ValueError where the text is neither name-addr nor addr-spec (RFC 3261, 20.10)."""
    match = _NAME_ADDR.match(text)
    if match is not None:
        quoted, plain, uri, params = match.groups()
        if ":" not in uri:
            raise ValueError("no URI between the brackets")
        return NameAddr(uri, parse_params(params) if params else {}, unquote(quoted) if quoted else plain)
    match = _ADDR_SPEC.match(text)
    if match is None:
        raise ValueError("not an address")
    uri, params = match.groups()
    return NameAddr(uri, parse_params(params) if params else {})


_cached_name_addr = lru_cache(maxsize=4096)(parse_name_addr)


def parse_known_name_addr(text: str) -> NameAddr:
    """The same for what comes again and again (To is the same in every keep-alive of every device); short texts are
    remembered. Do not change the `params` of what it returns."""
    return _cached_name_addr(text) if len(text) <= 160 else parse_name_addr(text)


class Via(NamedTuple):
    """One hop: transport in upper case, sent-by, parameters."""

    transport: str
    host: str
    port: int | None
    params: Params

    @property
    def branch(self) -> str:
        """The transaction's id, empty in RFC 2543 messages."""
        return self.params.get("branch") or ""

    def __str__(self) -> str:
        port = "" if self.port is None else f":{self.port}"
        return f"SIP/2.0/{self.transport} {self.host}{port}{write_params(self.params)}"


def parse_via(text: str) -> Via:
    """One Via element; ValueError."""
    match = _VIA.match(text)
    if match is None:
        raise ValueError("malformed Via")
    transport, host, port, params = match.groups()
    number = None if port is None else int(port)
    if number is not None and number > 65535:
        raise ValueError("port out of range in Via")
    return Via(transport.upper(), host, number, parse_params(params) if params else {})


class CSeq(NamedTuple):
    """Sequence number and method."""

    number: int
    method: str


def parse_cseq(text: str) -> CSeq:
    """ValueError where it is no CSeq or the number is above 2^32-1."""
    match = _CSEQ.match(text)
    if match is None:
        raise ValueError("malformed CSeq")
    number = int(match.group(1))
    if number > MAX_CSEQ:
        raise ValueError("CSeq out of range")
    return CSeq(number, match.group(2))
