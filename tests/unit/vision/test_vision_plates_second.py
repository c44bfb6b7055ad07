"""A second reader has a say in plates that ours is not sure of; without it, or with a broken one, ours goes on."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import logging
from collections.abc import Mapping
from itertools import groupby, product
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.unit.vision.plate_film import columns_of, read

from safecity.backends.inference import OnnxInference
from safecity.kit.errors import InvalidError
from safecity.ports.inference import NetworkInfo, Numbers, Tensor, TensorInfo
from safecity.vision.arrays import array, tensor
from safecity.vision.pictures import load_picture
from safecity.vision.plates.alphabet import KINDS, SIGN_INDEX, SIGNS, PlateKind
from safecity.vision.plates.locator import Found, Locator
from safecity.vision.plates.opinions import chances, weigh_looks
from safecity.vision.plates.reader import Reader, read_columns
from safecity.vision.plates.recognise import MODELS, KeptLook, PlateRead, PlateRecogniser, open_recogniser
from safecity.vision.plates.second import FILES, PACKAGE, SecondReader, installed, open_second

EXAMPLES = Path(__file__).resolve().parents[2] / "vectors" / "plates"
PICTURE = np.zeros((240, 400, 3), np.uint8)
CORNERS = np.array([[100, 80], [300, 80], [300, 130], [100, 130]], np.float32)
NAMED = [*SIGNS, *(letter.lower() for letter in "abcxyz"), "·", "-", "车", "é"]
COLUMNS = 20


class Locating:
    """A locator that finds one plate."""

    info = NetworkInfo("locator", "1" * 64, (), ())

    def find(self, *told: Any) -> list[Found]:
        *_, but = (None, *told)
        return [one for one in [Found(CORNERS, 0.9)] if not callable(but) or not but(one, False)]


class Network:
    """A network that gives what the test says, and counts."""

    def __init__(self, info: NetworkInfo, answer: Mapping[str, NDArray[np.float32]]) -> None:
        self.info, self.answer, self.asked = info, answer, 0

    def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        (given,) = inputs.values()
        self.asked += 1
        return {
            name: tensor(np.repeat(one, given.shape[0], 0) if name != "out" else one)
            for name, one in self.answer.items()
        }


def first_says(
    text: str, sure: float = 0.999, doubt: tuple[int, str] | None = None, kind: PlateKind = PlateKind.CN_BLUE
) -> Reader:
    """Every sign five columns from the next; at the place of `doubt` it holds that sign for as likely."""
    signs = np.full((1, 40, len(SIGNS) + 1), 1e-4, np.float32)
    signs[:, :, 0] = 1
    for place, sign in enumerate(text):
        at = slice(2 + 5 * place, 4 + 5 * place)
        signs[:, at, 0] = 1e-3
        signs[:, at, SIGN_INDEX[sign]] = sure
        if doubt is not None and doubt[0] == place:
            signs[:, at, SIGN_INDEX[sign]] = signs[:, at, SIGN_INDEX[doubt[1]]] = 0.5
    kinds = np.full((1, len(KINDS)), -9, np.float32)
    kinds[0, KINDS.index(kind)] = 0
    return Reader(Network(NetworkInfo("reader", "2" * 64, (), ()), {"signs": np.log(signs), "kinds": kinds}))


def described(characters: str) -> NetworkInfo:
    number = Numbers.FLOAT32
    return NetworkInfo(
        "other", "3" * 64, (TensorInfo("in", (None, 3, 48, None), number),),
        (TensorInfo("out", (None, None, None), number),), {"character": characters},
    )  # fmt: skip


def second_says(text: str, named: list[str] = NAMED, sure: float = 0.98) -> SecondReader:
    """As PP-OCR answers: columns x (none, its characters, a space)."""
    answer = np.full((1, COLUMNS, len(named) + 2), (1 - sure) / (len(named) + 1), np.float32)
    answer[0, :, 0] = sure
    for place, sign in enumerate(text):
        column = 1 + round(place * 2.5)
        answer[0, column, 0], answer[0, column, 1 + named.index(sign)] = (1 - sure) / (len(named) + 1), sure
    return SecondReader(Network(described("\n".join(named)), {"out": answer}))


def looked(first: Reader, second: SecondReader | None) -> PlateRead:
    recogniser = PlateRecogniser(
        cast("Locator", Locating()), first, countries=frozenset({"cn"}), second=second
    )  # fmt: skip
    (found,) = recogniser.still(PICTURE)
    return found


def asked(reader: SecondReader) -> int:
    return cast("Any", reader)._network.asked


def test_a_doubt_of_ours_is_settled_by_what_the_second_reader_says() -> None:
    first = first_says("皖A12B45", doubt=(4, "8"))
    alone = looked(first, None)
    assert alone.doubtful or alone.confidence < 0.8
    for sign in "B8":
        both = looked(first, second_says(f"皖A12{sign}45"))
        assert (both.text, both.doubtful, both.second) == (f"皖A12{sign}45", False, True)
        assert both.confidence > 0.8
        assert len(both.signs) == len(both.text)
        middles = [one.corners.mean(0)[0] for one in both.signs]
        assert middles == sorted(middles), "each sign has its place on the plate"


def test_what_ours_is_sure_of_costs_no_second_reading() -> None:
    second = second_says("京C99999")
    found = looked(first_says("皖A12B45"), second)
    assert (found.text, found.doubtful, found.second, asked(second)) == ("皖A12B45", False, False, 0)


@pytest.mark.parametrize(
    ("text", "other", "told"),
    [("冀NPF690", "T", "冀TPF690"), ("冀TPF690", "N", "冀TPF690"), ("鲁TPF690", "V", "鲁VPF690")],
)
def test_a_letter_that_its_province_issues_goes_before_one_that_it_does_not(text: str, other: str, told: str) -> None:
    first = first_says(text, doubt=(1, other))
    assert looked(first, second_says(text[0] + text[2:])).text == told, "the second reader did not see that sign"


def test_a_letter_that_its_province_does_not_issue_is_reported_when_both_saw_it() -> None:
    found = looked(first_says("琼U00000"), second_says("琼U00000"))
    assert (found.text, found.doubtful, found.second) == ("琼U00000", False, True), "however sure ours was alone"


def test_two_readers_that_contradict_one_another_are_less_sure_and_tell_both_signs() -> None:
    first = first_says("皖A12B45", doubt=(4, "8"))
    agreed, torn = (looked(first, second_says(text)) for text in ("皖A12B45", "皖A72X45"))
    assert torn.confidence < 0.5 * agreed.confidence
    assert not agreed.doubtful
    told = {torn.text, *torn.others}
    assert told & {"皖A12B45", "皖A12845"}, "what ours saw"
    assert any("X" in text for text in told), "and what the other saw"


def test_the_dot_between_the_signs_and_small_letters_are_no_matter() -> None:
    first = first_says("皖A12B45", doubt=(3, "Z"))
    assert looked(first, second_says("皖a·2B45".replace("·", "·1", 1))).text == "皖A12B45"


@pytest.mark.parametrize(
    ("kind", "text", "shown"), [(PlateKind.US, "1ABC234", False), (PlateKind.CN_BLUE, "皖A12B45", True)]
)
def test_the_words_above_and_below_an_american_number_are_not_shown_to_the_second_reader(
    kind: PlateKind, text: str, shown: bool
) -> None:
    class Watching(Network):
        def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
            seen.append(array(next(iter(inputs.values()))).copy())
            return super().run(inputs)

    seen: list[NDArray[np.float32]] = []
    says = second_says(text)
    second = SecondReader(Watching(says.info, cast("Any", says)._network.answer))
    first = first_says(text, doubt=(4, "8"), kind=kind)
    picture = PICTURE.copy()
    picture[80:86, 100:300] = picture[124:130, 100:300] = 255  # an eighth of the plate's height each
    recogniser = PlateRecogniser(
        cast("Locator", Locating()), first, countries=frozenset({kind.country}), second=second
    )  # fmt: skip
    (found,) = recogniser.still(picture)
    assert (found.text, found.second) == (text, True)
    assert (seen[0].max() > 0.5) == shown
    middles = [one.corners.mean(0)[0] for one in found.signs]
    assert middles == sorted(middles), "each sign has its place on the plate"


def test_a_plate_of_two_lines_is_heard_line_by_line() -> None:
    square = np.array([[100, 80], [220, 80], [220, 140], [100, 140]], np.float32)
    second = second_says("皖A")
    parts = second.look(PICTURE, square, two_lines=True)
    assert [part.shape for part in parts] == [(COLUMNS, len(SIGNS) + 1)] * 2
    assert asked(second) == 2


@pytest.mark.parametrize("broken", ["", "a\nb\nc"])
def test_a_network_that_does_not_name_the_signs_of_plates_is_refused(broken: str) -> None:
    with pytest.raises(InvalidError) as refused:
        SecondReader(Network(described(broken), {}))
    assert refused.value.code == "model_characters"


def test_a_file_that_is_missing_spoilt_or_another_network_leaves_our_reader_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoilt = tmp_path / "spoilt.onnx"
    spoilt.write_bytes(b"no network")
    for file in (tmp_path / "none.onnx", spoilt, MODELS / "reader.onnx"):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            recogniser = open_recogniser(OnnxInference(), countries=frozenset({"cn"}), second=file)
        assert recogniser.second is None
        assert file.name in caplog.text, "and the log says which file"
        picture = load_picture((EXAMPLES / "cn_blue.jpg").read_bytes())
        assert "皖A7K356" in [one.text for one in recogniser.still(picture)]


def test_a_second_reader_that_fails_is_given_up_once(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Network):
        def run(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
            self.asked += 1
            raise InvalidError("out of memory", code="tensor_input")

    second = SecondReader(Failing(described("\n".join(NAMED)), {}))
    first = first_says("皖A12B45", doubt=(4, "8"))
    recogniser = PlateRecogniser(cast("Locator", Locating()), first, countries=frozenset({"cn"}), second=second)
    for _ in range(3):
        (found,) = recogniser.still(PICTURE)
        assert (found.text[:4], found.second) == ("皖A12", False)
    assert asked(second) == 1
    assert recogniser.second is None
    assert recogniser.second_named == second.info, "who passed before was read with it"
    assert caplog.text.count("second reader failed") == 1


def test_a_plate_that_the_second_reader_stumbles_over_costs_no_other_plate_its_opinion(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    second = second_says("皖A12B45")
    answers = iter([ValueError("corners in one line")])

    def look(*told: Any) -> list[NDArray[np.float32]]:
        for error in answers:
            raise error
        return SecondReader.look(second, *told)

    monkeypatch.setattr(second, "look", look)
    first = first_says("皖A12B45", doubt=(4, "8"))
    recogniser = PlateRecogniser(cast("Locator", Locating()), first, countries=frozenset({"cn"}), second=second)
    assert [one.second for _ in range(2) for one in recogniser.still(PICTURE)] == [False, True]


def test_a_frame_of_a_film_is_read_by_ours_alone_and_not_at_all_where_its_plate_is_known() -> None:
    second = second_says("皖A12B45")
    first = first_says("皖A12B45", doubt=(4, "8"))
    recogniser = PlateRecogniser(cast("Locator", Locating()), first, countries=frozenset({"cn"}), second=second)
    (told,) = recogniser.frame(PICTURE)
    assert (told.text[:4], told.second, asked(second)) == ("皖A12", False, 0)
    known = dataclasses.replace(told, carried=True)
    reads = cast("Any", first)._network.asked
    (again,) = recogniser.frame(PICTURE, lambda *_: known)
    assert again is known
    assert cast("Any", first)._network.asked == reads


def looks_at(*columns: tuple[NDArray[np.float32], NDArray[np.float32]]) -> list[KeptLook]:
    strips = [read_columns(*one, countries=frozenset({"cn"})) for one in columns]
    return [KeptLook(PICTURE, CORNERS, 1, PlateKind.CN_BLUE, strip) for strip in strips if strip is not None]


def test_several_looks_are_read_together_by_both_readers() -> None:
    torn = columns_of("皖A12B45", doubt=(4, "8", 0.5))
    second = second_says("皖A12845")
    recogniser = PlateRecogniser(
        cast("Locator", Locating()), first_says(""), countries=frozenset({"cn"}), second=second
    )  # fmt: skip
    best = read("皖A12B45", 0.6, x=30)
    told = recogniser.together(looks_at(torn, torn), best)
    assert told is not None
    assert (told.text, told.doubtful, told.second, asked(second)) == ("皖A12845", False, True, 2)
    assert (told.corners == best.corners).all(), "told where it was read best"
    alone = PlateRecogniser(cast("Locator", Locating()), first_says(""), countries=frozenset({"cn"}))
    assert alone.together(looks_at(torn, torn), best) is None
    assert recogniser.together([], best) is None
    two_lines = [dataclasses.replace(one, lines=2) for one in looks_at(torn)]
    recogniser.together([*looks_at(torn), *two_lines], best)
    assert asked(second) == 3, "one that took it for a plate of two lines says nothing about these"


def test_one_look_that_shows_a_sign_well_is_not_outvoted_by_those_that_do_not() -> None:
    clear, blurred = columns_of("皖A12B45"), columns_of("皖A12845", doubt=(4, "B", 0.4))
    nothing_said = np.full((1, COLUMNS, len(SIGNS) + 1), -12.0, np.float32)
    nothing_said[..., 0] = 0
    looks = [(1, one.strip, nothing_said) for one in looks_at(clear, blurred, blurred)]
    opinion = weigh_looks(looks, frozenset({"cn"}))
    assert opinion is not None
    assert opinion.strip.reading.text == "皖A12B45"
    voted = weigh_looks(looks[1:], frozenset({"cn"}))
    assert voted is not None
    assert voted.strip.reading.text == "皖A12845"


def test_a_province_of_which_every_look_shows_little_is_not_lost() -> None:
    faint, kinds = columns_of("川B42GA0")
    faint[2:4, [0, SIGN_INDEX["川"]]] = np.log([0.87, 0.13])
    looks = [(1, one.strip, [faint]) for one in looks_at(*[(faint, kinds)] * 3)]
    for several in (looks[:1], looks):
        opinion = weigh_looks(several, frozenset({"cn"}))
        assert opinion is not None
        assert opinion.strip.reading.text == "川B42GA0", len(several)


def test_a_look_at_something_else_altogether_rules_nothing_out() -> None:
    said = second_says("皖A12B45").look(PICTURE, CORNERS, two_lines=False)
    plate, other = looks_at(columns_of("皖A12B45"), columns_of("2026112"))
    opinion = weigh_looks([(1, one.strip, said) for one in (plate, plate, other)], frozenset({"cn"}))
    assert opinion is not None
    assert (opinion.strip.reading.text, opinion.confidence > 0.8) == ("皖A12B45", True)
    assert weigh_looks([], frozenset({"cn"})) is None


def collapsed(path: tuple[int, ...]) -> tuple[int, ...]:
    """The text along a way: what is said in a row is said once."""
    return tuple(sign for sign, _ in groupby(path) if sign)


def test_the_chance_of_a_text_is_that_of_all_ways_to_lay_it_along_the_columns() -> None:
    few = ("A", "B")
    random = np.random.default_rng(7)
    shares = random.dirichlet(np.ones(3), 5)
    columns = np.full((5, len(SIGNS) + 1), 1e-12)
    where = [0, *(SIGN_INDEX[sign] for sign in few)]
    columns[:, where] = shares
    for text in ("A", "AB", "AA", "ABA", "BAAB"):
        wanted = tuple(where.index(SIGN_INDEX[sign]) for sign in text)
        every = sum(
            np.prod([(1 - 0.02) * shares[at, sign] + 0.02 / columns.shape[1] for at, sign in enumerate(path)])
            for path in product(range(3), repeat=5)
            if collapsed(path) == wanted
        )
        # Ways through signs that nobody speaks of end in other texts.
        assert np.exp(chances(np.log(columns).astype(np.float32), [text])[0]) == pytest.approx(every, rel=1e-3)


def test_of_the_files_that_the_package_carries_the_one_that_tells_provinces_best_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / PACKAGE
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('nothing of it is to be run')", "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert installed() is None, "a release that carries none of them"
    for file in reversed(FILES):
        (package / file).write_bytes(b"a network")
        assert installed() == package / file


def test_the_release_that_is_installed_carries_one_of_the_files() -> None:
    """A release that names its files anew would go unnoticed otherwise: plates are read without it, only worse."""
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip("the package of the second reader is not installed")
    assert installed() is not None


@pytest.fixture(scope="module")
def real() -> SecondReader:
    file = installed()
    if file is None:
        pytest.skip("the second reader is not installed: pip install --no-deps 'rapidocr<3.9'")
    return open_second(OnnxInference(), file)


@pytest.mark.parametrize("file", ["cn_blue.jpg", "cn_green.jpg", "br.jpg"])
def test_the_reader_of_the_package_reads_drawn_plates(real: SecondReader, file: str) -> None:
    truth = json.loads((EXAMPLES / "truth.json").read_text("utf-8"))[file]
    picture = load_picture((EXAMPLES / file).read_bytes())
    (columns,) = real.look(picture, np.array(truth["corners"], np.float32), two_lines=False)
    path = tuple(int(one) for one in columns.argmax(1))
    # The province in a drawn hand is what it knows least.
    assert "".join(SIGNS[one - 1] for one in collapsed(path))[-5:] == truth["plate"][-5:]


def test_the_package_is_found_without_being_run(real: SecondReader) -> None:
    import sys

    assert "rapidocr" not in sys.modules
    assert len(real.info.digest) == 64
    assert open_recogniser(OnnxInference(), second=installed()).second == real.info
