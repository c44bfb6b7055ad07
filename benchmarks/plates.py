"""How well and how fast plates are read: `python -m benchmarks.plates --data DIR [--no-peer] [--alone]`.

DIR holds `labels.csv` (file, plate, country, x, y, w, h, ...) and the pictures; it is never trained on. Prints one line
of JSON. A plate counts as `exact` when its whole text is right and reported, `wrong` when a text is reported that is
not right, `missed` otherwise (not found, or marked doubtful); the three add up to 1. `exact_alike` and `wrong_alike`
take O and 0, I and 1 as equal, which cannot be told apart on some plates but by who issued them. `exact_with_doubtful`
also counts doubtful readings that are right. Ours and the peer (PP-OCR of the package `rapidocr`, if it is installed)
see the same whole pictures in the same run, on as many cores; both are told the country, as an operator would;
`exact_any_country` is ours without that. Ours is both our readers, where the second one is installed (`second`), or the
first alone (`--alone`); `halves` are the pictures by the first hexadecimal digit of their names' SHA-256, even and odd.
CPU times are of the process, decoding apart: `cpu_ms_still_p50` for a picture
as it lies there, `cpu_ms_frame_1080p_p50` for the same pictures scaled into a frame of 1920 x 1080.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import re
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.all import cpu_name
from safecity.backends.inference import OnnxInference
from safecity.vision.plates.alphabet import COUNTRIES, DIGITS, LETTERS, PROVINCES, SPECIAL
from safecity.vision.plates.recognise import MODELS, PlateRead, PlateRecogniser, open_recogniser
from safecity.vision.plates.second import installed


@dataclass(frozen=True)
class Truth:
    """A plate that is in a picture."""

    plate: str
    country: str
    box: tuple[float, float, float, float]  # left, top, right, bottom


@dataclass
class Tally:
    """Outcomes so far."""

    outcomes: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    right_when_asked: int = 0
    alike: int = 0
    wrong_alike: int = 0
    signs: int = 0
    signs_right: int = 0
    milliseconds: list[float] = field(default_factory=list)
    mistakes: list[tuple[str, str, str]] = field(default_factory=list)

    def count(self, truth: Truth, text: str | None, reported: bool) -> None:
        """What was said of one plate."""
        right = text == truth.plate
        outcome = "missed" if not text or not reported else "exact" if right else "wrong"
        self.outcomes[truth.country].append(outcome)
        self.right_when_asked += right
        if outcome != "missed":
            same = alike(text or "") == alike(truth.plate)
            self.alike += same
            self.wrong_alike += not same
        self.signs += len(truth.plate)
        self.signs_right += len(truth.plate) - min(distance(truth.plate, text or ""), len(truth.plate))
        if not right or outcome != "exact":
            self.mistakes.append((truth.plate, text or "", outcome))

    def told(self) -> dict[str, Any]:
        """The figures."""
        every = [one for many in self.outcomes.values() for one in many]
        share = {what: round(every.count(what) / len(every), 4) for what in ("exact", "wrong", "missed")}
        return {
            **share,
            "exact_alike": round(self.alike / len(every), 4),
            "wrong_alike": round(self.wrong_alike / len(every), 4),
            "exact_with_doubtful": round(self.right_when_asked / len(every), 4),
            "exact_by_country": {
                country: round(many.count("exact") / len(many), 4) for country, many in sorted(self.outcomes.items())
            },
            "char_accuracy": round(self.signs_right / self.signs, 4),
            **({"cpu_ms_still_p50": round(float(np.median(self.milliseconds)), 1)} if self.milliseconds else {}),
        }


def alike(text: str) -> str:
    """With signs that many countries press from the same tool as one: O and 0, I and 1."""
    return text.replace("O", "0").replace("I", "1")


def distance(one: str, other: str) -> int:
    """Levenshtein's."""
    row = list(range(len(other) + 1))
    for i, sign in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, there in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (sign != there))
    return row[-1]


