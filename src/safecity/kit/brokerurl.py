"""Addresses of MQTT brokers, taken apart once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from safecity.kit.errors import InvalidError

MAX_URL: Final = 1000
MAX_TOPIC: Final = 200
FORM: Final = "mqtt(s)://[USER:PASSWORD@]HOST[:PORT]"
_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """A URL taken apart; no text that is made of it holds who we are there."""

    tls: bool
    host: str
    port: int
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def place(self) -> str:
        """Host and port: what people read."""
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def read_broker_url(text: str) -> BrokerUrl:
    """InvalidError, without what was given: it may hold a password."""
    bad = InvalidError(f"not an address of a broker: {FORM} is expected", code="broker_url")
    if len(text) > MAX_URL or any(ord(c) <= 32 or ord(c) == 127 for c in text):
        raise bad
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise bad from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise bad
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    # MQTT knows no texts longer than that, and none with a zero.
    if "\0" in username + password or (password and not username):
        raise bad
    return BrokerUrl(
        parts.scheme == "mqtts", parts.hostname, _PORTS[parts.scheme] if port is None else port, username, password
    )


def is_topic(text: str) -> bool:
    """Whether something can be published there: levels, none of them empty, no wildcards, none of the broker's own."""
    return (
        0 < len(text) <= MAX_TOPIC
        and "" not in text.split("/")
        and not text.startswith("$")
        and not any(c in "+#" or not c.isprintable() for c in text)
    )
