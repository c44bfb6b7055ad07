"""Platform code and SIP domain proposed from an area code (GB/T 28181, annex D)."""

from __future__ import annotations

from dataclasses import dataclass

from safecity.kit.errors import InvalidError

INDUSTRY_STREET = "00"
TYPE_SIP_SERVER = "200"


@dataclass(frozen=True, slots=True)
class PlatformProposal:
    """`domain` is the first ten digits of `code`."""

    code: str
    domain: str


def propose_platform(area_code: str, *, industry: str = INDUSTRY_STREET, serial: int = 1) -> PlatformProposal:
    """A code for a platform of the area (2, 4, 6 or 8 digits of GB/T 2260 and below); InvalidError otherwise.

    Centre code 8 digits, industry 2, type 200, network 0, serial 6.
    """
    if not (area_code.isascii() and area_code.isdigit() and len(area_code) in (2, 4, 6, 8)):
        raise InvalidError(
            f"not an area code of 2 to 8 digits: {area_code[:20]!r}",
            code="area_code_invalid",
            params={"code": area_code[:20]},
        )
    code = f"{area_code.ljust(8, '0')}{industry}{TYPE_SIP_SERVER}0{serial:06d}"
    return PlatformProposal(code, code[:10])


def check_platform(code: str, domain: str) -> list[str]:
    """Codes of what a person should look at again; empty when all is as the standard has it."""
    remarks: list[str] = []
    if not (code.isascii() and code.isdigit() and len(code) == 20):
        remarks.append("platform_code_not_20_digits")
    elif not 200 <= int(code[10:13]) <= 299:
        remarks.append("platform_code_type_not_platform")
    if not domain:
        remarks.append("domain_empty")
    elif domain != code[:10]:
        remarks.append("domain_not_from_code")
    return remarks


def propose_channel_code(platform_code: str, serial: int, type_code: str = "132") -> str:
    """A device or channel code of the platform's own area; 132 is an IP camera, 118 a recorder."""
    return f"{platform_code[:10]}{type_code}0{serial:06d}"
