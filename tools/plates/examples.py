"""Draw the example pictures that the tests read: python -m tools.plates.examples FOLDER

One picture for each kind of plate and the truth in `truth.json`; drawn with another seed than anything learnt.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
from tools.plates.draw import draw_plate
from tools.plates.glyphs import load_faces
from tools.plates.scenes import car, world
from tools.plates.shoot import laid_on, pose

from safecity.vision.plates.alphabet import PlateKind

EXAMPLES = (
    ("cn_blue", PlateKind.CN_BLUE, "皖A7K356"),
    ("cn_yellow_two_lines", PlateKind.CN_YELLOW, "苏E4821挂"),
    ("cn_green", PlateKind.CN_GREEN, "粤BD20467"),
    ("cn_white", PlateKind.CN_WHITE, "京A3082警"),
    ("eu", PlateKind.EU, "HH-KL_204"),
    ("us", PlateKind.US, "7FTR362"),
    ("br", PlateKind.BR_GREY, "QXB-4079"),
)
WIDTH, HEIGHT = 640, 400


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    faces = load_faces()
    rng = np.random.default_rng(20_260_701)
    truth: dict[str, dict[str, object]] = {}
    for name, kind, text in EXAMPLES:
        flat = draw_plate(rng, faces, kind, text)
        image = world(rng, WIDTH, HEIGHT)
        corners = pose(rng, (flat.image.shape[1], flat.image.shape[0]), 150, 0.5)
        middle = rng.uniform((0.35, 0.5), (0.65, 0.7)) * (WIDTH, HEIGHT)
        corners = (corners - corners.mean(0) + middle).astype(np.float32)
        car(rng, image, corners)
        laid_on(image, flat.image.astype(np.float32), corners)
        shot = cv2.GaussianBlur(np.clip(image, 0, 255), (0, 0), 0.7) + rng.normal(0, 3, image.shape)
        file = f"{name}.jpg"
        cv2.imwrite(str(options.folder / file), np.clip(shot, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 80])
        truth[file] = {"plate": flat.text, "kind": str(kind), "lines": flat.lines, "corners": corners.round(1).tolist()}
    (options.folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
