"""Run by test_real_disk.py inside a mount namespace of its own: a recorder on real file systems that get into trouble.

Prints one JSON object. No time passes but that of a fake clock.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "record"))
from conftest import World

MIB = 1 << 20


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def umount(path: Path) -> None:
    """Lazily: the recorder has files open there, as it would have when somebody pulls a share away."""
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def code(world: Any) -> str:
    return str({one.name: one.code for one in world.recorder.figures()}["one"])


def report(world: Any, begin: int, seen: list[str]) -> dict[str, object]:
    (key,) = world.cameras
    numbers = sorted(set(world.pictures(key)))
    gaps = world.archive.timeline(key.channel, begin, world.clock.now_us()).gaps
    return {
        "codes": seen,
        "states": sorted({one.state for one in world.recorder.figures()}),
        "last": numbers[-1],
        "gaps": sorted({gap.cause for gap in gaps}),
        "good": world.check().good,
        "turns": world.recorder.turns,
    }


def full(folder: Path) -> dict[str, object]:
    """Others fill the file system to the last block, and clean up again."""
    mount("-t", "tmpfs", "-o", "size=24m", "none", str(folder / "one"))
    world = World(folder, extent_bytes=MIB, max_bytes=0)
    world.add_camera(size=4000)
    begin, seen = world.clock.now_us(), []
    world.pass_time(10)
    filler = folder / "one" / "others"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(MIB))
        except OSError:
            pass
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    for _ in range(8):
        world.pass_time(5)
        seen.append(code(world))
    filler.unlink()
    world.pass_time(30)
    seen.append(code(world))
    found = report(world, begin, seen)
    world.end()
    return found


def away(folder: Path) -> dict[str, object]:
    """The disk is unmounted under way, another one is mounted, then the first one again."""
    disk, other = folder / "disk", folder / "other"
    for path in (disk, other):
        path.mkdir()
        mount("-t", "tmpfs", "-o", "size=64m", "none", str(path))
    mount("--bind", str(disk), str(folder / "one"))
    world = World(folder, extent_bytes=MIB, max_bytes=0)
    world.add_camera(size=2000)
    begin, seen = world.clock.now_us(), []
    world.pass_time(10)
    umount(folder / "one")
    world.pass_time(12)
    seen.append(code(world))
    below = sorted(path.name for path in (folder / "one").iterdir())
    (other / "safecity-volume.json").write_text(
        '{"format": 1, "uuid": "01234567-89ab-7def-8123-456789abcdef", "generation": 1}'
    )
    mount("--bind", str(other), str(folder / "one"))
    world.pass_time(12)
    seen.append(code(world))
    foreign = sorted(path.name for path in other.iterdir())
    umount(folder / "one")
    mount("--bind", str(disk), str(folder / "one"))
    world.pass_time(15)
    seen.append(code(world))
    found = report(world, begin, seen) | {"below": below, "foreign": foreign}
    world.end()
    umount(folder / "one")
    return found


if __name__ == "__main__":
    where = Path(sys.argv[2])
    (where / "one").mkdir(parents=True, exist_ok=True)
    sys.stdout.write(json.dumps({"full": full, "away": away}[sys.argv[1]](where)) + "\n")
