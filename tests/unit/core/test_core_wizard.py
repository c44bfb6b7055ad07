"""What the first-run wizard proposes."""

from __future__ import annotations

import asyncio

import pytest

from safecity.core.ground.wizard.addresses import own_addresses, ranked, try_address
from safecity.core.ground.wizard.menus import MENUS, menu_of
from safecity.core.ground.wizard.proposals import check_platform, propose_channel_code, propose_platform
from safecity.kit.errors import InvalidError


def test_a_private_address_is_proposed_before_containers_and_loopback() -> None:
    found = ranked([("lo", "127.0.0.1"), ("docker0", "172.17.0.1"), ("eth0", "192.168.1.9"), ("eth1", "8.8.8.8")])
    assert [f.kind for f in found] == ["private", "public", "container", "loopback"]
    assert [f.address for f in found if f.proposed] == ["192.168.1.9"]


def test_this_machine_has_at_least_its_loopback() -> None:
    assert "127.0.0.1" in {found.address for found in own_addresses()}


async def test_an_address_is_tested_by_connecting_to_ourselves_through_it() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert (await try_address("127.0.0.1", [port])).ok
    server.close()
    await server.wait_closed()
    assert (await try_address("127.0.0.1", [port])).code == "port_unreachable"


@pytest.mark.parametrize(("host", "code"), [("", "address_invalid"), ("203.0.113.7", "address_not_ours")])
async def test_the_test_never_dials_anybody_else(host: str, code: str) -> None:
    assert (await try_address(host, [80])).code == code


def test_a_platform_code_is_proposed_from_the_area_and_passes_its_own_check() -> None:
    proposal = propose_platform("340200")
    assert (proposal.code, proposal.domain) == ("34020000002000000001", "3402000000")
    assert check_platform(proposal.code, proposal.domain) == []
    assert check_platform("34020000001320000001", "") == ["platform_code_type_not_platform", "domain_empty"]
    assert propose_channel_code(proposal.code, 7) == "34020000001320000007"
    with pytest.raises(InvalidError):
        propose_platform("34o2")


def test_every_maker_has_its_menu_in_both_languages_and_strangers_get_a_general_one() -> None:
    for menu in MENUS:
        assert set(menu.path) == {"zh", "en"}
        assert all(set(words) == {"zh", "en"} for words in menu.fields.values())
    assert menu_of("never heard of").maker == "other"
