import time
from typing import Any

import aiohttp
from hypothesis import given
from hypothesis import strategies as st
from tests.aliyun_stage import (
    NOTIFICATION,
    PERSONAL,
    QUIET,
    SIGNATURE,
    Caller,
    aliyun_stage,
    approved,
)

from textwave.platforms.aliyun_sandbox.application import ACTIONS
from textwave.platforms.aliyun_sandbox.errors import ERRORS, CallRefused
from textwave.platforms.aliyun_sandbox.settings import StandInSettings
from textwave.platforms.aliyun_sandbox.world import StandIn

NAMES = (
    "PhoneNumbers", "PhoneNumber", "PhoneNumberJson", "SignName", "SignNameJson", "TemplateCode",
    "TemplateParam", "TemplateParamJson", "OutId", "SendDate", "StartDate", "EndDate", "PageSize",
    "PageIndex", "CurrentPage", "IsGlobe", "TemplateType", "TemplateName", "TemplateContent",
    "TemplateRule", "TrafficDriving", "RelatedSignName", "SignSource", "QualificationId",
    "ThirdParty", "Remark", "MessageType", "QueueName", "TemplateContents.1.FileContents",
    "TemplateContents.1.FileSuffix", "TemplateContents.1.FileSize",
)  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            *(SIGNATURE, NOTIFICATION, PERSONAL, "15412345678", "20261122", "1", "2", "99999999"),
            *("[]", "{}", "null", "5", '"x"', "[" * 5000, '["15412345678"]', f'["{SIGNATURE}"]'),
            *('{"name":"\\ud800","code":"1"}', '[{"name":null}]', "${name}", "txt", "====", "-1"),
            *("9" * 5000, "٣", '{"name":"a","code":"b"}', '[{"name":"a","code":"\\udfff"}]'),
        ]
    ),
)


@given(
    action=st.sampled_from(sorted(ACTIONS)),
    parameters=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8),
)
def test_whatever_comes_is_answered_or_refused_with_a_documented_code(
    action: str, parameters: dict[str, str]
) -> None:
    stand_in = StandIn(StandInSettings(**QUIET))
    for code in (NOTIFICATION, PERSONAL):
        stand_in.shelf.put(approved(code, "${name}, ${code}" if code == PERSONAL else "hello", 1))
    try:
        answer = ACTIONS[action](stand_in, parameters)
    except CallRefused as refused:
        assert refused.code in ERRORS  # noqa: PT017 - both ends are good
    else:
        assert isinstance(answer, dict)
    stand_in.pass_time()


async def test_half_a_character_in_a_value_refuses_the_call() -> None:
    async with aliyun_stage() as stage:
        answer = await Caller(stage).send(
            "15412345678",
            template_code=PERSONAL,
            template_param='{"name":"\\ud83d","code":"1"}',
        )
        assert answer["Code"] == "isv.UNSUPPORTED_CONTENT"


async def refused(session: aiohttp.ClientSession, url: str, body: Any) -> int:
    async with session.post(url, data=body) as answer:
        return answer.status


async def test_knobs_that_make_no_sense_are_refused() -> None:
    async with aliyun_stage() as stage:
        bodies = {
            "settings": [b"{", b"[]", b'{"port": 1}', b'{"slow": 2}', b'{"errors": "isv.X=1"}'],
            "fail": [b'{"code": "nothing"}', b'{"code": "dropped", "times": 0}'],
            "reply": [b'{"phoneNumber": "1", "content": "T"}', b"\xff"],
            "decide": [
                b'{"status": 1}',
                b'{"status": 7, "template": "SMS_100000001"}',
                b'{"status": 1, "template": "SMS_100000001", "carriers": {"mobile": 3}}',
            ],
        }
        for knob, wrong in bodies.items():
            url = f"{stage.url}/sandbox/{knob}"
            assert [await refused(stage.session, url, body) for body in wrong] == [400] * len(wrong)
        assert (await Caller(stage).send("15412345678"))["Code"] == "OK"


async def test_an_answer_may_come_late() -> None:
    async with aliyun_stage(slow=1.0, slow_seconds=0.1) as stage:
        began = time.monotonic()
        assert (await Caller(stage).send("15412345678"))["Code"] == "OK"
        assert time.monotonic() - began >= 0.1
