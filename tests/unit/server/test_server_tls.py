"""The node's own certificates."""

from __future__ import annotations

import datetime
import stat
from pathlib import Path

from cryptography import x509

from safecity.server.tls import ensure_certificate, server_context

NOW = datetime.datetime(2026, 6, 1, tzinfo=datetime.UTC)


def test_a_certificate_is_made_once_kept_and_made_anew_for_a_new_address_or_a_near_end(tmp_path: Path) -> None:
    certificate, key = ensure_certificate(tmp_path, ["127.0.0.1", "city.example"], NOW)
    first = certificate.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    server_context(certificate, key)
    assert ensure_certificate(tmp_path, ["127.0.0.1"], NOW)[0].read_bytes() == first
    ensure_certificate(tmp_path, ["127.0.0.1", "10.1.2.3"], NOW)
    second = certificate.read_bytes()
    assert second != first
    ensure_certificate(tmp_path, ["127.0.0.1"], NOW + datetime.timedelta(days=380))
    assert certificate.read_bytes() != second


def test_the_authority_stays_the_same_so_that_people_import_it_once(tmp_path: Path) -> None:
    ensure_certificate(tmp_path, ["127.0.0.1"], NOW)
    authority = (tmp_path / "authority.pem").read_bytes()
    certificate, _ = ensure_certificate(tmp_path, ["10.1.2.3"], NOW)
    assert (tmp_path / "authority.pem").read_bytes() == authority
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
