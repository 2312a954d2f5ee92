import base64
from typing import Any

import pytest
from alibabacloud_tea_openapi.exceptions import AlibabaCloudException
from tests.aliyun_stage import (
    NOTIFICATION,
    PROMOTION,
    SIGNATURE,
    AliyunStage,
    Caller,
    aliyun_stage,
    until,
)

from textwave.platforms.aliyun_sandbox.records import TemplateRecord, template_problem

PAPERS = {"sign_source": 0, "qualification_id": 7, "third_party": "false", "remark": "for trials"}
OFFER = {
    "template_name": "offer",
    "template_content": "您好, 新品上市 拒收请回复R",
    "template_type": 2,
    "related_sign_name": SIGNATURE,
    "remark": "for members",
}
OWNED = '[{"trafficDrivingType":"DOMAIN","trafficDrivingContent":"d.cn"}]'


async def settled(stage: AliyunStage, kind: str, number: int = 1) -> None:
    """Wait until so many reviews have ended."""
    await until(lambda: len(stage.stand_in.queues.by_kind[kind]) >= number)


def part(suffix: str, content: bytes) -> Any:
    from alibabacloud_dysmsapi20170525 import models

    return models.CreateDigitalSmsTemplateRequestTemplateContents(
        file_contents=base64.b64encode(content).decode(),
        file_name="part",
        file_size=len(content),
        file_suffix=suffix,
    )


async def test_a_new_signature_is_reviewed_and_registered_with_each_carrier() -> None:
    async with aliyun_stage(unregistered="telecom", review_seconds=0.2) as stage:
        caller = Caller(stage)
        made = await caller.call("CreateSmsSign", sign_name="湖畔茶社", **PAPERS)
        first = await caller.call("GetSmsSign", sign_name="湖畔茶社")
        assert (made["Code"], first["SignStatus"]) == ("OK", 0)
        await settled(stage, "SignSmsReport")
        found = await caller.call("GetSmsSign", sign_name="湖畔茶社")
        assert (found["SignStatus"], found["OrderId"]) == (1, made["OrderId"])
        states = {
            one["OperatorCode"]: one["RegisterStatus"] for one in found["SignIspRegisterDetailList"]
        }
        assert states == {"mobile": 3, "unicom": 3, "telecom": 0}


async def test_a_rejected_signature_says_why_and_may_be_changed() -> None:
    async with aliyun_stage() as stage:
        caller = Caller(stage)
        await caller.call("CreateSmsSign", sign_name="拒绝茶社", **PAPERS)
        await settled(stage, "SignSmsReport")
        found = await caller.call("GetSmsSign", sign_name="拒绝茶社")
        assert found["SignStatus"] == 2
        assert "拒" in found["AuditInfo"]["RejectInfo"]
        changed = await caller.call("UpdateSmsSign", sign_name="拒绝茶社", **PAPERS)
        assert changed["Code"] == "OK"
        await settled(stage, "SignSmsReport", 2)
        listed = await caller.call("QuerySmsSignList", page_index=1, page_size=50)
        assert {one["SignName"]: one["AuditStatus"] for one in listed["SmsSignList"]} == {
            SIGNATURE: "AUDIT_STATE_PASS",
            "拒绝茶社": "AUDIT_STATE_NOT_PASS",
        }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sign_name": "湖"}, "isv.SIGN_NAME_ILLEGAL"),
        ({"sign_name": "【湖畔】"}, "isv.SIGN_NAME_ILLEGAL"),
        ({"sign_name": "湖畔测试"}, "isv.SIGN_NAME_ILLEGAL"),
        ({"sign_name": SIGNATURE}, "isv.SIGN_NAME_ILLEGAL"),
        ({"sign_source": 3}, "isv.SIGN_SOURCE_ILLEGAL"),
        ({"sign_source": 5}, "isv.INVALID_PARAMETERS"),
        ({"qualification_id": None}, "isv.INVALID_PARAMETERS"),
        ({"third_party": "true"}, "isv.INVALID_PARAMETERS"),
    ],
)
async def test_a_signature_that_cannot_be_filed_is_refused(
    changes: dict[str, Any], code: str
) -> None:
    async with aliyun_stage() as stage:
        fields = {"sign_name": "湖畔茶社"} | PAPERS | changes
        assert (await Caller(stage).call("CreateSmsSign", **fields))["Code"] == code


