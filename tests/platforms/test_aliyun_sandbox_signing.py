import asyncio
import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import pytest
from alibabacloud_tea_openapi.utils import Utils
from darabonba.request import DaraRequest
from hypothesis import given
from hypothesis import strategies as st
from tests.aliyun_stage import KEY_ID, KEY_SECRET, NOTIFICATION, SIGNATURE, aliyun_stage

from textwave.platforms.aliyun_sandbox.signing import (
    SignedCall,
    acs3_signature,
    canonical_query,
    canonical_request,
    queue_signature,
)

EMPTY = hashlib.sha256(b"").hexdigest()


def signed(url: str, **changes: Any) -> dict[str, str]:
    """Return the headers of a SendSms, signed by hand after the published rules."""
    headers = {
        "host": url.removeprefix("http://"),
        "x-acs-action": "SendSms",
        "x-acs-version": "2017-05-25",
        "x-acs-date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": "nonce-1",
        "x-acs-content-sha256": EMPTY,
    } | changes.pop("headers", {})
    names = changes.get("names", sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in names)
    request = "\n".join(("POST", "/", changes.get("query", QUERY), lines, ";".join(names), EMPTY))
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(request.encode()).hexdigest()}"
    secret = changes.get("secret", KEY_SECRET)
    signature = hmac.new(secret.encode(), text.encode(), "sha256").hexdigest()
    key_id = changes.get("key_id", KEY_ID)
    return headers | {
        "authorization": f"ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={';'.join(names)},"
        f"Signature={signature}"
    }


PARAMETERS = {
    "OutId": "k1",
    "PhoneNumbers": "15412345678",
    "SignName": SIGNATURE,
    "TemplateCode": NOTIFICATION,
}
QUERY = urlencode(PARAMETERS, quote_via=quote)


async def answered(url: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, str]:
    async with (
        aiohttp.ClientSession(skip_auto_headers=["Content-Type"]) as session,
        session.post(f"{url}/?{QUERY}", headers=headers, data=body) as response,
    ):
        return response.status, (await response.json())["Code"]


def test_the_published_example_has_its_published_signature() -> None:
    call = SignedCall(
        "POST",
        "/",
        "RegionId=cn-shanghai&ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd",
        {
            "host": "ecs.cn-shanghai.aliyuncs.com",
            "x-acs-action": "RunInstances",
            "x-acs-content-sha256": EMPTY,
            "x-acs-date": "2023-10-26T10:22:32Z",
            "x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
            "x-acs-version": "2014-05-26",
        },
        b"",
    )
    request = canonical_request(call, call.headers, EMPTY)
    assert hashlib.sha256(request.encode()).hexdigest() == (
        "7ea06492da5221eba5297e897ce16e55f964061054b7695beedaac1145b1e259"
    )
    assert acs3_signature("YourAccessKeySecret", request) == (
        "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    )


@given(
    parameters=st.dictionaries(
        st.text("ABCyz09._-~", min_size=1), st.text(max_size=20), max_size=5
    ),
    secret=st.text("abcXYZ019", min_size=1),
    nonce=st.text("abc019-", min_size=1),
)
def test_every_signature_is_that_of_the_official_client(
    parameters: dict[str, str], secret: str, nonce: str
) -> None:
    headers = {"host": "dysmsapi.aliyuncs.com", "x-acs-signature-nonce": nonce}
    official = DaraRequest()
    official.method, official.pathname = "POST", "/"
    official.query, official.headers = parameters, headers
    wanted = Utils.get_authorization(official, "ACS3-HMAC-SHA256", EMPTY, KEY_ID, secret)
    call = SignedCall("POST", "/", urlencode(parameters), headers, b"")
    ours = acs3_signature(secret, canonical_request(call, headers, EMPTY))
    assert wanted.endswith(f"Signature={ours}")


def test_a_query_is_written_in_one_way_only() -> None:
    assert canonical_query("b=a+b&a=%7e*&c=") == "a=~%2A&b=a%20b&c="


def test_a_call_to_a_queue_is_signed_over_its_own_headers_and_its_whole_address() -> None:
    headers = {"date": "Thu, 17 Mar 2012 18:49:58 GMT", "x-mns-version": "2015-06-06"}
    text = (
        "GET\n\n\nThu, 17 Mar 2012 18:49:58 GMT\nx-mns-version:2015-06-06\n/queues/q/messages?a=1"
    )
    wanted = hmac.new(b"secret", text.encode(), "sha1").digest()

    signature = queue_signature("secret", "GET", headers, "/queues/q/messages?a=1")
    assert base64.b64decode(signature) == wanted


async def test_a_call_that_is_signed_by_the_rules_comes_in() -> None:
    async with aliyun_stage() as stage:
        assert await answered(stage.url, signed(stage.url)) == (200, "OK")


OLD = (datetime.now(UTC) - timedelta(minutes=16)).strftime("%Y-%m-%dT%H:%M:%SZ")
AHEAD = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        pytest.param({"key_id": "other"}, 404, "InvalidAccessKeyId.NotFound", id="key"),
        pytest.param({"secret": "other"}, 400, "SignatureDoesNotMatch", id="secret"),
        pytest.param({"query": f"{QUERY}1"}, 400, "SignatureDoesNotMatch", id="parameters"),
        pytest.param({"names": ["host"]}, 400, "IncompleteSignature", id="headers left out"),
        pytest.param(
            {"headers": {"x-acs-date": OLD}}, 400, "InvalidTimeStamp.Expired", id="too old"
        ),
        pytest.param(
            {"headers": {"x-acs-date": AHEAD}}, 400, "InvalidTimeStamp.Expired", id="ahead"
        ),
        pytest.param(
            {"headers": {"x-acs-date": "now"}}, 400, "InvalidTimeStamp.Format", id="no date"
        ),
        pytest.param(
            {"headers": {"x-acs-version": "2018-05-01"}}, 400, "InvalidVersion", id="version"
        ),
        pytest.param(
            {"headers": {"x-acs-action": "SendFax"}}, 404, "InvalidAction.NotFound", id="action"
        ),
    ],
)
async def test_a_call_that_is_not_signed_so_is_refused_with_the_code_of_the_real_one(
    changes: dict[str, Any], status: int, code: str
) -> None:
    async with aliyun_stage() as stage:
        assert await answered(stage.url, signed(stage.url, **changes)) == (status, code)
        assert (await stage.counts())["messages"] == 0


async def test_a_call_without_any_signature_is_refused() -> None:
    async with aliyun_stage() as stage:
        assert await answered(stage.url, {}) == (400, "IncompleteSignature")


async def test_a_body_that_was_not_signed_is_refused() -> None:
    async with aliyun_stage() as stage:
        code = await answered(stage.url, signed(stage.url), b"OutId=k2")
        assert code == (400, "SignatureDoesNotMatch")


async def test_a_nonce_is_good_once() -> None:
    async with aliyun_stage() as stage:
        headers = signed(stage.url)
        answers = await asyncio.gather(answered(stage.url, headers), answered(stage.url, headers))
        assert sorted(answers) == [(200, "OK"), (400, "SignatureNonceUsed")]
        assert (await stage.counts())["messages"] == 1
