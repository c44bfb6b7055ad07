"""How right the speeds are that are estimated from pictures alone: `python -m benchmarks.spot_speed`.

Rendered streets by day and by night, seen at 5 pictures a second, in time that runs at several paces, so that each of
the four lanes has vehicles of several speeds (the truth is known from how they are drawn). Where a plate is comes from
the platform's own networks; the rectangle on the road is drawn as people draw, a few pixels off and measured wrong by a
hundredth, anew for every street, and moments come late by some 15 ms as they do by a network. Plates hang at the height
that the drawing gives them (0.53 m cars, 0.60 m vans, 0.70 m buses).

`estimated` of the `vehicles` whose plate was read; `bias_kmh` mean of what is told less the truth, and `bias_share` of
the truth; `spread_kmh` its standard deviation; `error_kmh_p50`, `_p95`; `within_1`, `within_2`: how many lie within one
and two of the uncertainties that are stated with them (wanted 0.68 and 0.95 at least); `uncertainty_kmh_p50`;
`on_road_kmh_bias`: the bias if the plate were taken to lie on the road. One line of JSON.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.weathers import HEIGHT, WEATHERS, WIDTH, film, main
from safecity.backends.inference import OnnxInference
from safecity.kit.clock import SECOND_US
from safecity.sim.scene.street import FAR, LANES, NEAR
from safecity.sim.scene.world import GROUND, VANISH, VIEW
from safecity.vision.enforcement.calibration import Calibration
from safecity.vision.enforcement.speed import PLATE_HEIGHT_M, spot_speed
from safecity.vision.plates.film import PlateFilm
from safecity.vision.plates.recognise import open_recogniser
from safecity.vision.plates.voting import PlateSeen

METRES = 3.5 / 320
"""Of a unit across the road, where things have their own size: its lanes are 3.5 m wide."""
DEPTH_M = 16.0
"""Of a unit of depth; that makes it a picture 47 degrees wide."""
CAMERA_M = GROUND * METRES
PACES = (0.6, 1.0, 1.5)
DRAWN_OFF = 0.0015
LATE_US = 15_000


def rectangle(dice: Random) -> Calibration:
    """Two lanes wide, from the middle of the picture to its front, as somebody draws and measures it."""

    def seen(across: float, scale: float) -> tuple[float, float]:
        x, y = (VANISH[0] + across * scale) / VIEW[0], (VANISH[1] + GROUND * scale) / VIEW[1]
        return x + dice.gauss(0, DRAWN_OFF), y + dice.gauss(0, DRAWN_OFF) * WIDTH / HEIGHT

    near, far = 0.9, 0.4
    corners = (seen(-320, near), seen(320, near), seen(320, far), seen(-320, far))
    width, length = 640 * METRES * dice.gauss(1, 0.01), (1 / far - 1 / near) * DEPTH_M * dice.gauss(1, 0.01)
    return Calibration(corners=corners, width_m=width, length_m=length, camera_height_m=CAMERA_M * dice.gauss(1, 0.03))


def measure(weather: str, seeds: range, seconds: int) -> dict[str, Any]:
    light, rain = WEATHERS[weather]
    recogniser = open_recogniser(OnnxInference(1), countries=frozenset({"cn"}))
    told: list[tuple[float, float, float]] = []
    vehicles, plain = 0, list[float]()
    for seed in seeds:
        for pace in PACES:
            dice = Random(seed * 100 + round(pace * 10))
            drawn, reader = rectangle(dice), PlateFilm(recogniser, ways=True)
            lanes: dict[str, int] = {}
            seen = list[PlateSeen]()
            begun = None
            for at, picture, truth in film(seed, light, seconds, rain=rain, pace=pace):
                begun = at if begun is None else begun
                moment = (at - begun + abs(dice.gauss(0, LATE_US))) / SECOND_US
                lanes |= {one.plate: int(one.id.split("-")[0]) for one in truth.objects if one.plate}
                seen += reader.look(moment, picture)[1]
            for one in [*seen, *reader.end()]:
                if one.text not in lanes or one.doubtful:
                    continue
                vehicles += 1
                found = spot_speed(drawn, one.way, (WIDTH, HEIGHT))
                if found is not None:
                    true = (FAR - NEAR) * DEPTH_M / LANES[lanes[one.text]].seconds * pace * 3.6
                    told.append((found.kmh, found.uncertainty_kmh, true))
                    plain.append(found.kmh / (1 - PLATE_HEIGHT_M / drawn.camera_height_m) - true)
    return {"weather": weather, "vehicles": vehicles, **_figures(np.array(told).reshape(-1, 3), plain)}


def _figures(told: NDArray[np.float64], plain: list[float]) -> dict[str, Any]:
    if not len(told):
        return {"estimated": 0}
    kmh, sigma, true = told.T
    off = kmh - true
    by_speed: dict[str, list[float]] = defaultdict(list)
    for one, of in zip(off.tolist(), true.tolist(), strict=True):
        by_speed[f"{of // 20 * 20:.0f}-{of // 20 * 20 + 20:.0f}"].append(one)
    return {
        "estimated": len(told),
        "true_kmh": [round(float(true.min())), round(float(true.max()))],
        "bias_kmh": round(float(off.mean()), 2),
        "bias_share": round(float((off / true).mean()), 4),
        "spread_kmh": round(float(off.std()), 2),
        "error_kmh_p50": round(float(np.median(np.abs(off))), 2),
        "error_kmh_p95": round(float(np.percentile(np.abs(off), 95)), 2),
        "uncertainty_kmh_p50": round(float(np.median(sigma)), 2),
        "within_1": round(float((np.abs(off) <= sigma).mean()), 3),
        "within_2": round(float((np.abs(off) <= 2 * sigma).mean()), 3),
        "on_road_kmh_bias": round(float(np.mean(plain)), 2),
        "bias_kmh_by_speed": {name: round(float(np.mean(of)), 2) for name, of in sorted(by_speed.items())},
    }


if __name__ == "__main__":
    main(__doc__, measure)
