from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from textwave.content.writing_operations import (
    MOST_SAMPLES,
    Counted,
    Writing,
    check_writing,
    count_writing,
    counted_by,
)
from textwave.kit.findings import Finding
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.kit.text import Counting, count
from textwave.platforms.contract import MessageType

from .conftest import LINKS_URL, NOW, Place
from .gateway import NAME


async def counted(place: Place, text: str, **more: Any) -> Counted:
    async with place.people.transaction(place.workspace_id) as connection:
        return await count_writing(
            connection, workspace_id=place.workspace_id, writing=Writing(text, **more)
        )


async def checked(place: Place, text: str, **more: Any) -> list[Finding]:
    more.setdefault("platform", NAME)
    async with place.people.transaction(place.workspace_id) as connection:
        return await check_writing(
            connection,
            workspace_id=place.workspace_id,
            writing=Writing(text, **more),
            links_url=LINKS_URL,
            now=NOW,
        )


async def priced(place: Place, price_milli: int) -> None:
    async with place.jobs.transaction() as connection:
        await connection.execute("UPDATE platform SET price_milli = %s", [price_milli])


async def test_a_promotion_is_counted_with_signature_opt_out_text_values_and_price(
    place: Place,
) -> None:
    await priced(place, 45)
    text = "${name}，会员日" + "好" * 46
    found = await counted(
        place,
        text,
        signature="云裳",
        platform=NAME,
        message_type=MessageType.promotional,
        values={"name": "王小明"},
        samples=[{"name": "李"}, {"name": "欧阳" * 10}],
    )
    assert found.text == text + " 拒收请回复R"
    assert (found.typed.count.units, found.typed.count.parts) == (64, 1)
    assert found.characters == len(found.text)
    assert (found.worst.count.units, found.worst.count.parts) == (81, 2)
    assert found.worst.price is not None
    assert found.worst.price.milli == 90
    assert found.average is not None
    assert (found.average.units, found.average.parts) == (71.5, 1.5)


async def test_without_samples_the_worst_has_the_longest_values_that_platforms_take(
    place: Place,
) -> None:
    found = await counted(place, "${a}和${b}", rule=Counting.INTERNATIONAL)
    assert (found.worst.count.units, found.worst.count.parts) == (71, 2)
    assert (found.average, found.typed.price) == (None, None)


@settings(max_examples=80, deadline=None)
@given(text=st.text(alphabet="${}ab1_ 国€😀", max_size=40))
def test_whatever_is_half_typed_is_counted(text: str) -> None:
    found = counted_by(Writing(text), text, Counting.MAINLAND, None)
    if "$" not in text:
        assert found.typed.count == count(text, "", Counting.MAINLAND)
    assert found.worst.count.parts >= found.typed.count.parts


async def test_a_platform_that_is_not_there_and_too_many_samples_are_refused(place: Place) -> None:
    with pytest.raises(NotFound):
        await counted(place, "x", platform="nowhere")
    with pytest.raises(InvalidValue, match="at most"):
        await counted(place, "x", samples=[{}] * (MOST_SAMPLES + 1))


@pytest.mark.parametrize(
    ("text", "message_type", "codes"),
    [
        ("会员日快来", MessageType.promotional, []),
        ("【云裳】${a}${b}", MessageType.promotional, [
            "signature_brackets_in_text", "adjacent_variables",
        ]),
        ("您的订单已发货 回T退订", MessageType.notification, ["opt_out_text_forbidden"]),
        ("一\x07二", MessageType.notification, ["invalid_value"]),
        ("任何", MessageType.digital, ["type_not_offered"]),
    ],
)  # fmt: skip
async def test_every_error_of_a_text_is_said_and_nothing_refused(
    place: Place, text: str, message_type: MessageType, codes: list[str]
) -> None:
    found = await checked(place, text, message_type=message_type)
    assert [finding.code for finding in found] == codes


async def test_what_the_account_cannot_send_is_said_as_a_finding(place: Place) -> None:
    async with place.jobs.transaction() as connection:
        await connection.execute("UPDATE platform SET capabilities = '{}'")
    (finding,) = await checked(place, "${name}你好", message_type=MessageType.notification)
    assert finding.code == "capability_missing"
    assert NAME in finding.sentence
