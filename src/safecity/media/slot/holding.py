"""Holds of a slot: in force on its volumes, and remembered for volumes that are away when one is placed or released."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from safecity.kit.clock import Clock
from safecity.media.record.janitor import Hold
from safecity.media.record.place import channel_bytes
from safecity.media.record.recorder import Recorder
from safecity.media.slot.state import SlotFile
from safecity.model.facts.media_calls import PlaceHold


class Holding:
    """Used from the event loop."""

    def __init__(self, state: SlotFile, recorder: Recorder, clock: Clock) -> None:
        self._state = state
        self._recorder = recorder
        self._clock = clock

    def remember(self) -> None:
        """Give the recorder what earlier lives were told; before it starts."""
        self._recorder.use_holds({name: known and _hold(*known) for name, known in self._state.holds().items()})

    async def place(self, hold: PlaceHold) -> None:
        """In force and durable on return. UnavailableError (`no_volume`) when no volume could keep it."""
        placed = self._recorder.place_hold(hold.hold, hold.channel, hold.start, hold.end, hold.reason)
        await asyncio.wrap_future(placed)
        self._state.keep_holds({hold.hold: hold}, self._clock.now_us())

    async def release(self, name: str) -> None:
        """Also when it is gone already."""
        await asyncio.wrap_future(self._recorder.release_hold(name))
        self._state.keep_holds({name: None}, self._clock.now_us())

    def hear(self, holds: Sequence[PlaceHold], released: Sequence[str]) -> None:
        """What control says is in force, and what is not any more: decided there, so here it is only remembered and
        carried out. What this slot knows already costs nothing."""
        known = self._state.holds()
        now = self._clock.now_us()
        news: dict[str, PlaceHold | None] = {name: None for name in released if name not in known or known[name]}
        for hold in holds:
            mine = known.get(hold.hold)
            if hold.hold not in known or (mine is not None and mine[0] != hold):
                news[hold.hold] = hold
        if news:
            self._state.keep_holds(news, now)
            self._recorder.use_holds({name: one and _hold(one, now) for name, one in news.items()})


def _hold(asked: PlaceHold, placed: int) -> Hold:
    return Hold(channel_bytes(asked.channel), asked.start, asked.end, asked.reason, placed)
