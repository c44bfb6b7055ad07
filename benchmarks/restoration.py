"""How many plates are read whose picture was blurred by motion, as they are and with the blur taken out.

    python -m benchmarks.restoration --data FOLDER [--limit 100]

Takes plates of the folder (labels.csv) that are read right, 120 pixels wide, blurs them evenly by so many pixels in a
direction drawn for each, adds noise and JPEG, and reads them at known corners. Prints one JSON object: `read` by blur
(right and not doubtful, of the original), `proposed` (right by the restored picture, of all), `shown` (either of both),
`likely_wrong` (proposals marked likely that are wrong, of all); `likely_right`, the share of all likely proposals that
are right; `unmoved`, the same for plates of the folder that are doubtful as they are: how many, likely proposals and
right ones among them, proposals that say what was read and right ones among those; `cpu_ms` of one restoration.
Evaluation alone: nothing is learnt from it.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.plates import cpu_name
from safecity.backends.inference import OnnxInference
from safecity.vision.plates.alphabet import COUNTRIES
from safecity.vision.plates.locator import Found
from safecity.vision.plates.recognise import VIEWS, PlateRecogniser, open_recogniser
from safecity.vision.plates.restore import PLATE_WIDTH, line, restore

BLURS = (0, 4, 6, 8, 10, 12, 15, 18)
MARGIN = 70


class Sharp(NamedTuple):
    """A plate that is read right, cut out `PLATE_WIDTH` wide."""

    country: str
    text: str
    picture: NDArray[np.uint8]
    corners: NDArray[np.float32]


def sharp_plates(data: Path, readers: dict[str, PlateRecogniser], limit: int) -> list[Sharp]:
    """The first so many of every country in turn."""
    found: dict[str, list[Sharp]] = {country: [] for country in readers}
    with (data / "labels.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            of = found[row["country"]]
            if len(of) >= limit // len(readers):
                continue
            picture = cv2.imread(str(data / row["file"]))
            for read in readers[row["country"]].still(picture):
                width = float(np.hypot(*(read.corners[1] - read.corners[0])))
                if read.text != row["plate"] or width < PLATE_WIDTH * 0.8:
                    continue
                scale = PLATE_WIDTH / width
                method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
                small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=method)
                corners = (read.corners * scale).astype(np.float32)
                left, top = np.maximum(np.floor(corners.min(0) - MARGIN).astype(int), 0)
                right, bottom = np.ceil(corners.max(0) + MARGIN).astype(int)
                part = small[top:bottom, left:right].astype(np.uint8)
                of.append(Sharp(row["country"], row["plate"], part, (corners - [left, top]).astype(np.float32)))
    return [one for of in found.values() for one in of]


def unmoved(data: Path, readers: dict[str, PlateRecogniser]) -> dict[str, int]:
    """What restoring does to plates that are doubtful for whatever reason."""
    told = dict.fromkeys(("doubtful", "likely", "likely_right", "confirmed", "confirmed_right"), 0)
    with (data / "labels.csv").open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            picture, reader = cv2.imread(str(data / row["file"])), readers[row["country"]]
            left, top, wide, high = (float(row[name]) for name in "xywh")
            for read in reader.still(picture):
                x, y = read.corners.mean(0)
                if not read.doubtful or not (left <= x <= left + wide and top <= y <= top + high):
                    continue
                found = restore(reader, picture, read.corners)
                likely, same = found is not None and found.likely, found is not None and found.text == read.text
                right = found is not None and found.text == row["plate"]
                told["doubtful"] += 1
                told["likely"] += likely
                told["likely_right"] += likely and right
                told["confirmed"] += same
                told["confirmed_right"] += same and right
    return told


def blurred(one: Sharp, length: int, dice: np.random.Generator) -> NDArray[np.uint8]:
    """As a camera would have it: moved, with noise, coded."""
    picture = one.picture
    if length:
        picture = cv2.filter2D(picture, -1, line(length, float(dice.choice([0.0, 90.0, 15.0, -15.0]))))
    noisy = np.clip(picture + dice.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with labels.csv and its pictures")
    parser.add_argument("--limit", type=int, default=100, help="so many plates, of all countries alike")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    inference = OnnxInference(1)
    readers = {country: open_recogniser(inference, countries=frozenset({country})) for country in sorted(COUNTRIES)}
    plates = sharp_plates(options.data, readers, options.limit)
    dice, took, rates = np.random.default_rng(1), [], {}
    likely: list[bool] = []
    for length in BLURS:
        read = proposed = wrong = either = 0
        for one in plates:
            reader, picture = readers[one.country], blurred(one, length, dice)
            (plain,) = reader.read(picture, [Found(one.corners, 1.0)], VIEWS)
            good = plain.text == one.text and not plain.doubtful
            read += good
            if not plain.doubtful:
                either += good
                continue
            began = time.process_time()
            found = restore(reader, picture, one.corners)
            took.append((time.process_time() - began) * 1000)
            right = found is not None and found.text == one.text
            proposed += right
            either += right or plain.text == one.text
            if found is not None and found.likely:
                likely.append(right)
                wrong += not right
        count = max(len(plates), 1)
        rates[length] = {
            "read": round(read / count, 3), "proposed": round(proposed / count, 3),
            "shown": round(either / count, 3), "likely_wrong": round(wrong / count, 3),
        }  # fmt: skip
    figures = {"plates": len(plates), "plate_pixels": PLATE_WIDTH, "by_blur_pixels": rates}
    figures["unmoved"] = unmoved(options.data, readers)
    figures["likely_right"] = round(sum(likely) / max(len(likely), 1), 3)
    print(json.dumps({**figures, "cpu_ms": round(float(np.median(took or [0])), 1), "cpu": cpu_name()}))


if __name__ == "__main__":
    main()
