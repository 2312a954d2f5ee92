import json
from collections import Counter
from collections.abc import Sequence

import pytest
from alibaba_stage import request
from hypothesis import given
from hypothesis import strategies as st

from textwave.platforms.aliyun.errors import Meaning
from textwave.platforms.aliyun.sending import CALLS_MAX, Messages, Told, call_for, send_all
from textwave.platforms.contract import MessageType, OutgoingMessage, SendRequest
from textwave.platforms.outcomes import DISPOSITIONS, Outcome

ACCEPTED = Told(Meaning(Outcome.accepted), biz_id="biz")
BAD = Told(Meaning(Outcome.bad_number, is_of_messages=True), code="isv.BAD", detail="isv.BAD")
WRONG_VALUE = Told(Meaning(Outcome.bad_params, is_of_messages=True), code="isv.P", detail="isv.P")


class Service:
    """Takes a call only if no number of it is bad; `troubles` are what further calls meet."""

    def __init__(self, bad: Sequence[int] = (), refusal: Told = BAD) -> None:
        self.bad = set(bad)
        self.refusal = refusal
        self.calls: list[list[int]] = []
        self.taken: Counter[int] = Counter()
        self.troubles: dict[int, Told] = {}

    async def __call__(self, messages: Messages) -> Told:
        ids = [message.message_id for message in messages]
        self.calls.append(ids)
        trouble = self.troubles.get(len(self.calls))
        if trouble is not None:
            return trouble
        if self.bad & set(ids):
            return self.refusal
        self.taken.update(ids)
        return ACCEPTED


def alike(count: int) -> SendRequest:
    return request(*({"name": "same"} for _ in range(count)))


def different(count: int) -> SendRequest:
    return request(*({"name": str(number)} for number in range(count)))


def test_the_same_text_goes_to_all_numbers_by_one_list() -> None:
    sent = alike(3)
    operation, fields = call_for(sent, sent.messages)
    assert operation == "send_sms"
    assert fields["phone_numbers"] == "15400000001,15400000002,15400000003"
    assert json.loads(fields["template_param"]) == {"name": "same"}


def test_a_text_without_variables_says_nothing_of_any() -> None:
    sent = request({}, {})
    assert call_for(sent, sent.messages)[1]["template_param"] is None


def test_texts_that_differ_go_as_lists_that_match_by_place() -> None:
    sent = request({"name": "李"}, {"name": "王"})
    operation, fields = call_for(sent, sent.messages)
    assert operation == "send_batch_sms"
    assert json.loads(fields["phone_number_json"]) == ["15400000001", "15400000002"]
    assert json.loads(fields["sign_name_json"]) == ["阿里云", "阿里云"]
    assert json.loads(fields["template_param_json"]) == [{"name": "李"}, {"name": "王"}]


def test_numbers_of_elsewhere_go_with_their_country_and_no_plus() -> None:
    message = OutgoingMessage(1, 44_7700_900_123, "text", {})
    sent = SendRequest("k", "s", "t", MessageType.notification, [message])
    assert call_for(sent, sent.messages)[1]["phone_numbers"] == "447700900123"


@pytest.mark.parametrize("sent", [alike(1001), different(101)])
async def test_more_messages_than_a_call_takes_are_refused_before_anything_is_sent(
    sent: SendRequest,
) -> None:
    service = Service()
    answer = await send_all(sent, service)
    assert answer.outcome is Outcome.refused
    assert DISPOSITIONS[answer.outcome].certain
    assert not service.calls


async def test_a_request_that_is_taken_is_one_call() -> None:
    service = Service()
    answer = await send_all(alike(1000), service)
    assert (answer.outcome, answer.refused, answer.request_id) == (Outcome.accepted, {}, "biz")
    assert len(service.calls) == 1


@given(
    st.integers(1, 100).flatmap(
        lambda size: st.tuples(st.just(size), st.sets(st.integers(1, size), max_size=3))
    )
)
async def test_bad_numbers_are_found_and_everybody_else_is_sent_to_once(
    case: tuple[int, set[int]],
) -> None:
    size, bad = case
    service = Service(sorted(bad))
    answer = await send_all(alike(size), service)
    assert answer.outcome is Outcome.accepted
    assert set(answer.refused) == bad
    assert {refusal.outcome for refusal in answer.refused.values()} <= {Outcome.bad_number}
    assert service.taken == Counter(set(range(1, size + 1)) - bad)


async def test_one_bad_number_of_a_thousand_is_found_in_a_few_calls() -> None:
    service = Service([777])
    answer = await send_all(alike(1000), service)
    assert set(answer.refused) == {777}
    assert len(service.calls) <= 21