def load(data: Path, limit: int) -> dict[str, list[Truth]]:
    """The plates of each picture."""
    found: dict[str, list[Truth]] = defaultdict(list)
    with (data / "labels.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            x, y, w, h = (float(row[name]) for name in "xywh")
            found[row["file"]].append(Truth(row["plate"], row["country"], (x, y, x + w, y + h)))
    return dict(list(found.items())[:limit])


def inside(box: tuple[float, float, float, float], x: float, y: float) -> bool:
    """Whether a reading there is meant for the plate in `box`."""
    grow = 0.25 * (box[3] - box[1])
    return box[0] - grow <= x <= box[2] + grow and box[1] - grow <= y <= box[3] + grow


def ours(reads: list[PlateRead], truth: Truth) -> tuple[str | None, bool]:
    """What we say of that plate, and whether without doubt."""
    near = [one for one in reads if inside(truth.box, *one.corners.mean(0).tolist())]
    if not near:
        return None, False
    best = max(near, key=lambda one: (not one.doubtful, one.confidence))
    return best.text, not best.doubtful


class Peer:
    """PP-OCR on whole pictures; told the country, it is given the same chance of leaving out what is no plate."""

    def __init__(self, threads: int) -> None:
        from rapidocr import RapidOCR  # type: ignore[import-not-found]

        engine: Any = RapidOCR
        self._engine = engine(
            params={"Global.log_level": "critical", "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                    "EngineConfig.onnxruntime.inter_op_num_threads": threads}
        )  # fmt: skip

    def lines(self, picture: np.ndarray) -> list[tuple[np.ndarray, str]]:
        """Boxes (4 x 2) with their texts."""
        found = self._engine(picture)
        if found.boxes is None:
            return []
        return [(np.asarray(box), text) for box, text in zip(found.boxes, found.txts, strict=True)]

    @staticmethod
    def said(lines: list[tuple[np.ndarray, str]], truth: Truth) -> str | None:
        """What it says of the plate in that place."""
        near = [(box, text) for box, text in lines if inside(truth.box, *box.mean(0).tolist())]
        if not near:
            return None
        heights = [float(np.ptp(box[:, 1])) for box, _ in near]
        # A state's name and a slogan stand in smaller signs than the number.
        large = [one for one, high in zip(near, heights, strict=True) if high > 0.55 * max(heights)]
        large.sort(key=lambda one: (round(one[0][:, 1].mean() / (0.6 * max(heights))), one[0][:, 0].min()))
        signs = (PROVINCES + SPECIAL if truth.country == "cn" else "") + LETTERS + DIGITS
        text = "".join(sign for _, said in large for sign in said.upper() if sign in signs)
        if truth.country == "cn":
            plate = re.search(f"[{PROVINCES}][A-Z][A-Z0-9{SPECIAL}]{{5,6}}", text)
            return plate.group() if plate else text
        return text


def half(name: str) -> int:
    """In which half of the pictures it is."""
    return int(hashlib.sha256(name.encode()).hexdigest()[0], 16) % 2


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The answer, and the CPU milliseconds that the whole process took for it."""
    began = time.process_time()
    answer = work()
    return answer, (time.process_time() - began) * 1000


def as_frame(picture: np.ndarray) -> np.ndarray:
    """The picture as a camera of 1920 x 1080 would have it."""
    scale = min(1920 / picture.shape[1], 1080 / picture.shape[0])
    small = cv2.resize(picture, None, fx=scale, fy=scale)
    frame = np.zeros((1080, 1920, 3), np.uint8)
    frame[: small.shape[0], : small.shape[1]] = small[:1080, :1920]
    return frame


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and its pictures")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of locator.onnx and reader.onnx")
    parser.add_argument("--no-peer", action="store_true", help="ours alone")
    parser.add_argument("--alone", action="store_true", help="our first reader without the second")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, default=1_000_000, help="so many pictures only")
    parser.add_argument("--mistakes", action="store_true", help="list them on standard error")
    options = parser.parse_args()
    cv2.setNumThreads(options.threads)
    truths = load(options.data, options.limit)
    inference = OnnxInference(options.threads)
    second = None if options.alone else installed()
    by_country = {
        country: open_recogniser(inference, options.models, countries=frozenset({country}), second=second)
        for country in COUNTRIES
    }
    anywhere: PlateRecogniser = open_recogniser(inference, options.models, second=second)
    tally, unaided, theirs, frame_ms = Tally(), Tally(), Tally(), []
    halves = (Tally(), Tally())
    peer, why = None, "left out"
    if not options.no_peer:
        try:
            peer = Peer(options.threads)
        except ImportError:
            why = "not installed: pip install --group peers"
    for name, plates in truths.items():
        picture = cv2.imread(str(options.data / name))
        country = plates[0].country
        reads, took = timed(lambda picture=picture, country=country: by_country[country].still(picture))
        tally.milliseconds.append(took)
        free, took = timed(lambda picture=picture: anywhere.still(picture))
        unaided.milliseconds.append(took)
        frame = as_frame(picture)
        frame_ms.append(timed(lambda frame=frame, country=country: by_country[country].frame(frame))[1])
        lines: list[tuple[np.ndarray, str]] = []
        if peer is not None:
            lines, took = timed(lambda picture=picture: peer.lines(picture))
            theirs.milliseconds.append(took)
        for truth in plates:
            tally.count(truth, *ours(reads, truth))
            halves[half(name)].count(truth, *ours(reads, truth))
            unaided.count(truth, *ours(free, truth))
            if peer is not None:
                theirs.count(truth, peer.said(lines, truth), reported=True)
    if options.mistakes:
        for mistake in tally.mistakes:
            print(*mistake, file=sys.stderr)
    used = [*anywhere.networks, *((anywhere.second,) if anywhere.second is not None else ())]
    figures = {
        "pictures": len(truths),
        "plates": sum(map(len, truths.values())),
        **tally.told(),
        "halves": [{key: one.told()[key] for key in ("exact", "wrong")} for one in halves],
        "exact_any_country": unaided.told()["exact"],
        "cpu_ms_frame_1080p_p50": round(float(np.median(frame_ms)), 1),
        "peer": theirs.told() if peer is not None else why,
        "threads": options.threads,
        "cpu": cpu_name(),
        "networks": {one.name: one.digest[:12] for one in used},
    }
    print(json.dumps(figures, ensure_ascii=False))


if __name__ == "__main__":
    main()
