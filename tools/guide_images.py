"""Take the guide's pictures of the real thing, in both languages: python tools/guide_images.py

Starts the demo city in a folder of its own; needs Debian's chromium and a built ui/dist.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.browser import chromium_page  # noqa: E402
from benchmarks.whole import Platform, until  # noqa: E402
from playwright.sync_api import Page  # noqa: E402

TARGET = ROOT / "docs" / "guide" / "images"
SIZE = (1280, 800)


def shoot(page: Page, name: str, language: str) -> None:
    """`name.jpg` in English, `name.zh-CN.jpg` in Chinese."""
    path = TARGET / f"{name}{'.zh-CN' if language == 'zh' else ''}.jpg"
    page.screenshot(path=str(path), type="jpeg", quality=72)
    print(path.relative_to(ROOT), path.stat().st_size)


def wall(page: Page, names: list[str]) -> None:
    """Four running channels on the wall."""
    tree = page.get_by_role("tree")
    tree.wait_for()
    page.wait_for_timeout(1500)
    for name in names[:4]:
        tree.get_by_text(name, exact=True).first.dblclick()
        page.wait_for_timeout(800)
    page.wait_for_timeout(6000)


def two_in_step(page: Page) -> None:
    """The pictures stand, a range is marked."""
    page.wait_for_timeout(7000)
    page.keyboard.press("[")
    page.wait_for_timeout(5000)
    page.keyboard.press("]")
    page.keyboard.press("k")
    page.wait_for_timeout(1500)


def credentials(page: Page) -> None:
    """A device was added: what to type into it."""
    language = page.evaluate("() => document.documentElement.lang")
    zh = str(language).startswith("zh")
    page.get_by_role("button", name="添加摄像机" if zh else "Add camera").first.click()
    page.locator("#name").fill("镜湖路口" if zh else "Jinghu crossing")
    page.locator("#code").fill("34020200001320000777")
    page.locator("form button[type=submit]").click()
    page.wait_for_timeout(2000)


def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="safecity-guide-") as folder:
        platform = Platform(Path(folder) / "data", "--demo")
        try:
            platform.start().setup()
            until(lambda: len([c for c in platform.channels() if c["state"] == "running"]) >= 7 or None, "cameras run")
            until(lambda: platform.get("/alarms")["items"] or None, "an alarm came", 90)
            until(lambda: platform.get("/traffic/jams")["items"] or None, "vehicles creep", 240)
            plain = {one["channel"] for one in platform.get("/health")["streams"] if one["codec"] == "h264"}
            shown = [c for c in platform.channels() if c["id"] in plain and c["name"] != c["device_name"]]
            start = time.time_ns() // 1000 - 40_000_000
            pair = ",".join(c["id"] for c in shown[:2])
            for language in ("en", "zh"):
                with chromium_page(platform, *SIZE, language) as page:
                    tag = "zh-CN" if language == "zh" else "en"
                    page.add_init_script(f"localStorage.setItem('safecity.language', '{tag}')")
                    page.goto(f"{platform.base}/live")
                    wall(page, [c["name"] for c in shown])
                    shoot(page, "live-wall", language)
                    for name, path, prepare in PAGES:
                        page.goto(platform.base + path.format(pair=pair, at=start))
                        prepare(page)
                        shoot(page, name, language)
                for device in platform.get("/devices")["items"]:
                    if device["code"] == "34020200001320000777":
                        platform.api.delete(f"/devices/{device['id']}").raise_for_status()
        finally:
            platform.stop()


def _traffic(page: Page) -> None:
    """A way through the drawn town, round its jam."""
    page.locator(".traffic-panel input").first.fill("118.3570, 31.3300")
    page.locator(".traffic-panel input").nth(1).fill("118.3985, 31.3475")
    page.wait_for_timeout(5000)


def _settle(page: Page) -> None:
    page.wait_for_timeout(4000)


def _first_alarm(page: Page) -> None:
    page.wait_for_timeout(2500)
    page.get_by_role("row").nth(1).click()
    page.wait_for_timeout(3500)


PAGES: list[tuple[str, str, Callable[[Page], None]]] = [
    ("playback", "/playback?channels={pair}&at={at}", two_in_step),
    ("alarms", "/alarms", _first_alarm),
    ("traffic", "/traffic", _traffic),
    ("health", "/health", _settle),
    ("credentials", "/devices", credentials),
]

if __name__ == "__main__":
    main()
