"""Training of the plates' networks: it may be stopped whenever one likes, and goes on where it was."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs torch (pip install --group train)")
from tools.plates.nets import ReaderNet  # noqa: E402
from tools.plates.running import Training, chosen  # noqa: E402


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """A training listens for those that ask it to stop."""
    before = {what: signal.getsignal(what) for what in (signal.SIGTERM, signal.SIGINT)}
    yield
    for what, handler in before.items():
        signal.signal(what, handler)


def run(folder: Path, samples: int, stop_at: int | None = None) -> Training:
    """So many samples, counted over all runs; the sum of its answers shall become 1."""
    torch.manual_seed(1)
    training = Training(folder, "reader", ReaderNet(), 1e-3, torch.device("cpu"))
    training.net.train()
    for _ in training.steps(samples, 8, 0.7):
        strips = training.on(torch.ones(8, 3, 40, 160))
        signs, _ = training.net(strips)
        training.learn((signs.sum() - 1).abs())
        if training.samples + 8 == stop_at:
            signal.raise_signal(signal.SIGTERM)
    return training


def weights(training: Training) -> list[Any]:
    return [one.detach().clone() for one in training.net.parameters()]


def test_who_is_asked_to_stop_keeps_what_was_learnt_and_the_next_run_goes_on_there(tmp_path: Path) -> None:
    first = run(tmp_path, 64, stop_at=32)
    assert first.samples == 32
    torch.manual_seed(2)
    second = Training(tmp_path, "reader", ReaderNet(), 1e-3)
    assert second.samples == 32
    assert all(torch.equal(a, b) for a, b in zip(weights(first), weights(second), strict=True))
    steps = {float(one["step"]) for one in second.optimiser.state_dict()["state"].values()}
    assert steps == {4.0}, "the optimiser goes on, too"
    whole = run(tmp_path, 64)
    assert whole.samples == 64
    assert not all(torch.equal(a, b) for a, b in zip(weights(first), weights(whole), strict=True))


def test_a_run_that_dies_while_it_writes_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: Any) -> None:
    run(tmp_path, 16)

    def broken(_state: Any, file: Path) -> None:
        file.write_bytes(b"half of")
        raise OSError("no space left on device")

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(OSError, match="no space"):
        run(tmp_path, 32)
    assert Training(tmp_path, "reader", ReaderNet(), 1e-3).samples == 16


def test_it_learns_on_a_graphics_card_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, device in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert chosen("auto").type == device
        assert chosen("cpu").type == "cpu"
