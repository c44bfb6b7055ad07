"""The demo city: eight cameras of four kinds at named places, and a checkpoint. Codes are fixed, passwords are made at
the first run."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Final

from safecity.model.values.media import Codec
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.profiles import CAMERA_2016, CAMERA_2022, NVR_2022, Profile
from safecity.sim.gb28181.state import Channel, DeviceSpec
from safecity.sim.manifest import Manifest, ManifestChannel, ManifestDevice, ManifestTollgate

PLATFORM_CODE: Final = "34020000002000000001"
AREA: Final = "340202"
_SUB: Final = VideoSpec(width=352, height=288, fps=10, kbps=200)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a camera hangs and what it is."""

    number: int
    code: str
    name: str
    name_en: str
    longitude: float
    latitude: float
    main: VideoSpec
    sub: VideoSpec | None = _SUB
    sound: Codec | None = None
    ptz: bool = False


@dataclass(frozen=True, slots=True)
class Kit:
    """A device and its places; without a profile it is an RTSP camera."""

    code: str
    name: str
    name_en: str
    profile: Profile | None
    places: tuple[Place, ...]


_HD = VideoSpec(width=960, height=540, fps=15, kbps=1200)
_SD = VideoSpec(width=640, height=360, fps=15, kbps=700)
_HEVC = VideoSpec(codec=Codec.H265, width=512, height=288, fps=10, kbps=300)  # x265 is dear: 7 ms a picture
_NVR = VideoSpec(width=480, height=270, fps=10, kbps=350)

