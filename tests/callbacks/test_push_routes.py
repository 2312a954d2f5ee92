"""A push to a path with the right secret is durable at once; every other path is none."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.callbacks.conftest import RECEIPT, Door
from textwave.callbacks.routes import BODY_LIMIT_BYTES
from textwave.connections.accounts import (
    CallbackSigning,
    PlatformAccount,
    PlatformKind,
    ReceiptsBy,
)
from textwave.connections.push import push_addresses, push_secret
from textwave.kit.ids import OrganizationId, PlatformId
from textwave.kit.text import Counting
from textwave.storage.ledger import value
from textwave.storage.secrets import Vault

ITEM: dict[str, Any] = {"phone_number": "15412345678", "any": "thing"}


@pytest.fixture
async def aliyun(door: Door) -> Door:
    await door.execute("UPDATE platform SET kind = 'aliyun'")
    return door


@pytest.mark.parametrize(
    ("report", "kind"),
    [
        ("SmsReport", "receipts"),
        ("SmsUp", "replies"),
        ("SignSmsReport", "reviews"),
        ("TemplateSmsReport", "reviews"),
    ],
)
async def test_a_push_is_answered_when_it_and_its_merge_are_committed(
    aliyun: Door, report: str, kind: str
) -> None:
    answer = await aliyun.push(report, [ITEM])
    assert (answer.status_code, answer.json()) == (200, {"code": 0, "msg": "接收成功"})
    async with aliyun.ledger.transaction() as connection:
        kept = "SELECT row (kind, format, convert_from(body, 'UTF8'))::text FROM callback_inbox"
        assert await value(connection, kept) == await value(
            connection,
            "SELECT row (%s::text, 'aliyun', %s::text)::text",
            [kind, json.dumps([ITEM])],
        )
        assert await value(connection, "SELECT task_name FROM procrastinate_jobs") == (
            f"responses.merge_{kind}"
        )


@pytest.mark.parametrize(
    "path",
    [{"secret": "gateway-2"}, {"secret": "x"}, {"platform": "nobody", "secret": "nobody-1"}],
    ids=str,
)
async def test_a_wrong_path_is_none_and_does_not_tell_why(
    aliyun: Door, path: dict[str, str]
) -> None:
    answer = await aliyun.push("SmsReport", [ITEM], **path)
    assert (answer.status_code, answer.json()["code"]) == (404, "push_address_unknown")
    assert answer.body == (await aliyun.push("SmsReport", [ITEM], secret="guessed")).body
    assert await aliyun.stored() == 0


async def test_a_new_version_of_the_secret_makes_the_old_path_worthless(aliyun: Door) -> None:
    await aliyun.execute("UPDATE platform SET push_version = 2")
    assert (await aliyun.push("SmsReport", [ITEM])).status_code == 404
    assert (await aliyun.push("SmsReport", [ITEM], secret="gateway-2")).status_code == 200


async def test_who_must_sign_has_no_such_path_and_who_need_not_no_other(door: Door) -> None:
    assert (await door.push("SmsReport", [ITEM])).status_code == 404
    await door.execute("UPDATE platform SET kind = 'aliyun'")
    assert (await door.post([RECEIPT])).status_code == 404


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"\xff\xfe", b"[" * 5000, b"null"])
async def test_a_body_that_is_no_array_is_refused_so_that_it_comes_again(
    aliyun: Door, body: bytes
) -> None:
    assert (await aliyun.push("SmsReport", body)).status_code == 400
    assert await aliyun.stored() == 0


async def test_a_body_over_the_limit_is_refused(aliyun: Door) -> None:
    answer = await aliyun.push("SmsReport", b" " * (BODY_LIMIT_BYTES + 1))
    assert answer.status_code == 413


async def test_replies_that_are_not_wanted_are_answered_so_that_they_do_not_come_again(
    aliyun: Door,
) -> None:
    await aliyun.execute("UPDATE platform SET takes_replies = false")
    answer = await aliyun.push("SmsUp", [ITEM])
    assert (answer.status_code, answer.json()["code"]) == (200, 0)
    assert "Replies are not taken" in answer.json()["msg"]
    assert await aliyun.stored() == 0


def test_the_addresses_to_enter_carry_a_secret_of_this_account_and_installation_alone() -> None:
    vault = Vault(bytes(32))
    account = PlatformAccount(
        id=PlatformId(1), organization_id=OrganizationId(1), name="ali", kind=PlatformKind.ALIYUN,
        base_url="https://dysmsapi.aliyuncs.com", sealed_key=b"", capabilities=frozenset(),
        rate_per_second=1, max_batch=1, opt_out_text="", counting=Counting.MAINLAND, price_milli=0,
        currency="CNY", callback_signing=CallbackSigning.STRICT, receipts=ReceiptsBy.PUSH,
    )  # fmt: skip
    addresses = push_addresses(account, vault, "https://sms.example.com/")
    secret = push_secret(vault, PlatformId(1), 1)
    assert addresses["SmsReport"] == (
        f"https://sms.example.com/callbacks/ali/aliyun/{secret}/SmsReport"
    )
    others = {push_secret(vault, PlatformId(1), 2), push_secret(vault, PlatformId(2), 1)}
    elsewhere = push_secret(Vault(bytes(31) + b"1"), PlatformId(1), 1)
    assert len({secret, *others, elsewhere}) == 4
    later = push_addresses(replace(account, id=PlatformId(3)), vault, "https://sms.example.com/")
    assert later["SmsReport"] != addresses["SmsReport"], "who deleted one of that name knows it"
    assert len(secret) >= 43
