"""What the simulated cameras see: a clock that survives the way to the screen, moving things, and their truth."""

from __future__ import annotations

import io

import av
import cv2
import numpy as np
import pytest

from safecity.model.values.media import Codec
from safecity.sim.encode import VideoEncoder, VideoSpec
from safecity.sim.scene.lens import Cruise, Drive, Lens, Pose
from safecity.sim.scene.plates import PROVINCES, random_plate
from safecity.sim.scene.street import DAY, NIGHT, Street
from safecity.sim.scene.strip import read_clock, read_strip
from safecity.vision.plates.grammar import fits

AT = 1_763_686_800_123_000
FORMATS = {Codec.H264: "h264", Codec.H265: "hevc", Codec.MPEG4: "m4v"}


def shown(video: VideoSpec, count: int, light: float = DAY) -> list[tuple[int, np.ndarray]]:
    """(when painted, RGB as decoded), in order."""
    street, encoder = Street(seed=5, channel=42, title="T", light=light), VideoEncoder(video)
    times = [AT + number * 1_000_000 // video.fps for number in range(count)]
    coded = [encoder.encode(street.render(at, video.width, video.height), at) for at in times]
    stream = io.BytesIO(b"".join(each.data for each in coded if each is not None))
    with av.open(stream, format=FORMATS[video.codec]) as opened:
        pictures = [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]
    return list(zip(times, pictures, strict=True))


@pytest.mark.parametrize("light", [DAY, NIGHT])
@pytest.mark.parametrize(
    "video",
    [
        VideoSpec(width=352, height=288, fps=10, kbps=150),
        VideoSpec(width=640, height=360, kbps=500),
        VideoSpec(codec=Codec.H265, width=352, height=288, fps=10, kbps=150),
        VideoSpec(codec=Codec.MPEG4, width=352, height=288, fps=10, kbps=400),
    ],
    ids=lambda each: f"{each.codec}-{each.width}" if isinstance(each, VideoSpec) else "",
)
def test_the_clock_survives_coding_and_scaling(video: VideoSpec, light: float) -> None:
    for at, rgb in shown(video, 12, light):
        at = at // 1000 * 1000
        assert read_clock(rgb) == at
        for width, height in ((320, 180), (500, 281), (1024, 576)):
            scaled = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_LINEAR)
            assert read_clock(scaled) == at, f"scaled to {width}x{height}"


def test_no_clock_is_read_where_there_is_none() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (360, 640, 3), dtype=np.uint8)
    assert read_clock(noise) is None
    assert read_clock(np.zeros((360, 640, 3), np.uint8)) is None
    assert read_clock(np.full((360, 640, 3), 255, np.uint8)) is None


def test_the_strip_tells_the_channel() -> None:
    frame = Street(seed=1, channel=200, light=DAY).render(AT, 640, 360)
    reading = read_strip(frame.luma)
    assert reading is not None
    assert (reading.at_us, reading.channel) == (AT, 200)


@pytest.mark.parametrize(
    "video",
    [VideoSpec(width=352, height=288, fps=10, kbps=150), VideoSpec(codec=Codec.H265, width=640, height=360, kbps=500)],
    ids=("sub", "main"),
)
def test_the_strip_tells_where_the_lens_points_in_every_picture_of_a_turn(video: VideoSpec) -> None:
    street, encoder, lens = Street(seed=5, channel=42, title="T", light=DAY), VideoEncoder(video), Lens()
    lens.drive(Drive(pan=0.4, tilt=-0.2, zoom=0.3), 0.0)
    poses = [lens.advance(number / video.fps) for number in range(12)]
    coded = [encoder.encode(street.render(AT, video.width, video.height, pose), AT) for pose in poses]
    with av.open(io.BytesIO(b"".join(each.data for each in coded if each)), format=FORMATS[video.codec]) as opened:
        seen = [read_strip(frame.to_ndarray(format="gray")) for frame in opened.decode(video=0)]
    assert [each.at_us if each else None for each in seen] == [AT] * len(poses)
    told = [each.pose for each in seen if each and each.pose]
    assert len(told) == len(poses)
    for pose, said in zip(poses, told, strict=True):
        assert abs(said.pan - pose.pan) <= 1 / 16
        assert abs(said.tilt - pose.tilt) <= 1 / 16
        assert abs(said.zoom / pose.zoom - 1) < 0.02
    assert len({each.pan for each in told}) == len(told), "each picture of a turning camera says another pan"


@pytest.mark.parametrize("pose", [Pose(), Pose(30, 17, 8), Pose(-30, -17, 1)])
def test_the_row_of_the_lens_reaches_as_far_as_the_lens(pose: Pose) -> None:
    reading = read_strip(Street(seed=1, channel=200, light=DAY).render(AT, 640, 360, pose).luma)
    assert reading is not None
    assert reading.pose == pose


