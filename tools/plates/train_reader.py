"""Teach the reader: python -m tools.plates.train_reader --state DIR [--samples N]

Stop it whenever you like; started again it goes on. Needs torch, pillow and fonts (see docs/design), one core at least.
"""

from __future__ import annotations

import argparse
import time
from multiprocessing.queues import Queue
from pathlib import Path

import cv2
import numpy as np
import torch
from tools.plates.glyphs import load_faces
from tools.plates.nets import ReaderNet
from tools.plates.running import Block, Feed, Training, chosen
from tools.plates.shoot import IGNORE, CropMaker
from torch.nn import functional

from safecity.vision.plates.alphabet import KINDS, PlateKind

BATCH = 128
LONGEST = 10


def block(maker: CropMaker, count: int) -> Block:
    """`count` samples as arrays."""
    crops = [maker.make() for _ in range(count)]
    texts = np.zeros((count, LONGEST), np.int64)
    for row, crop in zip(texts, crops, strict=True):
        row[: len(crop.text)] = crop.text
    return (
        np.stack([crop.strip for crop in crops]),
        np.stack([crop.columns for crop in crops]).astype(np.int8),
        texts,
        np.array([len(crop.text) for crop in crops]),
        np.array([crop.kind for crop in crops]),
    )


def make_crops(seed: int, out: Queue) -> None:
    """The process that makes samples."""
    cv2.setNumThreads(1)
    maker = CropMaker(seed, load_faces())
    while True:
        out.put(block(maker, 256))


def normal(strips: np.ndarray, rng: np.random.Generator | None = None) -> torch.Tensor:
    """As the network wants them; with `rng` also a little different each time."""
    x = torch.from_numpy(strips).permute(0, 3, 1, 2).float()
    if rng is not None:
        if rng.random() < 0.5:
            x = x + torch.randn_like(x) * float(abs(rng.normal(0, 6)))
        x = x + torch.from_numpy(rng.normal(0, 10, (len(x), 3, 1, 1)).astype(np.float32))
    mean, spread = x.mean((1, 2, 3), keepdim=True), x.std((1, 2, 3), keepdim=True)
    return ((x - mean) / (spread + 8)).contiguous(memory_format=torch.channels_last)


def collapse(best: np.ndarray) -> list[int]:
    """CTC's reading of the best sign in each column."""
    return [int(sign) for place, sign in enumerate(best) if sign and (place == 0 or best[place - 1] != sign)]


def score(net: ReaderNet, held: Block) -> dict[str, float]:
    """On samples that were never learnt: whole texts right, by country; kinds right."""
    right: list[bool] = []
    kinds: list[bool] = []
    device = next(net.parameters()).device
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
        for start in range(0, len(held[0]), BATCH):
            strips, _, texts, lengths, kind = (one[start : start + BATCH] for one in held)
            signs, said = (one.cpu() for one in net(normal(strips).to(device)))
            best = signs.argmax(2).numpy()
            right += [collapse(b) == list(t[:n]) for b, t, n in zip(best, texts, lengths, strict=True)]
            kinds += (said.argmax(1).numpy() == kind).tolist()
    countries = np.array([PlateKind(KINDS[int(kind)]).country for kind in held[4]])
    found = {f"exact_{one}": float(np.mean(np.array(right)[countries == one])) for one in ("cn", "us", "eu", "br")}
    return {"exact": float(np.mean(right)), **found, "kind": float(np.mean(kinds))}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--state", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--samples", type=int, default=3_000_000, help="stop after so many, counted over all runs")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    training = Training(options.state, "reader", ReaderNet(), options.rate, chosen(options.device))
    held = block(CropMaker(987_654, load_faces(), pool=600), 600)
    # Each run draws other samples: what was drawn before the checkpoint was seen already.
    feed = Feed(make_crops, options.seed + training.samples, 40_000, fresh=0.35)
    rng = np.random.default_rng(options.seed + training.samples)
    losses: list[float] = []
    began, began_at = time.monotonic(), training.samples
    training.net.train()
    for step in training.steps(options.samples, BATCH, 0.7):
        strips, columns, texts, lengths, kinds = feed.batch(BATCH)
        with torch.autocast(training.device.type, dtype=torch.bfloat16):
            signs, kind = training.net(training.on(normal(strips, rng)))
        signs = signs.float()
        loss = functional.cross_entropy(
            signs.flatten(0, 1), training.on(columns.astype(np.int64)).flatten(), ignore_index=IGNORE
        )
        if training.samples > 150_000:  # the columns teach fast, the text teaches what matters
            loss = loss + 0.05 * functional.ctc_loss(
                signs.log_softmax(2).transpose(0, 1), training.on(texts),
                training.on(torch.full((len(texts),), signs.shape[1])), training.on(lengths), zero_infinity=True,
                reduction="sum",
            ) / len(texts)  # fmt: skip
        loss = loss + 0.1 * functional.cross_entropy(kind.float(), training.on(kinds))
        training.learn(loss)
        losses.append(float(loss.detach()))
        if step % 250 == 249:
            speed = (training.samples - began_at) / (time.monotonic() - began)
            figures = score(training.mean, held) if step % 500 == 499 else {}
            training.note(loss=float(np.mean(losses)), per_second=speed, made=feed.made, **figures)
            losses.clear()
    feed.close()


if __name__ == "__main__":
    main()
