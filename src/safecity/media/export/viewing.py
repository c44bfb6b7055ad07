"""A viewing copy: one plain MP4 across runs and gaps.

Where everything is H.264 of one size, with AAC or without sound, the samples are only put into other boxes. Anything
else (H.265, a changed size, G.711) goes through a child process with an encoder, where the extra `safecity[av]` is
installed; where it is not, what can be kept is kept and the notes say what is missing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from safecity.kit.errors import UnavailableError
from safecity.media.export.job import Made, base_name, hashed
from safecity.media.export.runs import Footing, load
from safecity.media.formats.fmp4_read import read_fragment, read_init
from safecity.media.formats.mp4 import Mp4Writer
from safecity.media.playback.footage import Clip
from safecity.media.playback.retime import Line, Timed, pictures, sounds
from safecity.media.playback.search import GAP_US
from safecity.model.values.media import AUDIO, CLOCK_HZ, VIDEO, AudioParameters, Codec, VideoParameters

NO_ENCODER = 3
"""Exit status of the child where the extra is not installed."""
MODULE = "safecity.media.formats.av_transcode"


@dataclass(slots=True)
class Plan:
    """What the range holds: the parameters of its runs, and the sum."""

    videos: list[VideoParameters] = field(default_factory=list[VideoParameters])
    sounds: list[AudioParameters] = field(default_factory=list[AudioParameters])

    @property
    def same_picture(self) -> bool:
        """Every run can follow the first without a new sample description."""
        first = self.videos[0]
        return all(
            (one.codec, one.width, one.height) == (first.codec, first.width, first.height) for one in self.videos
        )

    @property
    def plain_picture(self) -> bool:
        """Every player knows it."""
        return self.same_picture and self.videos[0].codec is Codec.H264

    @property
    def plain_sound(self) -> bool:
        """None, or one kind of AAC."""
        return all(one.codec is Codec.AAC and one == self.sounds[0] for one in self.sounds)


def export_viewing(footing: Footing, folder: Path, progress: Callable[[float], None]) -> tuple[list[Made], list[str]]:
    """The file, and notes by code. UnavailableError (`export_needs_encoder`) where nothing can be kept."""
    plan = _plan(footing)
    if not plan.videos:
        raise UnavailableError("no picture in the range", code="export_no_picture")
    path = folder / f"{base_name(footing.job)}.mp4"
    notes: list[str] = []
    if not (plan.plain_picture and plan.plain_sound):
        if _through_child(footing, plan, path, progress):
            return [hashed(path)], notes
        if not plan.same_picture:
            raise UnavailableError("the picture changed and no encoder is installed", code="export_needs_encoder")
        notes.append("export_no_encoder")
        if not plan.plain_sound:
            notes.append("export_sound_left_out")
    _rewrap(footing, plan, path, progress, with_sound=plan.plain_sound)
    return [hashed(path)], notes


def _plan(footing: Footing) -> Plan:
    plan = Plan()
    seen: set[object] = set()
    for clip in footing.clips():
        if clip.init in seen:
            continue
        seen.add(clip.init)
        for one in read_init(footing.footage.init(clip)):
            if isinstance(one, VideoParameters):
                if one not in plan.videos:
                    plan.videos.append(one)
            elif one not in plan.sounds:
                plan.sounds.append(one)
    return plan


def _rewrap(
    footing: Footing, plan: Plan, path: Path, progress: Callable[[float], None], *, with_sound: bool
) -> None:  # fmt: skip
    job = footing.job
    first, voice = plan.videos[0], plan.sounds[:1] if with_sound else []
    writer = Mp4Writer(path, [first, *voice])
    line, end, own_sets, sound_end = Line(end=0), 0, b"", 0
    run: object = None
    try:
        for clip in footing.clips():
            body = load(footing, clip)
            if body is None:
                continue
            parsed = read_fragment(body)
            shown = [one for one in pictures(parsed, clip.start) if one.wall < job.end_us]
            if clip.init != run or clip.start - end >= GAP_US:
                while shown and not shown[0].sample.is_key:
                    shown.pop(0)
                line.cut()
                if shown and clip.init != run:
                    run, own_sets = clip.init, _own_sets(footing, clip, first)
            end = clip.end
            if not shown:
                continue
            for sample in line.lay(shown):
                data = own_sets + sample.data if sample.is_key and own_sets else sample.data
                writer.add(VIDEO, data, sample.dts, sample.pts - sample.dts, sample.duration, key=sample.is_key)
            for sample in sounds(parsed) if voice else ():
                at = line.place(sample.dts)
                if at >= max(0, sound_end - 450) and at < line.end + CLOCK_HZ // 2:
                    writer.add(AUDIO, sample.data, at, 0, sample.duration, key=True)
                    sound_end = at + sample.duration
            progress((clip.end - job.start_us) / (job.end_us - job.start_us))
        writer.finish()
    except BaseException:
        writer.abandon()
        raise


def _own_sets(footing: Footing, clip: Clip, first: VideoParameters) -> bytes:
    """Parameter sets of a run that differ from those in the file's head, to stand before its key frames."""
    tracks = read_init(footing.footage.init(clip))
    video = next((one for one in tracks if isinstance(one, VideoParameters)), first)
    if video.parameter_sets == first.parameter_sets:
        return b""
    return b"".join(len(one).to_bytes(4, "big") + one for one in video.parameter_sets)


def _through_child(footing: Footing, plan: Plan, path: Path, progress: Callable[[float], None]) -> bool:
    """False where no encoder is installed."""
    runs = path.with_name(".runs")
    shutil.rmtree(runs, ignore_errors=True)
    runs.mkdir(mode=0o700)
    part = path.with_name(f".{path.name}.part")
    try:
        files = _runs_as_files(footing, runs, lambda done: progress(done * 0.3))
        work = {"runs": files, "out": str(part), "copy_picture": plan.plain_picture, "from": 0.3}
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
            [sys.executable, "-m", MODULE], stdin=subprocess.PIPE, text=True
        )
        try:
            child.communicate(json.dumps(work))
        except BaseException:
            child.kill()
            child.wait()
            raise
        if child.returncode == NO_ENCODER:
            return False
        if child.returncode != 0:
            raise UnavailableError("the encoder failed", code="export_encoder_failed")
        part.replace(path)
        return True
    finally:
        part.unlink(missing_ok=True)
        shutil.rmtree(runs, ignore_errors=True)


def _runs_as_files(footing: Footing, folder: Path, progress: Callable[[float], None]) -> list[str]:
    job = footing.job
    files: list[str] = []
    run: object = None
    end, out = 0, None
    try:
        for clip in footing.clips():
            body = load(footing, clip)
            if body is None:
                continue
            if clip.init != run or clip.start - end >= GAP_US or out is None:
                shown: list[Timed] = pictures(read_fragment(body), clip.start)
                if not any(one.sample.is_key for one in shown):
                    continue
                if out is not None:
                    out.close()
                run = clip.init
                files.append(str(folder / f"{len(files):05d}.mp4"))
                out = Path(files[-1]).open("wb")  # noqa: SIM115 - one after another
                out.write(footing.footage.init(clip))
            end = clip.end
            out.write(body)
            progress((clip.end - job.start_us) / (job.end_us - job.start_us))
    finally:
        if out is not None:
            out.close()
    return files