def test_a_camera_that_cannot_be_steered_says_nothing_of_a_lens() -> None:
    reading = read_strip(Street(seed=1, channel=200, light=DAY).render(AT, 640, 360).luma)
    assert reading is not None
    assert reading.pose is None


def test_a_wrong_camera_clock_shows_in_the_writing_and_not_in_the_strip() -> None:
    street = Street(seed=1, channel=1, light=DAY)
    right = street.render(AT, 640, 360).luma.copy()
    wrong = street.render(AT, 640, 360, shown_us=AT + 3600 * 10**6).luma
    assert read_strip(wrong) == read_strip(right)
    assert (wrong[:40] != right[:40]).any()
    assert (wrong[60:] == right[60:]).all()


def test_the_same_moment_is_the_same_picture_whenever_it_is_painted() -> None:
    first = Street(seed=9, channel=1, light=DAY)
    for number in range(20):
        first.render(AT + number * 40_000, 640, 360)
    assert (first.render(AT, 640, 360).buffer == Street(seed=9, channel=1, light=DAY).render(AT, 640, 360).buffer).all()


@pytest.mark.parametrize("pose", [Pose(pan=8), Pose(tilt=-5), Pose(zoom=2.0), Pose(focus=1.0), Pose(iris=0.5)])
def test_each_movement_of_the_lens_changes_the_picture(pose: Pose) -> None:
    street = Street(seed=2, channel=1, light=DAY)
    before = street.render(AT, 640, 360).luma.astype(int)
    after = street.render(AT, 640, 360, pose).luma.astype(int)
    assert abs(before[40:320] - after[40:320]).mean() > 4, "the street itself, not only the strip"


def test_truth_names_the_plate_that_stands_in_the_picture() -> None:
    street = Street(seed=2, channel=1, light=DAY)
    seen = [each for second in range(60) for each in street.truth(AT + second * 10**6, 1280, 720).objects]
    kinds = {each.kind for each in seen}
    assert {"car", "person"} <= kinds
    for each in seen:
        if each.plate and each.plate_box:
            assert each.plate[0] in PROVINCES
            left, top, width, height = each.box
            x, y, across, tall = each.plate_box
            assert left <= x
            assert top <= y
            assert x + across <= left + width
            assert y + tall <= top + height


def test_a_close_plate_has_the_colours_of_a_plate_where_truth_says() -> None:
    street = Street(seed=2, channel=1, light=DAY)
    for second in range(120):
        at = AT + second * 10**6
        large = [each for each in street.truth(at, 1280, 720).objects
                 if each.plate_box and len(each.plate) == 7 and each.plate_box[2] > 70
                 and each.plate_box[1] + each.plate_box[3] < 660 and 0 < each.plate_box[0] < 1200]  # fmt: skip
        if not large:
            continue
        nearest = max(large, key=lambda each: each.box[2])
        assert nearest.plate_box is not None
        x, y, across, tall = nearest.plate_box
        part = street.render(at, 1280, 720).rgb()[y : y + tall, x : x + across].reshape(-1, 3).astype(int)
        bluish = (part[:, 2] > part[:, 0] + 40).mean()
        assert bluish > 0.3
        return
    pytest.fail("no plate came near in two minutes")


def test_plates_are_written_as_the_standard_has_them() -> None:
    from random import Random

    plates = {random_plate(Random(number), energy=number % 2 == 0) for number in range(200)}
    assert len(plates) > 190
    assert {len(plate) for plate in plates} == {7, 8}
    assert [plate for plate in plates if not fits(plate, "cn")] == []


def test_the_lens_moves_while_it_is_driven_and_stops_when_told() -> None:
    lens = Lens()
    lens.drive(Drive(pan=1.0), 10.0)
    assert lens.advance(10.2).pan == pytest.approx(9.0)
    lens.drive(Drive(), 10.4)
    stopped = lens.pose.pan
    assert stopped == pytest.approx(18.0)
    assert lens.advance(20.0).pan == stopped


def test_presets_and_cruises_bring_the_lens_back() -> None:
    lens = Lens()
    lens.set_preset(1, "home")
    lens.drive(Drive(pan=1.0, zoom=1.0), 0.0)
    lens.advance(0.5)
    lens.set_preset(2)
    assert lens.call_preset(1, 1.0)
    for step in range(10):
        lens.advance(1.0 + step * 0.3)
    assert lens.pose == Pose()
    lens.cruises[1] = Cruise([2, 1], dwell=2.0)
    lens.start_cruise(1, 10.0)
    pans = []
    for step in range(100):
        pans.append(lens.advance(10.0 + step * 0.1).pan)
    assert max(pans) > 15
    assert pans[-1] == pytest.approx(0.0) or min(pans[30:]) == pytest.approx(0.0)


def test_a_fixed_camera_counts_commands_and_stays() -> None:
    lens = Lens(fixed=True)
    lens.drive(Drive(pan=1.0), 0.0)
    assert lens.advance(1.0) == Pose()
    assert lens.commands == 1
