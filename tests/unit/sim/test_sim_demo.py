"""The demo city, its manifest and its door; load and storm."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from safecity.sim import town
from safecity.sim.city import CITY, PLATFORM_CODE, Kit, slowed
from safecity.sim.control import Door, say
from safecity.sim.demo import City, prepare
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.miniplatform import MiniPlatform
from safecity.sim.load import Load, LoadOptions, channel_code, device_code, load_manifest, storm
from safecity.sim.manifest import read_manifest
from safecity.sim.operations import CityOperations
from safecity.sim.traffic import VEHICLES, add_vehicles

DOME, DOME_CHANNEL = "34020200001320000001", "34020200001310000001"


@pytest.fixture
async def platform() -> AsyncIterator[MiniPlatform]:
    platform = MiniPlatform()
    await platform.start()
    yield platform
    await platform.close()


def test_the_manifest_is_made_once_and_kept_secret(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "manifest.json"
    first = prepare(path, PLATFORM_CODE)
    assert prepare(path, PLATFORM_CODE) == first == read_manifest(path)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert sum(len(device.channels) for device in first.devices) == 8
    secrets = [device.password for device in first.devices if device.kind != "jt808"]
    assert len(set(secrets)) == len(secrets)
    assert all(secrets)
    assert len({channel.code for device in first.devices for channel in device.channels if channel.code}) == 7
    assert prepare(tmp_path / "other.json", PLATFORM_CODE).devices[0].password != first.devices[0].password


def test_a_broken_manifest_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text('{"devices": [')
    assert prepare(path, PLATFORM_CODE).devices


def test_a_slower_city_is_the_same_city_with_fewer_pictures() -> None:
    def videos(kits: Sequence[Kit]) -> list[VideoSpec]:
        places = [place for kit in kits for place in kit.places]
        return [video for place in places for video in (place.main, place.sub) if video is not None]

    slow = videos(slowed(CITY, 10))
    assert {video.fps for video in videos(CITY)} == {10, 15}
    assert {video.fps for video in slow} == {10}
    assert [replace(video, fps=0) for video in slow] == [replace(video, fps=0) for video in videos(CITY)]


async def test_the_city_registers_and_its_door_switches_faults(tmp_path: Path, platform: MiniPlatform) -> None:
    folder = tmp_path / ("long" * 30)  # longer than a socket's name may be
    folder.mkdir()
    manifest = prepare(folder / "manifest.json", PLATFORM_CODE)
    for device in manifest.devices:
        device.password = platform.password
    kits = [kit for kit in CITY if kit.code in ("", DOME)]
    city = City(manifest, "127.0.0.1", platform.port, kits=kits, alarms=False)
    door = Door(folder / "door.sock", CityOperations(lambda: city.devices).table())
    await door.open()
    await city.start()
    try:
        await city.devices[DOME].registered()

        async def ask(**request: object) -> dict[str, object]:
            return await asyncio.to_thread(say, folder / "door.sock", request)

        listed = await ask(op="list")
        assert [each["code"] for each in listed["devices"]] == [DOME]  # type: ignore[index, union-attr]
        await ask(op="impair", delay_ms=400, jitter_ms=50, loss=0.001)
        assert city.devices[DOME].faults.delay_ms == 400
        await ask(op="fault", device=DOME, clock_offset_ms=60_000)
        assert city.devices[DOME].state.channels[DOME_CHANNEL].camera.shown_offset_us == 60_000_000
        await ask(op="fault", device="*", reset=True)
        assert city.devices[DOME].faults.delay_ms == 0
        for wrong in ({"op": "fault", "lost": 1}, {"op": "fault", "loss": "much"}, {"op": "fly"}):
            with pytest.raises(RuntimeError):
                await ask(**wrong)
        await ask(op="reboot", device=DOME, dark_seconds=0)
        await city.devices[DOME].registered()
        assert (await ask(op="pose", channel=DOME_CHANNEL))["commands"] == 0
    finally:
        await door.close()
        await city.stop()


async def test_a_storm_is_counted(platform: MiniPlatform) -> None:
    options = LoadOptions(host="127.0.0.1", port=platform.port, count=30, password=platform.password)
    figures = await storm(options, seconds=0.3, at_once=10)
    assert figures["registered"] == 30
    assert figures["keepalives"] > 0
    assert figures["keepalives_lost"] == 0
    assert len(platform.devices) == 30


async def test_a_storm_waits_until_its_devices_are_known(platform: MiniPlatform) -> None:
    options = LoadOptions(host="127.0.0.1", port=platform.port, count=5, password="known later")
    asked = asyncio.create_task(storm(options, seconds=0.1, at_once=5, admission_seconds=60))
    async with asyncio.timeout(30):
        while not platform.refused:
            await asyncio.sleep(0.01)
    platform.password = options.password
    assert (await asked)["registered"] == 5


async def test_load_cameras_send_at_the_rate_asked_for(platform: MiniPlatform) -> None:
    options = LoadOptions(
        host="127.0.0.1", port=platform.port, count=2, password=platform.password, width=320, height=180, kbps=800
    )
    assert [each.code for each in load_manifest(options).devices] == [device_code(options, n) for n in range(2)]
    load = Load(options)
    await load.start()
    try:
        for device in load.devices:
            await device.registered()
        ear = await platform.listen()
        await platform.invite(device_code(options, 1), platform.wish(channel_code(options, 1), ear.port))
        await ear.heard(20)
        first = sum(map(len, ear.packets))
        pictures = load.groups[1].pictures
        await ear.heard(len(ear.packets) + 80)
        sent = (sum(map(len, ear.packets)) - first) * 8 * options.fps / max(1, load.groups[1].pictures - pictures)
        assert 500_000 < sent < 1_300_000
        assert load.figures()["sending"] == 1
        ear.close()
    finally:
        await load.stop()


def test_the_drawn_town_hangs_together_and_its_vehicles_drive_on_its_streets() -> None:
    joined = {crossing: {crossing} for crossing in town.crossings()}
    for street in town.streets():
        both = joined[street.start] | joined[street.end]
        for one in both:
            joined[one] = both
    assert {len(one) for one in joined.values()} == {len(joined)}
    streets = {frozenset((one.start, one.end)) for one in town.streets()}
    for way in (town.creep(), *(town.wander(number) for number in range(VEHICLES))):
        assert all(frozenset(pair) in streets for pair in pairwise(way))
        assert all(a != c for a, _, c in zip(way, way[1:], way[2:], strict=False)), "nobody turns round on the road"


def test_an_older_manifest_gets_the_vehicles_once(tmp_path: Path) -> None:
    manifest = prepare(tmp_path / "manifest.json", PLATFORM_CODE)
    codes = [each.code for each in manifest.devices if each.kind == "jt808"]
    assert (len(codes), len(set(codes))) == (VEHICLES, VEHICLES)
    manifest.devices = [each for each in manifest.devices if each.kind != "jt808"]
    assert add_vehicles(manifest)
    assert not add_vehicles(manifest)
    assert [each.code for each in manifest.devices if each.kind == "jt808"] == codes
