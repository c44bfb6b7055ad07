"""The duty `traffic`: answers control, follows vehicles, and says how it stands. What computes is loaded with the
first network; without one, or without the extra, it costs next to nothing and says so."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError, UnavailableError
from safecity.model.facts.media_calls import Done, Message
from safecity.model.facts.traffic_calls import (
    ApplyCounts,
    ApplyTolls,
    ApplyTraffic,
    AskConditions,
    AskIncidents,
    AskJams,
    AskNetwork,
    AskRoutes,
    AskTraffic,
    FindRoads,
    FindTolled,
    IncidentsFound,
    JamsFound,
    JudgeIncident,
    RoadIncident,
    TrafficFigures,
)
from safecity.ports.bus import Bus
from safecity.ports.calls import Handler
from safecity.ports.database import Database

if TYPE_CHECKING:
    from safecity.core.upper.traffic.city import City
    from safecity.core.upper.traffic.following import Following
    from safecity.core.upper.traffic.incidents import Incident

logger = logging.getLogger(__name__)
LOOK_SECONDS: Final = 2.0
REFRESH_SECONDS: Final = 2.0
HOUSE_SECONDS: Final = 300.0
MAX_LIMIT: Final = 3_000
"""Edges in one answer."""
T = TypeVar("T")


class TrafficSlot:
    """`folder`: networks by version; `open_database`: the file of the duty's own, with no tables but ours.

    Everything about the city is done by one thread, so that a search never meets times that are being written.
    """

    def __init__(
        self, folder: Path, open_database: Callable[[], Database], bus: Bus, clock: Clock, *, bucket_minutes: int = 1,
        changed: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        """`changed` is called when another network was put in force: the process is to begin anew with it."""
        self._folder = folder
        self._open_database = open_database
        self._bus = bus
        self._clock = clock
        self._bucket_us = bucket_minutes * 60_000_000
        self._changed = changed
        self._thread = ThreadPoolExecutor(1, "city")
        self._city: City | None = None
        self._following: Following | None = None
        self._state, self._detail = "loading", ""
        self._told = ApplyTraffic(0, ())
        self._stamp = 0

    def handlers(self) -> Mapping[type[Message], Handler]:
        """One for each request of `model.facts.traffic_calls`."""
        return {
            ApplyTraffic: self.apply,
            ApplyCounts: self._count,
            ApplyTolls: self._charge,
            AskTraffic: self.figures,
            AskNetwork: self._network,
            AskRoutes: self._routes,
            AskConditions: self._conditions,
            AskJams: self._jams,
            AskIncidents: self._incidents,
            JudgeIncident: self._judge,
            FindRoads: self._roads,
            FindTolled: self._tolled,
        }

    async def apply(self, message: ApplyTraffic) -> Message:
        """In force when it is answered."""
        self._told = message
        if self._city is not None:
            await self._work(self._close)
        return Done()

    async def _count(self, message: ApplyCounts) -> Message:
        city = self._ready()
        await self._work(lambda: city.counted.take(message.counts, anew=message.anew))
        return Done()

    async def _charge(self, message: ApplyTolls) -> Message:
        city = self._ready()
        await self._work(lambda: city.charge(message))
        return Done()

    async def _tolled(self, message: FindTolled) -> Message:
        city = self._ready()
        return await self._work(lambda: city.tolled(message))

    async def figures(self, _: AskTraffic) -> Message:
        """How it stands."""
        city, following = self._city, self._following
        return TrafficFigures(
            state=self._state, version=city.described.version if city else "", revision=self._told.revision,
            positions=following.positions if following else 0, unplaced=city.unplaced if city else (),
            detail=self._detail, unplaced_tolls=city.tolls.unplaced if city and city.tolls else (),
        )  # fmt: skip

    async def run(self) -> None:
        """Until cancelled: wait for a network, then follow the vehicles on it."""
        try:
            name = await self._wait_for_network()
            if name:
                await self._follow(name)
            await asyncio.Event().wait()
        finally:
            self._thread.shutdown(wait=False, cancel_futures=True)

    async def _wait_for_network(self) -> str:
        """The version in force, once there is one that can be read; empty: it cannot be read here."""
        while True:
            name, stamp = self._named()
            if not name:
                self._state = "no_network"
                await asyncio.sleep(LOOK_SECONDS)
                continue
            self._state = "loading"
            try:
                self._city = await self._run(partial(_load, self._folder, name, self._bucket_us))
            except ImportError as error:
                logger.warning("roads need the extra safecity[roads] why=%s", error)
                self._state, self._detail = "not_installed", ""
                return ""
            except (SafecityError, OSError) as error:
                logger.error("network cannot be read version=%s why=%s", name, error)
                self._state, self._detail = "network_damaged", str(error)[:300]
                await self._until_another(stamp)
                continue
            self._stamp = stamp
            return name

    async def _follow(self, name: str) -> None:
        from safecity.core.upper.traffic.following import Following

        assert self._city is not None
        database = await self._opened()
        try:
            self._following = following = Following(
                database, self._bus, self._clock, self._city, self._work, bucket_us=self._bucket_us
            )
            await following.start()
            await self._work(self._close)
            self._state, self._detail = "ready", ""
            logger.info("traffic ready network=%s edges=%s", name, self._city.network.edges)
            async with asyncio.TaskGroup() as group:
                group.create_task(following.run())
                group.create_task(self._keep_fresh(following))
                group.create_task(self._watch())
        finally:
            await database.close()

    async def _opened(self) -> Database:
        """The file of its own, once the disk gives it."""
        while True:
            try:
                return await asyncio.to_thread(self._open_database)
            except (SafecityError, OSError) as error:
                if self._state != "no_storage":
                    logger.error("traffic cannot open its data, it tries again why=%s", error)
                self._state, self._detail = "no_storage", str(error)[:300]
            await asyncio.sleep(LOOK_SECONDS)

    async def _keep_fresh(self, following: Following) -> None:
        house = 0.0
        while True:
            try:
                await self._work(self._close)  # some begin and end by the clock
                await following.refresh()
                if self._clock.monotonic() - house >= HOUSE_SECONDS:
                    house = self._clock.monotonic()
                    await following.keep_house()
            except SafecityError as error:
                logger.warning("traffic waits code=%s why=%s", error.code, error)
            await asyncio.sleep(REFRESH_SECONDS)

    async def _watch(self) -> None:
        await self._until_another(self._stamp)
        logger.info("another network is in force, the duty begins anew")
        self._changed()

    async def _until_another(self, stamp: int) -> None:
        while self._named()[1] == stamp:  # noqa: ASYNC110 - a file of another process
            await asyncio.sleep(LOOK_SECONDS)

    def _named(self) -> tuple[str, int]:
        """The version in force, and when it was put there (0: there is none). Without loading what reads networks: it
        may not be installed."""
        current = self._folder / "current"
        try:
            name, stamp = current.read_text("ascii").strip(), current.stat().st_mtime_ns
        except (OSError, UnicodeDecodeError):
            return "", 0
        return (name, stamp) if name.isalnum() else ("", 0)

    async def _network(self, _: AskNetwork) -> Message:
        return self._ready().describe()

    async def _routes(self, message: AskRoutes) -> Message:
        city = self._ready()
        if not self._told.revision:
            raise UnavailableError("closures are not known yet", code="traffic_loading")
        return await self._work(lambda: city.routes(message))

    async def _conditions(self, message: AskConditions) -> Message:
        from msgspec.structs import replace

        city = self._ready()
        wish = replace(message, limit=max(1, min(message.limit, MAX_LIMIT)))
        return await self._work(lambda: city.conditions(wish))

    async def _jams(self, message: AskJams) -> Message:
        city, following = self._ready(), self._following
        known = following.jams if following is not None else []
        return JamsFound(await self._work(lambda: city.jams(known, message.least)))

    async def _incidents(self, message: AskIncidents) -> Message:
        following = self._following_now()
        told = [
            one for one in following.incidents
            if (message.dismissed or one.state != "dismissed")
            and (one.vehicles >= message.least or one.state == "confirmed")
        ]  # fmt: skip
        return IncidentsFound(tuple(_told(one) for one in sorted(told, key=lambda one: one.id, reverse=True)))

    async def _judge(self, message: JudgeIncident) -> Message:
        one = await self._following_now().decide(message.incident, message.verdict, message.by)
        return IncidentsFound((_told(one),))

    def _following_now(self) -> Following:
        self._ready()
        assert self._following is not None
        return self._following

    async def _roads(self, message: FindRoads) -> Message:
        city = self._ready()
        return await self._work(lambda: city.roads(message.line, both_ways=message.both_ways))

    def _ready(self) -> City:
        if self._city is None or self._state != "ready":
            raise UnavailableError(f"traffic: {self._state}", code=f"traffic_{self._state}")
        return self._city

    def _close(self) -> None:
        city, told, now = self._city, self._told, self._clock.now_us()
        assert city is not None
        city.set_zone(told.zone, now)
        city.set_days(told.days)
        city.close(told.closures, now)

    async def _work(self, work: Callable[[], T]) -> T:
        return await self._run(work)

    async def _run(self, work: Callable[..., Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _load(folder: Path, name: str, bucket_us: int) -> City:
    """Mapped and made ready, every kernel compiled: the first question must not wait for the compiler."""
    from safecity.core.upper.traffic.city import City
    from safecity.roads.network.versions import described, read_version

    city = City(read_version(folder, name), described(folder, name), bucket_us=bucket_us)
    city.warm()
    return city


def _told(one: Incident) -> RoadIncident:
    return RoadIncident(
        one.id, str(one.kind), str(one.state), (one.longitude, one.latitude), one.vehicles, one.began_at,
        one.changed_at, one.decided_by, one.why,
    )  # fmt: skip
