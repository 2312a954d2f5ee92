import json
from typing import Any

import pytest
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from darabonba.exceptions import UnretryableException
from tests.aliyun_stage import (
    NOTIFICATION,
    PERSONAL,
    PROMOTION,
    SIGNATURE,
    AliyunStage,
    Caller,
    aliyun_stage,
    approved,
    until,
)

from textwave.kit.refusal import InvalidValue
from textwave.platforms.aliyun_sandbox.errors import ERRORS
from textwave.platforms.aliyun_sandbox.limits import NumberLimits, Sent
from textwave.platforms.aliyun_sandbox.numbers import write_day
from textwave.platforms.aliyun_sandbox.settings import StandInSettings

NUMBER = "15412345678"
OTHER = "16412345678"


async def sent(stage: AliyunStage) -> list[dict[str, Any]]:
    async with stage.session.get(f"{stage.url}/sandbox/messages") as response:
        return (await response.json())["items"]


async def personal(caller: Caller, *rows: dict[str, Any], **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "phone_number_json": json.dumps([row.get("number", NUMBER) for row in rows]),
        "sign_name_json": json.dumps([SIGNATURE] * len(rows)),
        "template_code": PERSONAL,
        "template_param_json": json.dumps([row["values"] for row in rows]),
        "out_id": "k1",
    }
    return await caller.call("SendBatchSms", **(fields | changes))


async def test_one_text_goes_to_a_thousand_numbers_in_one_call() -> None:
    async with aliyun_stage() as stage:
        numbers = [str(15_412_000_000 + place) for place in range(1000)]
        answer = await Caller(stage).send(*numbers)
        assert (answer["Code"], bool(answer["BizId"])) == ("OK", True)
        counts = await stage.counts()
        assert (counts["messages"], counts["numbers"], counts["accepted_calls"]) == (1000, 1000, 1)


async def test_texts_of_their_own_are_written_out() -> None:
    async with aliyun_stage() as stage:
        rows = [
            {"number": NUMBER, "values": {"name": "张 三+~*&", "code": "17"}},
            {"number": OTHER, "values": {"name": "李四", "code": "18"}},
        ]
        assert (await personal(Caller(stage), *rows))["Code"] == "OK"
        assert [(one["phoneNumber"], one["content"]) for one in await sent(stage)] == [
            (NUMBER, "张 三+~*&, 您的取货码是 17"),
            (OTHER, "李四, 您的取货码是 18"),
        ]


@pytest.mark.parametrize("written", [NUMBER, f"86{NUMBER}", f"+86{NUMBER}", f"0086{NUMBER}"])
async def test_a_mainland_number_may_be_written_in_many_ways(written: str) -> None:
    async with aliyun_stage() as stage:
        assert (await Caller(stage).send(written))["Code"] == "OK"
        assert [one["phoneNumber"] for one in await sent(stage)] == [NUMBER]


async def test_the_same_number_under_the_same_key_is_sent_again_and_witnessed() -> None:
    async with aliyun_stage() as stage:
        caller = Caller(stage)
        await caller.send(NUMBER, OTHER)
        await caller.send(NUMBER, key="k2")
        assert (await stage.counts())["twice"] == 0
        await caller.send(NUMBER)
        counts = await stage.counts()
        assert (counts["messages"], counts["twice"]) == (4, 1)


BAD_CALLS: dict[str, tuple[dict[str, Any], str]] = {
    "no such signature": ({"sign_name": "陌生"}, "isv.SMS_SIGNATURE_ILLEGAL"),
    "no such template": ({"template_code": "SMS_1"}, "isv.SMS_TEMPLATE_ILLEGAL"),
    "no values": ({"template_code": PERSONAL}, "isv.TEMPLATE_MISSING_PARAMETERS"),
    "values are no JSON": ({"template_param": "{", "template_code": PERSONAL}, "isv.INVALID_JSON"),
    "a number too short": ({"phone_numbers": "1541234567a"}, "isv.MOBILE_NUMBER_ILLEGAL"),
    "a foreign number": ({"phone_numbers": "447700900123"}, "isv.MOBILE_NUMBER_ILLEGAL"),
    "too many numbers": (
        {"phone_numbers": ",".join([NUMBER] * 1001)},
        "isv.MOBILE_COUNT_OVER_LIMIT",
    ),
    "a key too long": ({"out_id": "k" * 256}, "isv.INVALID_PARAMETERS"),
}