async def test_too_many_bad_numbers_end_the_search_and_the_rest_may_be_sent_again() -> None:
    service = Service(range(2, 1000, 2))
    answer = await send_all(alike(1000), service)
    assert len(service.calls) <= CALLS_MAX
    assert answer.outcome is Outcome.accepted
    again = {number for number, r in answer.refused.items() if r.outcome is Outcome.busy}
    assert again.isdisjoint(service.taken)
    assert again | set(service.taken) | (set(answer.refused) - again) == set(range(1, 1001))


async def test_a_search_that_takes_too_long_ends_and_the_rest_may_be_sent_again() -> None:
    service = Service([4])
    answer = await send_all(alike(4), service, is_late=lambda: len(service.calls) > 1)
    assert service.calls == [[1, 2, 3, 4], [1, 2]]
    assert {n: r.outcome for n, r in answer.refused.items()} == {3: Outcome.busy, 4: Outcome.busy}


async def test_a_refusal_of_everybody_is_the_requests_own() -> None:
    service = Service(range(1, 101), WRONG_VALUE)
    answer = await send_all(different(100), service)
    assert answer.outcome is Outcome.bad_params
    assert answer.detail == "isv.P"


async def test_a_wrong_value_that_all_have_is_not_looked_for() -> None:
    service = Service(range(1, 101), WRONG_VALUE)
    answer = await send_all(alike(100), service)
    assert answer.outcome is Outcome.bad_params
    assert len(service.calls) == 1


async def test_a_single_message_with_a_bad_number_is_refused_alone() -> None:
    answer = await send_all(alike(1), Service([1]))
    assert (answer.outcome, set(answer.refused)) == (Outcome.accepted, {1})


async def test_numbers_of_elsewhere_never_travel_with_mainland_ones() -> None:
    home, abroad = (
        OutgoingMessage(number, mobile, "text", {})
        for number, mobile in ((1, 86_154_0000_0001), (2, 44_7700_900_123))
    )
    service = Service()
    sent = SendRequest("k", "s", "t", MessageType.notification, [home, abroad])
    answer = await send_all(sent, service)
    assert service.calls == [[1]]
    assert answer.refused[2].outcome is Outcome.bad_number


@pytest.mark.parametrize("outcome", [Outcome.throttled, Outcome.no_balance])
async def test_trouble_before_anything_is_taken_is_the_requests_own(outcome: Outcome) -> None:
    service = Service([1])
    service.troubles = {2: Told(Meaning(outcome, retry_after_seconds=3.0), detail="why")}
    answer = await send_all(alike(4), service)
    assert (answer.outcome, answer.retry_after_seconds) == (outcome, 3.0)
    assert not service.taken


async def test_after_a_lost_answer_only_those_in_it_are_in_doubt() -> None:
    service = Service([4])
    service.troubles = {3: Told(Meaning(Outcome.unknown), detail="timeout")}
    answer = await send_all(alike(4), service)
    assert service.calls == [[1, 2, 3, 4], [1, 2], [3, 4]]
    assert (answer.outcome, answer.taken, answer.refused) == (Outcome.unknown, {1, 2}, {})


async def test_who_was_not_asked_for_after_a_lost_answer_may_be_sent_to_again() -> None:
    service = Service([1])
    service.troubles = {4: Told(Meaning(Outcome.unknown), detail="timeout")}
    answer = await send_all(alike(4), service)
    assert service.calls == [[1, 2, 3, 4], [1, 2], [1], [2]]
    assert (answer.outcome, answer.taken) == (Outcome.unknown, set())
    assert {number: refusal.outcome for number, refusal in answer.refused.items()} == {
        1: Outcome.bad_number,
        3: Outcome.busy,
        4: Outcome.busy,
    }


async def test_a_search_that_finds_nobody_who_may_be_sent_to_still_gets_on() -> None:
    service = Service(range(1, 500))
    answer = await send_all(alike(1000), service)
    assert answer.outcome is Outcome.accepted
    found = {n for n, r in answer.refused.items() if r.outcome is Outcome.bad_number}
    assert len(found) > 10
    assert set(answer.refused) == set(range(1, 1001))


async def test_trouble_of_the_account_in_the_middle_leaves_the_rest_to_be_sent_again() -> None:
    service = Service([4])
    service.troubles = {3: Told(Meaning(Outcome.no_balance), detail="empty")}
    answer = await send_all(alike(4), service)
    assert answer.outcome is Outcome.accepted
    assert {r.outcome for r in answer.refused.values()} == {Outcome.busy}
    assert set(answer.refused) == {3, 4}


async def test_a_service_that_asks_to_wait_in_the_middle_is_waited_for() -> None:
    service = Service([4])
    limited = Meaning(Outcome.throttled, retry_after_seconds=40.0)
    service.troubles = {3: Told(limited, code="isv.L", detail="isv.L")}
    answer = await send_all(alike(4), service)
    assert {r.outcome for r in answer.refused.values()} == {Outcome.busy}
    assert (answer.outcome, answer.retry_after_seconds) == (Outcome.accepted, 40.0)
