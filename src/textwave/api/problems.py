"""How what went wrong is said over HTTP: one table from codes to statuses, RFC 9457 bodies.

A body has `type`, `title`, `status`, `detail` (a sentence that says what to do), `code` and
`fields`. A code that is not in the table is a 422; a test holds that every refusal has its row.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

import psycopg
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from textwave.api.timing_shapes import CLOCK_TIME
from textwave.kit.refusal import Refusal

PROBLEM_JSON: Final = "application/problem+json"
UNKNOWN_CODE_STATUS: Final = 422
STATUSES: Final[Mapping[str, int]] = {
    "request_malformed": 400,
    "malformed_callback": 400,
    "key_missing": 401,
    "key_unknown": 401,
    "request_not_authentic": 401,
    "nonce_seen": 401,
    "administrator_needed": 403,
    "audience_of_another": 403,
    "replies_not_taken": 403,
    "not_found": 404,
    "callback_platform_unknown": 404,
    "push_address_unknown": 404,
    "already_exists": 409,
    "account_in_use": 409,
    "deletion_unconfirmed": 409,
    "allowlist_too_large": 422,
    "global_rule_exists": 409,
    "signature_in_two_rules": 409,
    "too_many_holidays": 409,
    "already_founded": 409,
    "already_running": 409,
    "audience_archived": 409,
    "audience_in_use": 409,
    "changed_meanwhile": 409,
    "in_use": 409,
    "model_in_use": 409,
    "move_not_allowed": 409,
    "download_not_ready": 409,
    "doubt_already_settled": 409,
    "doubt_not_sent_again": 409,
    "doubt_settles_itself": 409,
    "send_again_unconfirmed": 409,
    "key_used_differently": 409,
    "not_approved": 409,
    "list_exists": 409,
    "list_in_use": 409,
    "not_opted_out": 409,
    "not_denied": 409,
    "nothing_to_retry": 409,
    "not_ready_to_start": 409,
    "no_winner_open": 409,
    "refresh_overtaken": 409,
    "retention_off": 409,
    "retention_running": 409,
    "messages_moved": 409,
    "schema_changed": 409,
    "table_in_use": 409,
    "table_changing": 409,
    "body_too_large": 413,
    "callback_too_large": 413,
    "audience_names_itself": 422,
    "audience_not_computed": 422,
    "audiences_not_comparable": 422,
    "used_audience_failed": 422,
    "capability_missing": 422,
    "clicks_not_counted": 422,
    "control_takes_all": 422,
    "column_missing": 422,
    "column_not_profiled": 422,
    "column_unknown": 422,
    "currencies_differ": 422,
    "days_unfit": 422,
    "encoding_wrong": 422,
    "encryption_key_missing": 422,
    "encryption_key_wrong": 422,
    "feed_running": 409,
    "file_empty": 422,
    "import_folder_unset": 422,
    "source_address_unfit": 422,
    "source_file_missing": 422,
    "source_in_use": 409,
    "source_query_refused": 422,
    "source_unreachable": 422,
    "file_unreadable": 422,
    "header_invalid": 422,
    "id_type_unknown": 422,
    "invalid_value": 422,
    "list_column_unknown": 422,
    "mobile_column_unknown": 422,
    "list_table_unfit": 422,
    "no_notification": 422,
    "no_usable_id": 422,
    "other_table": 422,
    "numbers_encrypted": 422,
    "long_url_not_allowed": 422,
    "malformed_variable": 422,
    "mode_unfit": 422,
    "refresh_unfit": 422,
    "refused": 422,
    "request_invalid": 422,
    "rule_column_missing": 422,
    "rule_column_unknown": 422,
    "rule_day_not_labelled": 422,
    "rule_id_type_missing": 422,
    "rule_malformed": 422,
    "rule_not_computed": 422,
    "rule_operator_unfit": 422,
    "rule_reference_unknown": 422,
    "rule_table_unknown": 422,
    "rule_too_large": 422,
    "rule_value_unfit": 422,
    "scoring_malformed": 422,
    "shares_do_not_add_up": 422,
    "signature_missing": 422,
    "signature_shared": 409,
    "signature_under_review": 409,
    "no_approved_signature": 409,
    "signature_not_acceptable": 422,
    "source_not_in_template": 422,
    "table_differs": 422,
    "table_name_invalid": 422,
    "text_not_acceptable": 422,
    "time_unfit": 422,
    "rhythm_unfit": 422,
    "campaign_too_close": 409,
    "recurrence_ended": 409,
    "too_many_partitions": 422,
    "too_many_rejected": 422,
    "type_differs": 422,
    "type_not_offered": 422,
    "unknown_variable": 422,
    "variable_without_source": 422,
    "assets_not_fetched": 500,
    "child_did_not_start": 500,
    "could_not_start": 500,
    "did_not_stop": 500,
    "history_differs": 500,
    "master_key_differs": 500,
    "warehouse_elsewhere": 500,
    "no_api_key": 500,
    "api_unknown": 500,
    "api_unreachable": 500,
    "api_refused": 500,
    "operation_cancelled": 500,
    "operation_failed": 500,
    "port_taken": 500,
    "postgres_did_not_start": 500,
    "passwords_gone": 500,
    "sandbox_did_not_start": 500,
    "material_not_acceptable": 422,
    "material_of_another": 403,
    "material_in_use": 409,
    "template_is_digital": 409,
    "nobody_dropped": 409,
    "digital_not_acceptable": 422,
    "library_full": 409,
    "setting_invalid": 500,
    "carrier_ranges_not_understood": 500,
    "web_role_missing": 500,
    "web_url_missing": 500,
    "platform_answered_nonsense": 502,
    "not_offered": 422,
    "text_not_reviewed": 409,
    "platform_refused": 502,
    "database_unavailable": 503,
    "disk_full": 507,
    "messages_wait": 503,
    "platform_unreachable": 503,
    "files_unreadable": 503,
    "touches_held": 503,
    "spark_failed": 503,
    "spark_missing": 503,
    "spark_unreachable": 503,
}
TITLES: Final[Mapping[int, str]] = {
    400: "The request is malformed",
    401: "The request is not authentic",
    403: "Not allowed",
    404: "Not found",
    405: "Not a method of this address",
    409: "Not possible as things stand",
    413: "Too large",
    422: "Not acceptable as given",
    500: "Something went wrong here",
    502: "The platform refused",
    503: "Not reachable now",
}
log = structlog.get_logger(__name__)


class Problem(BaseModel):
    """A refusal as RFC 9457 problem details."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="What is the case and what to do, in one or two sentences.")
    code: str = Field(description="Stable name of the refusal, for programs.")
    fields: dict[str, Any] = Field(default_factory=dict)


