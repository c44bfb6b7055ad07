"""Addresses of HTTP services that other people write down, taken apart once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from safecity.kit.errors import InvalidError

MAX_URL: Final = 500


@dataclass(frozen=True, slots=True)
class WebUrl:
    """A URL taken apart. `target` is path and query."""

    tls: bool
    host: str
    port: int
    target: str

    @property
    def place(self) -> str:
        """Host and port: what somebody allows."""
        return f"{self.host}:{self.port}"


def read_url(text: str, code: str = "url_invalid") -> WebUrl:
    """InvalidError for anything but plain HTTP: no credentials, no fragment. Where it leads is judged when it is used
    (`kit.outgoing`)."""
    bad = InvalidError("not an address of HTTP", code=code)
    if len(text) > MAX_URL or not text.isascii() or any(ord(c) <= 32 or ord(c) == 127 for c in text):
        raise bad
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise bad from error
    host = (parts.hostname or "").rstrip(".").lower()
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.fragment:
        raise bad
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return WebUrl(parts.scheme == "https", host, port or (443 if parts.scheme == "https" else 80), target)
