"""Whatever can go wrong has words in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import safecity
from safecity.web.texts import CATALOGUE, known, sentence

SOURCE = Path(safecity.__file__).parent
OURS = ("core", "web")
NOT_FOR_PEOPLE = {"internal", "second_writer"}


def test_every_code_that_the_core_and_the_api_raise_has_a_sentence() -> None:
    codes: set[str] = set()
    for part in OURS:
        for file in (SOURCE / part).rglob("*.py"):
            codes |= set(re.findall(r'\bcode="([a-z0-9_]+)"', file.read_text("utf-8")))
    codes = {code for code in codes if not code.isdigit()} - NOT_FOR_PEOPLE
    assert sorted(code for code in codes if not known(code)) == []


def test_every_failed_step_of_a_driver_has_a_sentence() -> None:
    steps: set[str] = set()
    for part in ("drivers", "media/receive"):
        for file in (SOURCE / part).rglob("*.py"):
            steps |= set(re.findall(r'"((?:gb|rtsp)_[a-z_]+)"', file.read_text("utf-8")))
    assert sorted(step for step in steps if not known(step)) == []


def test_both_languages_use_the_same_params() -> None:
    for code, (chinese, english) in CATALOGUE.items():
        assert set(re.findall(r"{(\w+)}", chinese)) == set(re.findall(r"{(\w+)}", english)), code


def test_what_strangers_send_is_never_a_template() -> None:
    said = sentence("name_taken", {"name": "{0.__class__} {missing}"}, "en")
    assert said == "The name {0.__class__} {missing} is taken."
    assert "unheard_of" in sentence("unheard_of", {"code": "x"}, "zh")
