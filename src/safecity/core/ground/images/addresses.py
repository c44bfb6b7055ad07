"""Where notifications may be sent: `ReceiveAddr` is a wish of the other side, and could point at ourselves."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from safecity.kit.errors import InvalidError
from safecity.kit.outgoing import may_reach

MAX_ADDRESS = 500


@dataclass(frozen=True, slots=True)
class Address:
    """A URL taken apart. `target` is path and query."""

    tls: bool
    host: str
    port: int
    target: str

    @property
    def place(self) -> str:
        """Host and port: what somebody allows."""
        return f"{self.host}:{self.port}"


def read_address(text: str) -> Address:
    """InvalidError `receive_addr` for anything but plain HTTP to somebody else: no credentials, no loopback, no link of
    the machine's own, no multicast."""
    bad = InvalidError("not an address to send to", code="receive_addr")
    if len(text) > MAX_ADDRESS or not text.isascii() or any(ord(c) <= 32 or ord(c) == 127 for c in text):
        raise bad
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise bad from error
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.fragment:
        raise bad
    if host == "localhost" or host.endswith(".localhost") or refused_ip(host):
        raise bad
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme == "https", host, port or (443 if parts.scheme == "https" else 80), target)


def refused_ip(text: str) -> bool:
    """Whether nobody's library can be there. Private addresses are allowed: city networks are made of them. A name is
    judged by what it resolves to, when it is used."""
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        # `127.1`, `0x7f000001`, `2130706433`: forms that some resolvers take for addresses.
        return text.replace(".", "").isdigit() or text.startswith("0x")
    return not may_reach(str(ip))
