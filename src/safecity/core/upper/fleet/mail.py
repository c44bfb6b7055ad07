"""Positions that a broker hands on (MQTT): who a letter is from, and the same reading as over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from safecity.core.upper.fleet.beaconing import MAX_CODE, Beacons, Known, Sent, split_token
from safecity.core.upper.fleet.beacons import features_of
from safecity.kit.errors import InvalidError, SafecityError
from safecity.ports.positions import Letter, Receipt

TRANSPORT: Final = "mqtt"
NOT_JSON: Final = "mqtt_not_json"
UNKNOWN: Final = "mqtt_unknown_device"
OFF: Final = "mqtt_switched_off"
WRONG_TOKEN: Final = "beacon_token"  # noqa: S105 - a reason


class Mailroom:
    """A LetterBox. `bound`: the broker lets each device write under its own name alone, so that the name under which a
    letter came says who it is from; else the letter carries the token of its device."""

    def __init__(self, beacons: Beacons, *, bound: bool, address: str) -> None:
        self._beacons = beacons
        self._bound = bound
        self._address = address

    async def take(self, letters: Sequence[Letter]) -> Receipt:
        """One transaction for all of them."""
        refused: Counter[str] = Counter()
        last: dict[str, str] = {}

        def refuse(reason: str, who: str, times: int = 1) -> None:
            refused[reason] += times
            last[reason] = who

        opened: list[tuple[str, str, list[Any]]] = []
        for letter in letters:
            try:
                token, features = read_letter(letter.payload)
            except InvalidError as error:
                refuse(error.code, letter.name)
                continue
            code, secret = (letter.name, "") if self._bound else split_token(token)
            opened.append((code, secret, features))
        known = await self._beacons.look_up(code for code, _, _ in opened if len(code) <= MAX_CODE)
        sent: list[Sent] = []
        for code, secret, features in opened:
            device = known.get(code)
            reason = self._doubt(device, secret)
            if reason or device is None:
                refuse(reason, code)
            else:
                sent.append(Sent(device[0], features, self._address, TRANSPORT))
        answers, doubled = await self._beacons.take_all(sent)
        for one, answer in zip(sent, answers, strict=True):
            if answer.code:
                refuse(answer.code, one.device.code, max(1, len(one.features)))
            for bad in answer.refused:
                refuse(bad.code, one.device.code)
        return Receipt(sum(len(answer.times) for answer in answers), doubled, dict(refused), last)

    def _doubt(self, device: Known | None, secret: str) -> str:
        """Why a letter is not believed; empty: it is."""
        if self._bound:
            return UNKNOWN if device is None else "" if device[0].enabled else OFF
        try:
            # One answer for all: who guesses learns nothing of which devices there are.
            right = device is not None and self._beacons.proves(device, secret) and device[0].enabled
        except SafecityError as error:
            return error.code
        return "" if right else WRONG_TOKEN


def read_letter(payload: bytes) -> tuple[str, list[Any]]:
    """(token, empty where there is none; the features as they came). InvalidError with the reason."""
    try:
        document: Any = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidError("not JSON", code=NOT_JSON) from error
    features = features_of(document)
    token: Any = document.get("token")
    return (token if isinstance(token, str) else ""), features
