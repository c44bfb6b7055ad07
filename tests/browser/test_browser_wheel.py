"""The page of the installed package in a real browser: it shows itself in its own font, in either language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from benchmarks.browser import signed_in
from benchmarks.whole import Platform
from playwright.sync_api import Browser
from tests.wheel import Installed

LOADED = "document.fonts.ready.then(() => [...document.fonts].filter(f => f.status === 'loaded').map(f => f.family))"


@pytest.fixture(scope="module")
def bought(installed: Installed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    data = tmp_path_factory.mktemp("bought")
    platform = Platform(data, python=str(installed.python), environment=installed.environment())
    try:
        yield platform.start()
    finally:
        platform.stop()


@pytest.mark.parametrize(("language", "button"), [("en", "Sign in"), ("zh", "登录")])
def test_the_page_shows_itself_in_its_own_font_and_in_either_language(
    bought: Platform, browser: Browser, language: str, button: str
) -> None:
    complaints: list[str] = []
    with signed_in(browser, bought, language=language) as page:
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("requestfailed", lambda request: complaints.append(request.url))
        page.on("console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None)
        page.goto(bought.base)
        page.get_by_role("button", name=button).wait_for()
        loaded = page.evaluate(LOADED)
        assert any("Inter" in family for family in loaded), loaded
        assert page.evaluate("document.documentElement.lang") == ("zh-CN" if language == "zh" else "en")
    assert complaints == []
