import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import unused_port
from alibaba_stage import LIMITS, Asked, alibaba, request

from textwave.kit.carriers import Carrier
from textwave.kit.refusal import InvalidValue
from textwave.platforms.aliyun import AliyunPlatform
from textwave.platforms.aliyun.calls import endpoint_of
from textwave.platforms.contract import (
    CarrierReview,
    CarrierState,
    DigitalPart,
    DigitalSubmission,
    MessageType,
    NotOffered,
    PlatformAnsweredNonsense,
    PlatformRefused,
    PlatformUnreachable,
    Question,
    ReceiptState,
    Review,
    ReviewState,
    SignatureSubmission,
    TemplateSubmission,
)
from textwave.platforms.exchange import Limits
from textwave.platforms.outcomes import DISPOSITIONS, Outcome

COMPANY = {
    "company_name": "测试公司",
    "organization_code": "91330000TEST",
    "icp_number": "浙ICP备00000000号",
    "icp_picture": "1/icp.png",
}


def page(status: int, body: bytes | str = "<html>", kind: str = "text/html") -> web.Response:
    data = body.encode() if isinstance(body, str) else body
    return web.Response(status=status, body=data, content_type=kind)


def refusal(code: str, message: str = "", status: int = 200, **headers: str) -> web.Response:
    said = {"Code": code, "Message": message, "RequestId": "r"}
    return web.json_response(said, status=status, headers=headers)


async def test_an_accepted_send_names_the_platforms_id_and_carries_our_key() -> None:
    async with alibaba({"SendSms": {"BizId": "9006197"}}) as (platform, server):
        answer = await platform.send(request({}, {}))
    assert (answer.outcome, answer.request_id) == (Outcome.accepted, "9006197")
    assert server.last.method == "POST"
    assert server.last.query == {
        "OutId": "key-1",
        "PhoneNumbers": "15400000001,15400000002",
        "SignName": "阿里云",
        "TemplateCode": "SMS_1",
    }


async def test_a_thousand_numbers_are_one_call() -> None:
    async with alibaba() as (platform, server):
        answer = await platform.send(request(*({} for _ in range(1000))))
    assert answer.outcome is Outcome.accepted
    assert len(server.asked) == 1
    assert server.last.query["PhoneNumbers"].count(",") == 999


async def test_values_of_their_own_travel_in_the_body_of_one_call() -> None:
    async with alibaba() as (platform, server):
        await platform.send(request({"name": "李"}, {"name": "王"}))
    assert server.last.action == "SendBatchSms"
    assert server.last.query == {"OutId": "key-1", "TemplateCode": "SMS_1"}
    assert json.loads(server.last.form["TemplateParamJson"]) == [{"name": "李"}, {"name": "王"}]


async def test_a_refusal_says_its_code_and_text() -> None:
    async with alibaba({"SendSms": refusal("isv.AMOUNT_NOT_ENOUGH", "账户余额不足")}) as (
        platform,
        _,
    ):
        answer = await platform.send(request({}, {}))
    assert answer.outcome is Outcome.no_balance
    assert answer.detail == "isv.AMOUNT_NOT_ENOUGH 账户余额不足"


async def test_a_throttled_send_says_how_long_to_wait() -> None:
    slow = refusal("Throttling.User", status=429, **{"x-acs-retry-after": "2500"})
    async with alibaba({"SendSms": slow}) as (platform, _):
        answer = await platform.send(request({}))
    assert (answer.outcome, answer.retry_after_seconds) == (Outcome.throttled, 2.5)


async def test_a_number_that_has_had_enough_today_is_refused_alone() -> None:
    def answer_to(asked: Asked) -> Any:
        if "15400000002" in asked.query["PhoneNumbers"]:
            return refusal("isv.BUSINESS_LIMIT_CONTROL", "触发天级流控Permits:50")
        return {"BizId": "1"}

    async with alibaba({"SendSms": answer_to}) as (platform, _):
        answer = await platform.send(request({}, {}, {}))
    assert answer.outcome is Outcome.accepted
    assert {n: r.outcome for n, r in answer.refused.items()} == {2: Outcome.refused}
    assert "Permits:50" in answer.refused[2].sentence


