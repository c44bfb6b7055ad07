"""From bytes to SIP messages: one datagram, or a stream cut anywhere (RFC 3261, 7 and 18.3)."""

from __future__ import annotations

import re

from safecity.protocols.sip.fields import (
    KNOWN,
    canonical,
    is_token,
    parse_name_addr,
    parse_via,
    split_list,
)
from safecity.protocols.sip.message import Malformed, Message, Request, Response
from safecity.protocols.sip.uri import check_request_uri

MAX_DATAGRAM = 64 * 1024
MAX_STREAM_MESSAGE = 256 * 1024
MAX_HEAD = 32 * 1024
MAX_FIELDS = 128
MAX_VIAS = 64

_REQUEST_LINE = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^\s<>]+) (?i:SIP)/([0-9]+\.[0-9]+)$")
_STATUS_LINE = re.compile(r"(?i:SIP)/([0-9]+\.[0-9]+) ([0-9]+)(?: (.*))?$", re.S)
_FOLD = re.compile(r"\r\n[ \t]+")
_FOLDED_COLON = re.compile(r"[ \t]*\r\n[ \t]+")
_DATE = re.compile(r"[A-Za-z]{3},.*\s(\S+)$", re.S)
_SINGLE = frozenset(("From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length"))


class _Refused(Exception):
    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def parse_message(data: bytes) -> Request | Response | Malformed:
    """One datagram. Bytes behind Content-Length are ignored; too few of them make it malformed."""
    if len(data) > MAX_DATAGRAM:
        return Malformed(data[:256], "too long", 513)
    end = data.find(b"\r\n\r\n")
    if end >= 0 and data.count(b"\n", 0, end) == data.count(b"\r\n", 0, end):
        return _parse(data[:end], data[end + 4 :], stream=False)
    # Some senders end their lines with a bare LF.
    match = _BLANK_LINE.search(data)
    if match is None:
        return Malformed(data[:256], "no end of head")
    return _parse(_lines_of(data[: match.start()]), data[match.end() :], stream=False)


_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


def _lines_of(head: bytes) -> bytes:
    return head.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


class StreamDecoder:
    """Cuts a TCP stream into messages (RFC 3261, 18.3): bytes in, messages out, no sockets.

    Once `broken`, the framing is lost and the connection is to be closed; what `feed` returned is still good.
    `take_pings` counts keep-alives (RFC 5626, 3.5.1: a double CRLF, to be answered with one).
    """

    def __init__(self, max_message: int = MAX_STREAM_MESSAGE) -> None:
        self._buffer = bytearray()
        self._max = max_message
        self._searched = 0
        self._blanks = 0
        self._pings = 0
        self.broken = False

    @property
    def waiting(self) -> bool:
        """True while a message has begun and not ended: a connection that stays so is to be closed."""
        return bool(self._buffer)

    def take_pings(self) -> int:
        """How many keep-alives came since the last call."""
        pings = self._pings + self._blanks // 4
        self._pings, self._blanks = 0, self._blanks % 4
        return pings

    def feed(self, data: bytes) -> list[Request | Response | Malformed]:
        """What is complete now. Never raises."""
        if self.broken:
            return []
        self._buffer += data
        found: list[Request | Response | Malformed] = []
        while not self.broken:
            message = self._next()
            if message is None:
                break
            found.append(message)
        return found

    def _next(self) -> Request | Response | Malformed | None:
        buffer = self._buffer
        self._skip_keepalives()
        if not buffer:
            return None
        end = buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        if end < 0:
            self._searched = len(buffer)
            if len(buffer) > MAX_HEAD:
                return self._break("head too long")
            return None
        if end > MAX_HEAD:
            return self._break("head too long")
        head = bytes(buffer[:end])
        if head.count(b"\n") != head.count(b"\r\n"):
            head = _lines_of(head)
        length = _content_length(head)
        if length is None:
            return self._break("Content-Length unusable")
        if length + end + 4 > self._max:
            return self._break("too long", 513)
        if len(buffer) < end + 4 + length:
            self._searched = end
            return None
        body = bytes(buffer[end + 4 : end + 4 + length])
        del buffer[: end + 4 + length]
        self._searched = 0
        return _parse(head, body, stream=True)

    def _skip_keepalives(self) -> None:
        buffer = self._buffer
        blanks = 0
        while blanks < len(buffer) and buffer[blanks] in b"\r\n":
            blanks += 1
        if blanks:
            self._blanks += blanks
            del buffer[:blanks]
            self._searched = 0
        if buffer:
            self._pings += self._blanks // 4
            self._blanks = 0

    def _break(self, reason: str, status: int = 400) -> Malformed:
        self.broken = True
        sample = bytes(self._buffer[:256])
        self._buffer.clear()
        return Malformed(sample, reason, status)


_LENGTH_FIELD = re.compile(rb"\r\n(?:Content-Length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)", re.I)


