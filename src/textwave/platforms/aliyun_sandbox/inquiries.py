"""QuerySendDetails, QuerySendStatistics, and the credentials of queues."""

from typing import Any, Final

from textwave.platforms.aliyun_sandbox.book import Taken
from textwave.platforms.aliyun_sandbox.errors import CallRefused
from textwave.platforms.aliyun_sandbox.numbers import (
    read_number,
    write_day,
    write_number,
    write_time,
)
from textwave.platforms.aliyun_sandbox.reports import DELIVERED
from textwave.platforms.aliyun_sandbox.sends import Answer, Parameters
from textwave.platforms.aliyun_sandbox.world import StandIn
from textwave.platforms.sandbox.chance import Fate

PAGE_MAX: Final = 50
DAY_DIGITS: Final = 8
WAITING, FAILED, SUCCEEDED = 1, 2, 3


def page_of(parameters: Parameters, number: str, size: str = "PageSize") -> tuple[int, int]:
    """Return the number of the page and its size, from the names they have here."""
    page, most = whole(parameters, number, 1), whole(parameters, size, 10)
    if page < 1 or not 1 <= most <= PAGE_MAX:
        raise CallRefused("isv.INVALID_PARAMETERS", f"{size}: 1-{PAGE_MAX}; {number}: from 1.")
    return page, most


def whole(parameters: Parameters, name: str, default: int) -> int:
    """Return a whole number."""
    text = parameters.get(name, "") or str(default)
    if not (text.isascii() and text.isdigit() and len(text) <= 12):  # noqa: PLR2004 - ids fit
        raise CallRefused("isv.INVALID_PARAMETERS", f"{name} must be a whole number.")
    return int(text)


def query_send_details(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Say what became of the messages that one number got on one day."""
    mobile = read_number(parameters.get("PhoneNumber", ""))
    day = _day(parameters, "SendDate")
    if mobile is None:
        raise CallRefused("isv.MOBILE_NUMBER_ILLEGAL")
    page, most = page_of(parameters, "CurrentPage")
    biz_id = parameters.get("BizId", "")
    found = [
        row
        for row in stand_in.book.rows_of(mobile)
        if write_day(stand_in.book.call_of(row).sent_at) == day
        and biz_id in {"", stand_in.book.call_of(row).biz_id}
    ]
    now = stand_in.clock()
    shown = found[(page - 1) * most : page * most]
    details = [_detail(stand_in.book.message(row), now) for row in shown]
    return {
        "TotalCount": str(len(found)),
        "SmsSendDetailDTOs": {"SmsSendDetailDTO": details},
    }


def _detail(message: Taken, now: float) -> dict[str, Any]:
    known = message.fate is not Fate.no_receipt and now >= message.due
    status = WAITING if not known else FAILED if message.error else SUCCEEDED
    detail: dict[str, Any] = {
        "PhoneNum": write_number(message.mobile),
        "SendStatus": status,
        "ErrCode": (message.error or DELIVERED) if known else "",
        "SendDate": write_time(message.call.sent_at),
        "TemplateCode": message.call.template_code,
        "Content": f"【{message.signature}】{message.content}",
        "OutId": message.call.out_id,
    }
    return detail | ({"ReceiveDate": write_time(message.due)} if known else {})


def query_send_statistics(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Count what was sent, by day."""
    first, last = _day(parameters, "StartDate"), _day(parameters, "EndDate")
    page, most = page_of(parameters, "PageIndex")
    if parameters.get("IsGlobe", "") not in {"1", "2"} or first > last:
        raise CallRefused("isv.INVALID_PARAMETERS")
    wanted_type, wanted_name = parameters.get("TemplateType", ""), parameters.get("SignName", "")
    days: dict[str, list[int]] = {}
    for (day, kind, signature), tally in sorted(stand_in.tallies.items()):
        if not first <= day <= last or wanted_name not in {"", signature}:
            continue
        if wanted_type not in {"", str(kind)}:
            continue
        sums = days.setdefault(day, [0, 0, 0])
        sums[:] = [sums[0] + tally.total, sums[1] + tally.delivered, sums[2] + tally.failed]
    listed = [_counted(day, *sums) for day, sums in days.items()]
    shown = listed[(page - 1) * most : page * most]
    return {"Data": {"TotalSize": len(listed), "TargetList": shown}}


def _counted(day: str, total: int, delivered: int, failed: int) -> dict[str, Any]:
    return {
        "SendDate": day,
        "TotalCount": total,
        "RespondedSuccessCount": delivered,
        "RespondedFailCount": failed,
        "NoRespondedCount": total - delivered - failed,
    }


def query_token_for_queue(stand_in: StandIn, parameters: Parameters) -> Answer:
    """Give credentials for the queue of one type of reports."""
    kind, name = parameters.get("MessageType", ""), parameters.get("QueueName", "")
    found = stand_in.queues.find(name)
    if found is None or found[0] != kind:
        raise CallRefused("isv.INVALID_PARAMETERS", "There is no such queue.")
    token = stand_in.queues.grant(name, stand_in.clock(), stand_in.settings.token_seconds)
    stand_in.counts["tokens"] += 1
    return {"MessageTokenDTO": token.answer()}


def _day(parameters: Parameters, name: str) -> str:
    text = parameters.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) == DAY_DIGITS):
        raise CallRefused("isv.INVALID_PARAMETERS", f"{name} must be a day such as 20261122.")
    return text
