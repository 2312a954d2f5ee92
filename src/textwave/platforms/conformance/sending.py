"""The rules of sends: an answer for each message, limits, and nothing twice under one batch id.

What need not be accepted is sent with a number that is none, so that it costs nothing.
"""

import asyncio
import secrets
from typing import Any

from textwave.platforms.conformance.reviewing import NO_SUCH
from textwave.platforms.conformance.trial import RuleBroken, Trial, Unchecked
from textwave.platforms.thirdparty.codes import OUTCOMES
from textwave.platforms.thirdparty.wire import MESSAGES_MAX, WireAccount, legible

IDEMPOTENCY = "idempotency"
NO_NUMBER = "12"
LARGE_ID = 2**62


async def account_is_told(trial: Trial) -> str:
    """Say balance, rate, largest batch (at most 1000) and capabilities."""
    account = await trial.get("/sms/account", WireAccount)
    if account.max_batch > MESSAGES_MAX:
        raise RuleBroken(f"maxBatch is {account.max_batch}; at most {MESSAGES_MAX} are allowed")
    return f"{account.rate_per_second} messages/s, {account.max_batch} a request"


async def send_answers_every_message(trial: Trial) -> str:
    """Answer every message of a send once, with a code of the contract."""
    messages = [trial.new_message() for _ in range(5)]
    results = await trial.results(messages)
    missing = [message for message in messages if int(message["messageId"]) not in results]
    if missing or len(results) != len(messages):
        raise RuleBroken(f"{len(messages)} messages were sent, {len(results)} results came")
    unknown = {legible(code, 50) for code in results.values() if code not in OUTCOMES}
    if unknown:
        raise RuleBroken(f"results have codes that the contract does not know: {sorted(unknown)}")
    return "each message has its result"


async def bad_number_is_refused_alone(trial: Trial) -> str:
    """Refuse a number that is none with BAD_NUMBER, and take the others of the same send."""
    good, bad = trial.new_message(), trial.new_message(number=NO_NUMBER)
    results = await trial.results([good, bad])
    code = results.get(int(bad["messageId"]), "nothing")
    if code != "BAD_NUMBER":
        told = f"the number “{NO_NUMBER}” must be refused with BAD_NUMBER, not {legible(code, 50)}"
        raise RuleBroken(told)
    if results.get(int(good["messageId"])) == code:
        raise RuleBroken("a good number was refused because another one was bad")
    trial.never_sent.add(int(bad["messageId"]))
    return "only the bad one"


async def large_ids_are_kept(trial: Trial) -> str:
    """Give back ids of 63 bits exactly; they are numbers written as text."""
    message = trial.new_message()
    identity = LARGE_ID + 2 * trial.last_message_id + 1
    message["messageId"] = str(identity)
    results = await trial.results([message])
    if identity not in results:
        raise RuleBroken(f"message {identity} was sent, {[*results][:1]} came back")
    return f"{identity} came back"


async def largest_send_is_taken(trial: Trial) -> str:
    """Take as many messages in one send as the account says in maxBatch."""
    account = await trial.get("/sms/account", WireAccount)
    messages = [trial.new_message(number=NO_NUMBER) for _ in range(account.max_batch)]
    results = await trial.results(messages)
    trial.never_sent.update(int(message["messageId"]) for message in messages)
    if len(results) != len(messages):
        raise RuleBroken(f"{len(messages)} messages were sent, {len(results)} results came")
    return f"{len(messages)} messages were answered"


async def send_limits_are_kept(trial: Trial) -> str:
    """Refuse a send of no message, and one of more messages than the contract allows."""
    trial.must_refuse(await trial.send([]), "a send of 0 messages")
    many = [trial.new_message(number=NO_NUMBER) for _ in range(MESSAGES_MAX + 1)]
    trial.must_refuse(await trial.send(many), f"a send of {MESSAGES_MAX + 1} messages")
    trial.never_sent.update(int(message["messageId"]) for message in many)
    return f"0 and {MESSAGES_MAX + 1} messages are refused"


async def reply_takes_one_message(trial: Trial) -> str:
    """Refuse a send that has `replyTo` and more than one message."""
    messages = [trial.new_message(number=NO_NUMBER) for _ in range(2)]
    answered = await trial.send(messages, reply_to="textwave-check")
    trial.must_refuse(answered, "a reply of 2 messages")
    return "a reply of 2 messages is refused"


async def unknown_template_is_refused_by_code(trial: Trial) -> str:
    """Refuse a send with an unknown template with TEMPLATE_NOT_APPROVED."""
    message = trial.new_message()
    answered = await trial.send([message], template_code=NO_SUCH)
    code = trial.refusal_code(answered)
    if code != "TEMPLATE_NOT_APPROVED":
        raise RuleBroken(f"the code must be TEMPLATE_NOT_APPROVED, not {legible(code, 50)}")
    trial.never_sent.add(int(message["messageId"]))
    return code


async def same_batch_sends_nothing_twice(trial: Trial) -> str:
    """Give the first answer again to a batch id that was answered OK, and send nothing."""
    await _must_honour(trial)
    batch_id, messages = secrets.token_hex(16), [trial.new_message(), trial.new_message()]
    first = await trial.results(messages, batch_id)
    if await trial.results(messages, batch_id) != first:
        raise RuleBroken("the same batchId got another answer the second time")
    other = trial.new_message()
    if await trial.results([other], batch_id) != first:
        raise RuleBroken("a used batchId with another message did not get its first answer")
    trial.never_sent.add(int(other["messageId"]))
    return "the first answer, again"


async def same_batch_at_once_is_sent_once(trial: Trial) -> str:
    """Answer two sends that come at once under one batch id as one."""
    await _must_honour(trial)
    batch_id, messages = secrets.token_hex(16), [trial.new_message(), trial.new_message()]
    first, second = await asyncio.gather(
        *[trial.results([message], batch_id) for message in messages]
    )
    if first != second:
        raise RuleBroken("two sends at once under one batchId were both taken")
    trial.never_sent.update(int(one["messageId"]) for one in messages if _id(one) not in first)
    for identity in trial.never_sent & set(trial.sent):
        del trial.sent[identity]
    return "both got one answer"


async def refused_batch_may_come_again(trial: Trial) -> str:
    """Take a batch id that was refused as a new one: a refusal promises that nothing was done."""
    batch_id, message = secrets.token_hex(16), trial.new_message()
    refused = await trial.send([message], batch_id=batch_id, template_code=NO_SUCH)
    trial.must_refuse(refused, "a send with an unknown template")
    if int(message["messageId"]) not in await trial.results([message], batch_id):
        raise RuleBroken("a batchId that had been refused was not answered for its message")
    return "taken after a refusal"


async def throttled_says_when(trial: Trial) -> str:
    """Say with THROTTLED, in retryAfterMs, when the same may come again."""
    if not trial.waits_told:
        raise Unchecked("nothing was throttled")
    if None in trial.waits_told:
        raise RuleBroken("THROTTLED came without retryAfterMs")
    return f"{len(trial.waits_told)} times, always with retryAfterMs"


async def _must_honour(trial: Trial) -> None:
    account = await trial.get("/sms/account", WireAccount)
    if IDEMPOTENCY not in account.capabilities:
        raise Unchecked(
            "not claimed: requests without an answer will be in doubt until receipts settle them"
        )


def _id(message: dict[str, Any]) -> int:
    return int(message["messageId"])
