"""What the reader can say: the signs of plates, and the kinds of plate. Order is part of the trained network."""

from __future__ import annotations

from enum import StrEnum

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
# Police, learner, trailer, Hong Kong and Macao cars, consulates, embassies, trials, temporary, emergency, airports.
SPECIAL = "警学挂港澳领使试超临应急民航"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
DIGITS = "0123456789"

SIGNS = PROVINCES + SPECIAL + LETTERS + DIGITS
BLANK = 0  # the network's first output: no sign in this column
SIGN_INDEX = {sign: index for index, sign in enumerate(SIGNS, start=1)}

# Many countries press both from one tool, or nearly so: which one stands there is known from where it stands.
LOOK_ALIKE = (("O", "0"), ("I", "1"))


def looks(text: str) -> str:
    """The text by its shapes: texts that look alike have one."""
    for letter, digit in LOOK_ALIKE:
        text = text.replace(letter, digit)
    return text


# GA 36-2018: the serial has neither I nor O, because they look like 1 and 0.
CN_LETTERS = LETTERS.replace("I", "").replace("O", "")


class PlateKind(StrEnum):
    """What a plate looks like; country and colour follow from it."""

    CN_BLUE = "cn_blue"
    CN_YELLOW = "cn_yellow"
    CN_GREEN = "cn_green"
    CN_GREEN_LARGE = "cn_green_large"
    CN_WHITE = "cn_white"
    CN_BLACK = "cn_black"
    EU = "eu"
    US = "us"
    BR_GREY = "br_grey"
    BR_MERCOSUR = "br_mercosur"

    @property
    def country(self) -> str:
        """cn, eu, us or br."""
        return self.value.partition("_")[0]

    @property
    def colour(self) -> str | None:
        """Colour of the plate where the kind says it; None elsewhere."""
        return _COLOURS.get(self)


KINDS = tuple(PlateKind)
COUNTRIES = frozenset(kind.country for kind in KINDS)
_COLOURS = {
    PlateKind.CN_BLUE: "blue",
    PlateKind.CN_YELLOW: "yellow",
    PlateKind.CN_GREEN: "green",
    PlateKind.CN_GREEN_LARGE: "yellow-green",
    PlateKind.CN_WHITE: "white",
    PlateKind.CN_BLACK: "black",
}
