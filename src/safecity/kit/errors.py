"""The few errors the platform raises; each says what the caller can do.

Every error carries a stable `code` and `params`, so that the words are chosen at the edge from a catalogue
(zh-CN and en) and stored facts never hold sentences.
"""

from __future__ import annotations

from collections.abc import Mapping

Param = str | int | float | bool | None


class SafecityError(Exception):
    """Base of all; `code` is stable and documented, `params` fill the sentence of the catalogue."""

    code = "internal"

    def __init__(self, message: str, *, code: str | None = None, params: Mapping[str, Param] | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.params: dict[str, Param] = dict(params or {})


class InvalidError(SafecityError):
    """The request itself is wrong: change it and try again."""

    code = "invalid"


class NotFoundError(SafecityError):
    """There is no such thing, or the caller may not know that there is."""

    code = "not_found"


class ConflictError(SafecityError):
    """The thing is in another state than the request needs: look again and decide anew."""

    code = "conflict"


class ForbiddenError(SafecityError):
    """The caller may not do this."""

    code = "forbidden"


class UnauthenticatedError(SafecityError):
    """The caller must sign in first."""

    code = "unauthenticated"


class RefusedError(SafecityError):
    """The other side answered, and said no."""

    code = "refused"


class UnavailableError(SafecityError):
    """The other side did not answer, or cannot serve now: try again later."""

    code = "unavailable"


class ExhaustedError(SafecityError):
    """A limit is reached: free something, wait, or raise the limit in the settings."""

    code = "exhausted"
