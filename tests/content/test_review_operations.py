from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp import web

from textwave.accounts.store import Caller
from textwave.connections.accounts import NewPlatform
from textwave.connections.operations import add_platform
from textwave.content import operations, store
from textwave.content.operations import TemplateDraft
from textwave.content.review_operations import (
    LAST_ATTEMPT,
    Round,
    apply_review_notices,
    ask_reviews,
    submit_template,
    withdraw_template,
)
from textwave.content.store import Decided, Template
from textwave.kit.ids import TemplateId, WorkspaceId
from textwave.platforms.contract import (
    MessageType,
    PlatformUnreachable,
    Review,
    ReviewNotice,
    ReviewState,
    ReviewSubject,
)
from textwave.platforms.sandbox import SandboxSettings, build_application
from textwave.signatures import store as signature_store
from textwave.signatures.operations import add_signature
from textwave.signatures.store import Signature
from textwave.storage.ledger import Connection
from textwave.storage.secrets import Vault

from .conftest import LINKS_URL, NOW, Place, Write, actions
from .gateway import NAME


async def request(place: Place, name: str = "spring") -> Template:
    async with place.people.transaction(place.workspace_id) as connection:
        written = await operations.request_review(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            name=name,
            links_url=LINKS_URL,
            now=NOW,
        )
    return written.template


async def hand_over(place: Place, template_id: int, attempt: int = 0) -> Decided | None:
    return await submit_template(
        place.jobs,
        place.open_platform,
        workspace_id=place.workspace_id,
        template_id=TemplateId(template_id),
        now=NOW,
        attempt=attempt,
    )


async def ask(place: Place, seconds: int = 0) -> Round:
    now = NOW + timedelta(seconds=seconds)
    return await ask_reviews(place.jobs, place.open_platform, now=now)


async def read(place: Place, template_id: int) -> Template:
    async with place.people.transaction(place.workspace_id) as connection:
        return await store.template(
            connection, workspace_id=place.workspace_id, template_id=TemplateId(template_id)
        )


async def reviewing(place: Place, write: Write) -> Template:
    """A template that its platform has under review."""
    template = await write()
    await request(place)
    await hand_over(place, template.id)
    return await read(place, template.id)


async def cut_off(place: Place) -> None:
    async with place.jobs.transaction() as connection:
        await connection.execute("UPDATE platform SET base_url = 'http://127.0.0.1:1'")


async def notify(place: Place, *notices: ReviewNotice) -> list[Decided]:
    async with place.jobs.transaction() as connection:
        return await apply_review_notices(connection, place.account.id, notices, now=NOW)


async def next_jobs(place: Place) -> list[tuple[dict[str, Any], datetime | None]]:
    async with place.jobs.transaction() as connection:
        cursor = await connection.execute(
            "SELECT args, scheduled_at FROM procrastinate_jobs ORDER BY id OFFSET 1"
        )
        return [(row[0], row[1]) for row in await cursor.fetchall()]


def about(code: str, state: ReviewState, reason: str = "") -> ReviewNotice:
    return ReviewNotice(ReviewSubject.template, code, Review(state, reason))


