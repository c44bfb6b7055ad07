"""Copies the sentences of failed steps from the server into the browser's catalogue: python ui/scripts/server_words.py."""

from __future__ import annotations

import json
from pathlib import Path

from safecity.web.texts.steps import STEPS
from safecity.web.texts.vehicle_steps import VEHICLE_STEPS

TARGET = Path(__file__).resolve().parents[1] / "src" / "words" / "server.json"


def content() -> str:
    """English first, as everywhere in the browser's catalogue."""
    rows = {code: [en, zh] for code, (zh, en) in {**STEPS, **VEHICLE_STEPS}.items()}
    return json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    TARGET.write_text(content(), "utf-8")
