from dataclasses import replace

import pytest
from aiohttp import web

from textwave.accounts.store import Caller
from textwave.connections import store as connection_store
from textwave.connections.accounts import NewPlatform, open_key
from textwave.connections.operations import add_platform, connect_platform
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.platforms.contract import (
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
)
from textwave.platforms.sandbox import SandboxSettings, build_application
from textwave.storage.ledger import Ledger, value
from textwave.storage.secrets import Vault

from .conftest import KEY, Place, actions
from .gateway import NAME

GOOD = NewPlatform("gate-2", "http://127.0.0.1:9", "key")


async def test_a_platform_is_added_and_listed_for_its_workspace(place: Place) -> None:
    async with place.people.transaction(place.workspace_id) as connection:
        (listed,) = await connection_store.platforms(connection, workspace_id=place.workspace_id)
    assert (listed.name, listed.base_url) == (NAME, place.gateway.url)
    assert await actions(place) == ["platform.add"]


async def test_the_key_is_sealed_and_shown_nowhere(place: Place, vault: Vault) -> None:
    async with place.jobs.transaction() as connection:
        everything = await value(connection, "SELECT string_agg(p::text, '') FROM platform p")
        audited = await value(connection, "SELECT string_agg(a::text, '') FROM audit_event a")
    assert KEY.encode().hex() not in everything
    assert KEY not in everything + audited + repr(place.account) + repr(GOOD)
    assert open_key(vault, NAME, place.account.sealed_key) == KEY


async def test_a_worker_reads_a_platform_by_its_id(place: Place) -> None:
    async with place.jobs.transaction() as connection:
        assert (
            await connection_store.platform_account(connection, place.account.id) == place.account
        )


async def test_a_workspace_that_was_not_admitted_sees_no_platform(
    place: Place, caller: Caller
) -> None:
    async with place.jobs.transaction() as connection:
        other = WorkspaceId(
            await value(
                connection,
                "INSERT INTO workspace (organization_id, name) VALUES (%s, 'other') RETURNING id",
                [caller.organization_id],
            )
        )
    async with place.people.transaction(other) as connection:
        assert await connection_store.platforms(connection, workspace_id=other) == []
        with pytest.raises(NotFound):
            await connection_store.platform_named(connection, workspace_id=other, name=NAME)


async def test_a_name_that_is_taken_is_refused(place: Place, vault: Vault, caller: Caller) -> None:
    with pytest.raises(AlreadyExists):
        async with place.people.transaction(place.workspace_id) as connection:
            await add_platform(connection, vault, caller=caller, new=replace(GOOD, name=NAME))


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        (replace(GOOD, name="a/b"), "name"),
        (replace(GOOD, name=""), "name"),
        (replace(GOOD, base_url="ftp://x.example"), "base_url"),
        (replace(GOOD, base_url="x.example"), "base_url"),
        (replace(GOOD, base_url="https://"), "base_url"),
        (replace(GOOD, base_url="https://a:b@x.example"), "base_url"),
        (replace(GOOD, base_url="https://x.example/?a=1"), "base_url"),
        (replace(GOOD, base_url="https://x.example:0"), "base_url"),
        (replace(GOOD, base_url="https://x.example:port"), "base_url"),
        (replace(GOOD, key=""), "key"),
        (replace(GOOD, key="a\x00b"), "key"),
        (replace(GOOD, rate_per_second=0), "rate_per_second"),
        (replace(GOOD, rate_per_second=1_000_001), "rate_per_second"),
        (replace(GOOD, max_batch=1_001), "max_batch"),
        (replace(GOOD, price_milli=-1), "price_milli"),
        (replace(GOOD, currency="yuan"), "currency"),
        (replace(GOOD, opt_out_text="${name}"), "opt_out_text"),
        (replace(GOOD, opt_out_text="x" * 51), "opt_out_text"),
        (replace(GOOD, capabilities=frozenset({"telepathy"})), "capabilities"),
    ],
)
async def test_a_value_that_does_not_fit_is_refused_by_its_place(
    web_ledger: Ledger, vault: Vault, caller: Caller, changed: NewPlatform, where: str
) -> None:
    with pytest.raises(InvalidValue) as refused:
        async with web_ledger.transaction(caller.workspace_id) as connection:
            await add_platform(connection, vault, caller=caller, new=changed)
    assert refused.value.place == where