def _content_length(head: bytes) -> int | None:
    """The one length all Content-Length fields agree on, 0 where there is none, None where they cannot be used."""
    lengths = {value.strip() for value in _LENGTH_FIELD.findall(head)}
    if not lengths:
        return 0
    text = lengths.pop()
    if lengths or not text.isdigit() or len(text) > 9:
        return None
    return int(text)


def _parse(head: bytes, rest: bytes, *, stream: bool) -> Request | Response | Malformed:
    """Head without its blank line, lines ended by CRLF."""
    message: Request | Response | None = None
    try:
        if len(head) > MAX_HEAD:
            raise _Refused("head too long", 513)
        text = head.decode("utf-8", "surrogateescape").lstrip("\r\n")
        if "\r\n " in text or "\r\n\t" in text:
            text = _FOLD.sub(" ", text)
        start, *lines = text.split("\r\n")
        if len(lines) > MAX_FIELDS:
            raise _Refused("too many fields")
        fields = _fields(lines)
        message = _start(start, fields)
        _check(message)
        length = message.raw("Content-Length")
        if length is None:
            message.body = b"" if stream else rest
        else:
            if not (length.isascii() and length.isdigit()) or len(length) > 9:
                raise _Refused("Content-Length unusable")
            if int(length) > len(rest):
                raise _Refused("shorter than its Content-Length")
            message.body = rest[: int(length)]
    except (_Refused, ValueError) as error:
        status = error.status if isinstance(error, _Refused) else 400
        return Malformed(head[:256], str(error)[:200], status, _answer(message, status, str(error)))
    return message


def _fields(lines: list[str]) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        known = KNOWN.get(name)  # nearly always: no need to judge the name then
        if known is None:
            name = name.rstrip(" \t")
            if not colon or not is_token(name):
                raise _Refused("malformed field")
            known = canonical(name)
        if "\r" in value:
            raise _Refused("bare CR")
        fields.append((known, value.strip(" \t")))
    return fields


def _start(line: str, fields: list[tuple[str, str]]) -> Request | Response:
    if "\r" in line:
        raise _Refused("bare CR")
    match = _REQUEST_LINE.match(line)
    if match is not None:
        method, uri, version = match.groups()
        request = Request(method, uri, fields)
        if version != "2.0":
            raise _Refused("unknown version", 505)
        return request
    match = _STATUS_LINE.match(line)
    if match is None:
        raise _Refused("malformed start line")
    version, status, reason = match.groups()
    if version != "2.0" or len(status) != 3 or not 100 <= int(status) <= 699:
        raise _Refused("malformed status line")
    return Response(int(status), reason or "", fields)


def _check(message: Message) -> None:
    """What every layer above relies on; the rest of the fields is read where it is needed."""
    seen: dict[str, str] = {}
    vias = 0
    is_invite = isinstance(message, Request) and message.method == "INVITE"
    for name, value in message.fields:
        if name == "Via":
            vias += 1
            if "," in value:
                elements = split_list(value)
                vias += len(elements) - 1
                for element in elements:
                    parse_via(element)
        elif name in _SINGLE:
            if name in seen and (name != "Content-Length" or seen[name] != value):
                raise _Refused(f"more than one {name}")
            seen[name] = value
        elif name == "Contact":
            if value != "*":
                for element in split_list(value):
                    parse_name_addr(element)
        elif name == "Date" and is_invite:
            # RFC 4475, 3.1.2.12. Devices write their local time and zone into REGISTER; nobody reads it there.
            date = _DATE.match(value)
            if date is not None and date.group(1) != "GMT":
                raise _Refused("Date is not GMT")
    if not vias:
        raise _Refused("no Via")
    if vias > MAX_VIAS:
        raise _Refused("too many Via", 482)
    _ = message.via, message.from_, message.to
    cseq = message.cseq
    if not message.call_id:
        raise _Refused("empty Call-ID")
    hops = seen.get("Max-Forwards")
    if hops is not None and not (hops.isascii() and hops.isdigit() and len(hops) < 9 and int(hops) <= 255):
        raise _Refused("Max-Forwards out of range")
    if isinstance(message, Request):
        check_request_uri(message.uri)
        if cseq.method != message.method:
            raise _Refused("CSeq names another method")


def _answer(message: Request | Response | None, status: int, reason: str) -> Response | None:
    """A refusal in SIP, where the request has what an answer is routed by."""
    if not isinstance(message, Request) or message.method == "ACK":
        return None
    try:
        # We write no field that we would refuse to read, so what is broken there gets no answer at all.
        _ = message.from_, message.to, message.cseq, message.via
        for via in message.all("Via"):
            parse_via(via)
    except ValueError:
        return None
    copied = [field for field in message.fields if field[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
    singles = [name for name, _ in copied if name != "Via"]
    if len(singles) != 4 or len(set(singles)) != 4 or not message.call_id:
        return None
    phrase = "".join(letter if letter.isascii() and letter.isprintable() else "?" for letter in reason[:60])
    return Response(status, phrase, copied)
