"""Where the broker is, who we are there, and how its connection is made."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safecity.kit.brokerurl import BrokerUrl
from safecity.kit.errors import InvalidError
from safecity.protocols.mqtt.packets import PROTOCOL_5, PROTOCOL_311

VERSIONS: Final = {"v5": PROTOCOL_5, "v3.1.1": PROTOCOL_311}


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """`topic`: what stands before a device's part. `ca`: PEM file of who signed the broker's certificate, empty: those
    the system trusts."""

    url: BrokerUrl
    topic: str = "safecity/positions"
    client_id: str = "safecity"
    version: int = PROTOCOL_5
    ca: str = ""

    def certificates(self) -> ssl.SSLContext | None:
        """Checked against name and signer, TLS 1.2 at least; None without TLS. InvalidError `setting_no_file`."""
        if not self.url.tls:
            return None
        if self.ca and not Path(self.ca).is_file():
            raise InvalidError(
                f"mqtt.ca: {self.ca} is not there", code="setting_no_file", params={"setting": "mqtt.ca"}
            )
        context = ssl.create_default_context(cafile=self.ca or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context
