"""SIP URIs (RFC 3261, 19.1), read liberally: the host part is never judged, only taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote

from safecity.protocols.sip.fields import Params

_SIP = re.compile(r"(sips?):(?:([^@\s<>\"]*)@)?(\[[0-9A-Fa-f:.]+\]|[^\s;?@,<>\":\[\]]+)(?::([0-9]{1,5}))?(.*)$", re.I)
_NO_HOST = re.compile(r"sips?:[^@\s<>\"]+@(?:[:;][^?\s<>]*)?$", re.I)
"""Devices that were given no domain leave the host empty."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^\s<>]+$")


@dataclass(frozen=True, slots=True)
class SipUri:
    """`sip:user@host:port;params?headers`. `user` is unescaped; an IPv6 host keeps its brackets off."""

    user: str
    host: str
    port: int | None = None
    params: Params = field(default_factory=dict[str, str | None])
    headers: str = ""
    scheme: str = "sip"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port is None else f":{self.port}"
        params = "".join(f";{name}" if value is None else f";{name}={value}" for name, value in self.params.items())
        user = f"{_escape(self.user)}@" if self.user else ""
        return f"{self.scheme}:{user}{host}{port}{params}" + (f"?{self.headers}" if self.headers else "")


def parse_uri(text: str) -> SipUri:
    """ValueError for other schemes and for what is no URI."""
    match = _SIP.match(text)
    if match is None:
        raise ValueError("not a SIP URI")
    scheme, user, host, port, rest = match.groups()
    if port is not None and int(port) > 65535:
        raise ValueError("port out of range")
    if rest and rest[0] not in ";?":
        raise ValueError("not a SIP URI")
    tail, _, headers = rest.partition("?")
    params: Params = {}
    for part in tail.split(";")[:64]:
        name, equals, value = part.partition("=")
        if name:
            params.setdefault(name.lower(), value if equals else None)
    return SipUri(
        user=unquote(user or "", errors="replace"),
        host=host.strip("[]"),
        port=None if port is None else int(port),
        params=params,
        headers=headers,
        scheme=scheme.lower(),
    )


def check_request_uri(text: str) -> None:
    """ValueError where it may not stand in a request line: brackets, blanks, escaped headers (RFC 4475, 3.1.2)."""
    if len(text) <= 160:
        _check_known(text)  # most requests name us by the same URI
    else:
        _check(text)


def _check(text: str) -> None:
    if text[:4].lower() == "sip:" or text[:5].lower() == "sips:":
        match = _SIP.match(text)
        rest = match.group(5) if match is not None else "?"
        if rest and (rest[0] != ";" or "?" in rest) and _NO_HOST.match(text) is None:
            raise ValueError("malformed request URI")
    elif _SCHEME.match(text) is None:
        raise ValueError("malformed request URI")


_check_known = lru_cache(maxsize=1024)(_check)


def _escape(user: str) -> str:
    safe = "-_.!~*'()&=+$,;?/:"
    return "".join(
        letter if letter.isascii() and (letter.isalnum() or letter in safe) else _percent(letter) for letter in user
    )


def _percent(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))