async def test_a_submitted_template_reaches_the_platform_with_its_opt_out_text(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    assert (template.code, template.submitted_at) == ("SMS_1", NOW)
    assert place.gateway.templates["SMS_1"] == {
        "templateName": "spring",
        "templateContent": "${name}你好，春季新品已到店 拒收请回复R",
        "templateType": 2,
        "remark": "spring sale for members",
    }


async def test_handing_over_again_does_nothing(place: Place, write: Write) -> None:
    template = await reviewing(place, write)
    await hand_over(place, template.id)
    assert place.gateway.calls["create"] == 1


async def test_after_a_crash_before_the_commit_the_second_code_counts(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    async with place.jobs.transaction() as connection:
        await connection.execute("UPDATE template SET code = NULL, submitted_at = NULL")
    await hand_over(place, template.id)
    assert (await read(place, template.id)).code == "SMS_2"
    assert await notify(place, about("SMS_1", ReviewState.rejected)) == []
    assert [d.id for d in await notify(place, about("SMS_2", ReviewState.approved))] == [
        template.id
    ]


async def test_a_platform_that_is_down_puts_the_next_attempt_off_and_says_why(
    place: Place, write: Write
) -> None:
    template = await write()
    await request(place)
    await cut_off(place)
    assert await hand_over(place, template.id, attempt=3) is None
    delayed = await read(place, template.id)
    assert (delayed.state, delayed.submitted_at) == ("reviewing", None)
    assert "cannot be reached" in delayed.reason
    args = {"workspace_id": place.workspace_id, "template_id": template.id, "attempt": 4}
    assert await next_jobs(place) == [(args, NOW + timedelta(seconds=8))]


@pytest.mark.parametrize("trouble", [(503, "BUSY"), (429, "THROTTLED"), (500, "INTERNAL")])
async def test_a_platform_that_is_busy_is_tried_again(
    place: Place, write: Write, trouble: tuple[int, str]
) -> None:
    template = await write()
    await request(place)
    place.gateway.trouble = trouble
    assert await hand_over(place, template.id, attempt=20) is None
    ((_, at),) = await next_jobs(place)
    assert at == NOW + timedelta(seconds=300)
    place.gateway.trouble = None
    await hand_over(place, template.id, attempt=21)
    after = await read(place, template.id)
    assert (after.code, after.reason) == ("SMS_1", "")


async def test_after_the_last_attempt_the_template_is_rejected_with_the_reason(
    place: Place, write: Write
) -> None:
    template = await write()
    await request(place)
    await cut_off(place)
    decided = await hand_over(place, template.id, attempt=LAST_ATTEMPT)
    assert decided is not None
    assert decided.state == "rejected"
    assert "Submit it again" in (await read(place, template.id)).reason
    assert await next_jobs(place) == []


async def test_a_text_that_the_platform_refuses_is_rejected_and_can_be_edited(
    place: Place, write: Write
) -> None:
    template = await write()
    await request(place)
    place.gateway.trouble = (200, "CONTENT_REFUSED")
    decided = await hand_over(place, template.id)
    assert decided is not None
    after = await read(place, template.id)
    assert after.state == "rejected"
    assert "Change the text" in after.reason


async def test_a_rejected_template_submitted_again_changes_the_one_at_the_platform(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    await notify(place, about("SMS_1", ReviewState.rejected, "too loud"))
    await request(place)
    await hand_over(place, template.id)
    assert (place.gateway.calls["create"], place.gateway.calls["change"]) == (1, 1)
    after = await read(place, template.id)
    assert (after.state, after.code, after.reason) == ("reviewing", "SMS_1", "")


async def test_a_notice_does_not_count_while_the_changed_text_is_not_handed_over(
    place: Place, write: Write
) -> None:
    await reviewing(place, write)
    await notify(place, about("SMS_1", ReviewState.rejected))
    template = await request(place)
    assert await notify(place, about("SMS_1", ReviewState.approved)) == []
    assert (await read(place, template.id)).state == "reviewing"


@pytest.mark.parametrize("told", ["approved", "rejected"])
async def test_asking_brings_the_decision_home(place: Place, write: Write, told: str) -> None:
    template = await reviewing(place, write)
    place.gateway.states["SMS_1"] = told
    place.gateway.reason = "too loud"
    done = await ask(place)
    assert done.decided == [Decided(place.workspace_id, template.id, "spring", told)]
    after = await read(place, template.id)
    assert (after.state, after.decided_at) == (told, NOW)
    assert after.reason == ("too loud" if told == "rejected" else "")
    assert (await actions(place))[-1] == f"template.{told}"
    assert (await ask(place)).asked == 0


async def test_asking_while_it_is_reviewed_changes_nothing(place: Place, write: Write) -> None:
    template = await reviewing(place, write)
    assert (await ask(place)).asked == 1
    assert await read(place, template.id) == template


async def test_a_platform_that_is_silent_leaves_everything_and_is_asked_once_a_round(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    await signature(place, "reviewing")
    place.gateway.trouble = (502, "")
    await cut_off(place)
    done = await ask(place)
    assert (done.asked, done.decided, done.silent) == (0, [], {place.account.id})
    assert await read(place, template.id) == template


async def test_a_template_that_the_platform_forgot_is_rejected_and_made_anew(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    place.gateway.states.clear()
    assert [decided.state for decided in (await ask(place)).decided] == ["rejected"]
    assert (await read(place, template.id)).code is None
    await request(place)
    await hand_over(place, template.id)
    assert place.gateway.calls["create"] == 2


async def test_what_follows_from_a_decision_is_in_its_transaction(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    place.gateway.states["SMS_1"] = "approved"

    async def fail(connection: Connection, decided: Sequence[Decided]) -> None:
        del connection
        raise RuntimeError(decided[0].name)

    with pytest.raises(RuntimeError, match="spring"):
        await ask_reviews(place.jobs, place.open_platform, now=NOW, on_decided=fail)
    assert (await read(place, template.id)).state == "reviewing"


async def test_every_page_is_asked_about(
    place: Place, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("textwave.content.review_operations.PAGE", 2)
    for number in range(5):
        template = await write(name=f"t{number}")
        await request(place, template.name)
        await hand_over(place, template.id)
    assert (await ask(place)).asked == 5


async def signature(place: Place, told: str) -> Signature:
    place.gateway.signatures["云裳"] = told
    return await add_signature(
        place.people,
        place.open_platform,
        workspace_id=place.workspace_id,
        actor="wang",
        platform=NAME,
        name="云裳",
        now=NOW,
    )


async def named(place: Place) -> Signature:
    async with place.people.transaction(place.workspace_id) as connection:
        return await signature_store.signature_named(
            connection,
            workspace_id=place.workspace_id,
            platform_id=place.account.id,
            name="云裳",
        )


@pytest.mark.parametrize("told", ["approved", "rejected"])
async def test_a_signature_under_review_is_asked_about_until_it_is_decided(
    place: Place, told: str
) -> None:
    await signature(place, "reviewing")
    await ask(place)
    assert (await named(place)).state == "reviewing"
    place.gateway.signatures["云裳"] = told
    assert (await ask(place, seconds=2)).signatures_decided == 1
    after = await named(place)
    assert (after.state, after.verified) == (told, True)


async def test_a_signature_that_could_not_be_verified_is_settled_when_the_platform_is_back(
    place: Place,
) -> None:
    place.gateway.signatures["云裳"] = "approved"
    await cut_off(place)
    assert not (await signature(place, "approved")).verified
    async with place.jobs.transaction() as connection:
        await connection.execute("UPDATE platform SET base_url = %s", [place.gateway.url])
    await ask(place)
    after = await named(place)
    assert (after.state, after.verified, after.reason) == ("approved", True, "")


async def test_a_signature_that_the_platform_forgot_is_rejected(place: Place) -> None:
    await signature(place, "reviewing")
    place.gateway.signatures.clear()
    await ask(place)
    assert (await named(place)).state == "rejected"


async def test_pushed_reviews_decide_signatures_and_templates(place: Place, write: Write) -> None:
    template = await reviewing(place, write)
    await signature(place, "reviewing")
    sign = ReviewNotice(
        ReviewSubject.signature, "云裳", Review(ReviewState.rejected, "papers missing")
    )
    decided = await notify(place, sign, about("SMS_1", ReviewState.approved))
    assert [one.id for one in decided] == [template.id]
    assert (await named(place)).reason == "papers missing"


async def test_repeated_unknown_and_empty_notices_change_nothing(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    await notify(place, about("SMS_1", ReviewState.approved))
    for state in ReviewState:
        assert await notify(place, about("SMS_1", state), about("SMS_9", state)) == []
    assert (await read(place, template.id)).state == "approved"


async def test_of_several_notices_on_one_template_the_last_counts(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    first = about("SMS_1", ReviewState.rejected)
    await notify(place, first, about("SMS_1", ReviewState.approved))
    assert (await read(place, template.id)).state == "approved"


async def test_a_notice_of_another_platform_does_not_count(
    place: Place, write: Write, vault: Vault, caller: Caller
) -> None:
    await reviewing(place, write)
    async with place.people.transaction(place.workspace_id) as connection:
        new = NewPlatform("other", place.gateway.url, "key")
        other = await add_platform(connection, vault, caller=caller, new=new)
    notice = about("SMS_1", ReviewState.approved)
    async with place.jobs.transaction() as connection:
        assert await apply_review_notices(connection, other.id, [notice], now=NOW) == []


async def delete(place: Place) -> None:
    async with place.people.transaction(place.workspace_id) as connection:
        await operations.delete_template(
            connection, workspace_id=place.workspace_id, actor="wang", name="spring", now=NOW
        )


async def withdraw(place: Place, template_id: int) -> None:
    await withdraw_template(
        place.jobs,
        place.open_platform,
        workspace_id=place.workspace_id,
        template_id=TemplateId(template_id),
        now=NOW,
    )


async def test_a_deleted_template_is_withdrawn_from_the_platform(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    await withdraw(place, template.id)
    assert "SMS_1" in place.gateway.states
    await delete(place)
    await withdraw(place, template.id)
    await withdraw(place, template.id)
    assert place.gateway.states == {}
    assert len(await next_jobs(place)) == 1


async def test_withdrawing_from_a_platform_that_is_down_is_to_be_tried_again(
    place: Place, write: Write
) -> None:
    template = await reviewing(place, write)
    await delete(place)
    await cut_off(place)
    with pytest.raises(PlatformUnreachable):
        await withdraw(place, template.id)


async def test_a_template_deleted_before_it_was_handed_over_never_reaches_the_platform(
    place: Place, write: Write
) -> None:
    template = await write()
    await request(place)
    await delete(place)
    await hand_over(place, template.id)
    assert place.gateway.templates == {}


async def test_the_sandbox_approves_one_template_and_rejects_another_with_its_reason(
    place: Place, vault: Vault, caller: Caller
) -> None:
    settings = SandboxSettings(key="k" * 16, review_seconds=0)
    runner = web.AppRunner(build_application(settings), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with place.people.transaction(place.workspace_id) as connection:
            new = NewPlatform("sandbox", url, settings.key)
            await add_platform(connection, vault, caller=caller, new=new)
        good = await submit_to_sandbox(place, "good", "春季新品已到店")
        bad = await submit_to_sandbox(place, "bad", "casino tonight")
        await ask(place)
        assert (await read(place, good)).state == "approved"
        assert (await read(place, bad)).state == "rejected"
        assert "casino" in (await read(place, bad)).reason
    finally:
        await runner.cleanup()


async def submit_to_sandbox(place: Place, name: str, content: str) -> int:
    draft = TemplateDraft(name, MessageType.promotional, "sandbox", content, "a trial")
    async with place.people.transaction(WorkspaceId(place.workspace_id)) as connection:
        written = await operations.create_template(
            connection,
            workspace_id=place.workspace_id,
            actor="wang",
            draft=draft,
            links_url=LINKS_URL,
            now=NOW,
        )
    await request(place, name)
    await hand_over(place, written.template.id)
    return written.template.id
