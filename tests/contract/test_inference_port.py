"""One body for every engine of the port `Inference`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from tests.onnxfile import INT64, constant, model, node, value

from safecity.backends.inference import open_by_url
from safecity.kit.errors import InvalidError, NotFoundError
from safecity.ports.inference import Inference, Numbers, Tensor, TensorInfo

ENGINES: dict[str, Callable[[], Inference]] = {
    "onnx": lambda: open_by_url("onnx:"),
    "onnx, two threads": lambda: open_by_url("onnx:?threads=2"),
}
DOUBLER = model(
    [node("Mul", ["x", "two"], ["twice"]), node("Add", ["twice", "x"], ["thrice"])],
    [value("x", ["count", 3])],
    [value("twice", ["count", 3]), value("thrice", ["count", 3])],
    [constant("two", [2.0], [1])],
)


@pytest.fixture(params=ENGINES)
def inference(request: pytest.FixtureRequest) -> Inference:
    return ENGINES[request.param]()


@pytest.fixture
def doubler(tmp_path: Path) -> Path:
    file = tmp_path / "doubler.onnx"
    file.write_bytes(DOUBLER)
    return file


def tensor(rows: list[list[float]]) -> Tensor:
    array = np.array(rows, np.float32)
    return Tensor(array.shape, array.tobytes())


def numbers(of: Tensor) -> list[float]:
    return np.frombuffer(of.data, np.float32).tolist()


def test_numbers_go_in_and_come_out_under_their_names(inference: Inference, doubler: Path) -> None:
    found = inference.load(doubler).run({"x": tensor([[1, 2, 3], [4, 5, 6]])})
    assert found["twice"].shape == (2, 3)
    assert numbers(found["twice"]) == [2, 4, 6, 8, 10, 12]
    assert numbers(found["thrice"]) == [3, 6, 9, 12, 15, 18]


def test_a_network_says_which_file_it_is_and_what_it_takes(inference: Inference, doubler: Path) -> None:
    info = inference.load(doubler).info
    assert (info.name, info.digest) == ("doubler", hashlib.sha256(DOUBLER).hexdigest())
    assert info.inputs == (TensorInfo("x", (None, 3), Numbers.FLOAT32),)
    assert [one.name for one in info.outputs] == ["twice", "thrice"]


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"y": tensor([[1, 2, 3]])},
        {"x": tensor([[1, 2]])},
        {"x": tensor([[1, 2, 3]]), "y": tensor([[1, 2, 3]])},
        {"x": Tensor((1, 3), b"abc", Numbers.UINT8)},
        {"x": Tensor((3,), bytes(12))},
    ],
    ids=["nothing", "another name", "too narrow", "one too many", "bytes for floats", "a side missing"],
)
def test_what_a_network_does_not_take_is_refused_before_it_runs(
    inference: Inference, doubler: Path, inputs: dict[str, Tensor]
) -> None:
    with pytest.raises(InvalidError) as caught:
        inference.load(doubler).run(inputs)
    assert caught.value.code == "tensor_input"


UNKNOWN = model([node("NoSuchThing", ["x"], ["y"])], [value("x", [1])], [value("y", [1])])


@pytest.mark.parametrize(
    "data",
    [b"", b"not a network", DOUBLER[: len(DOUBLER) // 2], b"\xff" * 5000, UNKNOWN],
    ids=["empty", "words", "cut off", "noise", "an operation that does not exist"],
)
def test_a_file_that_is_no_network_is_refused_with_its_name(inference: Inference, tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "hopeless.onnx"
    file.write_bytes(data)
    with pytest.raises(InvalidError, match=r"hopeless\.onnx") as caught:
        inference.load(file)
    assert caught.value.code == "model_unreadable"


def test_a_network_that_speaks_other_numbers_is_refused(inference: Inference, tmp_path: Path) -> None:
    file = tmp_path / "whole.onnx"
    file.write_bytes(model([node("Abs", ["x"], ["y"])], [value("x", [2], INT64)], [value("y", [2], INT64)]))
    with pytest.raises(InvalidError) as caught:
        inference.load(file)
    assert caught.value.code == "model_type"


def test_a_missing_file_is_missing(inference: Inference, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        inference.load(tmp_path / "none.onnx")


def test_many_threads_may_ask_at_once(inference: Inference, doubler: Path) -> None:
    network = inference.load(doubler)

    def ask(number: int) -> list[float]:
        return numbers(network.run({"x": tensor([[number, 0, 1]])})["twice"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(64))) == [[2.0 * number, 0, 2] for number in range(64)]


@pytest.mark.parametrize("shape", [(2, 3), (-1, 4), (5,)])
def test_a_tensor_holds_what_its_shape_says(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidError):
        Tensor(shape, bytes(16))
    assert Tensor((2, 2), bytes(16)).shape == (2, 2)


@pytest.mark.parametrize("url", ["onnx:?threads=0", "onnx:?threads=65", "onnx:?threads=many"])
def test_threads_have_a_range(url: str) -> None:
    with pytest.raises(InvalidError):
        open_by_url(url)
