"""Digest: the examples of the RFCs, three hashes, nonces that serve who asked, for a while, and not twice."""

from __future__ import annotations

import pytest

from safecity.protocols.sip.digest import (
    Challenge,
    Nonces,
    NonceState,
    answer_challenge,
    choose_challenge,
    parse_challenge,
    parse_credentials,
    parse_digest,
)

RFC2617 = (
    'Digest username="Mufasa", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    'uri="/dir/index.html", qop=auth, nc=00000001, cnonce="0a4f113b", '
    'response="6629fae49393a05397450978507c4ef1", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
RFC7616 = (
    'Digest username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=SHA-256, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, '
    'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"'
)


@pytest.mark.parametrize(("text", "password"), [(RFC2617, "Circle Of Life"), (RFC7616, "Circle of Life")])
def test_the_examples_of_the_standards_are_accepted_and_a_wrong_password_is_not(text: str, password: str) -> None:
    credentials = parse_credentials(text)
    assert credentials.matches("GET", password)
    assert not credentials.matches("GET", password + "!")
    assert not credentials.matches("POST", password)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SM3"])
@pytest.mark.parametrize("qop", ["", "auth"])
def test_client_and_server_agree_on_every_hash_with_and_without_qop(algorithm: str, qop: str) -> None:
    challenge = parse_challenge(str(Challenge('34"02', "n\\1", algorithm, qop, opaque="o", stale=True)))
    assert challenge == Challenge('34"02', "n\\1", algorithm, qop, opaque="o", stale=True)
    credentials = answer_challenge(challenge, "设备", "密码", "REGISTER", "sip:x@y", cnonce="c", count=3)
    again = parse_credentials(str(credentials))
    assert again == credentials
    assert again.matches("REGISTER", "密码")
    assert not again.matches("REGISTER", "密碼")


def test_sm3_is_the_hash_of_its_standard() -> None:
    from safecity.protocols.sip import digest

    assert digest._hash("SM3", "abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"


def test_the_strongest_known_challenge_is_chosen_and_unknown_ones_are_read_over() -> None:
    offers = ["Basic realm=x", 'Digest realm="r", nonce="1", algorithm=SHA-512', str(Challenge("r", "2")),
              str(Challenge("r", "3", "SHA-256")), "Digest broken"]  # fmt: skip
    chosen = choose_challenge(offers)
    assert chosen is not None
    assert chosen.nonce == "3"
    weak = choose_challenge(offers, ("MD5",))
    assert weak is not None
    assert weak.nonce == "2"
    assert choose_challenge(offers[:2]) is None


@pytest.mark.parametrize(
    "text",
    ["", "Digest", "Basic abc", 'Digest username="a', 'Digest username="a", username="b"', "Digest =,",
     "Digest a=1 b=2",
     RFC2617.replace("qop=auth", "qop=auth-int"), RFC2617.replace("nc=00000001, ", ""), "Digest " + "a=1," * 5000],
)  # fmt: skip
def test_broken_credentials_are_a_value_error_and_nothing_else(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_credentials(text)


def test_pairs_may_be_unquoted_and_spaced_as_devices_write_them() -> None:
    assert parse_digest('digest  realm = "a, b" ,nonce=x,stale=FALSE') == {
        "realm": "a, b",
        "nonce": "x",
        "stale": "FALSE",
    }


def test_a_nonce_serves_its_device_within_its_life_and_without_qop_only_once() -> None:
    nonces = Nonces(b"k" * 32, lifetime_seconds=300)
    nonce = nonces.issue(1000.0, "dev|call", b"saltsalt")
    assert nonces.check(1001.0, "other|call", nonce) is NonceState.STALE
    assert nonces.check(1301.0, "dev|call", nonce) is NonceState.STALE
    assert nonces.check(990.0, "dev|call", nonce) is NonceState.STALE
    assert nonces.check(1001.0, "dev|call", nonce) is NonceState.GOOD
    assert nonces.check(1002.0, "dev|call", nonce) is NonceState.REPLAYED


def test_with_qop_the_count_must_grow() -> None:
    nonces = Nonces(b"k" * 32)
    nonce = nonces.issue(0.0, "d", b"saltsalt")
    states = [nonces.check(1.0, "d", nonce, nc) for nc in ("00000001", "00000001", "00000003", "00000002", "zz")]
    assert states == [NonceState.GOOD, NonceState.REPLAYED, NonceState.GOOD, NonceState.REPLAYED, NonceState.STALE]


@pytest.mark.parametrize("forged", ["", ".", "..", "a.b.c", "ff.00.", "1." * 100, "é.é.é"])
def test_a_forged_nonce_is_stale(forged: str) -> None:
    assert Nonces(b"k" * 32).check(1.0, "d", forged) is NonceState.STALE


def test_the_memory_of_used_nonces_is_bounded() -> None:
    nonces = Nonces(b"k" * 32, max_used=3)
    for number in range(10):
        assert nonces.check(0.0, "d", nonces.issue(0.0, "d", bytes([number] * 8))) is NonceState.GOOD
    assert len(nonces._used) == 3
