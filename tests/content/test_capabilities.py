from dataclasses import replace

import pytest

from textwave.connections.accounts import (
    CallbackSigning,
    Capability,
    PlatformAccount,
    PlatformKind,
    ReceiptsBy,
)
from textwave.content.capabilities import (
    CapabilityMissing,
    TypeNotOffered,
    needed,
    refuse_unsupported,
    takes_opt_out_text,
)
from textwave.content.variables import parse
from textwave.kit.ids import OrganizationId, PlatformId
from textwave.kit.text import Counting
from textwave.platforms.contract import MessageType

BARE = PlatformAccount(
    id=PlatformId(1),
    organization_id=OrganizationId(1),
    name="gate",
    kind=PlatformKind.THIRDPARTY,
    base_url="http://127.0.0.1",
    sealed_key=b"",
    capabilities=frozenset(),
    rate_per_second=1,
    max_batch=1,
    opt_out_text="",
    counting=Counting.MAINLAND,
    price_milli=0,
    currency="CNY",
    callback_signing=CallbackSigning.STRICT,
    receipts=ReceiptsBy.PUSH,
)
FULL = replace(BARE, capabilities=frozenset(Capability), opt_out_text="回T退订")
PROMOTIONAL = MessageType.promotional
NOTIFICATION = MessageType.notification


def test_common_customers_of_alibaba_send_no_variables_in_promotions_only() -> None:
    common = replace(BARE, kind=PlatformKind.ALIYUN)
    with pytest.raises(CapabilityMissing):
        refuse_unsupported(PROMOTIONAL, common, [Capability.VARIABLES])
    refuse_unsupported(NOTIFICATION, common, [Capability.VARIABLES])


def test_the_refusal_names_the_capability_the_platform_and_what_to_do() -> None:
    with pytest.raises(CapabilityMissing) as refused:
        refuse_unsupported(PROMOTIONAL, BARE, [Capability.CLICK_TOKENS])
    sentence = refused.value.sentence
    assert "click tokens" in sentence
    assert "“gate”" in sentence
    assert "choose another platform" in sentence


def test_digital_messages_go_through_alibaba_alone() -> None:
    wanted = [Capability.VARIABLES, Capability.SHORT_LINKS, Capability.CLICK_TOKENS]
    refuse_unsupported(MessageType.digital, replace(BARE, kind=PlatformKind.ALIYUN), wanted)
    with pytest.raises(TypeNotOffered, match="kind aliyun"):
        refuse_unsupported(MessageType.digital, FULL, [])


def test_the_platform_puts_its_own_opt_out_text_at_the_end_of_digital_messages() -> None:
    full = replace(FULL, kind=PlatformKind.ALIYUN)
    assert not takes_opt_out_text(MessageType.digital, full)


@pytest.mark.parametrize(
    ("text", "short_links", "wanted"),
    [
        ("plain", 0, set[Capability]()),
        ("to ${name}", 0, {Capability.VARIABLES}),
        ("https://d.cn/rksqdc", 1, {Capability.SHORT_LINKS}),
        ("d.cn/rksqdc/${sp_a}", 1, {Capability.SHORT_LINKS, Capability.CLICK_TOKENS}),
    ],
)
def test_a_text_asks_for_what_is_in_it(
    text: str, short_links: int, wanted: set[Capability]
) -> None:
    assert needed(parse(text), short_links) == wanted


def test_only_promotions_of_an_account_that_has_one_end_with_an_opt_out_text() -> None:
    assert takes_opt_out_text(PROMOTIONAL, FULL)
    assert not takes_opt_out_text(NOTIFICATION, FULL)
    assert not takes_opt_out_text(PROMOTIONAL, BARE)
