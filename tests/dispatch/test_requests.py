"""What answers mean: decisions without a database or a network."""

from hypothesis import given
from hypothesis import strategies as st

from textwave.content.tokens import TokenKey, message_ids
from textwave.content.variables import parse
from textwave.dispatch.requests import (
    LAST_ATTEMPT,
    Recipient,
    Request,
    Text,
    by_request,
    click_tokens,
    compose,
    cut,
    judge,
)
from textwave.platforms.contract import MessageRefusal, MessageType, SendAnswer
from textwave.platforms.outcomes import DISPOSITIONS, Outcome, Scope

KEY = TokenKey(1, b"k" * 32)
TEXT = Text("inst", 7, "Shop", "T1", MessageType.promotional, parse("Hi ${n} ${sp_x}"), KEY)
REQUEST = Request(3, 0, 100, 109, None, 10)


def recipients(first: int, count: int) -> list[Recipient]:
    return [Recipient(first + n, 8615400000000 + n, [f"v{n}"]) for n in range(count)]


def refused(*outcomes: Outcome) -> SendAnswer:
    return SendAnswer(
        Outcome.accepted,
        {100 + n: MessageRefusal(o, o.value, "") for n, o in enumerate(outcomes)},
    )


@given(st.sets(st.integers(0, 500)), st.integers(1, 60))
def test_requests_cover_every_recipient_once_and_their_number_follows_from_the_ids(
    offsets: set[int], size: int
) -> None:
    members = [Recipient(1000 + o, 1, []) for o in sorted(offsets)]
    requests = cut(members, campaign_first_id=1000, request_size=size)
    given_out = by_request(requests, members)
    assert sorted(r for group in given_out.values() for r in group) == members
    assert all(r.number == (r.first_id - 1000) // size for r in requests)
    assert all(len(given_out[r.number, 0]) == r.size <= size for r in requests)


def test_the_same_request_is_composed_to_the_same_messages_under_the_same_key() -> None:
    members = recipients(100, 10)
    first = compose(TEXT, REQUEST, members, click_tokens(TEXT, members))
    second = compose(TEXT, REQUEST, members, click_tokens(TEXT, members))
    assert first == second
    assert first.key == "inst-7-3-0"
    assert message_ids([m.params["sp_x"] for m in first.messages], KEY) == list(range(100, 110))


def test_a_retry_has_a_key_of_its_own() -> None:
    assert TEXT.key(Request(3, 1, 100, 101, [100, 101], 2)) == "inst-7-3-1"


def test_messages_that_the_platform_wants_later_are_a_new_request_and_not_submitted() -> None:
    answer = refused(Outcome.bad_number, Outcome.throttled, Outcome.busy)
    verdict = judge([(REQUEST, answer)])
    assert verdict.failed == {100: "bad number"}
    assert [r.message_ids for r in verdict.again] == [[101, 102]]
    assert verdict.submitted == 7


def test_a_message_without_a_result_waits_for_its_receipt() -> None:
    verdict = judge([(REQUEST, refused(Outcome.unknown))])
    assert (verdict.submitted, verdict.again, verdict.failed) == (10, [], {})


def test_what_is_throttled_too_often_fails() -> None:
    last = Request(3, LAST_ATTEMPT, 100, 100, [100], 1)
    assert judge([(last, refused(Outcome.throttled))]).failed == {100: "throttled"}


@given(st.sampled_from(list(Outcome)))
def test_every_outcome_of_a_whole_request_has_one_consequence(outcome: Outcome) -> None:
    verdict = judge([(REQUEST, SendAnswer(outcome))])
    disposition = DISPOSITIONS[outcome]
    accepted = outcome is Outcome.accepted
    in_doubt = not disposition.certain
    pauses = not (accepted or in_doubt or disposition.retryable)
    assert bool(verdict.accepted) is accepted
    assert bool(verdict.in_doubt) is in_doubt
    assert bool(verdict.pause_reason) is pauses
    assert len(verdict.accepted + verdict.in_doubt + verdict.unsent) == 1


@given(st.sampled_from([o for o in Outcome if DISPOSITIONS[o].scope is Scope.message]))
def test_a_request_of_one_message_can_be_refused_for_that_message(outcome: Outcome) -> None:
    alone = Request(3, 0, 100, 100, None, 1)
    verdict = judge([(alone, SendAnswer(outcome))])
    assert verdict.failed == {100: outcome.value.replace("_", " ")}
    assert not verdict.pause_reason


def test_the_longest_wish_for_a_pause_counts() -> None:
    answers = [
        (Request(n, 0, n, n, None, 1), SendAnswer(Outcome.throttled, retry_after_seconds=wait))
        for n, wait in enumerate([0.5, 3.0, None])
    ]
    assert judge(answers).retry_after_seconds == 3.0


def test_of_a_request_in_several_calls_only_the_lost_one_is_in_doubt() -> None:
    bad = MessageRefusal(Outcome.bad_number, "", "")
    busy = MessageRefusal(Outcome.busy, "", "")
    answer = SendAnswer(Outcome.unknown, {104: bad, 109: busy}, taken={100, 101})
    verdict = judge([(REQUEST, answer)])
    assert verdict.in_doubt == [REQUEST]
    assert verdict.failed == {104: "bad number"}
    assert [r.message_ids for r in verdict.again] == [[109]]
    (parting,) = verdict.parted
    assert (parting.taken, parting.answered) == ([100, 101], [100, 101, 104])
    assert parting.moved == [100, 101, 104, 109]
