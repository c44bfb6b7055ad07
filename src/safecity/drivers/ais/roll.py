"""A ship that is in the list: what control wants of it, and what is known of it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from safecity.drivers.rows import RowStore
from safecity.kit.clock import SECOND_US
from safecity.model.facts.signal_calls import AisShip, DeviceFigure
from safecity.ports.outbox import Outbox
from safecity.ports.sqlfile import SqlFile
from safecity.protocols.ais.checks import can_reach

TWO_PLACES: Final = "ais_two_places"
PLACE_SECONDS: Final = 600.0
"""A place that nothing was heard from for so long no longer speaks against another: at anchor it is told each three
minutes."""
REFUSAL_SECONDS: Final = 3600.0
MINUTE_US: Final = 60 * SECOND_US


class ShipRow(Struct, frozen=True, array_like=True):
    """What of a ship outlives the process. Fields are only ever added at the end."""

    mmsi: str
    device: str = ""
    state: str = "never"
    since: int = 0
    address: str = ""
    transport: str = ""
    version: str = ""
    name: str = ""
    call_sign: str = ""
    imo: str = ""


class ShipStore(RowStore[ShipRow]):
    """By MMSI."""

    def __init__(self, file: SqlFile, outbox: Outbox) -> None:
        super().__init__(file, outbox, table="ship", key="mmsi", kind=ShipRow)


@dataclass(slots=True, eq=False)
class Ship:
    """`place` is the last one that was believed, (longitude, latitude), of `at_us`, heard at `placed_at`; `silent_at`:
    when it is offline if nothing comes before."""

    config: AisShip
    row: ShipRow
    place: tuple[float, float] | None = None
    at_us: int = 0
    placed_at: float = 0.0
    heard_at: float = 0.0
    heard_us: int = 0
    silent_at: float = 0.0
    refused_at: float | None = None

    @property
    def device(self) -> str:
        return self.config.device

    @property
    def number(self) -> str:
        return self.row.mmsi

    @property
    def is_online(self) -> bool:
        return self.row.state == "online"

    def leave(self, at_us: int) -> None:
        """Its row says offline since then."""
        self.row = replace(self.row, state="offline", since=at_us)

    def known(self, place: tuple[float, float], at_us: int) -> bool:
        """Whether nothing is new in it: another receiver heard the same, or it comes behind a later one. Only seconds
        are told, so that it is never behind by more than a minute: else our own clock was set back."""
        behind = self.at_us - at_us
        return self.place is not None and (0 < behind <= MINUTE_US or (behind == 0 and place == self.place))

    def goes_to(self, place: tuple[float, float], at_us: int, now: float) -> bool:
        """False where nothing that floats could have come from its last place: two use one number, or one lies. Who
        was believed first stays it, until nothing is heard of that for ten minutes."""
        if (
            self.place is not None
            and now - self.placed_at < PLACE_SECONDS
            and not can_reach(self.place, place, (at_us - self.at_us) / SECOND_US)
        ):
            self.refused_at = now
            return False
        self.place, self.at_us, self.placed_at = place, at_us, now
        return True

    def facts(self) -> dict[str, str]:
        """What is told when it comes."""
        row = self.row
        return {"address": row.address, "transport": row.transport, "user_agent": "", "version": row.version}

    def figure(self, now: float) -> DeviceFigure:
        """For lists."""
        row = self.row
        doubted = self.refused_at is not None and now - self.refused_at < REFUSAL_SECONDS
        return DeviceFigure(
            device=self.config.device, code=row.mmsi, state=row.state, since=row.since, address=row.address,
            transport=row.transport, version=row.version, last_keepalive=self.heard_us,
            code_of_refusal=TWO_PLACES if doubted else "",
        )  # fmt: skip
