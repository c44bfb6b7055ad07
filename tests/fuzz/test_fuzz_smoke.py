"""Every fuzz target holds for a short, always equal run; `make fuzz` runs them long and at random."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def runner():
    spec = importlib.util.spec_from_file_location("safecity_fuzz_runner", HERE.parent.parent / "tools" / "fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", sorted(HERE.glob("fuzz_*.py")), ids=lambda path: path.stem)
def test_no_input_escapes_as_an_exception(path: Path) -> None:
    fuzz = runner()
    target = fuzz.load(path)
    _, crash = fuzz.run(target.one_input, list(getattr(target, "SEEDS", [])), 0, 400, 7)
    assert crash is None, f"{path.stem} raised on {crash!r}"