async def test_what_is_in_review_is_neither_changed_nor_deleted() -> None:
    async with aliyun_stage(review_seconds=60.0) as stage:
        caller = Caller(stage)
        await caller.call("CreateSmsSign", sign_name="湖畔茶社", **PAPERS)
        code = (await caller.call("CreateSmsTemplate", **OFFER))["TemplateCode"]
        answers = [
            await caller.call("UpdateSmsSign", sign_name="湖畔茶社", **PAPERS),
            await caller.call("DeleteSmsSign", sign_name="湖畔茶社"),
            await caller.call("UpdateSmsTemplate", template_code=code, **OFFER),
            await caller.call("DeleteSmsTemplate", template_code=code),
        ]
        assert [answer["Code"] for answer in answers] == [
            "isv.ERROR_SIGN_NOT_MODIFY",
            "isv.ERROR_SIGN_NOT_DELETE",
            "isv.ERROR_TEMPLATE_NOT_MODIFY",
            "isv.ERROR_TEMPLATE_NOT_DELETE",
        ]


async def test_what_was_deleted_is_not_found_and_not_sent_with() -> None:
    async with aliyun_stage() as stage:
        caller = Caller(stage)
        await caller.call("DeleteSmsTemplate", template_code=PROMOTION)
        found = await caller.call("GetSmsTemplate", template_code=PROMOTION)
        assert found["Code"] == "isv.SMS_TEMPLATE_ILLEGAL"
        await caller.call("DeleteSmsSign", sign_name=SIGNATURE)
        assert (await caller.send("15412345678"))["Code"] == "isv.SMS_SIGNATURE_ILLEGAL"


async def test_a_template_is_reviewed_and_a_rejected_one_keeps_its_code() -> None:
    async with aliyun_stage() as stage:
        caller = Caller(stage)
        fields = OFFER | {"template_content": "您好, 新品上市"}
        code = (await caller.call("CreateSmsTemplate", **fields))["TemplateCode"]
        await settled(stage, "TemplateSmsReport")
        found = await caller.call("GetSmsTemplate", template_code=code)
        assert found["TemplateStatus"] == "2"
        assert "拒收请回复R" in found["AuditInfo"]["RejectInfo"]
        changed = await caller.call("UpdateSmsTemplate", template_code=code, **OFFER)
        assert changed["TemplateCode"] == code
        await settled(stage, "TemplateSmsReport", 2)
        assert (await caller.call("GetSmsTemplate", template_code=code))["TemplateStatus"] == "1"
        assert (await caller.send("15412345678", template_code=code))["Code"] == "OK"


async def test_lists_number_the_types_of_templates_otherwise() -> None:
    async with aliyun_stage() as stage:
        listed = await Caller(stage).call("QuerySmsTemplateList", page_index=1, page_size=50)
        types = {
            one["TemplateCode"]: (one["TemplateType"], one["OuterTemplateType"])
            for one in listed["SmsTemplateList"]
        }
        assert (types[NOTIFICATION], types[PROMOTION]) == ((0, 1), (1, 2))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"template_name": "n" * 31}, "isv.TEMPLATE_OVER_LIMIT"),
        ({"template_content": "字" * 501}, "isv.TEMPLATE_OVER_LIMIT"),
        ({"template_type": 9}, "isv.INVALID_PARAMETERS"),
        ({"related_sign_name": "陌生"}, "isv.SIGN_STATE_ILLEGAL"),
        ({"template_content": "您好 ${name} 拒收请回复R"}, "isv.INVALID_JSON_PARAM"),
        (
            {"template_content": "您好 ${name} 拒收请回复R", "template_rule": '{"other":"name"}'},
            "isv.TEMPLATE_PARAMS_ILLEGAL",
        ),
        ({"traffic_driving": "{}"}, "isv.INVALID_JSON_PARAM"),
    ],
)
async def test_a_template_that_cannot_be_filed_is_refused(
    changes: dict[str, Any], code: str
) -> None:
    async with aliyun_stage() as stage:
        assert (await Caller(stage).call("CreateSmsTemplate", **(OFFER | changes)))["Code"] == code


REVIEWED: dict[str, tuple[int, str, bool]] = {
    "a good promotion": (2, "您好 ${name} 拒收请回复R", True),
    "a good notification": (1, "您的 ${thing} 在 ${place}", True),
    "a promotion without its end": (2, "您好", False),
    "a notification with the end of a promotion": (1, "您好 拒收请回复R", False),
    "brackets": (1, "【湖畔】您好", False),
    "a variable twice": (1, "${name} 您好 ${name}", False),
    "variables side by side": (1, "您好 ${name}${thing}", False),
    "nothing but a variable": (1, "${name}", False),
    "a forbidden word": (1, "Casino 开业", False),
    "a link of nobody": (1, "请看 https://d.cn/a", False),
    "two variables in a promotion": (2, "${name} 您好 ${city} 拒收请回复R", False),
}


@pytest.mark.parametrize(
    ("template_type", "content", "passes"), REVIEWED.values(), ids=REVIEWED.keys()
)
def test_reviewers_go_by_the_published_rules(
    template_type: int, content: str, *, passes: bool
) -> None:
    template = TemplateRecord("SMS_1", "offer", content, template_type, "1", 0.0, 0.0)
    assert (template_problem(template, promotional_variables=True) == "") is passes


