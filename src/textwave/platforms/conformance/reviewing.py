"""The rules of signatures and templates: their states, their limits, and what is not there."""

import asyncio
import time
from typing import Any
from urllib.parse import quote

from textwave.platforms.conformance.trial import (
    CONTENT,
    POLL_SECONDS,
    RuleBroken,
    Trial,
)
from textwave.platforms.thirdparty.codes import NOT_FOUND, REVIEW_STATES
from textwave.platforms.thirdparty.wire import (
    CONTENT_MAX,
    REMARK_MAX,
    TEMPLATE_NAME_MAX,
    WireAnswer,
    WireSignature,
    WireTemplateCode,
    WireTemplateState,
    legible,
)

HTTP_NOT_FOUND = 404
PATH = "/sms/smsTemplate"
NO_SUCH = "no-such-template"


async def signature_state_is_told(trial: Trial) -> str:
    """Say of a signature that it is reviewing, approved or rejected."""
    path = f"/sms/smsSign/{quote(trial.target.signature, safe='')}"
    answer = await trial.get(path, WireSignature)
    return _known_state("signStatus", answer.sign_status)


async def template_is_created_and_read(trial: Trial) -> str:
    """Take a new template, give its code, and say its state under that code."""
    code = await _create(trial)
    answer = await trial.get(_at(code), WireTemplateState)
    return _known_state("templateStatus", answer.template_status)


async def each_template_has_its_own_code(trial: Trial) -> str:
    """Never give one code to two templates, whatever their names are."""
    first, second = await _create(trial), await _create(trial)
    if first == second:
        trial.made.remove(second)
        raise RuleBroken(f"two templates got the code “{legible(first, 50)}”")
    return "two templates, two codes"


async def template_is_changed(trial: Trial) -> str:
    """Take a changed template and say its state under the code that comes back."""
    code = await _create(trial)
    answered = await trial.ask("PUT", _at(code), a_template(content="Textwave check, changed."))
    now = trial.read(answered, WireTemplateCode).template_code
    if now != code:
        trial.made.append(now)
    answer = await trial.get(_at(now), WireTemplateState)
    return _known_state("templateStatus", answer.template_status)


async def template_is_deleted(trial: Trial) -> str:
    """Answer 404 NOT_FOUND for a template that was deleted."""
    code = await _create(trial)
    await forget(trial, code)
    trial.made.remove(code)
    await _must_be_missing(trial, "GET", code)
    return "a deleted template is not found"


async def unknown_template_is_not_found(trial: Trial) -> str:
    """Answer 404 NOT_FOUND where an unknown template is asked for, changed or deleted."""
    for method, body in (("GET", None), ("PUT", a_template()), ("DELETE", None)):
        await _must_be_missing(trial, method, NO_SUCH, body)
    return "neither read, changed nor deleted"


async def template_limits_are_kept(trial: Trial) -> str:
    """Take names of 1-30, contents of 1-500 and remarks of 1-100 characters, types 1 and 2."""
    for what, template in (
        ("an empty name", a_template(name="")),
        (f"a name of {TEMPLATE_NAME_MAX + 1}", a_template(name="n" * (TEMPLATE_NAME_MAX + 1))),
        ("an empty content", a_template(content="")),
        (f"a content of {CONTENT_MAX + 1}", a_template(content="字" * (CONTENT_MAX + 1))),
        ("an empty remark", a_template(remark="")),
        (f"a remark of {REMARK_MAX + 1}", a_template(remark="r" * (REMARK_MAX + 1))),
        ("the type 9", a_template() | {"templateType": 9}),
    ):
        trial.must_refuse(await trial.ask("POST", PATH, template), what)
    longest = a_template("n" * TEMPLATE_NAME_MAX, "字" * CONTENT_MAX, "r" * REMARK_MAX)
    answered = await trial.ask("POST", PATH, longest)
    trial.made.append(trial.read(answered, WireTemplateCode).template_code)
    return "the longest are taken, longer and empty ones refused"


async def malformed_body_is_refused(trial: Trial) -> str:
    """Refuse a body that is no JSON, or lacks a field, with a code and without a 5xx."""
    for what, body in (
        ("half a JSON object", b'{"templateName": "'),
        ("an empty object", b"{}"),
        ("a list", b"[]"),
    ):
        trial.must_refuse(await trial.ask("POST", PATH, body), what)
    return "refused with a code"


async def template_is_reviewed(trial: Trial) -> str:
    """Approve or reject a template in the end, so that sending can be checked."""
    if trial.template_code:
        return "an approved template was given"
    code = await _create(trial)
    deadline = time.monotonic() + trial.target.wait_seconds
    while True:
        answer = await trial.get(_at(code), WireTemplateState)
        if answer.template_status == "approved":
            trial.template_code = code
            return "approved"
        if answer.template_status == "rejected" or time.monotonic() > deadline:
            raise RuleBroken(
                f"the template is {answer.template_status} {answer.reason or ''}; name an approved "
                "one, so that sending can be checked"
            )
        await asyncio.sleep(POLL_SECONDS)


async def forget(trial: Trial, code: str) -> str:
    """Delete a template that a rule has made."""
    trial.read(await trial.ask("DELETE", _at(code)), WireAnswer)
    return "deleted"


def a_template(
    name: str = "textwave check",
    content: str = CONTENT,
    remark: str = "conformance check",
) -> dict[str, Any]:
    """Return the body of a template."""
    return {
        "templateName": name,
        "templateContent": content,
        "templateType": 1,
        "remark": remark,
    }


async def _create(trial: Trial) -> str:
    answered = await trial.ask("POST", PATH, a_template())
    code = trial.read(answered, WireTemplateCode).template_code
    trial.made.append(code)
    return code


async def _must_be_missing(
    trial: Trial, method: str, code: str, body: dict[str, Any] | None = None
) -> None:
    answered = await trial.ask(method, _at(code), body)
    told = trial.refusal_code(answered)
    if answered.status != HTTP_NOT_FOUND or told != NOT_FOUND:
        raise RuleBroken(
            f"{method} of a template that is not there must be answered 404 {NOT_FOUND}, not "
            f"{answered.status} {legible(told, 50)}"
        )


def _known_state(where: str, state: str) -> str:
    if state not in REVIEW_STATES:
        raise RuleBroken(f"{where} is “{legible(state, 30)}”, not one of {sorted(REVIEW_STATES)}")
    return state


def _at(code: str) -> str:
    return f"{PATH}/{quote(code, safe='')}"
