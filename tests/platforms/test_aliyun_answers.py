"""Whatever an answer holds, a send ends as an outcome: an error here would send it again."""

import json
import subprocess
import sys
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from textwave.platforms.aliyun.adapter import told
from textwave.platforms.exchange import Heard
from textwave.platforms.outcomes import DISPOSITIONS, Outcome

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)
NAMES = st.sampled_from(["Code", "Message", "BizId", "RequestId", "code", "Other"])
STATUSES = st.sampled_from([200, 204, 206, 302, 400, 403, 404, 408, 429, 500, 503])


@given(st.binary(max_size=60) | st.dictionaries(NAMES, VALUES).map(json.dumps), STATUSES)
def test_any_answer_is_an_outcome_and_only_a_plain_ok_is_an_acceptance(
    body: bytes | str, status: int
) -> None:
    raw = body if isinstance(body, bytes) else body.encode()
    found = told(Heard(status, {}, raw), NOW)
    if found.meaning.outcome is Outcome.accepted:
        assert status < 400
        assert json.loads(raw)["Code"].strip() == "OK"


@given(st.text(max_size=30), STATUSES)
def test_a_server_that_failed_has_perhaps_done_it(message: str, status: int) -> None:
    body = json.dumps({"Code": "", "Message": message}).encode()
    outcome = told(Heard(status, {}, body), NOW).meaning.outcome
    assert DISPOSITIONS[outcome].certain is (400 <= status < 500 and status != 408)


def test_a_process_starts_without_the_vendors_client() -> None:
    program = (
        "import sys, textwave.connections.accounts as accounts\n"
        "assert 'aliyun' in accounts.ADAPTERS\n"
        "print([name for name in sys.modules if name.startswith(('alibabacloud', 'Tea'))])"
    )
    found = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    assert found.stdout.strip() == b"[]"
