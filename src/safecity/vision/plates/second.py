"""A second reader, for plates that ours is not sure of: the general text reader PP-OCR, where its package is installed.

It was taught by others, on millions of real pictures of writing of every kind, and makes other mistakes than ours: what
both say is nearly always right. Only its file is used, out of the package `rapidocr` (Apache-2.0, weights by the
PaddleOCR project); none of that package's code is run. The file itself names the characters that its outputs stand for.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.kit.errors import InvalidError
from safecity.ports.inference import Inference, Network
from safecity.vision.arrays import array, tensor
from safecity.vision.plates.alphabet import PROVINCES, SIGN_INDEX, SIGNS, SPECIAL, PlateKind
from safecity.vision.plates.straighten import BOTTOM_START, TOP_END, Corners, Picture, grown, part_of, rectangle

PACKAGE = "rapidocr"
FILES = tuple(
    Path("models", name)
    for name in ("ch_PP-OCRv4_rec_mobile.onnx", "ch_PP-OCRv4_rec_infer.onnx", "PP-OCRv6_rec_small.onnx")
)
"""PP-OCRv4 tells provinces apart better; the same file was named anew in 3.8.4 of the package, and releases from 3.9 on
carry PP-OCRv6 in its place."""
HEIGHT = 48
WIDTH, TOP_WIDTH, BOTTOM_WIDTH = 160, 120, 192
"""Of a plate of one line, and of the two lines of one of two, in pixels that the network sees."""
MARGINS, MARGINS_US = (0.03, 0.08), (0.0, -0.15)
"""Shares of the plate that are shown beyond it, along it and across it: this reader was taught on lines with some room
around them. Above and below an American number stand the state's name and a slogan, which it would read, too."""
OPINIONS_A_SECOND, SAVED_SECONDS = 2, 5
"""Looks at a film's plates that the second reader is asked about, at most, and for how long they are saved up: each
takes some 15 ms of a core."""
_NEVER = 1e-7
_SHARPEST = 2.0  # times that a plate may be shrunk without being smoothed before
_WRITTEN_ON_PLATES = np.array([SIGN_INDEX[sign] for sign in PROVINCES + SPECIAL])


class SecondReader:
    """Says for each column of a plate, from left to right, which sign it shows, or that it shows none."""

    def __init__(self, network: Network) -> None:
        """InvalidError `model_characters` for a network that is no reader of Chinese and Latin text."""
        self._network = network
        self.info = network.info
        if len(self.info.inputs) != 1 or len(self.info.outputs) != 1:
            raise InvalidError(f"{self.info.name}: not one input and one output", code="model_characters")
        self._groups, self._starts = _grouped(self.info.name, self.info.notes.get("character", ""))

    def look(
        self, picture: Picture, corners: Corners, two_lines: bool, margins: tuple[float, float] = MARGINS
    ) -> list[NDArray[np.float32]]:
        """For each line, columns x (none, then every sign of `SIGNS`): log-probabilities."""
        around = grown(corners, *margins)
        if not two_lines:
            return [self._read(_cut(picture, around, WIDTH))]
        lines = ((0.0, TOP_END, TOP_WIDTH), (BOTTOM_START, 1.0, BOTTOM_WIDTH))
        return [self._read(_cut(picture, part_of(around, top, end), width)) for top, end, width in lines]

    def _read(self, line: Picture) -> NDArray[np.float32]:
        given = line.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(127.5) - np.float32(1)
        answer = self._network.run({self.info.inputs[0].name: tensor(given)})
        chances = array(answer[self.info.outputs[0].name])
        if chances.ndim != 3 or chances.shape[2] != len(self._groups):
            raise InvalidError(f"{self.info.name}: {chances.shape} is not what it names", code="model_characters")
        grouped = np.add.reduceat(chances[0][:, self._groups], self._starts, axis=1)
        signs, han, rest = grouped[:, : len(SIGNS) + 1].copy(), grouped[:, -2], grouped[:, -1]
        # It may take a province for any character: that something of the kind stands there is not lost.
        signs[:, _WRITTEN_ON_PLATES] += han[:, None] / len(_WRITTEN_ON_PLATES)
        signs[:, 1:] += rest[:, None] / len(SIGNS)
        return np.log(np.maximum(signs / signs.sum(1, keepdims=True), _NEVER)).astype(np.float32)


