"""Recordings that somebody started by hand: kept here, so that they follow a channel to whichever slot it goes to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safecity.core.ground.channels.api import find_many
from safecity.core.ground.settings.api import get, put, touch_desired
from safecity.model.facts.media_calls import StartRecording
from safecity.ports.database import Tx

_NAME = "recordings_by_hand"


def demands(tx: Tx, now: int) -> dict[str, StartRecording]:
    """By channel, those that are not over."""
    kept: Mapping[str, list[Any]] = get(tx, _NAME, {})
    found = {channel: StartRecording(channel, *values) for channel, values in kept.items()}
    return {channel: one for channel, one in found.items() if not one.until or one.until > now}


def keep_demand(tx: Tx, demand: StartRecording, now: int) -> None:
    """It counts from now on; slots are told."""
    _put(tx, {**demands(tx, now), demand.channel: demand})


def forget_demand(tx: Tx, channel: str, now: int) -> None:
    """It is over; slots are told."""
    found = demands(tx, now)
    if found.pop(channel, None) is not None:
        _put(tx, found)


def _put(tx: Tx, found: Mapping[str, StartRecording]) -> None:
    there = find_many(tx, sorted(found))
    kept = {name: [one.until, one.pre_roll_seconds, one.reason] for name, one in found.items() if name in there}
    put(tx, _NAME, kept)
    touch_desired(tx)