@pytest.mark.parametrize(("changes", "code"), BAD_CALLS.values(), ids=BAD_CALLS.keys())
async def test_a_call_with_one_thing_wrong_sends_nothing(
    changes: dict[str, Any], code: str
) -> None:
    async with aliyun_stage() as stage:
        fields = {"phone_numbers": f"{NUMBER},{OTHER}"} | changes
        answer = await Caller(stage).call(
            "SendSms",
            **({"sign_name": SIGNATURE, "template_code": NOTIFICATION, "out_id": "k1"} | fields),
        )
        assert answer["Code"].startswith(code)
        assert (await stage.counts())["messages"] == 0


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (7, "isv.TEMPLATE_PARAMS_ILLEGAL"),
        (None, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ("", "isv.PARAM_LENGTH_LIMIT"),
        ("字" * 36, "isv.PARAM_LENGTH_LIMIT"),
        ("https://example.com", "isv.PARAM_NOT_SUPPORT_URL"),
        ("😀", "isv.UNSUPPORTED_CONTENT"),
    ],
)
async def test_a_value_that_does_not_fit_refuses_the_batch(value: object, code: str) -> None:
    async with aliyun_stage() as stage:
        good = {"values": {"name": "张三", "code": "1"}}
        answer = await personal(Caller(stage), good, {"values": {"name": value, "code": "2"}})
        assert answer["Code"] == code
        assert (await stage.counts())["messages"] == 0


async def test_arrays_of_unequal_length_refuse_the_batch() -> None:
    async with aliyun_stage() as stage:
        row = {"values": {"name": "张三", "code": "1"}}
        answer = await personal(Caller(stage), row, phone_number_json=json.dumps([NUMBER, OTHER]))
        assert answer["Code"] == "isv.INVALID_PARAMETERS"


@pytest.mark.parametrize("code", sorted(ERRORS))
async def test_every_documented_error_can_be_switched_on(code: str) -> None:
    async with aliyun_stage(errors=f"{code}=1") as stage:
        try:
            answered = (await Caller(stage).send(NUMBER))["Code"]
        except AlibabaCloudException as refused:
            answered = refused.code
        assert answered == code
        counts = await stage.counts()
        assert (counts["messages"], counts["refused"]) == (0, {code: 1})


def test_an_error_that_nobody_documented_cannot_be_switched_on() -> None:
    with pytest.raises(InvalidValue, match="MADE_UP"):
        StandInSettings(errors="isv.MADE_UP=1")


async def test_an_error_may_be_for_one_action_only() -> None:
    async with aliyun_stage(errors="GetSmsSign:isp.RAM_PERMISSION_DENY=1") as stage:
        caller = Caller(stage)
        assert (await caller.send(NUMBER))["Code"] == "OK"
        asked = await caller.call("GetSmsSign", sign_name=SIGNATURE)
        assert asked["Code"] == "isp.RAM_PERMISSION_DENY"


async def test_a_throttled_call_says_when_to_come_again() -> None:
    async with aliyun_stage(throttle_milliseconds=250) as stage:
        await stage.post("fail", code="Throttling.User")
        with pytest.raises(AlibabaCloudException) as refused:
            await Caller(stage).send(NUMBER)
        assert getattr(refused.value, "retry_after", None) == 250
        assert (await Caller(stage).send(NUMBER))["Code"] == "OK"