BAD_ANSWERS = {
    "a page with status 200": (page(200), Outcome.unknown),
    "an error page of the gateway": (page(502), Outcome.unknown),
    "a refusing page": (page(403), Outcome.forbidden),
    "an empty body": (page(200, b""), Outcome.unknown),
    "half of an answer": (page(200, '{"Code":"O', "application/json"), Outcome.unknown),
    "a list": (page(200, "[1]", "application/json"), Outcome.unknown),
    "a code that is a list": (page(200, '{"Code":["OK"]}', "application/json"), Outcome.unknown),
    "no code": (page(200, "{}", "application/json"), Outcome.unknown),
    "another encoding": (page(200, '{"Code":"确定"}'.encode("gbk")), Outcome.unknown),
    "too much": (page(200, b" " * 200_000), Outcome.unknown),
    "OK and a failing status": (page(500, '{"Code":"OK"}', "application/json"), Outcome.unknown),
}


@pytest.mark.parametrize("case", BAD_ANSWERS)
async def test_answers_that_are_none_end_as_an_outcome(case: str) -> None:
    answer, outcome = BAD_ANSWERS[case]
    async with alibaba({"SendSms": answer}) as (platform, _):
        assert (await platform.send(request({}))).outcome is outcome


async def test_an_answer_that_does_not_come_leaves_the_send_in_doubt() -> None:
    async def never(_: Asked) -> web.Response:
        await asyncio.sleep(5)
        return page(200)

    limits = Limits(total_seconds=0.1, connect_seconds=0.1)
    async with alibaba({"SendSms": never}, limits=limits) as (platform, _):
        answer = await platform.send(request({}))
    assert answer.outcome is Outcome.unknown
    assert "0.1 s" in answer.detail


async def test_nobody_listening_is_certain_that_nothing_was_sent() -> None:
    async with aiohttp.ClientSession() as session:
        platform = AliyunPlatform(
            session, name="ali", endpoint=f"http://127.0.0.1:{unused_port()}", key_id="i", key="k",
            options={}, limits=LIMITS,
        )  # fmt: skip
        answer = await platform.send(request({}))
    assert answer.outcome is Outcome.unreachable


async def test_what_cannot_be_written_out_has_certainly_not_left() -> None:
    async with alibaba() as (platform, server):
        answer = await platform.send(request({}, key="half of a character: \ud83d"))
    assert DISPOSITIONS[answer.outcome].certain
    assert "UnicodeEncodeError" in answer.detail
    assert not server.asked


async def test_what_breaks_after_a_call_has_left_leaves_it_in_doubt() -> None:
    async with alibaba() as (platform, _):
        await platform.send(request({}))
    assert (await platform.send(request({}))).outcome is Outcome.unknown  # its session is closed


async def test_a_redirect_is_not_followed_with_what_was_signed() -> None:
    elsewhere = web.Response(status=302, headers={"Location": "/elsewhere"})
    async with alibaba({"SendSms": elsewhere}) as (platform, server):
        answer = await platform.send(request({}))
    assert answer.outcome is Outcome.unknown
    assert [asked.path for asked in server.asked] == ["/"]


@pytest.mark.parametrize(
    ("message_type", "is_international", "numbers"),
    [
        (MessageType.notification, False, {"TemplateType": "1"}),
        (MessageType.promotional, False, {"TemplateType": "2"}),
        (MessageType.notification, True, {"TemplateType": "3", "IntlType": "0"}),
        (MessageType.promotional, True, {"TemplateType": "3", "IntlType": "1"}),
    ],
)
async def test_a_template_is_filed_under_the_number_of_its_type(
    message_type: MessageType,
    is_international: bool,  # noqa: FBT001 - a case
    numbers: dict[str, str],
) -> None:
    submission = TemplateSubmission("n", "text", message_type, "why", "阿里云")
    answers = {"CreateSmsTemplate": {"TemplateCode": "SMS_77"}}
    async with alibaba(answers, is_international=is_international) as (platform, server):
        assert await platform.submit_template(submission) == "SMS_77"
    assert server.last.query == {
        "TemplateName": "n",
        "TemplateContent": "text",
        "RelatedSignName": "阿里云",
        "Remark": "why",
        **numbers,
    }


