"""What the platform stands on, and what it is shown with."""

from __future__ import annotations

from dataclasses import dataclass

from safecity.server.sections.checks import within


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineSettings:
    """[engines] What stores the platform's own data, by URL; relative paths lie in the data folder.

    database   what is shared and asked by many: `sqlite:FILE`, or `postgresql+psycopg://USER@HOST/NAME` (extra
               `safecity[postgres]`; the password is better kept in `~/.pgpass` than here)
    bus        events on their way: `sqlite:FILE`
    history    events by day: `file:FOLDER`
    blobs      pictures of alarms and results of exports: `file:FOLDER`
    """

    database: str = "sqlite:control/control.db"
    bus: str = "sqlite:control/bus.db"
    history: str = "file:control/history"
    blobs: str = "file:control/blobs"


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoSettings:
    """[demo] The simulated city.

    enabled   start it together with the platform (removed by one click in the browser)
    pictures_per_second   each camera shows at most so many: painting eight streets takes a third of a core, and where
                          that is dear fewer do
    """

    enabled: bool = False
    pictures_per_second: int = 15

    def __post_init__(self) -> None:
        within("demo.pictures_per_second", self.pictures_per_second, 1, 15)