def margins_of(kind: PlateKind | None) -> tuple[float, float]:
    """What of a plate of this kind to show the second reader."""
    return MARGINS_US if kind is not None and kind.country == "us" else MARGINS


class Allowance:
    """How often a film may ask: `OPINIONS_A_SECOND`, saved up for `SAVED_SECONDS`."""

    def __init__(self) -> None:
        self._left = float(OPINIONS_A_SECOND * SAVED_SECONDS)

    @property
    def left(self) -> int:
        """Opinions that may be asked now."""
        return int(self._left)

    def pass_by(self, seconds: float) -> None:
        """So much time went by."""
        most = float(OPINIONS_A_SECOND * SAVED_SECONDS)
        self._left = min(self._left + max(seconds, 0.0) * OPINIONS_A_SECOND, most)

    def spend(self, opinions: int) -> None:
        """So many were asked."""
        self._left -= opinions


def _grouped(name: str, characters: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The network's outputs in order of what they mean to us (none, each sign, other Chinese characters, the rest),
    and where each group begins."""
    # As PP-OCR has it: the first output is none, the last a space.
    outputs = ["", *characters.split("\n"), " "]
    han, rest = len(SIGNS) + 1, len(SIGNS) + 2
    meant = np.array([_meaning(one, han, rest) for one in outputs])
    order = np.argsort(meant, kind="stable")
    found, starts = np.unique(meant[order], return_index=True)
    if len(found) != rest + 1:
        raise InvalidError(f"{name} does not name the signs of plates", code="model_characters")
    return order, starts


def _meaning(character: str, han: int, rest: int) -> int:
    sign = SIGN_INDEX.get(character.upper())
    if sign is not None:
        return sign
    if not character.isalnum():  # the dot and the dash between the signs
        return 0
    return han if "\u4e00" <= character <= "\u9fff" else rest


def _cut(picture: Picture, corners: Corners, width: int) -> Picture:
    """The part with these corners, straight, HEIGHT x `width`."""
    side = float(np.hypot(*(corners[3] - corners[0])))
    shrink = side / HEIGHT
    if shrink > _SHARPEST:
        left, top = np.maximum(np.floor(corners.min(0)).astype(int) - 4, 0)
        right, bottom = np.maximum(np.ceil(corners.max(0)).astype(int) + 4, 1)
        part = picture[top:bottom, left:right]
        if part.size:
            size = (max(round(part.shape[1] / shrink), 1), max(round(part.shape[0] / shrink), 1))
            small = cv2.resize(part, size, interpolation=cv2.INTER_AREA)
            scale = np.array([size[0] / part.shape[1], size[1] / part.shape[0]])
            picture, corners = small.astype(np.uint8, copy=False), ((corners - (left, top)) * scale).astype(np.float32)
    move = cv2.getPerspectiveTransform(corners.astype(np.float32), rectangle(0, 0, width, HEIGHT))
    straight = cv2.warpPerspective(
        picture, move, (width, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return straight.astype(np.uint8, copy=False)


def installed() -> Path | None:
    """Where the package keeps the file; None where it is not installed. Nothing of it is imported."""
    spec = find_spec(PACKAGE)
    folders = (spec.submodule_search_locations or ()) if spec is not None else ()
    return next((found for file in FILES for folder in folders if (found := Path(folder) / file).is_file()), None)


def open_second(inference: Inference, file: Path) -> SecondReader:
    """See `Inference.load` for what is wrong with a file, `SecondReader` for what is wrong with a network."""
    return SecondReader(inference.load(file))
