"""The browser speaks of failed steps in the server's own sentences."""

from __future__ import annotations

import runpy
from pathlib import Path

from safecity.core.ground.access.api import Action
from safecity.core.ground.wizard.menus import MENUS

SCRIPT = Path(__file__).resolve().parents[3] / "ui" / "scripts" / "server_words.py"


def test_the_browser_knows_every_sentence_of_a_failed_step() -> None:
    made = runpy.run_path(str(SCRIPT))
    assert made["TARGET"].read_text("utf-8") == made["content"](), "run python ui/scripts/server_words.py"


def test_the_browser_has_words_for_each_hint_of_a_maker_and_each_action() -> None:
    words = SCRIPT.parents[1] / "src" / "words"
    known = "".join(file.read_text("utf-8") for file in words.glob("*.ts"))
    hints = {note.removeprefix("menu_") for menu in MENUS for note in menu.notes}
    missing = {f"menu.{hint}" for hint in hints} | {f"action.{action}" for action in Action}
    assert sorted(key for key in missing if f"'{key}'" not in known) == []
