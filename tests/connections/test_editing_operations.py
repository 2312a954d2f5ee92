"""Accounts are changed by administrators, and never taken from under a campaign."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.connections.place import GOOD, KEY, NAME, Place
from textwave.accounts.key_operations import AdministratorNeeded
from textwave.accounts.store import Caller
from textwave.callbacks import store as callback_store
from textwave.connections import editing_operations as editing
from textwave.connections import store
from textwave.connections.accounts import Capability, PlatformKind, ReceiptsBy, open_key
from textwave.connections.change import PlatformChange
from textwave.connections.editing_operations import AccountInUse, DeletionUnconfirmed
from textwave.connections.operations import add_platform
from textwave.kit.ids import OrganizationId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.storage.ledger import Connection, execute, value

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
Change = Callable[[Connection, Caller], Awaitable[object]]


def edit(change: PlatformChange, name: str = NAME) -> Change:
    return lambda connection, caller: editing.edit_platform(
        connection, caller=caller, name=name, change=change
    )


def delete(confirmation: str = NAME) -> Change:
    return lambda connection, caller: editing.delete_platform(
        connection, caller=caller, name=NAME, confirmation=confirmation
    )


def admit(workspace: str = "second") -> Change:
    return lambda connection, caller: editing.admit_workspace(
        connection, caller=caller, name=NAME, workspace=workspace
    )


def withdraw(workspace: str = "second") -> Change:
    return lambda connection, caller: editing.withdraw_workspace(
        connection, caller=caller, name=NAME, workspace=workspace
    )


async def do(place: Place, change: Change, caller: Caller | None = None) -> object:
    return await place.do(lambda connection: change(connection, caller or place.caller))


async def names_of(place: Place, *, second: bool = False) -> list[str]:
    workspace = place.second if second else place.caller.workspace_id
    found = await place.do(
        lambda connection: store.platforms(connection, workspace_id=workspace), of=workspace
    )
    return [account.name for account in found]


async def test_what_is_given_changes_and_the_rest_stays(place: Place) -> None:
    await place.add(replace(GOOD, opt_out_text="拒收请回复R", price_milli=45))
    await do(place, edit(PlatformChange(rate_per_second=7, opt_out_text="", currency="EUR")))
    shown = await place.do(lambda c: editing.shown_account(c, caller=place.caller, name=NAME))
    account = shown.account
    assert (account.rate_per_second, account.opt_out_text, account.currency) == (7, "", "EUR")
    assert (account.price_milli, account.base_url) == (45, GOOD.base_url)
    assert await place.actions() == ["platform.add", "platform.edit"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (PlatformChange(rate_per_second=0), "rate_per_second"),
        (PlatformChange(base_url="ftp://x.example"), "base_url"),
        (PlatformChange(options={"report_queue": "q"}), "options"),
        (PlatformChange(capabilities=frozenset({"telepathy"})), "capabilities"),
        (PlatformChange(currency="yuan"), "currency"),
    ],
)
async def test_a_change_that_does_not_fit_is_refused_by_its_place_and_changes_nothing(
    place: Place, change: PlatformChange, where: str
) -> None:
    await place.add()
    with pytest.raises(InvalidValue) as refused:
        await do(place, edit(replace(change, price_milli=9)))
    assert refused.value.place == where
    shown = await place.do(lambda c: editing.shown_account(c, caller=place.caller, name=NAME))
    assert shown.account.price_milli == 0


async def test_changes_at_the_same_time_of_different_things_are_all_kept(place: Place) -> None:
    await place.add()
    changes = [
        PlatformChange(rate_per_second=11),
        PlatformChange(max_batch=12),
        PlatformChange(price_milli=13),
    ]
    await asyncio.gather(*(do(place, edit(change)) for change in changes))
    shown = await place.do(lambda c: editing.shown_account(c, caller=place.caller, name=NAME))
    account = shown.account
    assert (account.rate_per_second, account.max_batch, account.price_milli) == (11, 12, 13)


async def test_a_new_address_is_tried_at_once_though_the_old_one_rests(place: Place) -> None:
    platform = await place.add()
    rest = "UPDATE platform SET resting_until = now() + '1 h', resting_reason = 'unreachable'"
    async with place.owner.transaction() as connection:
        await execute(connection, rest, {})
    await do(place, edit(PlatformChange(rate_per_second=3)))
    shown = await place.do(lambda c: editing.shown_account(c, caller=place.caller, name=NAME))
    assert shown.account.resting_reason == "unreachable"
    await do(place, edit(PlatformChange(base_url="http://127.0.0.1:10")))
    shown = await place.do(lambda c: editing.shown_account(c, caller=place.caller, name=NAME))
    assert (shown.account.resting_until, shown.account.resting_reason) == (None, "")
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE queueing_lock = %(lock)s"
    async with place.owner.transaction() as connection:
        assert await value(connection, waiting, {"lock": f"serve-{platform}"}) == 1


@pytest.mark.parametrize(
    "change", [edit(PlatformChange(max_batch=2)), admit(), withdraw("main"), delete()]
)
async def test_only_administrators_change_accounts(place: Place, change: Change) -> None:
    await place.add()
    with pytest.raises(AdministratorNeeded):
        await do(place, change, place.marketer)
    with pytest.raises(AdministratorNeeded):
        await place.do(
            lambda c: editing.replace_key(
                c, place.vault, caller=place.marketer, name=NAME, key="k", now=NOW
            )
        )
    with pytest.raises(AdministratorNeeded):
        await place.do(lambda c: add_platform(c, place.vault, caller=place.marketer, new=GOOD))


async def test_an_organization_changes_no_account_of_another(place: Place) -> None:
    await place.add()
    stranger = replace(place.caller, organization_id=OrganizationId(99))
    for change in (edit(PlatformChange(max_batch=2)), admit(), delete()):
        with pytest.raises(NotFound):
            await do(place, change, stranger)


async def test_a_new_key_is_sealed_and_the_old_one_still_signs_callbacks_for_a_while(
    place: Place,
) -> None:
    await place.add()
    await place.do(
        lambda c: editing.replace_key(
            c, place.vault, caller=place.caller, name=NAME, key="the second key", now=NOW
        )
    )
    async with place.people.transaction() as connection:
        called = await callback_store.platform_called(connection, name=NAME)
    assert called is not None
    assert open_key(place.vault, NAME, called.sealed_key) == "the second key"
    before = called.previous_key(NOW + timedelta(minutes=14))
    assert before is not None
    assert open_key(place.vault, NAME, before) == KEY
    assert called.previous_key(NOW + timedelta(minutes=15)) is None


async def test_neither_the_old_nor_the_new_key_is_written_anywhere(place: Place) -> None:
    await place.add()
    await place.do(
        lambda c: editing.replace_key(
            c, place.vault, caller=place.caller, name=NAME, key="the second key", now=NOW
        )
    )
    async with place.owner.transaction() as connection:
        rows = await value(connection, "SELECT string_agg(p::text, '') FROM platform p")
        audited = await value(connection, "SELECT string_agg(a::text, '') FROM audit_event a")
    for key in (KEY, "the second key"):
        assert key not in rows + audited
        assert key.encode().hex() not in rows


async def test_an_admitted_workspace_uses_the_account_until_it_is_withdrawn(place: Place) -> None:
    await place.add()
    assert await names_of(place, second=True) == []
    shown = await do(place, admit())
    assert isinstance(shown, editing.ShownAccount)
    assert shown.workspaces == ["main", "second"]
    assert await names_of(place, second=True) == [NAME]
    await do(place, withdraw())
    assert await names_of(place, second=True) == []
    with pytest.raises(NotFound):
        await do(place, withdraw())


async def test_a_workspace_of_another_organization_cannot_be_admitted(place: Place) -> None:
    await place.add()
    foreign = """WITH o AS (INSERT INTO organization (name) VALUES ('Others') RETURNING id)
        INSERT INTO workspace (organization_id, name) SELECT id, 'theirs' FROM o RETURNING id"""
    async with place.owner.transaction() as connection:
        theirs = await value(connection, foreign)
    with pytest.raises(NotFound):
        await do(place, admit("theirs"))
    admitted = await place.do(
        lambda c: value(c, "SELECT admit_workspace(id, %(w)s) FROM platform", {"w": theirs})
    )
    assert admitted is None


async def test_an_account_stays_with_its_administrators_when_their_workspace_is_withdrawn(
    place: Place,
) -> None:
    await place.add()
    await do(place, withdraw("main"))
    assert await names_of(place) == []
    (shown,) = await place.do(lambda c: editing.shown_accounts(c, caller=place.caller))
    assert (shown.account.name, shown.workspaces) == (NAME, [])
    with pytest.raises(NotFound):
        await place.do(lambda c: editing.shown_account(c, caller=place.marketer, name=NAME))


@pytest.mark.parametrize("state", ["reviewing", "scheduled", "planning", "sending", "paused"])
async def test_nothing_is_taken_from_under_a_campaign_under_way(place: Place, state: str) -> None:
    platform = await place.add()
    await do(place, admit())
    await place.campaign(platform, place.second, state)
    for change in (withdraw(), delete()):
        with pytest.raises(AccountInUse, match="“Spring” of the workspace “second”"):
            await do(place, change)
    await do(place, withdraw("main"))
    assert await names_of(place, second=True) == [NAME]


async def test_an_account_that_nothing_used_is_gone_and_its_name_free(place: Place) -> None:
    await place.add()
    assert await do(place, delete()) is True
    assert await place.do(lambda c: editing.shown_accounts(c, caller=place.caller)) == []
    await place.add()


async def test_an_account_that_was_used_is_retired_and_still_called_back(place: Place) -> None:
    platform = await place.add()
    await place.campaign(platform, place.caller.workspace_id, "completed")
    assert await do(place, delete()) is False
    assert await names_of(place) == []
    async with place.people.transaction() as connection:
        assert await callback_store.platform_called(connection, name=NAME) is not None
    with pytest.raises(AlreadyExists):
        await place.add()
    with pytest.raises(NotFound):
        await do(place, edit(PlatformChange(max_batch=2)))
    (shown,) = await place.do(lambda c: editing.shown_accounts(c, caller=place.caller))
    assert shown.account.retired_at is not None


async def test_deleting_is_confirmed_by_the_name(place: Place) -> None:
    await place.add()
    with pytest.raises(DeletionUnconfirmed):
        await do(place, delete("yes"))
    assert await names_of(place) == [NAME]


async def test_of_two_who_delete_at_once_one_is_told_that_there_is_nothing(place: Place) -> None:
    await place.add()
    ended = await asyncio.gather(*(do(place, delete()) for _ in range(2)), return_exceptions=True)
    assert sorted(type(end).__name__ for end in ended) == ["NotFound", "bool"]


async def test_alibaba_accounts_are_changed_by_the_rules_of_their_kind(place: Place) -> None:
    await place.add(
        replace(
            GOOD,
            kind=PlatformKind.ALIYUN,
            key_id="LTAIexample",
            base_url="https://dysmsapi.aliyuncs.com",
            capabilities=frozenset({Capability.SHORT_LINKS}),
        )
    )
    with pytest.raises(InvalidValue, match="report_queue"):
        await do(place, edit(PlatformChange(receipts=ReceiptsBy.PULL)))
    queues = {"report_queue": "Alicom-Queue-1-SmsReport", "reply_queue": "Alicom-Queue-1-SmsUp"}
    await do(place, edit(PlatformChange(receipts=ReceiptsBy.PULL, options=queues)))
    shown = await place.do(lambda c: editing.shown_account(c, caller=place.caller, name=NAME))
    assert shown.account.options == queues
