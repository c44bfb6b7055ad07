"""Digest fields of SIP and RTSP."""

from __future__ import annotations

from contextlib import suppress

from safecity.protocols.sip.digest import Nonces, parse_challenge, parse_credentials


def one_input(data: bytes) -> None:
    text = data.decode("utf-8", "surrogateescape")
    for parse in (parse_challenge, parse_credentials):
        try:
            value = parse(text)
        except ValueError:
            continue
        assert parse(str(value)).nonce == value.nonce
        Nonces(b"k" * 32).check(1.0, "scope", value.nonce, "1")
    with suppress(ValueError):
        parse_credentials(text).matches("REGISTER", "secret")


SEEDS = [
    b'Digest realm="r", nonce="n", qop="auth,auth-int", algorithm=SHA-256, stale=true',
    b'Digest username="u", realm="r", nonce="1.2.3", uri="sip:x", response="0", qop=auth, nc=00000001, cnonce="c"',
]
