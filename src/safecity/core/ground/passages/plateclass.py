"""The class of a plate (号牌种类) from what it looks like and what is written on it. Pure."""

from __future__ import annotations

from typing import Final

_BY_WORDS: Final = {"使": "03", "领": "04", "挂": "15", "学": "16", "试": "18", "临": "22", "警": "23"}
_BY_LOOK: Final = {
    "cn_yellow": "01", "cn_blue": "02", "cn_black": "06", "cn_green_large": "51", "cn_green": "52",
}  # fmt: skip


def plate_class(kind: str, plate: str) -> str:
    """Its code of GA/T 16.7 (02 small vehicles, 15 trailers, 23 police, ...) as GA 36-2018 assigns plates; empty where
    neither says it, as abroad. `kind`: of `VehicleRead.plate_kind`.

    What is written counts before what it looks like: a trailer's plate is yellow like a lorry's.
    """
    if not kind.startswith("cn_"):
        return ""
    if plate.startswith("粤Z") and plate[-1] in "港澳":
        return "26" if plate[-1] == "港" else "27"
    if plate.startswith("WJ"):
        return "31"
    if kind == "cn_white" and plate[:2].isascii() and plate[:2].isalpha():
        return "32"
    return next((code for sign, code in _BY_WORDS.items() if plate.endswith(sign)), _BY_LOOK.get(kind, ""))
