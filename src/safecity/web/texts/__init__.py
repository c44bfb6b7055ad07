"""The words of the server: code and params in, a sentence out, in Chinese or English. Nowhere else are there any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safecity.web.texts.en import EN
from safecity.web.texts.zh import ZH

CATALOGUES: dict[str, dict[str, str]] = {"zh": ZH, "en": EN}


class _Params(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


def sentence(code: str, params: Mapping[str, Any] | None = None, language: str = "zh") -> str:
    """What a person can use; the code itself where no catalogue knows it."""
    words = CATALOGUES["en" if language.startswith("en") else "zh"]
    template = words.get(code) or words.get("internal_code", "{code}")
    # `format_map` with names only: what strangers sent is a value here, never part of the template.
    values = {key: str(value)[:200] for key, value in (params or {}).items()}
    return template.format_map(_Params({"code": code, **values}))


def known(code: str) -> bool:
    """Whether both catalogues have words for it."""
    return code in ZH and code in EN
