"""A training run that can be stopped at any moment: it goes on from its last checkpoint, written every two minutes."""

from __future__ import annotations

import copy
import json
import multiprocessing
import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from multiprocessing.queues import Queue
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

CHECKPOINT_SECONDS = 120.0
Block = tuple[np.ndarray, ...]  # the same number of samples in each array


def chosen(name: str) -> torch.device:
    """Where to learn: `cpu`, `cuda`, or `auto`, which is a graphics card where there is one."""
    return torch.device(("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name)


class Feed:
    """A process that makes samples, and a ring of the last ones, from which batches are drawn at random.

    Drawing is cheaper than training, photographing dearer: with the ring neither waits for the other, and each sample
    is seen a few times (`fresh`: how many new ones for each that is drawn).
    """

    def __init__(self, make: Callable[[int, Queue], None], seed: int, size: int, fresh: float = 0.5) -> None:
        context = multiprocessing.get_context("spawn")
        self._queue: Queue = context.Queue(maxsize=6)
        self._process = context.Process(target=make, args=(seed, self._queue), daemon=True)
        self._process.start()
        self._ring: Block = ()
        self._size, self._filled, self._at = size, 0, 0
        self._rng = np.random.default_rng(seed)
        self._fresh = fresh
        self._drawn = 0
        self.made = 0

    def batch(self, count: int) -> Block:
        """Samples at random; waits only until the ring holds a few batches."""
        while self._filled < self._size // 8 or self.made < self._fresh * self._drawn:
            if not self._take(block=self._filled < 8 * count):
                break
        self._drawn += count
        pick = self._rng.integers(0, self._filled, count)
        return tuple(one[pick] for one in self._ring)

    def _take(self, block: bool) -> bool:
        try:
            new: Block = self._queue.get(timeout=600) if block else self._queue.get_nowait()
        except queue.Empty:
            return False
        if not self._ring:
            self._ring = tuple(np.zeros((self._size, *one.shape[1:]), one.dtype) for one in new)
        count = len(new[0])
        to = (self._at + np.arange(count)) % self._size  # the oldest go first
        for held, one in zip(self._ring, new, strict=True):
            held[to] = one
        self._at = int((self._at + count) % self._size)
        self._filled = min(self._filled + count, self._size)
        self.made += count
        return True

    def close(self) -> None:
        self._process.terminate()


class Training:
    """Network, its running mean (which is what gets exported), optimiser and counters, kept in one file: it goes on
    with any `device`, whatever it was written with."""

    def __init__(
        self, folder: Path, name: str, net: nn.Module, rate: float, device: torch.device | None = None
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{name}.pt"
        self.log = folder / f"{name}.jsonl"
        self.device = device or torch.device("cpu")
        self.net = net.to(self.device, memory_format=torch.channels_last)
        self.mean = copy.deepcopy(self.net).eval()
        self.optimiser = torch.optim.AdamW(self.net.parameters(), rate, weight_decay=0.01)
        self.samples = 0
        self._rate = rate
        self._saved = time.monotonic()
        self._stop = False
        if self.file.is_file():
            self.load()
        for what in (signal.SIGTERM, signal.SIGINT):
            signal.signal(what, self._asked_to_stop)

    def _asked_to_stop(self, *_: Any) -> None:
        self._stop = True

    def load(self) -> None:
        """Go on where the last run stopped."""
        state = torch.load(self.file, map_location=self.device, weights_only=True)
        self.net.load_state_dict(state["net"])
        self.mean.load_state_dict(state["mean"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.samples = int(state["samples"])

    def save(self) -> None:
        """Whole or not at all: the new file replaces the old one when it is complete."""
        state = {
            "net": self.net.state_dict(),
            "mean": self.mean.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "samples": self.samples,
        }
        part = self.file.with_suffix(".part")
        torch.save(state, part)
        os.replace(part, self.file)
        self._saved = time.monotonic()

    def steps(self, until: int, batch: int, decay_from: float) -> Iterator[int]:
        """Step numbers until `until` samples are seen; the rate falls over the part after `decay_from` (a share)."""
        step = 0
        while self.samples < until and not self._stop:
            share = self.samples / until
            falling = 1.0 if share < decay_from else max(1 - (share - decay_from) / (1 - decay_from), 0.02)
            warm = min(1.0, (self.samples + batch) / (200 * batch))
            for group in self.optimiser.param_groups:
                group["lr"] = self._rate * falling * warm
            yield step
            step += 1
            self.samples += batch
            if time.monotonic() - self._saved > CHECKPOINT_SECONDS:
                self.save()
        self.save()

    def on(self, array: np.ndarray | torch.Tensor) -> torch.Tensor:
        """There where the network is."""
        return (torch.from_numpy(array) if isinstance(array, np.ndarray) else array).to(self.device)

    def learn(self, loss: torch.Tensor) -> None:
        """One step down the slope; the mean follows."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        keep = min(0.999, (1 + self.samples / 128) / (10 + self.samples / 128))
        with torch.no_grad():
            for slow, fast in zip(self.mean.state_dict().values(), self.net.state_dict().values(), strict=True):
                if slow.dtype.is_floating_point:
                    slow.lerp_(fast, 1 - keep)
                else:
                    slow.copy_(fast)

    def note(self, **figures: float) -> None:
        """A line of the run's log, and on the screen."""
        line = json.dumps({"samples": self.samples, **{key: round(value, 4) for key, value in figures.items()}})
        with self.log.open("a") as file:
            file.write(line + "\n")
        print(line, flush=True)
