"""Where notifications may be sent: `ReceiveAddr` is a wish of the other side, and could point at ourselves."""

from __future__ import annotations

import ipaddress

from safecity.kit.errors import InvalidError
from safecity.kit.outgoing import may_reach
from safecity.kit.weburl import WebUrl, read_url

Address = WebUrl
CODE = "receive_addr"


def read_address(text: str) -> Address:
    """InvalidError `receive_addr` for anything but plain HTTP to somebody else: no credentials, no loopback, no link of
    the machine's own, no multicast."""
    address = read_url(text, CODE)
    host = address.host
    if host == "localhost" or host.endswith(".localhost") or refused_ip(host):
        raise InvalidError("not an address to send to", code=CODE)
    return address


def refused_ip(text: str) -> bool:
    """Whether nobody's library can be there. Private addresses are allowed: city networks are made of them. A name is
    judged by what it resolves to, when it is used."""
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        # `127.1`, `0x7f000001`, `2130706433`: forms that some resolvers take for addresses.
        return text.replace(".", "").isdigit() or text.startswith("0x")
    return not may_reach(str(ip))