async def test_a_template_says_what_its_variables_hold() -> None:
    content = "${nickName}，${pay_time}到期，${shop}见 https://s.example.com/abc/${sp_link} 。"
    submission = TemplateSubmission("n", content, MessageType.notification, "why", "阿里云")
    answers = {"CreateSmsTemplate": {"TemplateCode": "SMS_77"}}
    async with alibaba(answers) as (platform, server):
        await platform.submit_template(submission)
    assert json.loads(server.last.query["TemplateRule"]) == {
        "nickName": "user_nick",
        "pay_time": "time",
        "shop": "others",
        "sp_link": "link_param",
    }
    assert "TrafficDriving" not in server.last.query


async def test_links_of_a_template_are_declared_with_their_owner() -> None:
    content = "看 https://s.example.com/abc/${sp_link}，或 https://www.example.com。"
    submission = TemplateSubmission("n", content, MessageType.promotional, "why", "阿里云")
    answers = {"CreateSmsTemplate": {"TemplateCode": "SMS_77"}}
    async with alibaba(answers, options=COMPANY) as (platform, server):
        await platform.submit_template(submission)
    first, second = json.loads(server.last.query["TrafficDriving"])
    assert first == {
        "trafficDrivingType": "DOMAIN",
        "trafficDrivingContent": "s.example.com",
        "variableName": "sp_link",
        "companyName": "测试公司",
        "organizationCode": "91330000TEST",
        "icpNo": "浙ICP备00000000号",
        "icpPicOssKey": "1/icp.png",
    }
    assert (second["trafficDrivingContent"], "variableName" in second) == ("www.example.com", False)


async def test_a_rejected_template_is_handed_in_again_under_its_code() -> None:
    submission = TemplateSubmission("n", "text", MessageType.notification, "why")
    async with alibaba({"UpdateSmsTemplate": {"TemplateCode": "SMS_5"}}) as (platform, server):
        assert await platform.change_template("SMS_5", submission) == "SMS_5"
    assert server.last.query["TemplateCode"] == "SMS_5"


@pytest.mark.parametrize(
    ("status", "review"),
    [
        ("0", Review(ReviewState.reviewing)),
        (1, Review(ReviewState.approved)),
        ("2", Review(ReviewState.rejected, "内容不符")),
        ("10", Review(ReviewState.rejected, "内容不符")),
    ],
)
async def test_a_templates_review_is_read_as_text_or_number(status: Any, review: Review) -> None:
    answer = {"TemplateStatus": status, "AuditInfo": {"RejectInfo": "内容不符"}}
    async with alibaba({"GetSmsTemplate": answer}) as (platform, _):
        assert await platform.template_review("SMS_5") == review


async def test_a_digital_template_has_a_state_at_each_carrier() -> None:
    vendors = {"MOBILE_VENDOR": 1, "UNICOM_VENDOR": 2, "TELECOM_VENDOR": 15, "OTHER": 9}
    answer = {"TemplateStatus": "1", "VendorAuditStatus": vendors}
    async with alibaba({"GetSmsTemplate": answer}) as (platform, _):
        review = await platform.template_review("DIGITAL_SMS_1")
    assert review.carriers == {
        Carrier.MOBILE: CarrierReview(CarrierState.approved),
        Carrier.UNICOM: CarrierReview(CarrierState.rejected),
        Carrier.TELECOM: CarrierReview(CarrierState.lapsed),
    }


async def test_a_state_that_nobody_knows_is_nonsense() -> None:
    async with alibaba({"GetSmsTemplate": {"TemplateStatus": 7}}) as (platform, _):
        with pytest.raises(PlatformAnsweredNonsense, match="state 7"):
            await platform.template_review("SMS_5")


async def test_what_the_platform_has_not_is_missing() -> None:
    answers = {
        "GetSmsSign": refusal("isv.SMS_SIGNATURE_ILLEGAL"),
        "GetSmsTemplate": refusal("isv.SMS_TEMPLATE_ILLEGAL"),
    }
    async with alibaba(answers) as (platform, _):
        assert await platform.signature_review("a") == Review(ReviewState.missing)
        assert await platform.template_review("a") == Review(ReviewState.missing)


