"""Networks out of what others write: CSV, GeoJSON, OpenStreetMap."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from pathlib import Path

import pytest

from safecity.kit.errors import InvalidError
from safecity.roads.network.arrays import EdgeFlag, RoadClass
from safecity.roads.network.build import build_network
from safecity.roads.network.csvs import draft_from_csv, points_of
from safecity.roads.network.geojson import draft_from_geojson
from safecity.roads.network.osm import draft_from_osm
from safecity.roads.network.tags import directions_of, is_drivable, limit_of, road_class_of

SHARED = Path(os.environ.get("SAFECITY_SHARED_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")
STOCKHOLM = SHARED / "traffic" / "stockholm_network"

NODES = "y,x,osmid\n59.30,18.00,1\n59.30,18.01,2\n59.31,18.01,3\nnan,18.0,4\n0,0,5\n59.3,18.0,abc\n"
EDGES = """u,v,osmid,oneway,highway,maxspeed,tunnel,wkt
1,2,7,0,primary,50,,"LINESTRING(18.00 59.30,18.005 59.301,18.01 59.30)"
2,1,7,0,primary,50,,"LINESTRING(18.01 59.30,18.005 59.301,18.00 59.30)"
2,3,8,1,motorway_link,"['70', '50']",yes,"LINESTRING(18.01 59.30,18.01 59.31)"
3,4,9,1,residential,,,"LINESTRING(18.01 59.31,18.0 59.3)"
1,3,9,1,residential,,,"LINESTRING(18.01"
1,3,9,1,residential,,,"LINESTRING(18.01 59.31,inf 59.3,18 59)"
x,3,9,1,residential,,,
"""


@pytest.mark.parametrize("packed", [False, True])
def test_rows_that_run_against_each_other_are_one_road(tmp_path: Path, packed: bool) -> None:
    for name, text in (("nodes", NODES), ("edges", EDGES)):
        (tmp_path / name).write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    draft = draft_from_csv(tmp_path / "nodes", tmp_path / "edges")
    assert draft.dropped == Counter(coordinates=2, number=2, unknown_node=1, line=2)
    a = build_network(draft).network.arrays
    assert [(int(a.edge_key[e]), int(a.edge_limit[e]), int(a.edge_class[e])) for e in range(3)] == [
        (7, 50, RoadClass.PRIMARY), (7, 50, RoadClass.PRIMARY), (8, 50, RoadClass.MOTORWAY),
    ]  # fmt: skip
    assert a.edge_flags[2] & (EdgeFlag.TUNNEL | EdgeFlag.LINK | EdgeFlag.ONE_WAY) == 4 + 32 + 2
    assert int(a.edge_twin[0]) == 1


def test_a_line_that_runs_elsewhere_is_no_road(tmp_path: Path) -> None:
    (tmp_path / "nodes").write_text(NODES)
    rows = [
        '1,2,7,"LINESTRING(18.00 59.30,18.01 59.30)"',
        '2,3,8,"LINESTRING(11.50 48.10,11.60 48.10)"',
        '1,3,9,"LINESTRING(18.01 59.31,18.00 59.30)"',
        '2,1,7,"LINESTRING(18.01 59.30,18.00 59.30)"',
    ]
    (tmp_path / "edges").write_text("\n".join(["u,v,osmid,wkt", *rows]))
    draft = draft_from_csv(tmp_path / "nodes", tmp_path / "edges")
    assert draft.dropped["line"] == 2
    assert (draft.rows, sorted(draft.key)) == (1, [7])


def test_a_packed_table_that_is_damaged_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nodes").write_text(NODES)
    packed = gzip.compress(b"u,v\n" + b"1,2\n3,4\n" * 5000)
    for at in range(12, len(packed) - 8, 3):
        (tmp_path / "edges").write_bytes(packed[:at] + bytes([packed[at] ^ 0xFF]) + packed[at + 1 :])
        with pytest.raises(InvalidError) as refused:
            draft_from_csv(tmp_path / "nodes", tmp_path / "edges")
        assert refused.value.code == "roads_csv"


@pytest.mark.parametrize(
    "edges", [b"a,b\n1,2\n", b"", b"u,v\n\xff\xfe,1\n", b"\x1f\x8bnot really", b'u,v\n"' + b"1" * 1_100_000]
)
def test_what_is_no_table_is_refused(tmp_path: Path, edges: bytes) -> None:
    (tmp_path / "nodes").write_text(NODES)
    (tmp_path / "edges").write_bytes(edges)
    with pytest.raises(InvalidError) as refused:
        draft_from_csv(tmp_path / "nodes", tmp_path / "edges")
    assert refused.value.code == "roads_csv"


@pytest.mark.parametrize(
    "text", ["", "POINT(1 2)", "LINESTRING(1 2)", "LINESTRING(1 2,3)", "LINESTRING(1 2,nan 3)", "LINESTRING(1 2,3 4"]
)
def test_lines_that_are_none(text: str) -> None:
    assert points_of(text) is None


def test_stockholm_is_one_town() -> None:
    if not STOCKHOLM.exists():
        pytest.skip("no evaluation data here")
    draft = draft_from_csv(STOCKHOLM / "nodes.csv.gz", STOCKHOLM / "edges.csv.gz")
    network = build_network(draft).network
    assert network.edges == pytest.approx(15_021, abs=60)
    assert network.nodes == 6_974
    assert ((network.arrays.edge_flags & EdgeFlag.ISLAND) > 0).mean() < 0.05
    assert (network.arrays.edge_twin >= 0).mean() > 0.5


def feature(line: list[list[float]], **properties: object) -> dict[str, object]:
    return {"type": "Feature", "geometry": {"type": "LineString", "coordinates": line}, "properties": properties}


def test_lines_of_geojson_meet_where_their_ends_meet() -> None:
    features = [
        feature([[18.0, 59.3], [18.01, 59.3]], id=5, highway="secondary", maxspeed="50"),
        feature([[18.01, 59.3], [18.01, 59.31, 12.0]], id=6, oneway="yes"),
        feature([[18.01, 0.0], [18.01, 59.31]]),
        feature([[18.0, 59.3]]),
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": None},
        {"type": "Feature", "geometry": None, "properties": {}},
        feature([[18.0, 59.3], [18.02, 59.3]], **{"from": "a"}),
        feature([[18.01, 59.31], [18.0, 59.3]], **{"id": None, "from": None, "to": None, "oneway": "yes"}),
    ]
    draft = draft_from_geojson(json.dumps({"type": "FeatureCollection", "features": features}).encode())
    assert draft.dropped == Counter(coordinates=1, geometry=3, number=1)
    network = build_network(draft).network
    assert (network.nodes, network.edges) == (3, 4)
    assert sorted(network.arrays.edge_key.tolist()) == [5, 5, 6, 7], "what nobody numbered has its place in the file"


def test_one_node_is_not_at_two_places() -> None:
    features = [
        feature([[18.0, 59.3], [18.01, 59.3]], **{"from": 1, "to": 2}),
        feature([[18.0100001, 59.3], [18.01, 59.31]], **{"from": 2, "to": 3}),
        feature([[11.5, 48.1], [18.01, 59.31]], **{"from": 1, "to": 3}),
    ]
    draft = draft_from_geojson(json.dumps({"type": "FeatureCollection", "features": features}).encode())
    assert (draft.rows, draft.dropped) == (2, Counter(line=1))


@pytest.mark.parametrize(
    "data", [b"", b"[]", b'{"type":"Feature"}', b'{"type":"FeatureCollection"}', b"\xff", b"[" * 10_000]
)
def test_what_is_no_collection_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidError) as refused:
        draft_from_geojson(data)
    assert refused.value.code == "roads_geojson"


OSM = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="59.300" lon="18.000"/><node id="2" lat="59.300" lon="18.010"/>
<node id="3" lat="59.301" lon="18.015"/><node id="4" lat="59.300" lon="18.020"/>
<node id="5" lat="59.310" lon="18.010"/>
<way id="10"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/><tag k="maxspeed" v="30 mph"/></way>
<way id="11"><nd ref="2"/><nd ref="3"/><nd ref="4"/><tag k="highway" v="primary"/></way>
<way id="20"><nd ref="5"/><nd ref="2"/><tag k="highway" v="residential"/><tag k="oneway" v="-1"/></way>
<way id="30"><nd ref="1"/><nd ref="5"/><tag k="highway" v="footway"/></way>
<way id="40"><nd ref="4"/><nd ref="99"/><tag k="highway" v="residential"/></way>
<relation id="1"><member type="way" ref="10" role="from"/><member type="node" ref="2" role="via"/>
<member type="way" ref="20" role="to"/><tag k="type" v="restriction"/><tag k="restriction" v="no_left_turn"/></relation>
<relation id="2"><member type="way" ref="10" role="from"/><member type="way" ref="10" role="via"/>
<member type="way" ref="20" role="to"/><tag k="type" v="restriction"/><tag k="restriction" v="no_u_turn"/></relation>
</osm>"""


