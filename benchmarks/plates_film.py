"""How many passing vehicles are read in films: `python -m benchmarks.plates_film CLIP.mp4 ... [--fps 5]`.

Each clip has its truth beside it (`safecity sim render CLIP.mp4 [--night]` writes both), so that day, night and sizes
are told apart by giving a clip of each. A vehicle counts when its plate is wide enough (`--least-width`) in two of the
frames looked at. `capture_rate`: its text was voted, whole and right, while it was there; `wrong_rate`: another text
was reported without doubt; `cpu_ms_frame_p50`: analysis of one frame, decoding apart; with second
opinions as often as a camera has them, where the second reader is installed. One line of JSON, by clip.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from benchmarks.all import cpu_name
from safecity.backends.inference import OnnxInference
from safecity.sim.scene.street import Truth
from safecity.vision.decode import frames
from safecity.vision.plates.film import PlateFilm
from safecity.vision.plates.recognise import MODELS, PlateRecogniser, open_recogniser
from safecity.vision.plates.second import installed
from safecity.vision.plates.voting import PlateSeen

ENOUGH_SIGHTS = 2


@dataclass
class Passage:
    """When a vehicle's plate could be read."""

    plate: str
    seconds: list[float] = field(default_factory=list)


def passages(truths: list[Truth], fps: float, least_width: int) -> list[Passage]:
    """The vehicles whose plates are large and whole in the picture often enough, at `fps` looks a second."""
    began = truths[0].at_us
    found: dict[str, Passage] = {}
    due = -1.0
    for truth in truths:
        at = (truth.at_us - began) / 1e6
        if at < due:
            continue
        due = at + 0.999 / fps
        for thing in truth.objects:
            if thing.plate and thing.plate_box and thing.plate_box[2] >= least_width and thing.plate_box[0] >= 0:
                found.setdefault(thing.id, Passage(thing.plate)).seconds.append(at)
    return [one for one in found.values() if len(one.seconds) >= ENOUGH_SIGHTS]


def measure(recogniser: PlateRecogniser, clip: Path, fps: float, least_width: int) -> dict[str, Any]:
    """The figures of one clip."""
    lines = clip.with_suffix(".jsonl").read_bytes().splitlines()
    truths = [msgspec.json.decode(line, type=Truth) for line in lines]
    wanted = passages(truths, fps, least_width)
    film, seen, took = PlateFilm(recogniser), list[PlateSeen](), list[float]()
    size = (0, 0)
    for frame in frames(clip, fps):
        began = time.process_time()
        seen += film.look(frame.at_seconds, frame.picture)[1]
        took.append((time.process_time() - began) * 1000)
        size = frame.picture.shape[:2]
    seen += film.end()
    texts: dict[str, list[PlateSeen]] = defaultdict(list)
    for one in seen:
        texts[one.text].append(one)

    def there(passage: Passage, one: PlateSeen) -> bool:
        return one.first_seconds <= passage.seconds[-1] + 1 and one.last_seconds >= passage.seconds[0] - 1

    captured = sum(any(there(passage, one) for one in texts[passage.plate]) for passage in wanted)
    true = {thing.plate for truth in truths for thing in truth.objects}  # smaller ones that are read are no mistake
    wrong = sum(not one.doubtful and one.text not in true and one.sights >= ENOUGH_SIGHTS for one in seen)
    return {
        "clip": clip.name,
        "size": f"{size[1]}x{size[0]}",
        "vehicles": len(wanted),
        "capture_rate": round(captured / max(len(wanted), 1), 4),
        "wrong_rate": round(wrong / max(len(wanted), 1), 4),
        "cpu_ms_frame_p50": round(float(np.median(took)), 1),
        "cpu_ms_frame_mean": round(float(np.mean(took)), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of locator.onnx and reader.onnx")
    parser.add_argument("--alone", action="store_true", help="our first reader without the second")
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--least-width", type=int, default=60, help="pixels of a plate that one may expect to read")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    second = None if options.alone else installed()
    recogniser = open_recogniser(OnnxInference(1), options.models, countries=frozenset({"cn"}), second=second)
    results = [measure(recogniser, clip, options.fps, options.least_width) for clip in options.clips]
    print(json.dumps({"clips": results, "fps": options.fps, "cpu": cpu_name()}, ensure_ascii=False))


if __name__ == "__main__":
    main()
