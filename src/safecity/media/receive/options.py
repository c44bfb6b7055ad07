"""Settings of the receiver."""

from __future__ import annotations

from dataclasses import dataclass

from safecity.kit.errors import InvalidError


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveOptions:
    """[receive] How pushed media is received.

    buffer_bytes       receive buffer asked for per UDP port (256 KiB..64 MiB)
    exclusive_ports    one port per stream, for devices that ignore the SSRC they are told
    loss_seconds       without a unit for so long a stream is lost (5..120)
    hold_ms            how long a late packet is waited for (0..200)
    coalesce_ms        under load datagrams are fetched in this rhythm instead of one by one (0..20, 0: never)
    report_seconds     between receiver reports (1..30)
    sources            streams at most
    """

    buffer_bytes: int = 4 * 1024 * 1024
    exclusive_ports: bool = False
    loss_seconds: float = 15.0
    hold_ms: int = 200
    coalesce_ms: int = 8
    report_seconds: float = 5.0
    sources: int = 4000

    def __post_init__(self) -> None:
        for name, low, high in (
            ("buffer_bytes", 64 * 1024, 64 * 1024 * 1024),
            ("loss_seconds", 5, 120),
            ("hold_ms", 0, 200),
            ("coalesce_ms", 0, 20),
            ("report_seconds", 1, 30),
            ("sources", 1, 100_000),
        ):
            if not low <= getattr(self, name) <= high:
                raise InvalidError(
                    f"receive.{name}: {getattr(self, name)} is not in {low}..{high}",
                    code="setting_out_of_range",
                    params={"name": f"receive.{name}", "low": low, "high": high},
                )
