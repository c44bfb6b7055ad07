"""Answers of time servers, and the questions that the simulated one gets."""

from __future__ import annotations

from safecity.protocols import ntp

NONCE = 0x0123456789ABCDEF
_QUESTION = ntp.ask(NONCE)
_ANSWER = ntp.answer(_QUESTION, 1_760_000_000_000_000, 1_760_000_000_000_010, stratum=1) or b""
SEEDS = [_QUESTION, _ANSWER, _ANSWER + bytes(20)]


def one_input(data: bytes) -> None:
    """Either side."""
    found = ntp.read_answer(data, NONCE)
    if isinstance(found, ntp.Answer):
        measured = ntp.measure(found, 1_760_000_000_000_000, 1_760_000_000_100_000)
        assert measured.delay_us >= 0
        assert 1 <= measured.stratum <= 15
    else:
        assert found.reason.isascii()
    ntp.answer(data, 0, 1)