def status_of(code: str) -> int:
    """Return the HTTP status of a refusal's code."""
    return STATUSES.get(code, UNKNOWN_CODE_STATUS)


def problem_response(
    status: int, code: str, detail: str, fields: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Build the response of a problem."""
    problem = Problem(
        title=TITLES.get(status, "Refused"),
        status=status,
        detail=detail,
        code=code,
        fields=dict(fields or {}),
    )
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None  # noqa: PLR2004 - HTTP
    return JSONResponse(
        problem.model_dump(mode="json"), status, headers=headers, media_type=PROBLEM_JSON
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the application as a problem."""
    app.add_exception_handler(Refusal, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    for error in (psycopg.OperationalError, PoolTimeout):
        app.add_exception_handler(error, _database)
    app.add_exception_handler(Exception, _unexpected)


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    refusal = cast("Refusal", error)
    return problem_response(status_of(refusal.code), refusal.code, refusal.sentence, refusal.fields)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    errors = [
        {"place": ".".join(str(step) for step in found["loc"]), "problem": _problem(found)}
        for found in cast("RequestValidationError", error).errors()
    ]
    malformed = any("JSON" in found["problem"] for found in errors)
    first = errors[0]
    detail = f"{first['place']}: {first['problem']}."
    if malformed:
        return problem_response(400, "request_malformed", detail, {"errors": errors})
    return problem_response(422, "request_invalid", detail, {"errors": errors})


def _problem(found: Mapping[str, Any]) -> str:
    pattern = found.get("ctx", {}).get("pattern")
    if found["type"] == "time_parsing" or pattern == CLOCK_TIME:
        return f"“{str(found['input'])[:40]}” is no time of day. Write one like 09:00 or 23:59"
    if found["type"] in ("too_short", "too_long") and isinstance(found["input"], str):
        # pydantic counts a text's characters as “items after validation”
        return "Text" + str(found["msg"]).split(" after")[0][5:].replace("item", "character")
    return str(found["msg"])


async def _http(request: Request, error: Exception) -> JSONResponse:
    found = cast("HTTPException", error)
    if found.status_code == 404:  # noqa: PLR2004 - HTTP
        detail = f"There is nothing at {request.url.path}; /api/openapi.json lists what there is."
        return problem_response(404, "not_found", detail)
    code = "request_malformed" if found.status_code == 400 else "refused"  # noqa: PLR2004 - HTTP
    answer = problem_response(found.status_code, code, str(found.detail))
    answer.headers.update(found.headers or {})
    return answer


async def _database(_request: Request, error: Exception) -> JSONResponse:
    log.warning("database unavailable", error=type(error).__name__)
    detail = "The database does not answer. Try again in a moment."
    answer = problem_response(503, "database_unavailable", detail)
    answer.headers["Retry-After"] = "2"
    return answer


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    log.error("request failed", method=request.method, exc_info=error)
    detail = "Something unexpected went wrong; the log of the web process has the details."
    return problem_response(500, "internal", detail)