async def test_a_signature_is_filed_with_its_papers() -> None:
    submission = SignatureSubmission(
        "阿里云", "trademark", 2001, "why", scene="https://example.com",
        authorization_letter_id=31, trademark_id=42,
    )  # fmt: skip
    async with alibaba() as (platform, server):
        await platform.create_signature(submission)
        created = server.last
        await platform.change_signature(submission)
    assert created.query == {
        "SignName": "阿里云",
        "SignSource": "5",
        "SignType": "1",
        "QualificationId": "2001",
        "ThirdParty": "true",
        "AuthorizationLetterId": "31",
        "TrademarkId": "42",
        "ApplySceneContent": "https://example.com",
        "Remark": "why",
    }
    assert (server.last.action, server.last.query) == ("UpdateSmsSign", created.query)


async def test_an_approved_signature_may_still_be_unregistered_at_a_carrier() -> None:
    def at(carrier: str, status: int, **more: Any) -> dict[str, Any]:
        return {"OperatorCode": carrier, "RegisterStatus": status, **more}

    reason = {"ReasonCode": "QUALIFICATION_ERROR", "ReasonDescList": ["资质不全"]}
    answer = {
        "SignStatus": 1,
        "SignIspRegisterDetailList": [
            at("mobile", 1),
            at("unicom", 0, RegisterStatusReasons=[reason]),
            at("telecom", -2),
        ],
    }
    async with alibaba({"GetSmsSign": answer}) as (platform, _):
        review = await platform.signature_review("阿里云")
    assert review.state is ReviewState.approved
    assert review.carriers == {
        Carrier.MOBILE: CarrierReview(CarrierState.unverified),
        Carrier.UNICOM: CarrierReview(CarrierState.rejected, "QUALIFICATION_ERROR 资质不全"),
        Carrier.TELECOM: CarrierReview(CarrierState.missing),
    }


async def test_deleting_names_what_is_deleted() -> None:
    async with alibaba() as (platform, server):
        await platform.delete_signature("阿里云")
        await platform.delete_template("SMS_5")
    assert [(asked.action, asked.query) for asked in server.asked] == [
        ("DeleteSmsSign", {"SignName": "阿里云"}),
        ("DeleteSmsTemplate", {"TemplateCode": "SMS_5"}),
    ]


async def test_a_digital_template_is_filed_with_its_parts_in_their_order() -> None:
    parts = [DigitalPart("1", "txt", "文字".encode()), DigitalPart("2", "jpg", b"\xff\xd8")]
    answers = {"CreateDigitalSmsTemplate": {"TemplateCode": "DIGITAL_SMS_1"}}
    async with alibaba(answers) as (platform, server):
        code = await platform.submit_digital(DigitalSubmission("n", "阿里云", "why", parts))
    assert code == "DIGITAL_SMS_1"
    assert server.last.query == {
        "TemplateName": "n",
        "SignName": "阿里云",
        "Remark": "why",
        "TemplateContents.1.FileName": "1",
        "TemplateContents.1.FileSuffix": "txt",
        "TemplateContents.1.FileContents": "5paH5a2X",
        "TemplateContents.1.FileSize": "6",
        "TemplateContents.2.FileName": "2",
        "TemplateContents.2.FileSuffix": "jpg",
        "TemplateContents.2.FileContents": "/9g=",
        "TemplateContents.2.FileSize": "2",
    }


QUESTION = Question(
    "key-1",
    {number: 86_154_0000_0000 + number for number in range(1, 101)},
    datetime(2026, 11, 22, 15, 0, tzinfo=UTC),
)


def details(*found: dict[str, Any]) -> dict[str, Any]:
    return {"TotalCount": len(found), "SmsSendDetailDTOs": {"SmsSendDetailDTO": list(found)}}


def detail(key: str, status: int = 3, code: str = "DELIVERED") -> dict[str, Any]:
    return {
        "OutId": key,
        "SendStatus": status,
        "ErrCode": code,
        "SendDate": "2026-11-22 23:00:01",
        "ReceiveDate": "2026-11-22 23:00:09",
    }