@pytest.mark.parametrize(("trouble", "taken"), [("dropped", 0), ("cut_after_accept", 1)])
async def test_a_connection_may_be_cut_before_and_after_the_call_is_taken(
    trouble: str, taken: int
) -> None:
    async with aliyun_stage() as stage:
        await stage.post("fail", code=trouble)
        with pytest.raises(UnretryableException):
            await Caller(stage).send(NUMBER)
        counts = await stage.counts()
        assert (counts["messages"], counts[trouble]) == (taken, 1)


async def test_an_error_may_be_answered_for_a_call_that_was_taken() -> None:
    async with aliyun_stage(error_after_accept=1.0) as stage:
        assert (await Caller(stage).send(NUMBER))["Code"] == "isp.SYSTEM_ERROR"
        assert (await stage.counts())["messages"] == 1


async def test_who_opted_out_gets_no_promotion_but_notifications() -> None:
    async with aliyun_stage() as stage:
        caller = Caller(stage)
        await caller.send(NUMBER, template_code=PROMOTION)
        await stage.post("reply", phoneNumber=NUMBER, content=" td ")
        refused = await caller.send(NUMBER, template_code=PROMOTION, key="k2")
        assert refused["Code"] == "isv.CUSTOMER_REFUSED"
        assert (await caller.send(NUMBER, key="k3"))["Code"] == "OK"


async def test_among_others_a_refused_number_gets_a_receipt_that_says_so() -> None:
    async with aliyun_stage() as stage:
        await stage.post("reply", phoneNumber=NUMBER, content="R", signName=SIGNATURE)
        answer = await Caller(stage).send(NUMBER, OTHER, template_code=PROMOTION)
        assert answer["Code"] == "OK"
        assert {one["phoneNumber"]: one["error"] for one in await sent(stage)} == {
            NUMBER: "isv.CUSTOMER_REFUSED",
            OTHER: "",
        }


async def test_a_refused_number_may_refuse_the_whole_call() -> None:
    async with aliyun_stage(refuse_together=True) as stage:
        await stage.post("reply", phoneNumber=NUMBER, content="R", signName=SIGNATURE)
        answer = await Caller(stage).send(OTHER, NUMBER, template_code=PROMOTION)
        assert answer["Code"] == "isv.CUSTOMER_REFUSED"
        assert await sent(stage) == []


async def test_the_day_of_a_number_ends_at_its_limit() -> None:
    async with aliyun_stage(number_limits=True) as stage:
        caller = Caller(stage)
        for place in range(50):
            assert (await caller.send(NUMBER, key=f"k{place}"))["Code"] == "OK"
        refused = await caller.send(NUMBER, key="k51")
        assert refused["Code"] == "isv.BUSINESS_LIMIT_CONTROL"
        assert "天级" in refused["Message"]
        assert (await caller.send(OTHER, key="k52"))["Code"] == "OK"


@pytest.mark.parametrize(
    ("template_type", "moments", "refused_at"),
    [
        pytest.param(0, [59, 60, 61], [61], id="a code a clock minute"),
        pytest.param(0, [0, 60, 120, 180, 240, 300, 3600], [300], id="five codes a clock hour"),
        pytest.param(7, [0, 86_399, 86_400], [86_399], id="a digital one in 24 hours"),
    ],
)
def test_limits_are_of_clock_minutes_and_hours_and_of_a_day_from_the_first(
    template_type: int, moments: list[int], refused_at: list[int]
) -> None:
    limits, sent = NumberLimits(), Sent(8615412345678, template_type, SIGNATURE, "SMS_1")
    refused: list[int] = []
    for moment in moments:
        if limits.problem(sent, moment):
            refused.append(moment)
        else:
            limits.note(sent, moment)
    assert refused == refused_at


async def test_a_carrier_blocks_a_signature_that_is_not_registered_with_it() -> None:
    async with aliyun_stage() as stage:
        await stage.post("decide", signature=SIGNATURE, status=1, carriers={"unicom": 0})
        await Caller(stage).send(NUMBER, OTHER)
        assert {one["phoneNumber"]: one["error"] for one in await sent(stage)} == {
            NUMBER: "",
            OTHER: "PORT_NOT_REGISTERED",
        }