CITY: Final = (
    Kit("34020200001320000001", "镜湖路口球机", "Jinghu Crossing dome", CAMERA_2022, (
        Place(1, "34020200001310000001", "镜湖路与中山路口", "Jinghu Rd / Zhongshan Rd", 118.3765, 31.3393, _HD,
              sound=Codec.PCMA, ptz=True),
    )),
    Kit("34020200001320000002", "北京东路枪机", "Beijing East Road camera", CAMERA_2016, (
        Place(2, "34020200001310000002", "北京东路商场", "Beijing East Rd mall", 118.3841, 31.3372, _SD),
    )),
    Kit("34020200001320000003", "滨江公园枪机", "Riverside Park camera", CAMERA_2022, (
        Place(3, "34020200001310000003", "滨江公园南门", "Riverside Park south gate", 118.3588, 31.3428, _HEVC),
    )),
    Kit("", "火车站广场", "Railway Station Square", None, (
        Place(4, "", "火车站广场", "Railway Station Square", 118.3938, 31.3517, _SD, sound=Codec.AAC),
    )),
    Kit("34020200001180000001", "赭山社区录像机", "Zheshan Community recorder", NVR_2022, (
        Place(5, "34020200001310000005", "赭山社区东门", "Zheshan east gate", 118.3801, 31.3459, _NVR),
        Place(6, "34020200001310000006", "赭山社区西门", "Zheshan west gate", 118.3772, 31.3461, _NVR),
        Place(7, "34020200001310000007", "赭山社区车库", "Zheshan garage", 118.3786, 31.3452, _NVR),
        Place(8, "34020200001310000008", "赭山社区广场", "Zheshan plaza", 118.3791, 31.3467, _NVR),
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tollgate and the camera over it that reads plates itself (GA/T 1400)."""

    camera: str
    tollgate: str
    number: int
    name: str
    name_en: str
    longitude: float
    latitude: float
    lanes: tuple[str, ...] = ("north_south", "north_south")
    max_speed_kmh: int = 60


CHECKPOINTS: Final = (
    Checkpoint(
        "34020200001190000001", "34020200001210000001", 9, "弋江北路卡口", "Yijiang North Rd", 118.3722, 31.3307
    ),
)


def slowed(kits: Sequence[Kit], pictures_per_second: int) -> tuple[Kit, ...]:
    """The same places, none of which shows more pictures a second."""

    def at_most(video: VideoSpec) -> VideoSpec:
        return replace(video, fps=min(video.fps, pictures_per_second))

    return tuple(
        replace(kit, places=tuple(
            replace(place, main=at_most(place.main), sub=at_most(place.sub) if place.sub is not None else None)
            for place in kit.places
        ))
        for kit in kits
    )  # fmt: skip


def add_checkpoints(manifest: Manifest, checkpoints: Iterable[Checkpoint] = CHECKPOINTS) -> bool:
    """Those that the manifest lacks, with fresh passwords: what an older city registered with stays. Whether any."""
    added = False
    for one in checkpoints:
        if any(gate.code == one.tollgate for gate in manifest.tollgates):
            continue
        added = True
        manifest.devices.append(
            ManifestDevice(
                kind="gat1400",
                name=one.name,
                name_en=f"{one.name_en} checkpoint camera",
                area=AREA,
                password=secrets.token_urlsafe(12),
                code=one.camera,
                transport="tcp",
            )
        )
        manifest.tollgates.append(
            ManifestTollgate(
                code=one.tollgate,
                name=one.name,
                name_en=f"{one.name_en} checkpoint",
                device=one.camera,
                longitude=one.longitude,
                latitude=one.latitude,
                lanes=list(one.lanes),
                max_speed_kmh=one.max_speed_kmh,
            )
        )
    return added


def new_manifest(kits: Iterable[Kit], *, platform_code: str, rtsp_port: int) -> Manifest:
    """With fresh passwords."""
    devices: list[ManifestDevice] = []
    for kit in kits:
        channels = [
            ManifestChannel(
                code=place.code, name=place.name, name_en=place.name_en, longitude=place.longitude,
                latitude=place.latitude, ptz=place.ptz,
            )
            for place in kit.places
        ]  # fmt: skip
        device = ManifestDevice(
            kind="gb28181" if kit.profile else "rtsp", name=kit.name, name_en=kit.name_en, area=AREA,
            password=secrets.token_urlsafe(12), code=kit.code, channels=channels,
        )  # fmt: skip
        if kit.profile is None:
            device.username = "viewer"
        devices.append(device)
    manifest = Manifest(devices=devices, platform_code=platform_code)
    set_rtsp_port(manifest, rtsp_port)
    add_checkpoints(manifest)
    return manifest


def set_rtsp_port(manifest: Manifest, port: int) -> None:
    """The RTSP cameras moved to another port."""
    manifest.rtsp_port = port
    for number, device in enumerate(each for each in manifest.devices if each.kind == "rtsp"):
        device.url = f"rtsp://127.0.0.1:{port}/{number + 1}/main"
        device.sub_url = f"rtsp://127.0.0.1:{port}/{number + 1}/sub"


def make_camera(place: Place, painter: Executor) -> Camera:
    """The camera of a place; what is seen differs from place to place."""
    spec = CameraSpec(
        number=place.number, title=f"{place.number:02d} {place.name_en}", main=place.main, sub=place.sub,
        sound=place.sound, fixed=not place.ptz, seed=100 + place.number,
    )  # fmt: skip
    camera = Camera(spec, painter)
    if place.ptz:
        camera.lens.set_preset(1, "Crossing")
    return camera


def make_device(
    kit: Kit, known: ManifestDevice, manifest: Manifest, host: str, port: int, painter: Executor
) -> SimDevice:
    """The GB/T 28181 device of a kit, not started."""
    assert kit.profile is not None
    channels = [
        Channel(
            code=place.code, name=place.name, camera=make_camera(place, painter), longitude=place.longitude,
            latitude=place.latitude, address=place.name, civil_code=AREA,
        )
        for place in kit.places
    ]  # fmt: skip
    spec = DeviceSpec(
        code=kit.code, password=known.password, platform_code=manifest.platform_code, platform_host=host,
        platform_port=port, profile=kit.profile, name=kit.name, retry_seconds=2.0, keepalive_seconds=20.0,
    )  # fmt: skip
    return SimDevice(spec, channels)
