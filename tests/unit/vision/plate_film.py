"""Readings as a recogniser gives them, and a recogniser that reads what a test says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from safecity.ports.inference import NetworkInfo
from safecity.vision.plates.alphabet import KINDS, SIGN_INDEX, SIGNS, PlateKind
from safecity.vision.plates.grammar import fits
from safecity.vision.plates.recognise import PlateRead, SignRead


def read(text: str, sure: float | list[float] = 0.98, x: float = 100, y: float = 100) -> PlateRead:
    """A reading whose signs have these confidences, on a plate 80 pixels wide."""
    sures = sure if isinstance(sure, list) else [sure] * len(text)
    corners = np.array([[x, y], [x + 80, y], [x + 80, y + 25], [x, y + 25]], np.float32)
    signs = tuple(SignRead(sign, one, corners) for sign, one in zip(text, sures, strict=True))
    confidence = float(np.prod(sures)) if text else 0.0
    written = fits(text, "cn")
    doubtful = confidence < 0.4 or not written
    return PlateRead(
        text, confidence, PlateKind.CN_BLUE, corners, 0, 1, signs, (), 0.9, written=written, doubtful=doubtful
    )


def wide(one: PlateRead, pixels: float) -> PlateRead:
    """The same reading, on a plate so wide."""
    middle = one.corners.mean(0)
    scale = pixels / float(np.hypot(*(one.corners[1] - one.corners[0])))
    return replace(one, corners=((one.corners - middle) * scale + middle).astype(np.float32))


def columns_of(
    text: str, doubt: tuple[int, str, float] | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the reader says of a strip (signs by column, kinds) in which every sign stands five columns from the next;
    at the place of `doubt` another sign has such a share."""
    signs = np.full((40, len(SIGNS) + 1), 1e-4, np.float32)
    signs[:, 0] = 1
    for place, sign in enumerate(text):
        at = slice(2 + 5 * place, 4 + 5 * place)
        signs[at, 0], signs[at, SIGN_INDEX[sign]] = 1e-3, 0.98
        if doubt is not None and doubt[0] == place:
            signs[at, SIGN_INDEX[sign]], signs[at, SIGN_INDEX[doubt[1]]] = 1 - doubt[2], doubt[2]
    kinds = np.full(len(KINDS), -9, np.float32)
    kinds[KINDS.index(PlateKind.CN_BLUE)] = 0
    return np.log(signs / signs.sum(1, keepdims=True)).astype(np.float32), kinds


class Scripted:
    """Stands for a `PlateRecogniser`: `reads` says what stands in a picture."""

    def __init__(
        self, reads: Callable[[NDArray[np.uint8]], Sequence[PlateRead]], second: NetworkInfo | None = None
    ) -> None:
        self.frame = lambda picture, known=None: reads(picture)
        self.second = self.second_named = second
        self.read = lambda _, found: [read("")] * len(found)
        self.networks = (NetworkInfo("locator", "1" * 64, (), ()), NetworkInfo("reader", "2" * 64, (), ()))
