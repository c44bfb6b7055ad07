"""From a PTZ key to the first picture on the screen that says its lens has moved.

The strip of a simulated dome says where its lens points in each picture (`safecity/sim/scene/strip.py`), so traffic in
the street does not matter. A key is pressed as a person presses it, by the browser's own input; its time is the
event's. A picture counts as moved when its strip says another pan than every picture since the lens stood still; its
time is when the browser expects it on the screen. What happens between is told by the browser's record of requests
(the command's answer) and by the clock in the moved picture itself (when it was painted).
"""

from __future__ import annotations

import random
import statistics
from dataclasses import dataclass, field

from playwright.sync_api import Page

_WATCH = """
() => {
  const video = document.querySelector('video')
  const press = { pan: null, calm: 0, at: 0, from: null, moved: 0, painted: 0, unread: 0, done: () => undefined }
  window.__press = press
  window.addEventListener('keydown', (event) => {
    if (event.repeat || !event.key.startsWith('Arrow')) return
    Object.assign(press, { at: event.timeStamp, from: press.pan, moved: 0, painted: 0, unread: 0 })
  }, true)
  const look = (_, meta) => {
    const strip = window.readStrip(video)
    if (!strip || strip.pan === undefined) press.unread += 1
    else {
      if (press.at && !press.moved && strip.pan !== press.from) {
        press.moved = Math.max(performance.now(), meta.expectedDisplayTime)
        press.painted = strip.ms - performance.timeOrigin
      }
      press.calm = strip.pan === press.pan ? press.calm + 1 : 0
      press.pan = strip.pan
    }
    press.done()
    video.requestVideoFrameCallback(look)
  }
  video.requestVideoFrameCallback(look)
}
"""
# Promises that the pictures themselves settle: a page that is asked sixty times a second whether it is done paints for
# that alone, and on two cores its pictures come late.
_WHEN = """
([what, patience]) => new Promise((resolve) => {
  const press = window.__press
  const end = performance.now() + patience
  press.done = () => {
    const so = what === 'moved' ? press.moved > 0 : press.calm >= 8
    if (!so && performance.now() < end) return
    press.done = () => undefined
    resolve(so)
  }
})
"""
_SAID = """
() => {
  const { at, moved, painted, unread } = window.__press
  window.__press.at = 0
  const asked = performance.getEntriesByType('resource')
    .filter((one) => one.name.endsWith('/ptz') && one.startTime >= at)[0]
  performance.clearResourceTimings()
  return { moved: moved - at, painted: painted - at, unread, sent: asked ? asked.startTime - at : -1,
           answered: asked ? asked.responseEnd - at : -1 }
}
"""


@dataclass
class Presses:
    """Milliseconds from the key: `moved` pictures on the screen, and the stations on the way there."""

    moved: list[float] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    painted: list[float] = field(default_factory=list)
    not_seen: int = 0

    def stations(self) -> dict[str, int]:
        """Medians: where the time goes."""
        if not self.moved:
            return {}
        return {
            "request_sent": round(statistics.median(self.sent)),
            "request_answered": round(statistics.median(self.answered)),
            "moved_picture_painted": round(statistics.median(self.painted)),
            "on_the_screen": round(statistics.median(self.moved)),
        }


def press_keys(page: Page, presses: int, patience_ms: float = 5000) -> Presses:
    """Turn left and right in turn, each time from a lens that stands still. The tile must be the chosen one."""
    found, dice = Presses(), random.Random(5)
    page.evaluate(_WATCH)
    for number in range(presses):
        if not page.evaluate(_WHEN, ["calm", 30_000]):
            raise AssertionError("the lens never stood still")
        page.wait_for_timeout(dice.random() * 200)  # anywhere between two pictures
        key = "ArrowLeft" if number % 2 else "ArrowRight"
        page.keyboard.down(key)
        seen = page.evaluate(_WHEN, ["moved", patience_ms])
        page.wait_for_timeout(100)  # the answer of the command may come later than the picture
        said = page.evaluate(_SAID)
        page.keyboard.up(key)
        if not seen:
            found.not_seen += 1
            continue
        for name in ("moved", "sent", "answered", "painted"):
            getattr(found, name).append(float(said[name]))
    return found
