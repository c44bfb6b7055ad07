"""Addresses of the libraries above us, with who we are there, taken apart once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from safecity.kit.errors import InvalidError
from safecity.kit.weburl import WebUrl, read_url

FORM: Final = "http(s)://[USER]:PASSWORD@HOST[:PORT]"
MAX_URL: Final = 1000


@dataclass(frozen=True, slots=True)
class Upper:
    """A library that we register at; no text that is made of it holds who we are there. `address` ends where `/VIID`
    begins; an empty `username` is the platform's own code."""

    address: WebUrl
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def read_upper(text: str) -> Upper:
    """InvalidError `upper_url`, without what was given: it holds a password."""
    bad = InvalidError(f"not an address of a library: {FORM} is expected", code="upper_url")
    if len(text) > MAX_URL:
        raise bad
    head, mark, place = text.rpartition("@")
    scheme, _, known = head.partition("://")
    username, _, password = known.partition(":")
    if not mark or not password:
        raise bad
    try:
        address = read_url(f"{scheme}://{place}", "upper_url")
        parts = urlsplit(f"{scheme}://{place}")
    except (InvalidError, ValueError) as error:
        raise bad from error
    if parts.path not in ("", "/") or parts.query:
        raise bad
    return Upper(WebUrl(address.tls, address.host, address.port, ""), unquote(username), unquote(password))
