"""What belongs to a kind alone is checked when it is typed, not when a message is sent."""

from dataclasses import replace

import pytest

from tests.connections.place import GOOD
from textwave.connections.accounts import (
    IDEMPOTENCY,
    Capability,
    NewPlatform,
    PlatformKind,
    ReceiptsBy,
)
from textwave.connections.change import check_platform
from textwave.connections.kinds import RULES
from textwave.kit.refusal import InvalidValue
from textwave.platforms.aliyun.applications import COMPANY_OPTIONS

ALIYUN = replace(
    GOOD,
    kind=PlatformKind.ALIYUN,
    base_url=RULES[PlatformKind.ALIYUN].default_url,
    key_id="LTAIexample",
    capabilities=frozenset({Capability.SHORT_LINKS}),
)
PULLED = {"report_queue": "Alicom-Queue-1-SmsReport", "reply_queue": "Alicom-Queue-1-SmsUp"}


@pytest.mark.parametrize(
    "fine",
    [
        ALIYUN,
        replace(ALIYUN, base_url="http://127.0.0.1:8080"),
        replace(ALIYUN, base_url="http://localhost:8080/"),
        replace(ALIYUN, base_url="http://[::1]:8080"),
        replace(ALIYUN, receipts=ReceiptsBy.PULL, options=PULLED),
        replace(
            ALIYUN,
            receipts=ReceiptsBy.PULL,
            takes_replies=False,
            options={"report_queue": PULLED["report_queue"]},
        ),
        replace(ALIYUN, options={"queue_endpoint": "https://1.mns.cn-hangzhou.aliyuncs.com"}),
        replace(ALIYUN, options=dict.fromkeys(COMPANY_OPTIONS.values(), "x")),
        replace(GOOD, base_url="http://10.0.0.5:8080/gateway"),
    ],
)
def test_what_fits_a_kind_is_taken(fine: NewPlatform) -> None:
    check_platform(fine)


@pytest.mark.parametrize(
    ("wrong", "place"),
    [
        (replace(ALIYUN, key_id=""), "key_id"),
        (replace(ALIYUN, key_id="LTAI example"), "key_id"),
        (replace(GOOD, key_id="LTAIexample"), "key_id"),
        (replace(ALIYUN, base_url="http://dysmsapi.aliyuncs.com"), "base_url"),
        (replace(ALIYUN, base_url="http://127.0.0.1.example.com"), "base_url"),
        (replace(ALIYUN, base_url="https://dysmsapi.aliyuncs.com/path"), "base_url"),
        (replace(ALIYUN, capabilities=frozenset({IDEMPOTENCY})), "capabilities"),
        (replace(ALIYUN, options={"colour": "red"}), "options"),
        (replace(GOOD, options={"report_queue": "q"}), "options"),
        (replace(ALIYUN, options={"report_queue": "a/b"}), "options.report_queue"),
        (replace(ALIYUN, options={"report_queue": ""}), "options.report_queue"),
        (replace(ALIYUN, options={"report_queue": "q" * 256}), "options.report_queue"),
        (replace(ALIYUN, options={"token_endpoint": "http://x.example"}), "options.token_endpoint"),
        (replace(ALIYUN, options={"company_name": "x\x00"}), "options.company_name"),
        (replace(ALIYUN, receipts=ReceiptsBy.PULL), "options.report_queue"),
        (
            replace(ALIYUN, receipts=ReceiptsBy.PULL, options={"report_queue": "q"}),
            "options.reply_queue",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_a_kind_is_refused_by_its_place(wrong: NewPlatform, place: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        check_platform(wrong)
    assert refused.value.place == place