def test_a_link_may_be_declared_and_its_token_is_no_variable_of_a_promotion() -> None:
    content = "您好 ${name} https://d.cn/a/${sp_a} 拒收请回复R"
    template = TemplateRecord("SMS_1", "offer", content, 2, "1", 0.0, 0.0, traffic_driving=OWNED)
    assert template_problem(template, promotional_variables=True) == ""
    assert template_problem(template, promotional_variables=False)


async def test_templates_are_applied_for_some_time_apart() -> None:
    async with aliyun_stage(template_apart_seconds=30.0) as stage:
        caller = Caller(stage)
        assert (await caller.call("CreateSmsTemplate", **OFFER))["Code"] == "OK"
        with pytest.raises(AlibabaCloudException) as refused:
            await caller.call("CreateSmsTemplate", **OFFER)
        assert refused.value.code == "Throttling.User"
        assert 25_000 < getattr(refused.value, "retry_after", 0) <= 30_000


async def test_a_day_has_only_so_many_applications() -> None:
    async with aliyun_stage(templates_a_day=1, signatures_a_day=1) as stage:
        caller = Caller(stage)
        codes = [
            (await caller.call("CreateSmsTemplate", **OFFER))["Code"],
            (await caller.call("CreateSmsTemplate", **OFFER))["Code"],
            (await caller.call("CreateSmsSign", sign_name="湖畔茶社", **PAPERS))["Code"],
            (await caller.call("CreateSmsSign", sign_name="湖畔咖啡", **PAPERS))["Code"],
        ]
        assert codes == [
            "OK",
            "isv.TEMPLATE_COUNT_OVER_LIMIT",
            "OK",
            "isv.SIGN_COUNT_OVER_LIMIT",
        ]


async def digital(caller: Caller, *parts: Any, name: str = "coats") -> dict[str, Any]:
    return await caller.call(
        "CreateDigitalSmsTemplate",
        template_name=name,
        sign_name=SIGNATURE,
        remark="for members",
        template_contents=list(parts),
    )


async def test_each_carrier_decides_about_a_digital_template() -> None:
    async with aliyun_stage(digital_rejected="telecom", review_seconds=0.2) as stage:
        caller = Caller(stage)
        made = await digital(caller, part("txt", b"hello"), part("png", bytes(700_000)))
        code = made["TemplateCode"]
        first = await caller.call("GetSmsTemplate", template_code=code)
        assert set(first["VendorAuditStatus"].values()) == {0}
        await settled(stage, "TemplateSmsReport")
        found = await caller.call("GetSmsTemplate", template_code=code)
        assert found["TemplateStatus"] == "1"
        assert found["VendorAuditStatus"] == {
            "MOBILE_VENDOR": 1,
            "UNICOM_VENDOR": 1,
            "TELECOM_VENDOR": 2,
        }


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([("txt", b"hello")], id="text alone"),
        pytest.param([("png", b"picture")], id="a picture alone"),
        pytest.param([("txt", b"a"), ("mp4", b"1"), ("mp4", b"2")], id="two videos"),
        pytest.param([("txt", b"a"), ("bmp", b"1")], id="another suffix"),
        pytest.param([("txt", b"a"), ("png", bytes(1900 * 1024))], id="too large"),
    ],
)
async def test_a_digital_template_that_cannot_be_filed_is_refused(
    parts: list[tuple[str, bytes]],
) -> None:
    async with aliyun_stage() as stage:
        answer = await digital(Caller(stage), *[part(suffix, content) for suffix, content in parts])
        assert answer["Code"].startswith("isv.")


async def test_signatures_and_templates_outlive_a_restart(tmp_path: Any) -> None:
    kept = {"state_file": str(tmp_path / "state.json"), "signatures": "湖畔,茶社"}
    async with aliyun_stage(**kept) as stage:
        code = (await Caller(stage).call("CreateSmsTemplate", **OFFER))["TemplateCode"]
        await settled(stage, "TemplateSmsReport")
        await Caller(stage).call("DeleteSmsSign", sign_name="茶社")
    async with aliyun_stage(**(kept | {"signatures": ""})) as stage:
        found = await Caller(stage).call("GetSmsTemplate", template_code=code)
        assert found["TemplateStatus"] == "1"
        gone = await Caller(stage).call("GetSmsSign", sign_name="茶社")
        assert gone["Code"] == "isv.SMS_SIGNATURE_ILLEGAL"
        assert (await Caller(stage).send("15412345678", template_code=code))["Code"] == "OK"


async def test_a_decision_by_hand_is_reported() -> None:
    async with aliyun_stage() as stage:
        await stage.post("decide", template=NOTIFICATION, status=2, reason="no longer true")
        await settled(stage, "TemplateSmsReport")
        assert (await Caller(stage).send("15412345678"))["Code"] == "isv.SMS_TEMPLATE_ILLEGAL"
