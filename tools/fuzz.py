"""Run the fuzz targets: mutate what they know, keep what crashes.

    python tools/fuzz.py [--seconds 30] [NAME ...]

Each `tests/fuzz/fuzz_<parser>.py` exposes `one_input(data: bytes) -> None`, which raises only on a real bug, and may
expose `SEEDS: list[bytes]`. A plain mutator in Python: no compiler, no coverage; what it finds is written to
output/fuzz/ and replayed by the ordinary tests once it is copied to tests/vectors/.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "tests" / "fuzz"
_MAGIC = [
    b"\x00" * 4,
    b"\xff" * 4,
    b"\r\n",
    b"\r\n\r\n",
    b"\x00\x00\x01",
    b"\x00\x00\x01\xba",
    b"%",
    b"<",
    b"&",
    b'"',
    b";",
    b"-1",
]


def load(path: Path) -> ModuleType:
    """Import a target by its file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def mutate(chance: random.Random, seed: bytes, others: list[bytes]) -> bytes:
    """One to eight small wounds."""
    data = bytearray(seed)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                data[at:at] = chance.choice(_MAGIC)
            case 2:
                del data[at : at + chance.randint(1, 16)]
            case 3:
                data[at:at] = chance.randbytes(chance.randint(1, 16))
            case 4:
                other = chance.choice(others)
                cut = chance.randrange(len(other) + 1)
                data[at:] = other[cut:]
            case 5:
                data[at:at] = data[at : at + chance.randint(1, 64)] * chance.randint(1, 4)
            case _:
                del data[at:]
    return bytes(data[:100_000])


def run(
    one_input: Callable[[bytes], None], seeds: list[bytes], seconds: float, rounds: int | None, key: int
) -> tuple[int, bytes | None]:
    """How many inputs ran, and the first that raised."""
    chance = random.Random(key)
    seeds = seeds or [b"", b"\x00" * 16, b"INVITE sip:a@b SIP/2.0\r\n\r\n"]
    end, count = time.monotonic() + seconds, 0
    while (rounds is None and time.monotonic() < end) or (rounds is not None and count < rounds):
        data = mutate(chance, chance.choice(seeds), seeds)
        count += 1
        try:
            one_input(data)
        except Exception:
            traceback.print_exc()
            return count, data
    return count, None


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    report: dict[str, object] = {}
    for path in sorted(FOLDER.glob("fuzz_*.py")):
        name = path.stem.removeprefix("fuzz_")
        if options.names and name not in options.names:
            continue
        target = load(path)
        count, crash = run(target.one_input, list(getattr(target, "SEEDS", [])), options.seconds, None, time.time_ns())
        report[name] = {"inputs": count, "crashed": crash is not None}
        if crash is not None:
            out = ROOT / "output" / "fuzz" / f"{name}.bin"
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(crash)
        print(f"{name}: {count} inputs, {'CRASHED' if crash is not None else 'sound'}", flush=True)
    print(json.dumps(report))
    return int(any(entry["crashed"] for entry in report.values() if isinstance(entry, dict)))


if __name__ == "__main__":
    sys.exit(main())
