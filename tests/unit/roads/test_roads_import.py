"""`safecity roads`: maps of each kind become the network in force, and what cannot be read says why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.ladder import ladder
from typer.testing import CliRunner

from safecity.cli.main import app
from safecity.roads.network.versions import KEPT, current_version, described, put_version, read_version

LINE = {"type": "LineString", "coordinates": [[18.0, 59.3], [18.001, 59.301], [18.002, 59.302]]}


def said(*arguments: object, status: int = 0) -> str:
    result = CliRunner().invoke(app, ["roads", *(str(one) for one in arguments)])
    assert result.exit_code == status, result.output
    return result.output


def test_a_map_as_geojson_is_put_in_force_under_the_data_folder(tmp_path: Path) -> None:
    features = [
        {"type": "Feature", "geometry": LINE, "properties": {"highway": "primary", "maxspeed": "60"}},
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [18, 59]}, "properties": {}},
    ]
    path = tmp_path / "roads.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), "utf-8")
    told = said("import", path, "--data", tmp_path / "data", "--credit", "the city")
    assert "2 nodes, 2 edges" in told
    assert "geometry 1" in told
    folder = tmp_path / "data" / "roads"
    version = described(folder, current_version(folder))
    assert (version.label, version.credit, version.sources, version.dropped) == (
        "roads.geojson", "the city", ("roads.geojson",), {"geometry": 1}
    )  # fmt: skip
    assert read_version(folder, version.version).edges == 2
    assert version.bounds == pytest.approx((18.0, 59.3, 18.002, 59.302))
    assert said("info", "--data", tmp_path / "data") == told


def test_two_tables_are_told_apart_by_their_columns(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("osmid,x,y\n1,18.0,59.3\n2,18.001,59.301\n", "utf-8")
    (tmp_path / "a.csv").write_text("u,v,highway\n1,2,primary\n", "utf-8")
    for names in (("a.csv", "b.csv"), ("b.csv", "a.csv")):
        assert "2 nodes, 1 edges" in said("import", *(tmp_path / one for one in names), "--out", tmp_path / "out")


def test_what_cannot_be_a_network_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    kept = put_version(tmp_path, ladder(), dropped={}, sources=(), at_us=1).version
    bad = tmp_path / "bad.geojson"
    bad.write_text("{}", "utf-8")
    empty = tmp_path / "empty.geojson"
    empty.write_text('{"type": "FeatureCollection", "features": []}', "utf-8")
    for files in ((bad,), (empty,), (tmp_path / "absent.geojson",), (tmp_path / "map.txt",), (bad, bad)):
        assert "safecity: " in said("import", *files, "--out", tmp_path, status=1)
    assert current_version(tmp_path) == kept
    assert "no network" in said("info", "--out", tmp_path / "nowhere", status=1)


def test_a_network_that_was_damaged_is_found_out(tmp_path: Path) -> None:
    version = put_version(tmp_path, ladder(), dropped={}, sources=(), at_us=1).version
    path = tmp_path / f"{version}.roads"
    path.write_bytes(path.read_bytes()[:-64])
    assert "road network" in said("info", "--out", tmp_path, status=1)


def test_the_last_versions_stay_and_older_ones_go(tmp_path: Path) -> None:
    network = ladder()
    names = [
        put_version(
            tmp_path, type(network)(network.arrays, f"map {number}"), dropped={}, sources=(), at_us=number
        ).version
        for number in range(KEPT + 2)
    ]  # fmt: skip
    assert len(set(names)) == KEPT + 2
    assert current_version(tmp_path) == names[-1]
    assert {path.stem for path in tmp_path.glob("*.roads")} == {path.stem for path in tmp_path.glob("*.json")}
    assert len(list(tmp_path.glob("*.roads"))) == KEPT
    assert (tmp_path / f"{names[-1]}.roads").exists()