async def test_a_digital_message_reaches_the_carriers_that_passed_its_template() -> None:
    async with aliyun_stage() as stage:
        digital = approved("DIGITAL_SMS_0001", "hello", 7)
        digital.vendors = {"MOBILE_VENDOR": 1, "UNICOM_VENDOR": 2, "TELECOM_VENDOR": 15}
        stage.stand_in.shelf.put(digital)
        numbers = (NUMBER, OTHER, "16912345678", "19412345678")
        await Caller(stage).send(*numbers, template_code=digital.code)
        errors = [one["error"] for one in await sent(stage)]
        assert errors == ["", "NO_ROUTE", "NO_ROUTE", "NO_ROUTE"]


async def test_details_say_what_became_of_a_number_of_a_call() -> None:
    async with aliyun_stage() as stage:
        caller = Caller(stage)
        answer = await caller.send(NUMBER, OTHER)
        await caller.send(NUMBER, key="k2")
        await until(lambda: stage.stand_in.counts["delivered"] == 3)
        day = write_day(stage.stand_in.clock())
        asked: dict[str, Any] = {"send_date": day, "page_size": 50, "current_page": 1}
        found = await caller.call("QuerySendDetails", phone_number=NUMBER, **asked)
        assert found["TotalCount"] == "2"
        details = found["SmsSendDetailDTOs"]["SmsSendDetailDTO"]
        assert [(one["OutId"], one["SendStatus"], one["ErrCode"]) for one in details] == [
            ("k2", 3, "DELIVERED"),
            ("k1", 3, "DELIVERED"),
        ]
        one_call = await caller.call(
            "QuerySendDetails", phone_number=NUMBER, biz_id=answer["BizId"], **asked
        )
        assert one_call["TotalCount"] == "1"
        nobody = await caller.call("QuerySendDetails", phone_number="19412345678", **asked)
        assert nobody["TotalCount"] == "0"


async def test_statistics_count_what_was_sent_on_a_day() -> None:
    async with aliyun_stage(receipt_seconds=(0.0, 0.0)) as stage:
        caller = Caller(stage)
        await caller.send(NUMBER, OTHER)
        await until(lambda: stage.stand_in.counts["delivered"] == 2)
        await stage.post("settings", no_receipt=1.0, delivered=0.0)
        await caller.send(NUMBER, key="k2")
        day = write_day(stage.stand_in.clock())
        counted = await caller.call(
            "QuerySendStatistics",
            is_globe=1,
            start_date=day,
            end_date=day,
            page_index=1,
            page_size=10,
            template_type=1,
        )
        assert counted["Data"]["TargetList"] == [
            {
                "SendDate": day,
                "TotalCount": 3,
                "RespondedSuccessCount": 2,
                "RespondedFailCount": 0,
                "NoRespondedCount": 1,
            }
        ]


async def test_the_same_seed_gives_the_same_fates() -> None:
    async def fates(seed: int) -> list[str]:
        rates = {"delivered": 0.5, "failed": 0.3, "no_receipt": 0.2}
        async with aliyun_stage(seed=seed, **rates) as stage:
            await Caller(stage).send(*[str(15_412_000_000 + place) for place in range(60)])
            return [one["fate"] for one in await sent(stage)]

    first = await fates(1)
    assert first == await fates(1) != await fates(2)
    assert set(first) == {"delivered", "failed", "no_receipt"}


async def test_a_stand_in_that_is_full_says_so() -> None:
    async with aliyun_stage(max_messages=1) as stage:
        assert (await Caller(stage).send(NUMBER, OTHER))["Code"] == "isp.SYSTEM_ERROR"
        assert (await Caller(stage).send(NUMBER))["Code"] == "OK"