async def test_a_request_in_doubt_is_looked_up_by_a_few_of_its_numbers() -> None:
    def answer_to(asked: Asked) -> Any:
        states = {
            "15400000001": [detail("another"), detail("key-1")],
            "15400000051": [detail("key-1", 1, "")],
            "15400000100": [detail("key-1", 2, "MOBILE_NOT_ON_SERVICE")],
        }
        return details(*states.get(asked.query["PhoneNumber"], []))

    async with alibaba({"QuerySendDetails": answer_to}) as (platform, server):
        trace = await platform.look_up(QUESTION)
    assert trace.taken
    assert [(r.message_id, r.state, r.error_code) for r in trace.receipts] == [
        (1, ReceiptState.delivered, ""),
        (100, ReceiptState.failed, "MOBILE_NOT_ON_SERVICE"),
    ]
    assert trace.receipts[0].reported_at == datetime(2026, 11, 22, 15, 0, 9, tzinfo=UTC)
    assert {asked.query["SendDate"] for asked in server.asked} == {"20261122"}


async def test_a_request_that_left_before_midnight_in_china_is_looked_up_on_both_days() -> None:
    moment = datetime(2026, 11, 22, 15, 55, tzinfo=UTC)
    question = Question("key-1", {1: 86_154_0000_0001}, moment)
    async with alibaba({"QuerySendDetails": details()}) as (platform, server):
        assert not (await platform.look_up(question)).taken
    assert [asked.query["SendDate"] for asked in server.asked] == ["20261122", "20261123"]


async def test_a_number_with_many_messages_is_read_page_by_page() -> None:
    def answer_to(asked: Asked) -> Any:
        found = [detail("other")] * 50 if asked.query["CurrentPage"] == "1" else [detail("key-1")]
        return details(*found) | {"TotalCount": 51}

    question = Question("key-1", {1: 86_154_0000_0001}, QUESTION.prepared_at)
    async with alibaba({"QuerySendDetails": answer_to}) as (platform, _):
        assert (await platform.look_up(question)).taken


async def test_asking_for_the_account_proves_key_and_rights_and_says_no_more() -> None:
    async with alibaba() as (platform, server):
        account = await platform.account()
    assert (account.balance, account.rate_per_second, account.max_batch) == (None, 0, 0)
    assert server.last.action == "QuerySendStatistics"
    assert server.last.query["StartDate"] == "20270115"


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        (refusal("InvalidAccessKeyId.NotFound", "no such key", 404), PlatformRefused),
        (refusal("isp.RAM_PERMISSION_DENY"), PlatformRefused),
        (page(200), PlatformAnsweredNonsense),
        (page(403), PlatformAnsweredNonsense),
    ],
)
async def test_other_calls_end_as_a_refusal_that_says_what_is_wrong(
    answer: web.Response, wrong: type[Exception]
) -> None:
    async with alibaba({"QuerySendStatistics": answer}) as (platform, _):
        with pytest.raises(wrong):
            await platform.account()


async def test_a_call_that_gets_no_answer_says_that_nobody_is_there() -> None:
    async with alibaba(limits=LIMITS) as (platform, server):
        server.answers["QuerySendStatistics"] = _hang
        with pytest.raises(PlatformUnreachable, match="no answer"):
            await platform.account()


async def _hang(_: Asked) -> web.Response:
    await asyncio.sleep(5)
    return page(200)


async def test_nothing_is_pulled_where_no_queue_is_named() -> None:
    async with alibaba() as (platform, _):
        for pull in (platform.receipts, platform.replies, platform.reviews):
            with pytest.raises(NotOffered):
                await pull("")


def test_an_endpoint_may_leave_out_the_scheme() -> None:
    assert str(endpoint_of("base_url", "dysmsapi.aliyuncs.com")) == "https://dysmsapi.aliyuncs.com"


@pytest.mark.parametrize(
    "address",
    ["http://dysmsapi.aliyuncs.com", "https://a.example/path", "ftp://a.example", "https://a b",
     "https://user@a.example", ""],
)  # fmt: skip
def test_an_endpoint_that_would_show_the_key_or_is_none_is_refused(address: str) -> None:
    with pytest.raises(InvalidValue):
        endpoint_of("base_url", address)
