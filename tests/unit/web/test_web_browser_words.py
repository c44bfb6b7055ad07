"""The browser speaks of failed steps in the server's own sentences."""

from __future__ import annotations

import runpy
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[3] / "ui" / "scripts" / "server_words.py"


def test_the_browser_knows_every_sentence_of_a_failed_step() -> None:
    made = runpy.run_path(str(SCRIPT))
    assert made["TARGET"].read_text("utf-8") == made["content"](), "run python ui/scripts/server_words.py"
