"""The rules of who may come in; none applies where authentication is off.

An old gateway that knows the QA signature only is not asked about what that does not sign.
"""

import secrets
from urllib.parse import quote

import msgspec

from textwave.platforms.conformance.reviewing import a_template
from textwave.platforms.conformance.trial import Forgery, RuleBroken, Trial, Unchecked
from textwave.platforms.signing import CLOCK_SKEW_SECONDS
from textwave.platforms.thirdparty.answers import Answered
from textwave.platforms.thirdparty.wire import WireAnswer, WireTemplateCode, legible

UNAUTHORIZED = 401
QA_ONLY = "the platform is checked as one that knows the QA signature only"


async def unsigned_is_refused(trial: Trial) -> str:
    """Answer 401 to a request without signatures."""
    return _refused_401(await trial.ask("GET", "/sms/account", as_if=Forgery(signed=False)))


async def wrong_key_is_refused(trial: Trial) -> str:
    """Answer 401 to a request that is signed with another key."""
    forgery = Forgery(key=trial.target.key + "x")
    return _refused_401(await trial.ask("GET", "/sms/account", as_if=forgery))


async def stale_is_refused(trial: Trial) -> str:
    """Answer 401 to a timestamp that is more than 300 seconds old or ahead."""
    for age_seconds in (2 * CLOCK_SKEW_SECONDS, -2 * CLOCK_SKEW_SECONDS):
        forgery = Forgery(age_seconds=age_seconds)
        _refused_401(await trial.ask("GET", "/sms/account", as_if=forgery))
    return "refused with 401"


async def replayed_is_refused(trial: Trial) -> str:
    """Answer 401 to a nonce that was seen before."""
    again = Forgery(nonce=secrets.token_hex(16))
    trial.read(await trial.ask("GET", "/sms/account", as_if=again), WireAnswer)
    return _refused_401(await trial.ask("GET", "/sms/account", as_if=again))


async def altered_body_is_refused(trial: Trial) -> str:
    """Answer 401 to a body that is not the one that was signed."""
    if trial.target.qa_only:
        raise Unchecked(QA_ONLY)
    signed = msgspec.json.encode(a_template(content="another text"))
    path = "/sms/smsTemplate"
    answered = await trial.ask("POST", path, a_template(), as_if=Forgery(body=signed))
    if answered.status < 300:  # noqa: PLR2004 - it did make the template
        trial.made.append(trial.read(answered, WireTemplateCode).template_code)
    return _refused_401(answered)


async def signature_of_another_request_is_refused(trial: Trial) -> str:
    """Answer 401 to a signature that was made for another path or method."""
    if trial.target.qa_only:
        raise Unchecked(QA_ONLY)
    for forgery in (Forgery(path="/sms/replies"), Forgery(method="DELETE")):
        _refused_401(await trial.ask("GET", "/sms/account", as_if=forgery))
    return "refused with 401"


async def path_is_signed_as_sent(trial: Trial) -> str:
    """Verify signatures over the percent-encoded path, with characters of any language in it."""
    answered = await trial.ask("GET", f"/sms/smsSign/{quote('测试 签名', safe='')}")
    if answered.status == UNAUTHORIZED:
        raise RuleBroken("a signature over the percent-encoded path was refused with 401")
    return f"answered {answered.status} {legible(trial.refusal_code(answered), 50)}"


def _refused_401(answered: Answered) -> str:
    if answered.status != UNAUTHORIZED:
        raise RuleBroken(f"must be refused with 401, was answered {answered.status}")
    return "refused with 401"
