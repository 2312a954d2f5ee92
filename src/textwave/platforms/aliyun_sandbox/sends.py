"""SendSms and SendBatchSms: from their parameters to a send that the stand-in takes.

A call is refused as a whole, by the first thing in it that does not fit.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from textwave.platforms.aliyun_sandbox.errors import CallRefused
from textwave.platforms.aliyun_sandbox.numbers import is_mainland, read_number
from textwave.platforms.aliyun_sandbox.records import (
    INTERNATIONAL,
    VARIABLE,
    Standing,
    TemplateRecord,
)
from textwave.platforms.aliyun_sandbox.world import Send, StandIn

NUMBERS_MAX: Final = 1000
BATCH_MAX: Final = 100
OUT_ID_MAX: Final = 255
VALUE_MAX: Final = 35
LAST_OF_ONE_UNIT: Final = "\uffff"
SURROGATES: Final = frozenset(map(chr, range(0xD800, 0xE000)))

Parameters = Mapping[str, str]
Answer = dict[str, Any]


def send_sms(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Send one text to 1-1000 numbers."""
    template = _template(stand_in, parameters)
    signature = _required(parameters, "SignName")
    _check_signature(stand_in, signature)
    written = _required(parameters, "PhoneNumbers").split(",")
    if len(written) > NUMBERS_MAX:
        raise CallRefused("isv.MOBILE_COUNT_OVER_LIMIT")
    values = _values(parameters.get("TemplateParam", "") or "{}", template)
    text = _rendered(template, values)
    return _taken(stand_in, parameters, Send(_numbers(written), [signature], [text], template, ""))


def send_batch_sms(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Send a text of its own to each of 1-100 numbers."""
    template = _template(stand_in, parameters)
    written, signatures = (
        _texts(_required(parameters, name)) for name in ("PhoneNumberJson", "SignNameJson")
    )
    if len(written) > BATCH_MAX:
        raise CallRefused("isv.MOBILE_COUNT_OVER_LIMIT")
    given = parameters.get("TemplateParamJson", "")
    values = _json_list(given) if given else [{}] * len(written)
    if not written or {len(signatures), len(values)} != {len(written)}:
        raise CallRefused("isv.INVALID_PARAMETERS", "The arrays must be of equal length.")
    for signature in set(signatures):
        _check_signature(stand_in, signature)
    texts = [_rendered(template, _checked(one, template)) for one in values]
    send = Send(_numbers(written), signatures, texts, template, "")
    return _taken(stand_in, parameters, send)


def _taken(stand_in: StandIn, parameters: Parameters, send: Send) -> Answer:
    out_id = parameters.get("OutId", "")
    if len(out_id) > OUT_ID_MAX:
        raise CallRefused("isv.INVALID_PARAMETERS", f"OutId: at most {OUT_ID_MAX} characters.")
    _check_numbers(send.numbers, send.template)
    send = Send(send.numbers, send.signatures, send.texts, send.template, out_id)
    return {"BizId": stand_in.take(send)}


def _template(stand_in: StandIn, parameters: Parameters) -> TemplateRecord:
    template = stand_in.shelf.templates.get(_required(parameters, "TemplateCode"))
    if template is None or template.standing is not Standing.passed:
        raise CallRefused("isv.SMS_TEMPLATE_ILLEGAL")
    return template


def _check_signature(stand_in: StandIn, name: str) -> None:
    record = stand_in.shelf.signatures.get(name)
    if record is None:
        raise CallRefused("isv.SMS_SIGNATURE_ILLEGAL")
    if record.standing is not Standing.passed:
        raise CallRefused("isv.SIGN_STATE_ILLEGAL")


def _required(parameters: Parameters, name: str) -> str:
    value = parameters.get(name, "")
    if not value:
        raise CallRefused("isv.INVALID_PARAMETERS", f"{name} is missing.")
    return value


def _numbers(written: Sequence[str]) -> list[int]:
    numbers: list[int] = []
    for one in written:
        mobile = read_number(one)
        if mobile is None:
            raise CallRefused("isv.MOBILE_NUMBER_ILLEGAL", f"{one[:20]}invalid mobile number")
        numbers.append(mobile)
    return numbers


def _check_numbers(numbers: Sequence[int], template: TemplateRecord) -> None:
    """Accept numbers that a template may go to: all at home, or all abroad."""
    at_home = {is_mainland(mobile) for mobile in numbers}
    if template.type == INTERNATIONAL and True in at_home:
        raise CallRefused("isv.DOMESTIC_NUMBER_NOT_SUPPORTED")
    if template.type != INTERNATIONAL and False in at_home:
        raise CallRefused("isv.MOBILE_NUMBER_ILLEGAL")


def _texts(written: str) -> list[str]:
    found = _json_list(written)
    if not all(isinstance(one, str) for one in found):
        raise CallRefused("isv.INVALID_JSON_PARAM")
    return found


def _json_list(written: str) -> list[Any]:
    found = _json(written)
    if not isinstance(found, list):
        raise CallRefused("isv.INVALID_JSON_PARAM")
    return found


def _values(written: str, template: TemplateRecord) -> dict[str, str]:
    return _checked(_json(written), template)


def _json(written: str) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        raise CallRefused("isv.INVALID_JSON_PARAM") from None


def _checked(given: Any, template: TemplateRecord) -> dict[str, str]:
    """Accept the values of a template's variables; values beyond them are ignored."""
    if not isinstance(given, dict):
        raise CallRefused("isv.INVALID_JSON_PARAM")
    values: dict[str, str] = {}
    for name in template.variables:
        values[name] = _checked_value(name, given.get(name))
    return values


def _checked_value(name: str, value: Any) -> str:
    if value is None:
        raise CallRefused("isv.TEMPLATE_MISSING_PARAMETERS", f"模板变量缺少对应参数值 {name}")
    if not isinstance(value, str):
        raise CallRefused("isv.TEMPLATE_PARAMS_ILLEGAL", f"{name} must be a string")
    if not 1 <= len(value) <= VALUE_MAX:
        raise CallRefused("isv.PARAM_LENGTH_LIMIT", f"{name}: 1-{VALUE_MAX} characters")
    if "://" in value:
        raise CallRefused("isv.PARAM_NOT_SUPPORT_URL")
    if any(character > LAST_OF_ONE_UNIT or character in SURROGATES for character in value):
        raise CallRefused("isv.UNSUPPORTED_CONTENT")
    return value


def _rendered(template: TemplateRecord, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: values[found[1]], template.content)
