"""Streams of the simulated street as the media plane hands them on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from safecity.kit.clock import SECOND_US
from safecity.model.values.media import VIDEO, Codec, Unit
from safecity.protocols.pictures import pictures_for
from safecity.sim.encode import VideoEncoder, VideoSpec
from safecity.sim.scene.street import Street

START_US = 1_790_000_000 * SECOND_US


def street_units(spec: VideoSpec, seconds: float, *, seed: int = 1, frozen: bool = False) -> list[Unit]:
    """Access units of a street by day; `frozen`: the same picture again and again."""
    street = Street(seed=seed, channel=1, title="Street", light=1.0)
    encoder, pictures = VideoEncoder(spec), pictures_for(spec.codec)
    found: list[Unit] = []
    for number in range(round(seconds * spec.fps)):
        at = START_US + number * SECOND_US // spec.fps
        coded = encoder.encode(street.render(START_US if frozen else at, spec.width, spec.height), at)
        assert coded is not None
        picture = pictures.convert(coded.data, 0, len(coded.data))
        assert picture is not None
        assert pictures.parameters is not None
        pts = at * 9 // 100
        found.append(Unit(VIDEO, picture[0], pts, pts, picture[1], False, at, pictures.parameters))
    return found


@pytest.fixture(scope="session")
def units() -> Callable[..., list[Unit]]:
    """Rendered once for each wish."""
    kept: dict[tuple[object, ...], list[Unit]] = {}

    def of(codec: Codec = Codec.H264, seconds: float = 4.0, *, frozen: bool = False) -> list[Unit]:
        wish = (codec, seconds, frozen)
        if wish not in kept:
            spec = VideoSpec(codec=codec, width=320, height=180, fps=10, kbps=600, gop_seconds=1.0)
            kept[wish] = street_units(spec, seconds, frozen=frozen)
        return kept[wish]

    return of
