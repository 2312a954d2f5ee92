"""The API keeps what its document says, whatever it is asked: no 5xx, no answer of another shape.

Requests that the document allows and requests that it forbids, over a workspace that has something
of each kind; half of them name what is there.
"""

import asyncio
import json
import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import FailureGroup

from tests.api.conftest import Web
from tests.api.things import Things, make_things
from tests.stage import Stage, people

EXAMPLES = int(os.environ.get("EXAMPLES", "2"))
ELSEWHERE = {"platform_unreachable", "platform_answered_nonsense", "platform_refused"}
"""Refusals with a 5xx that say what another system does."""

pytestmark = pytest.mark.slow


@pytest.fixture
async def things(stage: Stage, web: Web) -> Things:
    await stage.set(people(3))
    return await make_things(web, stage)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
async def test_whatever_it_is_asked_the_api_answers_as_its_document_says(
    web: Web, things: Things, mode: GenerationMode
) -> None:
    broken = await asyncio.to_thread(lambda: list(_broken(web, things, mode)))
    assert not broken


def _broken(web: Web, things: Things, mode: GenerationMode) -> list[str]:
    document = schemathesis.openapi.from_dict(web.app.openapi())
    said: list[str] = []
    found: Any
    for found in document.get_all_operations():
        operation = found.ok()
        known = operation.as_strategy(path_parameters=things.fill(operation.path))
        said += _tried(web, known)
        said += _tried(web, operation.as_strategy(mode))
    return said


def _tried(web: Web, strategy: Any) -> list[str]:
    said: list[str] = []

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=[
            HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large,
        ],
    )  # fmt: skip
    @given(case=strategy)
    def call(case: Any) -> None:
        headers = {"Authorization": f"Bearer {web.key}"}
        answer = case.call(base_url=web.url, headers=headers, timeout=30)
        problem = _problem(case, answer)
        if problem:
            said.append(f"{case.method} {case.formatted_path} {case.body!r}: {problem}"[:1000])

    call()
    return said


def _problem(case: Any, answer: Any) -> str:
    if answer.status_code >= 500 and json.loads(answer.content).get("code") not in ELSEWHERE:
        return f"{answer.status_code} {answer.content!r}"
    try:
        case.validate_response(
            answer,
            checks=[content_type_conformance, response_schema_conformance, status_code_conformance],
        )
    except FailureGroup as failures:
        return "; ".join(str(failure) for failure in failures.exceptions)
    return ""
