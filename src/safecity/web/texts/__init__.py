"""The words of the server: code and params in, a sentence out, in Chinese or English. Nowhere else are there any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safecity.web.texts.analysis import ANALYSIS
from safecity.web.texts.broker import BROKER
from safecity.web.texts.cases import CASES
from safecity.web.texts.passages import PASSAGES
from safecity.web.texts.problems import PROBLEMS
from safecity.web.texts.signs import SIGNS
from safecity.web.texts.steps import STEPS
from safecity.web.texts.traffic import TRAFFIC
from safecity.web.texts.vehicle_steps import VEHICLE_STEPS
from safecity.web.texts.vehicles import VEHICLES

CATALOGUE: dict[str, tuple[str, str]] = {
    **PROBLEMS, **PASSAGES, **ANALYSIS, **STEPS, **TRAFFIC, **VEHICLES, **VEHICLE_STEPS, **SIGNS, **BROKER, **CASES,
}  # fmt: skip
"""code -> (Chinese, English)."""
_UNKNOWN = ("出现问题(代码 {_code})。", "Something went wrong (code {_code}).")


class _Params(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def sentence(code: str, params: Mapping[str, Any] | None = None, language: str = "zh") -> str:
    """What a person can use; the code itself where the catalogue does not know it."""
    template = CATALOGUE.get(code, _UNKNOWN)[1 if language.startswith("en") else 0]
    # `format_map` with names only: what strangers sent is a value here, never part of the template.
    values = {key: str(value)[:200] for key, value in (params or {}).items()}
    return template.format_map(_Params({**values, "_code": code}))


def known(code: str) -> bool:
    """Whether the catalogue has words for it."""
    return code in CATALOGUE
