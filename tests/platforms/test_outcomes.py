from textwave.platforms.outcomes import DISPOSITIONS, Outcome, Scope
from textwave.platforms.thirdparty.codes import code_outcome, status_outcome


def test_every_outcome_has_a_disposition() -> None:
    assert set(DISPOSITIONS) == set(Outcome)


def test_only_an_unknown_outcome_is_in_doubt() -> None:
    uncertain = {outcome for outcome, does in DISPOSITIONS.items() if not does.certain}
    assert uncertain == {Outcome.unknown}


def test_what_is_permanent_for_a_number_reaches_no_further_than_its_message() -> None:
    for outcome in (Outcome.bad_number, Outcome.unsubscribed, Outcome.blacklisted):
        assert DISPOSITIONS[outcome].scope is Scope.message
        assert not DISPOSITIONS[outcome].retryable


def test_an_unknown_code_is_permanent_unless_it_looks_like_the_operator_s_trouble() -> None:
    assert code_outcome("SOMETHING_NEW") is Outcome.refused
    assert code_outcome("SOMETHING_NEW", 502) is Outcome.unknown
    assert code_outcome("isp.SYSTEM_ERROR") is Outcome.unknown


def test_success_said_with_an_error_status_is_in_doubt() -> None:
    assert code_outcome("OK", 500) is Outcome.unknown


def test_no_status_by_itself_means_accepted() -> None:
    for status in range(200, 600):
        assert status_outcome(status) is not Outcome.accepted
    assert status_outcome(200) is Outcome.unknown
    assert status_outcome(429) is Outcome.throttled
    assert status_outcome(401) is Outcome.forbidden
    assert status_outcome(502) is Outcome.unknown
