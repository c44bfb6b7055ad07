"""How far the reader's confidence can be believed, on drawn plates: python -m tools.plates.calibrate reader.onnx

Prints, for each band of confidence, how many readings fall into it and how many of them are right; and the lowest
confidence from which on nine readings in ten are right.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
from tools.plates.glyphs import load_faces
from tools.plates.shoot import CropMaker

from safecity.backends.inference import OnnxInference
from safecity.vision.plates.alphabet import SIGNS
from safecity.vision.plates.reader import Reader

BANDS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("network", type=Path)
    parser.add_argument("--samples", type=int, default=3000)
    options = parser.parse_args()
    reader = Reader(OnnxInference().load(options.network))
    maker = CropMaker(31_337, load_faces(), pool=options.samples)
    sure, right = [], []
    for _ in range(options.samples):
        crop = maker.make()
        (answer,) = reader.read([[crop.strip]])
        text = "".join(SIGNS[sign - 1] for sign in crop.text)
        sure.append(float(np.prod(answer.reading.confidences)) if answer else 0.0)
        right.append(bool(answer and answer.reading.text == text))
    chance, good = np.array(sure), np.array(right)
    for low, high in pairwise(BANDS):
        inside = (chance >= low) & (chance < high)
        if inside.any():
            band = {
                "from": low,
                "to": high,
                "readings": int(inside.sum()),
                "right": round(float(good[inside].mean()), 3),
            }
            print(json.dumps(band))
    order = np.argsort(-chance)
    running = np.cumsum(good[order]) / np.arange(1, len(order) + 1)
    enough = np.nonzero(running >= 0.9)[0]
    least = float(chance[order][enough[-1]]) if len(enough) else 1.0
    print(json.dumps({"exact": round(float(good.mean()), 4), "nine_in_ten_right_from": round(least, 3)}))


if __name__ == "__main__":
    main()
