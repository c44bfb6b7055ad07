"""No copyleft in what the platform needs, whatever the metadata say."""

from __future__ import annotations

import runpy
from importlib.metadata import distribution
from pathlib import Path

import pytest

TOOL = runpy.run_path(str(Path(__file__).resolve().parents[3] / "tools" / "licences.py"))


@pytest.mark.parametrize(
    ("said", "fine"),
    [
        ("MIT", True),
        ("Apache Software License", True),
        ("Apache-2.0 OR GPL-2.0", True),
        ("GNU General Public License v3 (GPLv3)", False),
        ("BSD-3-Clause AND LGPL-2.1", False),
        ("", False),
        ("Proprietary", False),
    ],
)
def test_a_licence_is_free_or_the_package_goes(said: str, fine: bool) -> None:
    assert (TOOL["objections"]("thing", said, []) == []) is fine


def test_a_wheel_that_carries_a_copyleft_encoder_may_not_be_required() -> None:
    pytest.importorskip("av")
    carried = TOOL["libraries"](distribution("av"))
    assert any("x264" in name for name in carried), "what the extra brings along"
    assert TOOL["objections"]("av", TOOL["licence"](distribution("av")), carried)
    assert "av" not in TOOL["required"]("safecity")
    assert "av" in TOOL["required"]("safecity", frozenset({"av"}))
