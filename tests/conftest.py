"""Fixtures that start a whole platform: the real processes, on free ports, in a folder of its own."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from benchmarks.whole import Platform
from hypothesis import HealthCheck, settings
from tests.wheel import Installed, install_wheel

# How long an example takes says how busy the machine is, nothing of what is tested.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


def pytest_collection_finish() -> None:
    """What was loaded stays, and is not looked over for rubbish beside five thousand tests; the rest is, less often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(scope="module", autouse=True)
def nothing_left_open() -> Iterator[None]:
    """A file that leaves something open is told so itself, not whichever test runs when the memory is next tidied."""
    yield
    gc.collect()
    gc.freeze()  # what is left stays: so that it is not looked at again after each of three hundred files


@pytest.fixture
def platform_factory(tmp_path: Path) -> Iterator[Callable[..., Platform]]:
    """Start as many platforms as a test needs; all are stopped at its end."""
    started: list[Platform] = []

    def start(*arguments: str, data: Path | None = None) -> Platform:
        platform = Platform(data or tmp_path / f"data{len(started)}", *arguments)
        started.append(platform)
        return platform.start()

    yield start
    for platform in started:
        platform.stop()


@pytest.fixture(scope="module")
def demo_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """One platform with the demo city for all tests of a file that only look at it.

    Not for longer: it paints eight streets, and whatever runs beside it pays for that.
    """
    platform = Platform(tmp_path_factory.mktemp("demo-city"), "--demo")
    try:
        platform.start().setup()
        yield platform
    finally:
        platform.stop()


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of this checkout in an environment that holds nothing else but what it asks for."""
    return install_wheel(tmp_path_factory.mktemp("wheel"))
