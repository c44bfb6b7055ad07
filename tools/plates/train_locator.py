"""Teach the locator: python -m tools.plates.train_locator --state DIR [--samples N]

Stop it whenever you like; started again it goes on.
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
from tools.plates.nets import LocatorNet
from tools.plates.running import Block, Feed, Training, chosen
from tools.plates.scenes import FRAME_HEIGHT, FRAME_WIDTH, SceneMaker
from torch.nn import functional

BATCH = 32
CELL = 8
MOST = 2


def block(maker: SceneMaker, count: int) -> Block:
    """`count` scenes as arrays; a missing plate is all NaN."""
    scenes = [maker.make() for _ in range(count)]
    plates = np.full((count, MOST, 4, 2), np.nan, np.float32)
    for row, scene in zip(plates, scenes, strict=True):
        row[: len(scene.plates)] = scene.plates
    return np.stack([scene.image for scene in scenes]), plates


def make_scenes(seed: int, out: Queue) -> None:
    """The process that makes samples."""
    cv2.setNumThreads(1)
    maker = SceneMaker(seed, load_faces())
    while True:
        out.put(block(maker, 64))


def normal(images: np.ndarray) -> torch.Tensor:
    """As the network wants them."""
    x = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 128 - 1
    return x.contiguous(memory_format=torch.channels_last)


def targets(plates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For every cell: 1 in a plate's middle, 0 outside, -1 where either answer will do; and its plate's corners."""
    rows, columns = FRAME_HEIGHT // CELL, FRAME_WIDTH // CELL
    yes = np.zeros((len(plates), rows, columns), np.float32)
    corners = np.zeros((len(plates), 8, rows, columns), np.float32)
    ys, xs = np.mgrid[0:rows, 0:columns]
    middles = np.stack((xs * CELL + CELL / 2, ys * CELL + CELL / 2), -1).astype(np.float32)
    for sample, row in enumerate(plates):
        for plate in row:
            if np.isnan(plate[0, 0]):
                continue
            unit = cv2.getPerspectiveTransform(plate, np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], np.float32))
            inside = np.abs(cv2.perspectiveTransform(middles.reshape(1, -1, 2), unit)[0].reshape(rows, columns, 2))
            # Small plates lie between the middles of cells: the nearest one always answers for it.
            far = np.hypot(*(middles - plate.mean(0)).transpose(2, 0, 1))
            core = ((inside[..., 0] < 0.35) & (inside[..., 1] < 0.5)) | (far == far.min())
            around = ((inside[..., 0] < 1.1) & (inside[..., 1] < 1.3) | (far < 10)) & ~core
            yes[sample][around & (yes[sample] == 0)] = -1
            yes[sample][core] = 1
            offset = (plate.reshape(8, 1, 1) - np.tile(middles.transpose(2, 0, 1), (4, 1, 1))) / CELL
            corners[sample][:, core] = offset[:, core]
    return yes, corners


def loss_of(
    score: torch.Tensor, corners: torch.Tensor, yes: torch.Tensor, truth: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Focal loss of the score, and the corners' mean error as a share of the plate's height."""
    score = score.squeeze(1)
    chance = torch.sigmoid(score)
    positive, negative = yes == 1, yes == 0
    hit = -functional.logsigmoid(score) * (1 - chance) ** 2
    false = -functional.logsigmoid(-score) * chance**2
    count = positive.sum().clamp(min=1)
    wrong = (hit * positive).sum() / count + (false * negative).sum() / count
    high = torch.hypot(truth[:, 6] - truth[:, 0], truth[:, 7] - truth[:, 1]).clamp(min=0.3)
    error = functional.smooth_l1_loss(corners, truth, reduction="none", beta=0.1).mean(1) / high
    return wrong, (error * positive).sum() / count


def score(net: LocatorNet, held: Block) -> dict[str, float]:
    """Plates whose best cell is found at 0.5, false cells per picture without, corner error in shares of the height."""
    found, total, false, error = 0, 0, 0, []
    images, plates = held
    device = next(net.parameters()).device
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
        for start in range(0, len(images), BATCH):
            scores, corners = (one.cpu() for one in net(normal(images[start : start + BATCH]).to(device)))
            yes, truth = targets(plates[start : start + BATCH])
            chance = torch.sigmoid(scores.float()).squeeze(1).numpy()
            offsets = corners.float().numpy()
            false += int(((chance > 0.5) & (yes == 0)).sum())
            for sample, row in enumerate(plates[start : start + BATCH]):
                for plate in row:
                    if np.isnan(plate[0, 0]):
                        continue
                    x, y = plate.mean(0) // CELL
                    near = np.s_[sample, max(int(y) - 1, 0) : int(y) + 2, max(int(x) - 1, 0) : int(x) + 2]
                    total += 1
                    found += bool(chance[near].max() > 0.5)
            height = np.hypot(truth[:, 6] - truth[:, 0], truth[:, 7] - truth[:, 1])
            far = np.hypot(offsets[:, 0::2] - truth[:, 0::2], offsets[:, 1::2] - truth[:, 1::2]).mean(1)
            error += (far / np.maximum(height, 0.3))[yes == 1].tolist()
    return {
        "found": found / max(total, 1),
        "false_per_picture": false / len(images),
        "corner_error": float(np.median(error)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--state", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--samples", type=int, default=600_000, help="stop after so many, counted over all runs")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    training = Training(options.state, "locator", LocatorNet(), options.rate, chosen(options.device))
    held = block(SceneMaker(987_654, load_faces(), pool=100), 192)
    feed = Feed(make_scenes, options.seed + training.samples, 6_000, fresh=0.35)
    losses: list[tuple[float, float]] = []
    began, began_at = time.monotonic(), training.samples
    training.net.train()
    for step in training.steps(options.samples, BATCH, 0.7):
        images, plates = feed.batch(BATCH)
        yes, truth = (training.on(one) for one in targets(plates))
        with torch.autocast(training.device.type, dtype=torch.bfloat16):
            scores, corners = training.net(training.on(normal(images)))
        wrong, error = loss_of(scores.float(), corners.float(), yes, truth)
        training.learn(wrong + 2.0 * error)
        losses.append((float(wrong.detach()), float(error.detach())))
        if step % 250 == 249:
            speed = (training.samples - began_at) / (time.monotonic() - began)
            mean = np.mean(losses, axis=0)
            figures = score(training.mean, held) if step % 500 == 499 else {}
            training.note(loss=float(mean[0]), corner_loss=float(mean[1]), per_second=speed, made=feed.made, **figures)
            losses.clear()
    feed.close()


if __name__ == "__main__":
    main()
