"""The plates of one film or camera: its pictures in order of time go in, the vehicles that have left come out."""

from __future__ import annotations

from collections.abc import Sequence

from safecity.vision.plates.recognise import KeptLook, PlateRead, PlateRecogniser
from safecity.vision.plates.second import Allowance
from safecity.vision.plates.straighten import Picture
from safecity.vision.plates.voting import PlateSeen, PlateTracks


class PlateFilm:
    """Looks, follows and reads, with second opinions for what the votes leave open. Not thread-safe."""

    def __init__(self, recogniser: PlateRecogniser, *, ways: bool = False) -> None:
        """`ways`: each vehicle comes out with its way."""
        self.recogniser = recogniser
        self.tracks = PlateTracks(ways=ways, closing=self._read_together)
        self._opinions = Allowance()
        self._last: float | None = None

    def look(self, at_seconds: float, picture: Picture) -> tuple[list[PlateRead], list[PlateSeen]]:
        """What was read in the next picture, and the vehicles that have left by now."""
        self._opinions.pass_by(0.0 if self._last is None else at_seconds - self._last)
        self._last = at_seconds
        reads = self.recogniser.frame(picture, lambda found, rough: self.tracks.known(at_seconds, found, rough=rough))
        return reads, self.tracks.see(at_seconds, reads, picture)

    def end(self) -> list[PlateSeen]:
        """The vehicles still in sight; what comes next is another film, and may begin at any time."""
        self._last = None
        return self.tracks.end()

    def _read_together(self, looks: Sequence[KeptLook], best: PlateRead) -> PlateRead | None:
        asked = looks[: self._opinions.left]
        if self.recogniser.second is None or not asked:
            return None
        self._opinions.spend(len(asked))
        return self.recogniser.together(asked, best)
