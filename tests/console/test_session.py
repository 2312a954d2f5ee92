"""Sessions, tickets and form tokens open what they were made for, until they end, and no more."""

from datetime import UTC, datetime, timedelta

from textwave.console.session import (
    console_secret,
    console_ticket,
    form_token,
    is_form_token,
    new_session,
    read_session,
    read_ticket,
    seal_session,
)
from textwave.kit.ids import WorkspaceId

NOW = datetime(2026, 11, 1, 8, tzinfo=UTC)
SECRET = console_secret(b"k" * 32)
SEVEN = WorkspaceId(7)


def test_a_session_is_read_back_as_it_was_sealed() -> None:
    session = new_session(SEVEN, NOW)
    assert read_session(SECRET, seal_session(SECRET, session), NOW) == session


def test_a_session_ends_after_twelve_hours() -> None:
    sealed = seal_session(SECRET, new_session(SEVEN, NOW))
    end = NOW + timedelta(hours=12)
    assert read_session(SECRET, sealed, end - timedelta(seconds=1)) is not None
    assert read_session(SECRET, sealed, end) is None


def test_a_ticket_opens_its_workspace_as_often_as_it_is_used_within_twelve_hours() -> None:
    ticket = console_ticket(SECRET, SEVEN, NOW)
    opened = [read_ticket(SECRET, ticket, NOW + timedelta(hours=hour)) for hour in (1, 2, 12)]
    assert [session and session.workspace_id for session in opened] == [SEVEN, SEVEN, None]


def test_what_is_signed_for_one_purpose_serves_no_other() -> None:
    session = new_session(SEVEN, NOW)
    assert read_session(SECRET, console_ticket(SECRET, SEVEN, NOW), NOW) is None
    assert read_session(SECRET, form_token(SECRET, session), NOW) is None
    assert read_ticket(SECRET, seal_session(SECRET, session), NOW) is None
    assert not is_form_token(SECRET, session, seal_session(SECRET, session), NOW)


def test_a_form_token_belongs_to_one_session() -> None:
    session = new_session(SEVEN, NOW)
    token = form_token(SECRET, session)
    assert is_form_token(SECRET, session, token, NOW)
    assert not is_form_token(SECRET, new_session(WorkspaceId(8), NOW), token, NOW)


def test_another_installation_or_a_changed_letter_is_refused() -> None:
    sealed = seal_session(SECRET, new_session(SEVEN, NOW))
    assert read_session(console_secret(b"l" * 32), sealed, NOW) is None
    assert read_session(SECRET, sealed[:-1] + ("A" if sealed[-1] != "A" else "B"), NOW) is None
    assert read_session(SECRET, "", NOW) is None