async def connect(place: Place, name: str = NAME) -> int | None:
    caller = Caller(place.workspace_id, place.account.organization_id, 1, "wang")
    found = await connect_platform(place.people, place.open_platform, caller=caller, name=name)
    return found.balance


async def test_connecting_takes_rate_batch_and_capabilities_from_the_platform(
    place: Place,
) -> None:
    assert await connect(place) == 5_000
    async with place.people.transaction(place.workspace_id) as connection:
        kept = await connection_store.platform_named(
            connection, workspace_id=place.workspace_id, name=NAME
        )
    assert (kept.rate_per_second, kept.max_batch) == (250, 400)
    assert kept.capabilities == {"variables", "short_links"}
    assert await actions(place) == ["platform.add", "platform.connect"]


async def test_what_the_platform_leaves_open_stays_as_it_was(place: Place) -> None:
    place.gateway.account |= {"ratePerSecond": 0, "maxBatch": 5_000, "capabilities": []}
    await connect(place)
    async with place.people.transaction(place.workspace_id) as connection:
        kept = await connection_store.platform_named(
            connection, workspace_id=place.workspace_id, name=NAME
        )
    assert kept.rate_per_second == place.account.rate_per_second
    assert kept.max_batch == 1_000
    assert kept.capabilities == place.account.capabilities - {"idempotency"}


async def test_keys_are_honoured_only_where_the_platform_says_so(place: Place) -> None:
    for said, honoured in (
        (["variables", "idempotency"], True),
        (["variables"], False),
        ([], False),
    ):
        place.gateway.account |= {"capabilities": said}
        await connect(place)
        async with place.people.transaction(place.workspace_id) as connection:
            kept = await connection_store.platform_named(
                connection, workspace_id=place.workspace_id, name=NAME
            )
        assert kept.honours_keys is honoured, said


@pytest.fixture
async def closed(place: Place, vault: Vault, caller: Caller) -> str:
    """A platform at an address where nobody listens."""
    runner = web.AppRunner(web.Application())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    await runner.cleanup()
    new = replace(GOOD, base_url=f"http://127.0.0.1:{port}")
    async with place.people.transaction(place.workspace_id) as connection:
        await add_platform(connection, vault, caller=caller, new=new)
    return new.name


async def test_a_platform_that_is_down_is_said_to_be_and_nothing_changes(
    place: Place, closed: str
) -> None:
    with pytest.raises(PlatformUnreachable, match="cannot be reached"):
        await connect(place, closed)
    async with place.people.transaction(place.workspace_id) as connection:
        kept = await connection_store.platform_named(
            connection, workspace_id=place.workspace_id, name=closed
        )
    assert kept.rate_per_second == GOOD.rate_per_second


async def test_a_wrong_key_and_a_wrong_address_are_told_apart(place: Place) -> None:
    place.gateway.trouble = (403, "FORBIDDEN")
    with pytest.raises(PlatformRefused, match="Check the key"):
        await connect(place)
    place.gateway.trouble = None
    place.gateway.account = {}
    with pytest.raises(PlatformAnsweredNonsense, match="Check the address"):
        await connect(place)


async def test_the_sandbox_can_be_connected_with_its_key(
    place: Place, vault: Vault, caller: Caller
) -> None:
    settings = SandboxSettings(key="k" * 16, rate_per_second=123, max_batch=77)
    runner = web.AppRunner(build_application(settings), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with place.people.transaction(place.workspace_id) as connection:
            new = NewPlatform("sandbox", url, settings.key)
            await add_platform(connection, vault, caller=caller, new=new)
        await connect(place, "sandbox")
        async with place.people.transaction(place.workspace_id) as connection:
            kept = await connection_store.platform_named(
                connection, workspace_id=place.workspace_id, name="sandbox"
            )
        assert (kept.rate_per_second, kept.max_batch) == (123, 77)
        assert {"variables", "click_tokens", "idempotency"} <= kept.capabilities
    finally:
        await runner.cleanup()
