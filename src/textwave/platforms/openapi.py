"""The third-party contract as an OpenAPI 3.1 document, both directions, written by hand.

The sandbox serves it; `python -m textwave.platforms.openapi` writes it for the documentation.
"""

import sys
from typing import Any

import msgspec

from textwave.platforms.signing import CLOCK_SKEW_SECONDS, QA_HEADER, TEXTWAVE_HEADER
from textwave.platforms.thirdparty.codes import OUTCOMES, RECEIPT_STATES, REVIEW_STATES
from textwave.platforms.thirdparty.wire import (
    CONTENT_MAX,
    MESSAGES_MAX,
    REMARK_MAX,
    TEMPLATE_NAME_MAX,
)

Json = dict[str, Any]

DESCRIPTION = f"""\
How a third-party SMS platform joins Textwave. The platform implements the paths below under one
base URL, and calls Textwave at `{{textwave}}/callbacks/{{platform}}/…` (see webhooks).

**Authentication.** Every request, in both directions, carries `timestamp` (UNIX seconds), `nonce`
(32 letters or digits, never used twice) and two headers, lower-case hex HMAC-SHA256 under the
shared key:

- `{QA_HEADER}` over the sorted concatenation of key, timestamp and nonce, white space removed;
- `{TEXTWAVE_HEADER}` over `METHOD\\nPATH\\ntimestamp\\nnonce\\nSHA256(body) in hex`, where PATH is
  the percent-encoded path of the URL as sent, without the query.

A timestamp more than {CLOCK_SKEW_SECONDS} s off, or a nonce seen before, is refused with 401.

**Answers.** Every answer is JSON and carries `platformName` (equal to the configured name),
`code`, `message` and `requestId`. Only `code` `OK` means success. Answers are at most 10 MB.

**Keys.** `batchId` names a request for ever. Answered with `OK`, the same `batchId` gets the same
answer for 72 hours and sends nothing twice. Any other `code` means that nothing of the request
was processed, so it may come again under the same `batchId`. A message that was not accepted in
an accepted request can only be sent again under another `batchId`.

**Numbers.** Mainland numbers are written as 11 digits, all others as `+` and the E.164 digits;
both sides read any usual form.
"""


