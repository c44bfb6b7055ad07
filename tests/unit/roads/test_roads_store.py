"""The file of a network: the same arrays again, and nothing that is not one."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from benchmarks import road_file as benchmark
from benchmarks.town import town
from hypothesis import given, settings
from hypothesis import strategies as st

from safecity.kit.errors import InvalidError
from safecity.kit.kernels import kernel_folder
from safecity.roads.network.arrays import RoadArrays, RoadNetwork
from safecity.roads.network.store import inconsistency, read_network, write_network


@pytest.fixture(scope="module")
def network() -> RoadNetwork:
    return RoadNetwork(town(6).arrays, "v7", "© somebody")


@pytest.fixture
def stored(network: RoadNetwork, tmp_path: Path) -> Path:
    write_network(network, tmp_path / "roads.bin")
    return tmp_path / "roads.bin"


def test_what_was_written_is_read_and_cannot_be_changed(network: RoadNetwork, stored: Path) -> None:
    again = read_network(stored)
    assert (again.label, again.credit) == ("v7", "© somebody")
    for name, old, new in zip(RoadArrays._fields, network.arrays, again.arrays, strict=True):
        assert old.dtype == new.dtype, name
        assert np.array_equal(old, new), name
        assert not new.flags.writeable, name
    assert [one.name for one in stored.parent.iterdir()] == ["roads.bin"]


def test_a_newer_version_replaces_the_file_while_the_old_is_still_mapped(network: RoadNetwork, stored: Path) -> None:
    old = read_network(stored)
    write_network(RoadNetwork(network.arrays, "v8"), stored)
    assert (old.label, read_network(stored).label) == ("v7", "v8")
    assert np.array_equal(old.arrays.edge_to, network.arrays.edge_to)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda data: b"", "too short"),
        (lambda data: b"PNG" + data[3:], "not a road network"),
        (lambda data: data[:8] + struct.pack("<I", 2) + data[12:], "version 2"),
        (lambda data: data[:12] + struct.pack("<I", 10**6) + data[16:], "too short"),
        (lambda data: data[:-64], "damaged"),
        (lambda data: data[:5000] + bytes([data[5000] ^ 1]) + data[5001:], "damaged"),
    ],
)
def test_what_is_no_network_is_refused_with_a_reason(stored: Path, change, why: str) -> None:
    stored.write_bytes(change(stored.read_bytes()))
    with pytest.raises(InvalidError) as refused:
        read_network(stored)
    assert refused.value.code == "roads_file"
    assert why in str(refused.value.params["why"])


@pytest.mark.parametrize("text", [b"[]", b"{}", b'{"label":"","credit":"","arrays":[]}', b"\xff"])
def test_a_right_digest_over_a_wrong_description_helps_nobody(stored: Path, text: bytes) -> None:
    body = text + b"\0" * 128
    head = struct.pack("<8sII32s", b"SCROADS\0", 1, len(text), hashlib.sha256(body).digest())
    stored.write_bytes(head + body)
    with pytest.raises(InvalidError):
        read_network(stored)


INDEXES = ("out_start", "in_start", "in_edge", "edge_from", "edge_to", "edge_shape", "edge_twin", "shape_start")
INDEXES += ("shape_edge", "point_shape", "cell_start", "cell_segment")


@pytest.mark.parametrize("name", INDEXES)
@given(value=st.sampled_from([-2, -(2**31), 2**31 - 1, 100_000]), at=st.integers(0, 10**6))
@settings(max_examples=8, deadline=None)
def test_no_index_may_point_outside(network: RoadNetwork, name: str, value: int, at: int) -> None:
    values = getattr(network.arrays, name).copy()
    values[at % len(values)] = value
    assert name in inconsistency(network.arrays._replace(**{name: values})) or name == "edge_from"
    assert inconsistency(network.arrays._replace(**{name: values}))


@pytest.mark.parametrize("name", ["node_lon", "point_lat", "edge_length", "point_along", "frame"])
def test_no_number_may_be_none(network: RoadNetwork, name: str) -> None:
    values = getattr(network.arrays, name).copy()
    values[2] = np.nan
    assert name in inconsistency(network.arrays._replace(**{name: values}))


@pytest.mark.parametrize("name", RoadArrays._fields)
def test_an_array_that_is_too_short_is_found(network: RoadNetwork, name: str) -> None:
    if name in ("ban",):
        pytest.skip("any number of forbidden turns may be")
    assert inconsistency(network.arrays._replace(**{name: getattr(network.arrays, name)[:-1]}))


def test_kernels_are_kept_beside_their_sources_or_with_their_user_or_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An account without a home that may not write to the programme compiles at every start, and starts."""
    (tmp_path / "a.py").write_text("one")
    beside = kernel_folder(tmp_path)
    assert beside is not None
    assert beside.parent == tmp_path / "__pycache__"
    (tmp_path / "a.py").write_text("other")
    assert kernel_folder(tmp_path) not in (None, beside)
    nobody_writes_here = Path("/dev/null/programme")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    kept = kernel_folder(nobody_writes_here)
    assert kept is not None
    assert kept.parent == tmp_path / "cache" / "safecity"
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/cache")
    assert kernel_folder(nobody_writes_here) is None

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", homeless)
    assert kernel_folder(nobody_writes_here) is None


def test_the_benchmark_says_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["road_file", "--side", "5"])
    assert benchmark.main() == 0
    said = json.loads(capsys.readouterr().out)
    assert said["arcs"] == town(5, gone=0.0, one_way=0.1).edges
    assert said["memory_mb"] > 0
    assert said["load_s"] >= 0