def test_ways_of_openstreetmap_are_cut_where_they_meet(tmp_path: Path) -> None:
    pytest.importorskip("osmium")
    (tmp_path / "town.osm").write_text(OSM)
    draft = draft_from_osm(tmp_path / "town.osm")
    assert draft.dropped == Counter(coordinates=1, no_length=1, turn_form=1)
    network = build_network(draft).network
    a = network.arrays
    streets = sorted(
        (int(a.node_key[a.edge_from[e]]), int(a.node_key[a.edge_to[e]]), int(a.edge_key[e])) for e in range(5)
    )
    assert streets == [(1, 2, 10), (2, 1, 10), (2, 4, 11), (2, 5, 20), (4, 2, 11)]
    assert set(a.edge_limit.tolist()) == {0, 48}
    forbidden = {tuple(int(a.node_key[a.edge_from[e]]) for e in (p >> 32, p & 0xFFFFFFFF)) for p in a.ban.tolist()}
    assert forbidden == {(1, 2)}


def test_where_the_extract_has_a_hole_nobody_draws_a_road(tmp_path: Path) -> None:
    pytest.importorskip("osmium")
    nodes = "".join(f'<node id="{n}" lat="59.30{n}" lon="18.0"/>' for n in (1, 2, 5, 6, 8))
    refs = "".join(f'<nd ref="{n}"/>' for n in range(1, 9))
    tag = '<tag k="highway" v="primary"/>'
    (tmp_path / "cut.osm").write_text(f'<osm version="0.6">{nodes}<way id="7">{refs}{tag}</way></osm>')
    draft = draft_from_osm(tmp_path / "cut.osm")
    ends = [tuple(draft.node_key[one] for one in (draft.tail[row], draft.head[row])) for row in range(draft.rows)]
    assert ends == [(1, 2), (5, 6)]
    assert draft.dropped == Counter(coordinates=3, no_length=1)


def test_what_libosmium_cannot_read_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("osmium")
    for name in ("a.osm.pbf", "a.osm", "a.txt"):
        (tmp_path / name).write_bytes(b"\0\0\0\x0dnothing of it")
        with pytest.raises(InvalidError) as refused:
            draft_from_osm(tmp_path / name)
        assert refused.value.code == "roads_osm"


def test_the_words_of_openstreetmap() -> None:
    assert [limit_of(t) for t in ("50", "30 mph", "RU:urban", "walk", "", "50;30", "none", "0")] == [
        50,
        48,
        0,
        7,
        0,
        30,
        0,
        0,
    ]
    assert road_class_of("trunk_link") == (RoadClass.TRUNK, True)
    assert road_class_of("['footway', 'service']") == (RoadClass.SERVICE, False)
    assert road_class_of("cycleway") == (None, False)
    assert directions_of({"oneway": "-1"}) == (False, True)
    assert directions_of({"junction": "roundabout"}) == (True, False)
    assert directions_of({"highway": "motorway", "oneway": "no"}) == (True, True)
    assert is_drivable({"highway": "service", "access": "private"}) is False
    assert is_drivable({"highway": "service", "access": "private", "motorcar": "yes"}) is True
