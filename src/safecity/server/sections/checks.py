"""What a section says of a value that cannot be. Standard library only: the supervisor reads settings."""

from __future__ import annotations

from safecity.kit.errors import InvalidError


def within(name: str, value: int | float, low: float, high: float) -> None:
    """InvalidError `setting_out_of_range`."""
    if not low <= value <= high:
        raise InvalidError(
            f"{name}: {value} is not in {low}..{high}",
            code="setting_out_of_range",
            params={"setting": name, "value": value, "low": low, "high": high},
        )


def one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    """InvalidError `setting_unknown_choice`."""
    if value not in choices:
        raise InvalidError(
            f"{name}: {value!r} is none of {', '.join(choices)}",
            code="setting_unknown_choice",
            params={"setting": name, "value": value, "choices": ", ".join(choices)},
        )


def malformed(name: str, value: str, wanted: str) -> InvalidError:
    """To be raised: the setting is not of the form that is wanted."""
    return InvalidError(
        f"{name}: {value!r} is not of type {wanted}",
        code="setting_wrong_type",
        params={"setting": name, "type": wanted},
    )


def listed(text: str) -> tuple[str, ...]:
    """Parts between commas, without blanks."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def host_port(name: str, text: str) -> tuple[str, int]:
    """HOST:PORT or [HOST]:PORT; InvalidError."""
    host, _, port = text.rpartition(":")
    if not host or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise malformed(name, text, "HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)
