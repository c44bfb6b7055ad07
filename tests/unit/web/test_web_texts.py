"""Whatever can go wrong has words in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import safecity
from safecity.web.texts import CATALOGUE, known, sentence
from safecity.web.texts.alarm_kinds import alarm_kind

SOURCE = Path(safecity.__file__).parent
OURS = ("core", "web", "media/record", "media/export", "media/slot", "backends")
NOT_FOR_PEOPLE = {"internal", "second_writer", "owner_not_live"}
STATES = re.compile(r'\bself\.state, self\.code = \w+, "([a-z_]+)"|\berror\.code if .* else "([a-z_]+)"')


def test_every_code_that_can_reach_a_person_has_a_sentence() -> None:
    codes: set[str] = set()
    for part in OURS:
        for file in (SOURCE / part).rglob("*.py"):
            text = file.read_text("utf-8")
            codes |= set(re.findall(r'\bcode="([a-z0-9_]+)"', text))
            codes |= {code for found in STATES.findall(text) for code in found if code}
    codes = {code for code in codes if not code.isdigit()} - NOT_FOR_PEOPLE
    assert sorted(code for code in codes if not known(code)) == []


def test_every_failed_step_of_a_driver_has_a_sentence() -> None:
    steps: set[str] = set()
    for part in ("drivers", "media/receive", "protocols/mqtt", "core/upper/fleet"):
        for file in (SOURCE / part).rglob("*.py"):
            steps |= set(re.findall(r'"((?:gb|rtsp|mqtt)_[a-z_]+)"', file.read_text("utf-8")))
    for name in ("drivers/jt808/live.py", "drivers/jt808/playback.py", "media/receive/vehicles.py"):
        steps |= set(re.findall(r'"(jt_[a-z_]+)"', (SOURCE / name).read_text("utf-8")))
    assert sorted(step for step in steps if not known(step)) == []


def test_both_languages_use_the_same_params() -> None:
    for code, (chinese, english) in CATALOGUE.items():
        assert set(re.findall(r"{(\w+)}", chinese)) == set(re.findall(r"{(\w+)}", english)), code


def test_what_strangers_send_is_never_a_template() -> None:
    said = sentence("name_taken", {"name": "{0.__class__} {missing}"}, "en")
    assert said == "The name {0.__class__} {missing} is taken."
    assert "unheard_of" in sentence("unheard_of", {"code": "x"}, "zh")


def test_alarms_are_named_in_words() -> None:
    assert alarm_kind("5", "6", "1", "en") == "Intrusion, entering"
    assert alarm_kind("5", "6", "2", "zh") == "入侵(离开区域)"
    assert alarm_kind("2", "1", "", "zh") == "视频丢失"
    assert alarm_kind("5", "77", "", "en") == "Video alarm 77"
    assert alarm_kind("9", "", "", "en") == "Alarm"