def document() -> Json:
    """Return the whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Textwave third-party SMS platform",
            "version": "1.0.0",
            "description": DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "{platform}",
                "description": "The platform's base URL",
                "variables": {"platform": {"default": "http://127.0.0.1:8080"}},
            }
        ],
        "security": [{"qa": [], "textwave": []}],
        "paths": _paths(),
        "webhooks": _webhooks(),
        "components": _components(),
    }


def _paths() -> Json:
    code = _path_parameter("templateCode")
    template = _body("Template")
    return {
        "/sms/smsSign/{signName}": {
            "parameters": [_path_parameter("signName"), *SIGNED],
            "get": _operation("signatureState", "State of a signature", "SignatureState"),
        },
        "/sms/smsTemplate": {
            "parameters": SIGNED,
            "post": _operation("createTemplate", "Create a template", "TemplateCode", template),
        },
        "/sms/smsTemplate/{templateCode}": {
            "parameters": [code, *SIGNED],
            "put": _operation("changeTemplate", "Change a template", "TemplateCode", template),
            "get": _operation("templateState", "State of a template", "TemplateState"),
            "delete": _operation("deleteTemplate", "Delete a template", "Answer"),
        },
        "/sms/send": {
            "parameters": SIGNED,
            "post": _operation("send", "Send messages", "SendAnswer", _body("Send")),
        },
        "/sms/receipts": {
            "parameters": [*CURSOR, *SIGNED],
            "get": _operation("receipts", "Pull receipts", "ReceiptPage"),
        },
        "/sms/replies": {
            "parameters": [*CURSOR, *SIGNED],
            "get": _operation("replies", "Pull replies", "ReplyPage"),
        },
        "/sms/account": {
            "parameters": SIGNED,
            "get": _operation("account", "Balance, limits and capabilities", "Account"),
        },
    }


def _operation(identity: str, summary: str, answer: str, body: Json | None = None) -> Json:
    refused = {"description": "Refused; `code` says why", "content": _json(_ref("Answer"))}
    operation: Json = {
        "operationId": identity,
        "summary": summary,
        "responses": {
            "200": {"description": "`code` says what became of it", "content": _json(_ref(answer))},
            "4XX": refused,
            "5XX": refused,
        },
    }
    return operation if body is None else operation | {"requestBody": body}


def _webhooks() -> Json:
    return {
        kind: {
            "parameters": SIGNED,
            "post": {
                "operationId": f"push{kind.capitalize()}",
                "summary": f"Push {kind}",
                "description": (
                    f"`POST {{textwave}}/callbacks/{{platform}}/{kind}`. Anything but 200 with "
                    "`code` 0: send the same again after 1, 5 and 10 minutes. Sent twice is "
                    "harmless."
                ),
                "requestBody": {
                    "required": True,
                    "content": _json(_array(_ref(item), MESSAGES_MAX, 1)),
                },
                "responses": {
                    "200": {
                        "description": "All of it is durable",
                        "content": _json(_ref("Acknowledged")),
                    },
                    "400": {"description": "Malformed; nothing of it was taken"},
                    "401": {"description": "Not signed, wrongly signed, stale or replayed"},
                },
            },
        }
        for kind, item in (("receipts", "Receipt"), ("replies", "Reply"), ("reviews", "Review"))
    }


def _components() -> Json:
    return {
        "securitySchemes": {
            "qa": {"type": "apiKey", "in": "header", "name": QA_HEADER},
            "textwave": {"type": "apiKey", "in": "header", "name": TEXTWAVE_HEADER},
        },
        "schemas": _templates() | _sends() | _incoming(),
    }


def _templates() -> Json:
    state = {"type": "string", "enum": list(REVIEW_STATES)}
    return {
        "Answer": _object(ENVELOPE, "platformName", "code", "message", "requestId"),
        "Template": _object(
            {
                "templateName": _text(TEMPLATE_NAME_MAX, 1),
                "templateContent": _text(CONTENT_MAX, 1),
                "templateType": {
                    "type": "integer",
                    "enum": [1, 2],
                    "description": "1 notification, 2 promotional",
                },
                "remark": _text(REMARK_MAX, 1) | {"description": "For the reviewer"},
            },
            "templateName",
            "templateContent",
            "templateType",
            "remark",
        ),
        "TemplateCode": _answer({"templateCode": _text(100, 1)}, "templateCode"),
        "TemplateState": _answer({"templateStatus": state, "reason": REASON}, "templateStatus"),
        "SignatureState": _answer({"signStatus": state, "reason": REASON}, "signStatus"),
        "Account": _answer(
            {
                "balance": {
                    "type": ["integer", "null"],
                    "description": "In thousandths of the account's currency",
                },
                "ratePerSecond": {
                    "type": "integer",
                    "minimum": 0,
                    "description": "Messages a second; 0 is no limit",
                },
                "maxBatch": {"type": "integer", "minimum": 1, "maximum": MESSAGES_MAX},
                "capabilities": _array({"type": "string"}, 100),
            },
            "ratePerSecond",
            "maxBatch",
            "capabilities",
        ),
    }


def _sends() -> Json:
    message = {
        "messageId": MESSAGE_ID,
        "phoneNumber": PHONE,
        "content": _text(2000) | {"description": "The text, written out, without the signature"},
        "params": {"type": "object", "additionalProperties": {"type": "string"}},
    }
    result = {"messageId": MESSAGE_ID, "code": CODE, "message": {"type": "string"}}
    return {
        "Send": _object(
            {
                "batchId": _text(100, 1) | {"description": "The idempotency key"},
                "signName": _text(100, 1),
                "templateCode": _text(100),
                "smsType": {"type": "integer", "enum": [1, 2]},
                "messages": _array(_object(message, *message), MESSAGES_MAX, 1),
                "replyTo": {
                    "type": "string",
                    "description": "The `replyId` that a single message answers",
                },
            },
            "batchId",
            "signName",
            "templateCode",
            "smsType",
            "messages",
        ),
        "SendAnswer": _answer(
            {
                "results": _array(_object(result, "messageId", "code"), MESSAGES_MAX)
                | {"description": "One for each message, if `code` is OK"},
            }
        ),
    }


def _incoming() -> Json:
    moment = {"type": "string", "format": "date-time"}
    mark = {"type": ["string", "null"], "maxLength": 100}
    receipt = {
        "messageId": MESSAGE_ID,
        "phoneNumber": PHONE,
        "status": {"type": "string", "enum": list(RECEIPT_STATES)},
        "errorCode": mark,
        "parts": {"type": ["integer", "null"], "minimum": 0, "maximum": 255},
        "part": {
            "type": ["integer", "null"],
            "minimum": 1,
            "maximum": 255,
            "description": "Which part this receipt tells of, if each has its own; the message is "
            "delivered when all its parts are, and failed when one is.",
        },
        "reportedAt": moment,
    }
    reply = {
        "replyId": _text(100, 1) | {"description": "Never given to another reply"},
        "phoneNumber": PHONE,
        "content": _text(5000),
        "signName": mark | {"description": "Either this or `extendCode`"},
        "extendCode": mark,
        "receivedAt": moment,
    }
    review = {
        "kind": {"type": "string", "enum": ["sign", "template"]},
        "signName": mark | {"description": "If `kind` is sign"},
        "templateCode": mark | {"description": "If `kind` is template"},
        "status": {"type": "string", "enum": list(REVIEW_STATES)},
        "reason": {"type": ["string", "null"]},
    }
    return {
        "Receipt": _object(receipt, "messageId", "status", "reportedAt"),
        "Reply": _object(reply, "replyId", "phoneNumber", "content", "receivedAt"),
        "Review": _object(review, "kind", "status"),
        "ReceiptPage": _page("Receipt"),
        "ReplyPage": _page("Reply"),
        "Acknowledged": _object({"code": {"const": 0}, "msg": {"type": "string"}}, "code", "msg"),
    }


def _page(item: str) -> Json:
    cursor = _text(500, 1) | {"description": "The cursor for the next pull, also of an empty page"}
    return _answer({"items": _array(_ref(item), MESSAGES_MAX), "next": cursor}, "items", "next")


def _answer(properties: Json, *required: str) -> Json:
    """Return a schema that has the envelope's fields, and its own where the code is OK."""
    return {
        "allOf": [
            _ref("Answer"),
            {
                "type": "object",
                "properties": properties,
                "if": {"properties": {"code": {"const": "OK"}}},
                "then": {"required": list(required)},
            },
        ]
    }


