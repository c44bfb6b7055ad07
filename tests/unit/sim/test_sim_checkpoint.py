"""The simulated checkpoint camera sees each vehicle once and reads as such cameras do."""

from __future__ import annotations

from collections import Counter
from random import Random

from safecity.kit.clock import SECOND_US
from safecity.sim.city import CHECKPOINTS, PLATFORM_CODE, add_checkpoints, new_manifest
from safecity.sim.demo import prepare
from safecity.sim.gat1400.camera import LOOK_SECONDS, Watcher, read_plate
from safecity.sim.manifest import read_manifest, write_manifest
from safecity.sim.scene.street import LANES, Street

NOON = 1_700_020_800 * SECOND_US


def test_every_vehicle_that_drives_towards_it_crosses_the_line_once() -> None:
    street, watcher = Street(seed=109, channel=9, light=1.0), Watcher(Street(seed=109, channel=9, light=1.0), 109)
    passed, on_the_road = [], set()
    for step in range(round(60 / LOOK_SECONDS)):
        at_us = NOON + round(step * LOOK_SECONDS * SECOND_US)
        passed += watcher.look(at_us)
        if 40 < step < 160:  # well inside, so that it is on the line within the minute
            on_the_road |= {one.id for one in street.truth(at_us, 960, 540).objects if one.plate}
    counted = Counter(one.key for one in passed)
    towards = {key for key in on_the_road if LANES[int(key.partition("-")[0])].towards}
    assert len(towards) > 5
    assert set(counted) >= towards
    assert set(counted.values()) == {1}
    assert {one.lane for one in passed} == {1, 2}
    assert all(one.plate_box is not None for one in passed)


def test_it_reads_mostly_right_and_says_so_when_unsure() -> None:
    dice = Random(1)
    read = [read_plate("皖A12B45", dice) for _ in range(4000)]
    right = [sure for text, sure in read if text == "皖A12B45"]
    assert 0.88 < len(right) / len(read) < 0.97
    assert all(sure < 0.85 for text, sure in read if text != "皖A12B45")
    assert all(len(text) in (0, 7) for text, _ in read)


def test_a_city_of_before_gets_its_checkpoint_and_keeps_its_passwords(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "manifest.json"
    old = prepare(path, PLATFORM_CODE)
    passwords = {device.code: device.password for device in old.devices if device.kind != "gat1400"}
    old.devices = [device for device in old.devices if device.kind != "gat1400"]
    old.tollgates = []
    write_manifest(path, old)
    new = prepare(path, PLATFORM_CODE)
    assert {device.code: device.password for device in new.devices if device.kind != "gat1400"} == passwords
    assert [gate.code for gate in new.tollgates] == [one.tollgate for one in CHECKPOINTS]
    assert read_manifest(path) == new
    assert not add_checkpoints(new_manifest([], platform_code="", rtsp_port=0))
