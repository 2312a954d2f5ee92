"""Receipts that name their message by the key of its request and its number find it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from textwave.kit.ids import SignatureId, WorkspaceId
from textwave.responses.operations import merge_receipts
from textwave.storage.ledger import Ledger, value
from textwave.suppression.store import opted_out

from .conftest import FIRST_MOBILE, Counters, Push, SendCampaign, Sent, States

Report = Callable[..., dict[str, Any]]


@pytest.fixture
async def report(ledger: Ledger, workspace_id: WorkspaceId) -> Report:
    """Write a receipt of message i as Alibaba Cloud does; requests are of 4 messages."""
    async with ledger.transaction() as connection:
        name = await value(connection, "SELECT name FROM installation")
    assert workspace_id  # the installation is founded

    def write(sent: Sent, index: int, **more: Any) -> dict[str, Any]:
        return {
            "phone_number": str(FIRST_MOBILE + index - 86 * 10**11),
            "report_time": "2026-03-10 20:00:00",
            "success": True,
            "err_code": "DELIVERED",
            "sms_size": "1",
            "biz_id": "900",
            "out_id": f"{name}-{sent.campaign_id}-{index // 4}-0",
        } | more

    return write


@pytest.fixture
def push_aliyun(push: Push) -> Push:
    return partial(push, form="aliyun")


def failed(code: str) -> dict[str, Any]:
    return {"success": False, "err_code": code}


async def test_each_finds_its_message_by_request_and_number(
    ledger: Ledger, send_campaign: SendCampaign, push_aliyun: Push, report: Report, states: States,
    counters: Counters,
) -> None:  # fmt: skip
    await send_campaign(10)  # the same numbers, in another campaign
    sent = await send_campaign(10)
    refused = report(sent, 5, **failed("MOBILE_NOT_ON_SERVICE"))
    await push_aliyun(sent, [report(sent, 9), refused, report(sent, 0), report(sent, 0)])
    merged = await merge_receipts(ledger)
    assert (merged.changed, merged.strays) == (3, 0)
    found = {i: state for i, state in enumerate(await states(sent)) if state[0] != "submitted"}
    assert found == {
        0: ("delivered", None),
        5: ("failed", "phone out of service"),
        9: ("delivered", None),
    }
    assert (await counters(sent))["delivered"] == 2


async def test_a_later_attempt_has_a_key_of_its_own(
    ledger: Ledger, send_campaign: SendCampaign, push_aliyun: Push, report: Report, states: States
) -> None:
    sent = await send_campaign(4)
    async with ledger.transaction() as connection:
        await connection.execute(
            "INSERT INTO request (campaign_id, number, attempt, workspace_id, batch_number,"
            " first_id, last_id, message_ids, size, state) SELECT campaign_id, number, 1,"
            " workspace_id, batch_number, first_id + 1, first_id + 2, ARRAY[first_id + 1,"
            " first_id + 2], 2, 'accepted' FROM request"
        )
        await connection.execute(
            "UPDATE message SET state = 'submitted' WHERE id IN (%s, %s)",
            [sent.first_id + 1, sent.first_id + 2],
        )
    later = report(sent, 2)
    later["out_id"] = later["out_id"][:-1] + "1"
    await push_aliyun(sent, [later])
    await merge_receipts(ledger)
    assert [state for state, _ in await states(sent)] == [
        "submitted", "submitted", "delivered", "submitted"]  # fmt: skip


async def test_what_fits_no_message_is_kept_as_a_stray_and_changes_nothing(
    ledger: Ledger, send_campaign: SendCampaign, push_aliyun: Push, report: Report, states: States
) -> None:
    elsewhere = await send_campaign(4, platform="another")
    sent = await send_campaign(4)
    ours = report(sent, 0)["out_id"]
    strangers = [
        report(sent, 50),  # a number that the request does not have
        report(sent, 0, out_id="another-installation-1-0-0"),
        report(sent, 0, out_id=f"x{ours}"),
        report(sent, 0, out_id=None),  # sent by another system with this account
        report(sent, 0, out_id=ours.rsplit("-", 1)[0] + "-7"),
        report(elsewhere, 0),  # sent over another account
    ]
    await push_aliyun(sent, strangers)
    merged = await merge_receipts(ledger)
    assert (merged.changed, merged.strays) == (0, len(strangers))
    assert {state for state, _ in await states(sent) + await states(elsewhere)} == {"submitted"}
    async with ledger.transaction() as connection:
        kept = "SELECT count(*) FROM stray_receipt WHERE request_key IS NOT NULL AND mobile > 0"
        assert await value(connection, kept) == len(strangers)


async def test_a_receipt_of_an_unsubscribed_person_opts_out_of_the_signature(
    ledger: Ledger, send_campaign: SendCampaign, push_aliyun: Push, report: Report
) -> None:
    sent = await send_campaign(3)
    codes = ["isv.CUSTOMER_REFUSED", "USER_REJECT", "MOBILE_IN_BLACK"]
    told = [report(sent, index, **failed(code)) for index, code in enumerate(codes)]
    await push_aliyun(sent, told)
    await merge_receipts(ledger)
    async with ledger.transaction() as connection:
        everybody = range(FIRST_MOBILE, FIRST_MOBILE + 3)
        out = await opted_out(connection, SignatureId(sent.signature_id), everybody)
    assert out == {FIRST_MOBILE, FIRST_MOBILE + 1}


async def test_one_item_that_does_not_fit_costs_only_itself(
    ledger: Ledger, send_campaign: SendCampaign, push_aliyun: Push, report: Report, states: States
) -> None:
    sent = await send_campaign(3)
    odd = report(sent, 1, report_time="soon")
    await push_aliyun(sent, [report(sent, 0), odd, report(sent, 2)])
    merged = await merge_receipts(ledger)
    assert merged.changed == 2
    assert [state for state, _ in await states(sent)] == ["delivered", "submitted", "delivered"]
    async with ledger.transaction() as connection:
        problem = await value(connection, "SELECT problem FROM callback_inbox")
    assert "1 of 3" in problem
    assert "item 1, `report_time`" in problem
