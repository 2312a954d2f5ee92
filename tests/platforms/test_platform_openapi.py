import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from platform_stage import APPROVED, Inbox, Stage, request

from textwave.platforms.contract import MessageType, TemplateSubmission
from textwave.platforms.openapi import document
from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.thirdparty.codes import RECEIPT_STATES
from textwave.platforms.thirdparty.wire import encode_send

WRITTEN = Path(__file__).parents[2] / "docs" / "reference" / "platform-openapi.json"
VERBS = {"get", "post", "put", "delete", "patch", "head"}


def test_the_written_document_is_in_step() -> None:
    assert json.loads(WRITTEN.read_text("utf-8")) == json.loads(json.dumps(document()))


def test_the_sandbox_serves_exactly_the_documented_routes() -> None:
    documented = {
        (verb.upper(), path)
        for path, item in document()["paths"].items()
        for verb in item
        if verb in VERBS
    }
    served = {
        (route.method, route.resource.canonical)
        for route in build_application(SandboxSettings()).router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/sms/")
    }
    assert served == documented


def test_every_reference_leads_somewhere() -> None:
    text = json.dumps(document())
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in document()["components"]["schemas"]


def schema(name: str) -> jsonschema_rs.Validator:
    root = {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}
    return jsonschema_rs.validator_for(root)


@pytest.mark.parametrize("status", list(RECEIPT_STATES))
def test_a_receipt_of_every_state_fits_its_schema(status: str) -> None:
    receipt = {"messageId": "7", "status": status, "reportedAt": "2026-11-22T09:00:00Z"}
    schema("Receipt").validate(receipt)
    assert not schema("Receipt").is_valid(receipt | {"status": "LOST"})


async def test_the_sandbox_answers_as_documented(stage: Callable[..., Any]) -> None:
    scene: Stage = await stage(key="")
    sent = json.loads(encode_send(request("b", 1, 2)))
    schema("Send").validate(sent)
    for path, name, body in (
        ("/sms/send", "SendAnswer", sent),
        ("/sms/send", "SendAnswer", sent | {"batchId": "c", "templateCode": "none"}),
        ("/sms/send", "Answer", {}),
    ):
        _, answer = await scene.post(path, body)
        schema(name).validate(answer)
    for path, name in (
        ("/sms/account", "Account"),
        ("/sms/receipts", "ReceiptPage"),
        ("/sms/replies", "ReplyPage"),
        ("/sms/smsSign/s", "SignatureState"),
        (f"/sms/smsTemplate/{APPROVED}", "TemplateState"),
    ):
        async with scene.session.get(f"{scene.url}{path}") as response:
            schema(name).validate(await response.json())


async def test_the_sandbox_serves_the_document(stage: Callable[..., Any]) -> None:
    scene: Stage = await stage()
    async with scene.session.get(f"{scene.url}/openapi.json") as response:
        assert (await response.json())["openapi"] == "3.1.0"


async def test_what_the_sandbox_pushes_is_as_documented(
    stage: Callable[..., Any], inbox: Inbox
) -> None:
    scene: Stage = await stage(
        textwave_url=inbox.url, reply_rate=1.0, failed=1.0, expired=1.0, review_seconds=0.05
    )
    submission = TemplateSubmission("n", "casino", MessageType.promotional, "r")
    await scene.platform.submit_template(submission)
    await scene.platform.signature_review("pending")
    await scene.platform.send(request("b", *range(1, 50)))
    kinds = {"receipts": "Receipt", "replies": "Reply", "reviews": "Review"}
    await inbox.until(lambda: {path.rpartition("/")[2] for path in inbox.paths()} == set(kinds))
    for taken, body in inbox.received:
        for item in json.loads(body):
            schema(kinds[taken.path.rpartition("/")[2]]).validate(item)
