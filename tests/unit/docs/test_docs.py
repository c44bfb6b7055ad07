"""The documentation is part of the product: links lead somewhere, both languages say the same, nothing is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from safecity.server.settings import describe

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
GUIDE = sorted(path for path in (DOCS / "guide").glob("*.md") if not path.name.endswith(".zh-CN.md"))
_CODE = re.compile(r"^( *)```.*?^\1```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


def prose(path: Path) -> str:
    return _CODE.sub("", path.read_text("utf-8"))


def anchors(path: Path) -> set[str]:
    """As code hosts make them: lower case, spaces to hyphens, marks left out."""
    heads = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    dead: list[str] = []
    for link in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


def outline(path: Path) -> dict[str, list[int] | int]:
    text = path.read_text("utf-8")
    plain = prose(path)
    return {
        "levels of headings": [len(marks) for marks in re.findall(r"^(#+) ", plain, re.MULTILINE)],
        "rows of tables": len(re.findall(r"^\|", plain, re.MULTILINE)),
        "points": len(re.findall(r"^(?:-|\d+\.) ", plain, re.MULTILINE)),
        "pictures": len(re.findall(r"!\[", plain)),
        "blocks of code": len(re.findall(r"^ *```\w", text, re.MULTILINE)),
    }


@pytest.mark.parametrize("page", [*GUIDE, ROOT / "README.md"], ids=lambda path: path.name)
def test_both_languages_have_the_same_parts(page: Path) -> None:
    other = page.with_name(page.name.removesuffix(".md") + ".zh-CN.md")
    assert outline(page) == outline(other)


def test_no_page_of_the_guide_is_in_one_language_only_or_led_to_by_nobody() -> None:
    names = {path.name for path in (DOCS / "guide").glob("*.md")}
    assert {name for name in names if name.endswith(".zh-CN.md")} == {
        f"{path.name.removesuffix('.md')}.zh-CN.md" for path in GUIDE
    }
    for start, pages in (("README.md", GUIDE), ("README.zh-CN.md", None)):
        text = (DOCS / "guide" / start).read_text("utf-8")
        linked = {link.partition("#")[0] for link in _LINK.findall(text)}
        wanted = {path.name for path in pages} if pages else {name for name in names if name.endswith(".zh-CN.md")}
        assert wanted - {start} <= linked


def test_every_setting_is_in_the_reference() -> None:
    page = (DOCS / "reference" / "settings.md").read_text("utf-8")
    assert [name for name, *_ in describe() if f"`{name}`" not in page] == []


def test_every_setting_is_explained_in_its_section() -> None:
    silent = [name for name, _, _, text in describe() if not re.search(rf"\b{name.split('.')[-1]}\b", text)]
    assert [name for name in silent if name != "record.volumes"] == [], "volumes have a section of their own"


@pytest.mark.parametrize("page", sorted((DOCS / "standards").glob("*.md")), ids=lambda path: path.name)
def test_modules_and_tests_named_beside_a_clause_exist(page: Path) -> None:
    tests = {path.name for path in (ROOT / "tests").rglob("test_*.py")}
    gone: list[str] = []
    for named in re.findall(r"`([\w/.]+(?:\.py|/))`", page.read_text("utf-8")):
        known = (
            named in tests
            or (ROOT / named).exists()
            or (ROOT / "src" / "safecity" / named).exists()
            or any((ROOT / "src" / "safecity").rglob(named))
        )
        if not known:
            gone.append(named)
    assert gone == []


def test_every_standard_that_the_protocols_cite_has_its_place() -> None:
    pages = "\n".join(path.read_text("utf-8") for path in (DOCS / "standards").glob("*.md"))
    cited: set[str] = set()
    for part in ("protocols", "media/formats"):
        for file in (ROOT / "src" / "safecity" / part).rglob("*.py"):
            cited |= set(re.findall(r"RFC (\d{4})|ISO/IEC (\d{5}-\d+)", file.read_text("utf-8")).__iter__())
    numbers = {rfc or iso for rfc, iso in cited}
    missing = {number for number in numbers if number not in pages and number.split("-")[0] + "-" not in pages}
    # Named only to say what an old device does, not what we do.
    assert missing - {"2543", "2069", "3986"} == set()
