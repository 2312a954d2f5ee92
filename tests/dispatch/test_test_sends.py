"""Test sends go the way of all messages to a few typed numbers, and are counted nowhere."""

from typing import Any

import pytest

from tests.dispatch.conftest import StartShow
from tests.dispatch.show import Show
from tests.stage import people
from textwave.campaigns.draft import NotReadyToStart
from textwave.campaigns.operations import campaigns
from textwave.campaigns.trial_operations import (
    AskedTest,
    Trying,
    run_test,
    sent_tests,
    start_test,
)
from textwave.campaigns.trial_store import SentTestMessage
from textwave.insights.outcome_operations import export_outcomes
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.storage import progress
from textwave.storage.ledger import Ledger
from textwave.suppression.deny_store import NewDenial, add_denials
from textwave.suppression.store import OptOutSource

TESTER = 8615499990001


async def set_stage(playing: Show) -> None:
    await playing.stage.set(people(3), template_code="T1")
    await playing.stage.campaign()


async def ask(playing: Show, web: Ledger, *mobiles: int, **more: Any) -> progress.Operation:
    """Ask for a test send of the campaign as the web role, and do the job twice."""
    given: dict[str, Any] = {"values": {"name": "Ming"}} | more
    async with web.transaction(playing.workspace_id) as connection:
        operation_id = await start_test(
            connection,
            workspace_id=playing.workspace_id,
            actor="mei",
            name="Spring",
            request=AskedTest(list(mobiles), **given),
        )
    stage = playing.stage
    using = Trying(stage.ledger, stage.warehouse, stage.vault, stage.clock)
    key: dict[str, Any] = {"workspace_id": playing.workspace_id, "operation_id": operation_id}
    for _ in range(2):
        await run_test(using, **key)
        await playing.execute("UPDATE operation SET state = 'running', finished_at = NULL")
    await run_test(using, **key)
    async with stage.ledger.transaction() as connection:
        return await progress.read(connection, **key)


async def results(playing: Show, web: Ledger) -> list[SentTestMessage]:
    async with web.transaction(playing.workspace_id) as connection:
        found = await sent_tests(connection, playing.workspace_id, "Spring")
    return [message for _, messages in found for message in messages]


async def received(playing: Show) -> list[str]:
    url = f"{playing.stage.platform_url}/sandbox/messages"
    async with playing.session.get(url) as response:
        return [message["content"] for message in (await response.json())["items"]]


async def test_a_test_reaches_the_typed_numbers_once_with_the_typed_values(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing = await show()
    await set_stage(playing)
    made = await ask(playing, web_ledger, TESTER, TESTER + 1, TESTER)
    assert made.result is not None, made.problem
    assert made.result["text"] == "Dear Ming, see you soon. 拒收请回复R"
    await playing.send()
    assert await received(playing) == [made.result["text"]] * 2
    messages = await results(playing, web_ledger)
    assert [(m.mobile, m.state, m.outcome) for m in messages] == [
        (TESTER, "submitted", "accepted"),
        (TESTER + 1, "submitted", "accepted"),
    ]


async def test_a_sample_customer_gives_the_values_that_nobody_typed(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing = await show()
    await set_stage(playing)
    made = await ask(playing, web_ledger, TESTER, values={}, customer="c0000002")
    assert made.result is not None, made.problem
    assert made.result["text"].startswith("Dear N2,")
    gone = await ask(playing, web_ledger, TESTER, values={}, customer="nobody")
    assert gone.problem is not None
    assert gone.problem["code"] == NotFound.code


async def test_who_opted_out_or_is_denied_gets_no_test_either(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing = await show()
    await set_stage(playing)
    await playing.stage.opt_out(TESTER)
    async with playing.ledger.transaction() as connection:
        await add_denials(
            connection,
            workspace_id=playing.workspace_id,
            platform_id=None,
            source=OptOutSource.by_hand,
            reason="x",
            actor="mei",
            denials=[NewDenial(TESTER + 1, "", playing.stage.clock.now())],
        )
    await ask(playing, web_ledger, TESTER, TESTER + 1, TESTER + 2)
    await playing.send()
    assert len(await received(playing)) == 1
    messages = await results(playing, web_ledger)
    assert {m.mobile - TESTER: m.cause for m in messages if m.state == "dropped"} == {
        0: "opted out",
        1: "deny list",
    }


async def test_a_test_counts_nowhere_and_waits_for_no_limit(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing = await show()
    await set_stage(playing)
    await playing.execute(
        "INSERT INTO fatigue_rule (workspace_id, name, is_global, per_day)"
        " VALUES (%s, 'daily', true, 1)",
        [playing.workspace_id],
    )
    await playing.execute(
        "INSERT INTO holiday (workspace_id, name, begins, ends) VALUES"
        " (%s, 'now', localtimestamp - interval '2 days', localtimestamp + interval '2 days')",
        [playing.workspace_id],
    )
    for _ in range(2):
        await ask(playing, web_ledger, TESTER)
    await playing.send()
    assert len(await received(playing)) == 2
    assert await playing.value("SELECT count(*) FROM touch") == 0
    assert await playing.value("SELECT sum(messages) FROM messages_of_running_campaigns()") == 0
    async with web_ledger.transaction(playing.workspace_id) as connection:
        listed = await campaigns(connection, playing.workspace_id)
    assert [one.name for one in listed] == ["Spring"]
    await export_outcomes(
        playing.ledger, playing.stage.warehouse, workspace_id=playing.workspace_id
    )
    assert await playing.value("SELECT count(*) FROM outcome") == 0
    audits = "SELECT count(*) FROM audit_event WHERE action = 'campaign.test-send'"
    assert await playing.value(audits) == 2
    assert (
        await playing.value(
            "SELECT count(*) FROM audit_event WHERE detail::text ~ %s", [str(TESTER)[2:]]
        )
        == 0
    )


@pytest.mark.parametrize(
    ("mobiles", "more", "problem"),
    [
        ([TESTER + n for n in range(11)], {}, "1 to 10"),
        ([TESTER], {"values": {}}, "needs a value for “name”"),
        ([TESTER], {"values": {"name": "Li", "nick": "L"}}, "no such variable"),
    ],
)
async def test_a_test_that_cannot_be_sent_is_refused(
    show: StartShow, web_ledger: Ledger, mobiles: list[int], more: dict[str, Any], problem: str
) -> None:
    playing = await show()
    await set_stage(playing)
    with pytest.raises(InvalidValue, match=problem):
        await ask(playing, web_ledger, *mobiles, **more)


async def test_a_value_that_alibaba_takes_no_more_is_not_tested(
    show: StartShow, web_ledger: Ledger
) -> None:
    playing = await show()
    await set_stage(playing)
    await playing.execute("UPDATE platform SET kind = 'aliyun'")
    with pytest.raises(InvalidValue, match="has 36 characters"):
        await ask(playing, web_ledger, TESTER, values={"name": "x" * 36})


async def test_only_an_approved_text_is_tested(show: StartShow, web_ledger: Ledger) -> None:
    playing = await show()
    await set_stage(playing)
    await playing.execute("UPDATE template SET state = 'reviewing'")
    with pytest.raises(NotReadyToStart):
        await ask(playing, web_ledger, TESTER)
