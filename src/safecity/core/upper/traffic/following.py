"""Following the vehicles: the flow that sums what they drive, the speeds of now, and jams that begin and end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

import numpy as np

from safecity.core.upper.flows.api import Flow, FlowRunner
from safecity.core.upper.traffic import incidents, jams, sums, usual
from safecity.core.upper.traffic.blocking import blocks
from safecity.core.upper.traffic.city import HEADROOM, City
from safecity.core.upper.traffic.incidents import Incident, Stop
from safecity.core.upper.traffic.jams import KnownJam
from safecity.core.upper.traffic.judging import believable, clusters, judged
from safecity.core.upper.traffic.live import WINDOW_US, Now
from safecity.core.upper.traffic.operator import TrafficOperator, read_position, too_late
from safecity.core.upper.traffic.standing import Standing
from safecity.core.upper.traffic.sums import Sum
from safecity.kit.clock import SECOND_US, Clock
from safecity.ports.bus import Bus
from safecity.ports.database import Database, Tx

FLOW: Final = "traffic"
LATENESS_US: Final = 600 * SECOND_US
"""A terminal whose clock is so far behind the others still counts; the end of a trip is decided that much later."""
TICK_US: Final = 15 * SECOND_US
IDLE_US: Final = 30 * SECOND_US
KEPT_US: Final = 2 * 3_600 * SECOND_US
"""Sums by minute stay for so long; then they are part of the usual day."""
LEARN_SECONDS: Final = 6 * 3_600.0
JAMS_KEPT_US: Final = 30 * 86_400 * SECOND_US

Work = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Lets the city's own thread do something."""


class Following:
    """On one network. `city`: what is known there; `jams`, `incidents`: those that last."""

    def __init__(
        self, database: Database, bus: Bus, clock: Clock, city: City, work: Work, *, bucket_us: int = 60 * SECOND_US,
        events: int = 1_000,
    ) -> None:  # fmt: skip
        """`events`: of one turn at most."""
        self._database = database
        self._bus = bus
        self._clock = clock
        self.city = city
        self._work = work
        self._bucket_us = bucket_us
        self._events = events
        self._fresh: list[Sum] = []
        self._operator: TrafficOperator | None = None
        self._runner: FlowRunner | None = None
        self._learnt = 0.0
        self._deciding = asyncio.Lock()
        """Nobody decides about an incident while it is looked at."""
        self.incidents: list[Incident] = []
        self.jams: list[KnownJam] = []

    @property
    def positions(self) -> int:
        """Taken since it was made."""
        return self._operator.positions if self._operator is not None else 0

    async def start(self) -> None:
        """Go on from what is stored."""
        name, now = self.city.described.version, self._clock.now_us()

        def work(tx: Tx) -> tuple[bytes, list[Sum], list[KnownJam]]:
            sums.make_tables(tx)
            if sums.begin_on(tx, name):
                jams.end_all(tx, now)
                usual.forget(tx)
            return sums.salt_of(tx), sums.since(tx, now - WINDOW_US), jams.lasting(tx)

        salt, self._fresh, self.jams = await self._database.write(work)
        self._operator = TrafficOperator(self.city.network, name, salt, bucket_us=self._bucket_us)
        flow = Flow(
            name=FLOW, kinds=("position.received",), read=read_position, operator=self._operator, keep=self._keep,
            late=too_late, lateness_us=LATENESS_US, tick_us=TICK_US, idle_us=IDLE_US,
        )  # fmt: skip
        self._runner = FlowRunner(self._database, self._bus, flow, self._clock, events=self._events)
        known = frozenset(edge for one in self.jams for edge in one.edges)
        await self._work(lambda: self.city.live.begin(known))
        await self.learn()

    async def run(self) -> None:
        """Until cancelled."""
        assert self._runner is not None
        await self._runner.run()

    async def step(self) -> bool:
        """One turn of the flow; whether there was anything to do."""
        assert self._runner is not None
        return await self._runner.step()

    async def refresh(self) -> None:
        """The speeds of now, and jams told as they begin and end."""
        fresh, self._fresh = self._fresh, []
        at, known, city = self._clock.now_us(), list(self.jams), self.city

        def work() -> tuple[Now, list[KnownJam]]:
            city.live.take(fresh)
            city.live.observe(city.counted.observed(at))
            now = city.live.refresh(at)
            return now, jams.found(city.network, now)

        _, found = await self._work(work)
        lasting, ended = jams.followed(known, found, at)
        if ended or lasting != known:
            await self._database.write(lambda tx: jams.keep(tx, lasting, ended, at))
            self.jams = lasting
        await self._look(at)
        await self._tell()

    async def _look(self, at: int) -> None:
        """Incidents that begin, change and end."""
        async with self._deciding:
            stood, known, stops = await self._database.read(
                lambda tx: (incidents.standing_now(tx), incidents.lasting(tx), incidents.known_stops(tx))
            )
            changed: list[Incident] = []
            if stood or known:
                changed = await self._work(lambda: _changed(self.city, known, stood, stops, at))
            if changed:
                await self._database.write(lambda tx: incidents.keep(tx, changed, at))
            new = {one.id: one for one in (*known, *changed)}
            self.incidents = [one for one in new.values() if one.state is not incidents.State.ENDED]

    async def decide(self, incident: str, verdict: str, by: str) -> Incident:
        """What a person says of it; see `incidents.decide`."""
        async with self._deciding:
            at = self._clock.now_us()
            one = await self._database.write(lambda tx: incidents.decide(tx, incident, verdict, by, at))
            self.incidents = await self._database.read(incidents.lasting)
        await self._tell()
        return one

    async def keep_house(self) -> None:
        """Old sums become part of the usual day; forget what is no longer needed."""
        now, zone, days = self._clock.now_us(), self.city.zone, self.city.days

        await self._database.write(lambda tx: jams.forget(tx, now - JAMS_KEPT_US))
        await self._database.write(lambda tx: incidents.forget(tx, now, now - JAMS_KEPT_US))
        while await self._database.write(lambda tx: usual.fold(tx, now - KEPT_US, zone, days)):
            pass
        if self._clock.monotonic() - self._learnt >= LEARN_SECONDS:
            await self.learn()

    async def learn(self) -> None:
        """What is usual counts from now on."""
        self._learnt = self._clock.monotonic()
        known, network = await self._database.read(usual.known), self.city.network
        await self._work(lambda: self.city.learn(usual.factors(network, known, HEADROOM)))

    async def _tell(self) -> None:
        """What the bus has heard is forgotten after it: it drops by their ids those it hears again."""
        while events := await self._database.read(jams.waiting):
            await self._bus.publish(events)
            await self._database.write(lambda tx, events=events: jams.told(tx, events))

    def _keep(self, tx: Tx, outputs: Sequence[tuple[str, Any]]) -> None:
        new = sums.add(tx, sums.driven_of(outputs))
        incidents.stand(tx, [output for _, output in outputs if isinstance(output, Standing)])
        tx.after_commit(lambda: self._fresh.extend(new))


def _changed(
    city: City, known: Sequence[Incident], stood: Sequence[Standing], stops: Sequence[Stop], at: int
) -> list[Incident]:
    every = clusters(city.network, believable(stood, at))
    usual_speeds = city.usual_speeds(at) if every else np.zeros(0)
    blocked = partial(blocks, city.network, city.live, usual_speeds)
    kind_of = partial(judged, city.network, city.live.now, usual_speeds, every, blocked)
    return incidents.followed(known, every, stood, kind_of, stops, at)
