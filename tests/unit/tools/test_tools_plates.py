"""The plate generator: texts by the rules, signs where it says they are, provinces equally often.

Drawing needs pillow and fonts, which only training needs; without them the tests of drawing are left out.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from tools.plates.strokes import FORMS, rounded
from tools.plates.texts import br_text, cn_text, eu_text, us_text

from safecity.vision.plates.alphabet import PROVINCES, PlateKind
from safecity.vision.plates.grammar import fits

CHINESE = [kind for kind in PlateKind if kind.country == "cn"]


@pytest.mark.parametrize("kind", CHINESE)
def test_chinese_texts_follow_ga_36(kind: PlateKind) -> None:
    rng = np.random.default_rng(1)
    texts = [cn_text(rng, kind) for _ in range(300)]
    assert [text for text in texts if not fits(text, "cn")] == []
    assert not any(sign in text for text in texts for sign in "IO")


def test_every_province_comes_equally_often() -> None:
    rng = np.random.default_rng(2)
    counts = Counter(cn_text(rng, PlateKind.CN_BLUE)[0] for _ in range(31 * 200))
    assert set(counts) == set(PROVINCES)
    assert 140 < min(counts.values()) <= max(counts.values()) < 270


def test_brazilian_texts_follow_their_two_forms() -> None:
    rng = np.random.default_rng(3)
    assert all(fits(br_text(rng, mercosur).replace("-", ""), "br") for mercosur in (True, False) for _ in range(100))


def test_foreign_plates_show_every_letter_and_digit() -> None:
    rng = np.random.default_rng(4)
    for text in (us_text, eu_text):
        seen = set("".join(text(rng) for _ in range(2000)))
        assert set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") <= seen


@pytest.mark.parametrize("sign", FORMS)
def test_strokes_stay_inside_their_box(sign: str) -> None:
    for form in FORMS[sign]:
        for line in form:
            points = rounded(line, 44, 96, 20)
            assert points.min() >= -1e-6
            assert (points.max(0) <= (44 * 1.03, 96 * 1.04)).all(), "the tail of the Q may hang out a little"


def test_a_rounded_corner_is_cut() -> None:
    sharp = rounded([(0, 0, 0), (1, 0, 0), (1, 1, 0)], 10, 10, 4)
    soft = rounded([(0, 0), (1, 0), (1, 1)], 10, 10, 4)
    assert (10, 0) in [tuple(point) for point in sharp.tolist()]
    assert all(np.hypot(*(point - (10, 0))) > 1 for point in soft)


@pytest.fixture(scope="module")
def faces() -> object:
    pytest.importorskip("PIL")
    from tools.plates.glyphs import load_faces

    try:
        return load_faces()
    except SystemExit:
        pytest.skip("no font with Chinese signs on this machine")


@pytest.mark.parametrize("kind", list(PlateKind))
def test_signs_are_drawn_where_the_truth_says(faces: object, kind: PlateKind) -> None:
    from tools.plates.draw import draw_plate

    rng = np.random.default_rng(5)
    for _ in range(8):
        flat = draw_plate(rng, faces, kind)  # type: ignore[arg-type]
        assert flat.kind is kind
        for sign in flat.signs:
            box = flat.image[int(sign.top) : int(sign.bottom) + 1, int(sign.left) : int(sign.right) + 1]
            assert box.std() > 8, f"{flat.text}: something stands where {sign.sign} should"
        for line in range(flat.lines):
            row = [sign for sign in flat.signs if sign.line == line]
            assert all(a.right <= b.left + 3 for a, b in pairwise(row)), flat.text


def test_what_the_reader_is_taught_reads_as_the_text(faces: object) -> None:
    from tools.plates.shoot import CropMaker

    maker = CropMaker(6, faces, pool=30)  # type: ignore[arg-type]
    for _ in range(150):
        crop = maker.make()
        said = [
            int(sign)
            for place, sign in enumerate(crop.columns)
            if sign > 0 and (place == 0 or crop.columns[place - 1] != sign)
        ]
        assert said == crop.text.tolist()


def test_scenes_say_where_their_plates_are(faces: object) -> None:
    from tools.plates.scenes import FRAME_HEIGHT, FRAME_WIDTH, SceneMaker

    maker = SceneMaker(7, faces, pool=10)  # type: ignore[arg-type]
    scenes = [maker.make() for _ in range(60)]
    assert {len(scene.plates) for scene in scenes} == {0, 1, 2}
    for scene in scenes:
        assert scene.image.shape == (FRAME_HEIGHT, FRAME_WIDTH, 3)
        for plate in scene.plates:
            assert (plate >= 0).all()
            assert (plate <= (FRAME_WIDTH, FRAME_HEIGHT)).all()


def test_the_same_seed_draws_the_same(faces: object) -> None:
    from tools.plates.shoot import CropMaker

    one, other = (CropMaker(8, faces, pool=5).make() for _ in range(2))  # type: ignore[arg-type]
    assert (one.strip == other.strip).all()
    assert (one.text == other.text).all()
