"""Find out at Alibaba Cloud whether a request in doubt was taken, by the details of its numbers.

The service can be asked for one number and day at a time, so a few numbers are asked for; a call
was taken as a whole or not at all. Nothing found proves nothing.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from textwave.platforms.aliyun.callbacks import CHINA, DELIVERED, read_time, receipt_state
from textwave.platforms.aliyun.sending import write_number
from textwave.platforms.aliyun.wire import DETAILS_MAX, WireDetail, WireDetails
from textwave.platforms.contract import Question, Receipt, Trace

NUMBERS_MAX: Final = 3
"""How many numbers of a request are asked for."""
PAGES_MAX: Final = 5
"""How many pages of one number's messages of a day are read; a number gets 40 or 50 a day."""
PENDING: Final = 1
DELIVERED_STATUS: Final = 3

AskDetails = Callable[..., Awaitable[WireDetails]]


async def look_up(question: Question, ask: AskDetails) -> Trace:
    """Return whether the request was taken, with what is known of the numbers asked for.

    Raises:
        ItemMalformed: a detail has no time that can be read.
    """
    receipts: list[Receipt] = []
    is_taken = False
    for message_id, mobile in spread(question.mobiles):
        for day in days(question.prepared_at):
            found = await _details(question.key, mobile, day, ask)
            is_taken = is_taken or bool(found)
            receipts += [
                _receipt(message_id, mobile, detail)
                for detail in found
                if detail.send_status != PENDING
            ]
    return Trace(is_taken, receipts)


def spread(mobiles: Mapping[int, int]) -> list[tuple[int, int]]:
    """Return the first, the middle and the last of a request's numbers, by message id."""
    members = sorted(mobiles.items())
    places = {0, len(members) // 2, len(members) - 1} if members else set[int]()
    return [members[place] for place in sorted(places)][:NUMBERS_MAX]


def days(prepared_at: datetime) -> list[str]:
    """Return the days in China on which the request may have been taken.

    It left right after it was prepared; near midnight it may have come in the day after.
    """
    moments = (prepared_at, prepared_at + timedelta(minutes=10))
    return list(dict.fromkeys(moment.astimezone(CHINA).strftime("%Y%m%d") for moment in moments))


async def _details(key: str, mobile: int, day: str, ask: AskDetails) -> list[WireDetail]:
    found: list[WireDetail] = []
    for page in range(1, PAGES_MAX + 1):
        answer = await ask(
            phone_number=write_number(mobile),
            send_date=day,
            page_size=DETAILS_MAX,
            current_page=page,
        )
        details = answer.found.details
        found += [detail for detail in details if detail.out_id == key]
        if found or len(details) < DETAILS_MAX or page * DETAILS_MAX >= answer.total_count:
            return found
    return found


def _receipt(message_id: int, mobile: int, detail: WireDetail) -> Receipt:
    is_success = detail.send_status == DELIVERED_STATUS
    code = detail.err_code or ""
    return Receipt(
        message_id,
        mobile,
        receipt_state(code, is_success=is_success),
        "" if code == DELIVERED else code[:100],
        None,
        read_time("ReceiveDate", detail.receive_date or detail.send_date or ""),
    )
