from datetime import UTC, datetime

import pytest
from alibaba_stage import alibaba, is_signed, request
from yarl import URL

from textwave.platforms.aliyun import sdk
from textwave.platforms.aliyun.queues import sign_queue_call
from textwave.platforms.aliyun.wire import WireToken
from textwave.platforms.contract import DigitalPart, DigitalSubmission

AWKWARD = "a b+c*d~e/f?g&h=i%j 【测试】 é😀"
DOCUMENTED = sdk.Call(
    "RunInstances",
    "2014-05-26",
    {
        "ImageId": "win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        "RegionId": "cn-shanghai",
    },
    {},
)


def test_the_vendors_documented_example_gets_the_documented_signature() -> None:
    letter = sdk.sign(
        DOCUMENTED,
        endpoint=URL("https://ecs.cn-shanghai.aliyuncs.com"),
        credentials=sdk.Credentials("YourAccessKeyId", "YourAccessKeySecret"),
        now=datetime(2023, 10, 26, 10, 22, 32, tzinfo=UTC),
        nonce="3156853299f313e23d1673dc12e1703d",
    )
    assert letter.headers["Authorization"] == (
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;"
        "x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,"
        "Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


@pytest.mark.parametrize("params", [({"name": AWKWARD},), ({"name": AWKWARD}, {"name": "other"})])
async def test_what_arrives_is_what_was_signed_whatever_it_holds(
    params: tuple[dict[str, str], ...],
) -> None:
    async with alibaba() as (platform, server):
        await platform.send(request(*params, key=AWKWARD))
    assert is_signed(server.last)
    assert server.last.query["OutId"] == AWKWARD


async def test_a_key_that_is_not_the_accounts_signs_something_else() -> None:
    async with alibaba() as (platform, server):
        await platform.send(request({}))
    assert not is_signed(server.last, key="another")


async def test_no_two_calls_have_the_same_nonce() -> None:
    async with alibaba() as (platform, server):
        await platform.send(request({}))
        await platform.send(request({}))
    first, second = (asked.headers["x-acs-signature-nonce"] for asked in server.asked)
    assert first != second


async def test_files_travel_in_the_body_because_no_address_is_that_long() -> None:
    part = DigitalPart("picture", "png", b"\x89PNG" * 20_000)
    async with alibaba({"CreateDigitalSmsTemplate": {"TemplateCode": "DIGITAL_SMS_1"}}) as (
        platform,
        server,
    ):
        await platform.submit_digital(DigitalSubmission("n", "阿里云", "why", [part]))
    assert server.last.query == {}
    assert is_signed(server.last)
    assert server.last.form["TemplateContents.1.FileSize"] == "80000"


# Signed with the vendor's client for queues, 1.3.0.
@pytest.mark.parametrize(
    ("method", "path", "body", "signature"),
    [
        (
            "GET",
            "/queues/Alicom-Queue-1-SmsReport/messages?numOfMessages=16&waitseconds=0",
            b"",
            "DaAfMLJf82nN35LVkhtcII/3G/0=",
        ),
        ("DELETE", "/queues/q/messages", b"<x/>", "rDeW0U8doA4r/vew6wGwDFVMGEM="),
    ],
)
def test_calls_of_queues_are_signed_as_the_vendors_client_signs_them(
    method: str, path: str, body: bytes, signature: str
) -> None:
    letter = sign_queue_call(
        method,
        URL("https://h"),
        path,
        body,
        token=WireToken("STS.id", "secret", "token", "2026-11-22 20:00:00"),
        now=datetime(2026, 11, 22, 11, 0, tzinfo=UTC),
    )
    assert letter.headers["Authorization"] == f"MNS STS.id:{signature}"
    assert letter.headers["security-token"] == "token"