def _object(properties: Json, *required: str) -> Json:
    return {"type": "object", "properties": properties, "required": list(required)}


def _array(items: Json, most: int, least: int = 0) -> Json:
    return {"type": "array", "items": items, "minItems": least, "maxItems": most}


def _text(longest: int, shortest: int = 0) -> Json:
    return {"type": "string", "minLength": shortest, "maxLength": longest}


def _ref(schema: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema}"}


def _json(schema: Json) -> Json:
    return {"application/json": {"schema": schema}}


def _body(schema: str) -> Json:
    return {"required": True, "content": _json(_ref(schema))}


def _path_parameter(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": _text(100, 1)}


CODE: Json = {
    "type": "string",
    "description": "One of these, or the platform's own; retryable if `isp.`-like or with 5xx",
    "examples": [*OUTCOMES, "NOT_FOUND"],
}
ENVELOPE: Json = {
    "platformName": {"type": "string"},
    "code": CODE,
    "message": {"type": "string"},
    "requestId": {"type": "string"},
    "retryAfterMs": {
        "type": "number",
        "minimum": 0,
        "description": "With `THROTTLED`: after how long the same may come again",
    },
}
REASON: Json = {"type": ["string", "null"], "description": "Why it was rejected"}
MESSAGE_ID: Json = {
    "type": ["string", "integer"],
    "pattern": "^[1-9][0-9]{0,18}$",
    "description": "A 64-bit number; Textwave writes it as text, since some languages need that",
}
PHONE: Json = {"type": ["string", "integer"], "examples": ["15412345678", "+15550100123"]}
SIGNED: list[Json] = [
    {
        "name": "timestamp",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]{1,12}$"},
    },
    {
        "name": "nonce",
        "in": "query",
        "required": True,
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9]{32}$"},
    },
]
CURSOR: list[Json] = [
    {
        "name": "after",
        "in": "query",
        "schema": {"type": "string"},
        "description": "`next` of the page before; empty begins at the oldest kept",
    },
    {
        "name": "limit",
        "in": "query",
        "schema": {"type": "integer", "minimum": 1, "maximum": MESSAGES_MAX, "default": 1000},
    },
]


def main() -> None:
    """Write the document to standard output."""
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(document())) + b"\n")


if __name__ == "__main__":
    main()
