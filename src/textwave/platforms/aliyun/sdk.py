"""Alibaba Cloud's own client, with its operations, shapes and signature, over our exchange.

Only this module imports it, and it is slow to import: take `load` from `calls`. Its own transport
is not used: it opens a connection for each call, follows redirects and reads without an end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from alibabacloud_dysmsapi20170525 import models
from alibabacloud_dysmsapi20170525.client import Client
from alibabacloud_tea_openapi.utils import Utils, get_canonical_query_string
from alibabacloud_tea_openapi.utils_models import Config, OpenApiRequest, Params
from darabonba.request import DaraRequest
from darabonba.runtime import RuntimeOptions
from yarl import URL

from textwave.platforms.exchange import Letter

ALGORITHM = "ACS3-HMAC-SHA256"
VERSION = "2017-05-25"
FORM_TYPE = "application/x-www-form-urlencoded"
QUERY_BYTES_MAX = 32_768
"""Longer parameters, as files have them, travel as a form: no server takes such addresses."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a call is signed with."""

    key_id: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an operation: parameters of the address, and those of the body."""

    action: str
    version: str
    query: Mapping[str, str]
    form: Mapping[str, Any]


class _Taken(RuntimeOptions):
    """Goes through an operation of the client, and takes the call that it makes."""

    call: Call | None = None


class _Shaping(Client):
    """The client, which shapes calls and does not make them."""

    async def call_api_async(
        self, params: Params, request: OpenApiRequest, runtime: RuntimeOptions
    ) -> dict[str, Any]:
        """Keep the call."""
        assert isinstance(runtime, _Taken)  # noqa: S101 - `shape` is the only way here
        runtime.call = Call(
            str(params.action), str(params.version), request.query or {}, request.body or {}
        )
        return {}


_shaping = _Shaping(Config(endpoint="localhost"))


async def shape(operation: str, **fields: Any) -> Call:
    """Return the call of an operation, such as `send_sms`, with the fields of its request."""
    name = "".join(word.title() for word in operation.split("_"))
    request = getattr(models, f"{name}Request")(**fields)
    taken = _Taken()
    await getattr(_shaping, f"{operation}_with_options_async")(request, taken)
    assert taken.call is not None  # noqa: S101 - every operation of the client makes one call
    return taken.call


def digital_file(**fields: Any) -> Any:
    """Return one file of a digital template as the client takes it."""
    return models.CreateDigitalSmsTemplateRequestTemplateContents(**fields)


def sign(
    call: Call, *, endpoint: URL, credentials: Credentials, now: datetime, nonce: str
) -> Letter:
    """Return the letter that makes a call, signed; `now` is in UTC, a nonce is used once."""
    query, body = dict(call.query), Utils.to_form(call.form).encode() if call.form else b""
    if not body and len(get_canonical_query_string(query)) > QUERY_BYTES_MAX:
        query, body = {}, Utils.to_form(query).encode()
    digest = sha256(body).hexdigest()
    request = DaraRequest()
    request.method, request.pathname, request.query = "POST", "/", query
    request.headers = {
        "host": endpoint.host_port_subcomponent or "",
        "x-acs-action": call.action,
        "x-acs-content-sha256": digest,
        "x-acs-date": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": call.version,
    }
    if body:
        request.headers["content-type"] = FORM_TYPE
    authorization = Utils.get_authorization(
        request, ALGORITHM, digest, credentials.key_id, credentials.key
    )
    headers = {**request.headers, "Authorization": authorization, "Accept": "application/json"}
    # An uncompressed answer is what the limit on bytes means.
    headers["Accept-Encoding"] = "identity"
    address = endpoint.with_path("/").with_query(None)
    url = URL(f"{address}?{get_canonical_query_string(query)}".rstrip("?"), encoded=True)
    return Letter("POST", url, headers, body)
