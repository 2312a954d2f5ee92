"""A program's message reaches its number once, and is shown as it stands."""

import asyncio
from dataclasses import replace

import pytest

from tests.singles.conftest import Program
from textwave.content.lint import TextNotAcceptable
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.singles.message import (
    KeyUsedDifferently,
    MessagesWait,
    NoNotification,
    NotApproved,
)
from textwave.suppression.deny_store import NewDenial, add_denials
from textwave.suppression.store import OptOutSource

MOBILE = 8615412345678


async def test_a_message_waits_is_gathered_and_taken_by_the_platform(program: Program) -> None:
    asked = await program.ask()
    assert (asked.state, asked.parts, asked.mobile) == ("waiting", 1, MOBILE)
    assert await program.gather() == 1
    assert (await program.read(asked.id)).state == "planned"
    await program.playing.send()
    sent = await program.read(asked.id)
    assert (sent.state, sent.cause) == ("submitted", "")
    assert sent.sent_at is not None
    assert sent.answered_at is not None
    assert [text for _, text in await program.received()] == ["您的验证码是4711，请勿告诉他人"]


async def test_the_same_key_gives_the_same_message_however_often_and_at_once(
    program: Program,
) -> None:
    asked = await asyncio.gather(*(program.ask() for _ in range(8)))
    assert len({one.id for one in asked}) == 1
    await program.gather()
    await program.playing.send()
    assert (await program.ask()).state == "submitted"
    assert await program.gather() == 0
    assert len(await program.received()) == 1


@pytest.mark.parametrize("other", [{"to": "15412345679"}, {"code": "1"}, {"platform": "sandbox"}])
async def test_a_key_of_another_message_is_refused_and_sends_nothing(
    program: Program, other: dict[str, str]
) -> None:
    await program.ask()
    with pytest.raises(KeyUsedDifferently):
        await program.ask(**other)
    assert await program.gather() == 1


async def test_what_waits_at_the_same_time_leaves_in_one_batch_and_what_comes_later_in_the_next(
    program: Program,
) -> None:
    for number in range(5):
        await program.ask(f"a{number}", f"1541234500{number}", code=str(number))
    assert await program.gather() == 5
    await program.playing.send()
    for number in range(3):
        await program.ask(f"b{number}", f"1541234600{number}")
    assert await program.gather() == 3
    await program.playing.send()
    campaigns, batches, requests = [
        await program.playing.value(f"SELECT count(*) FROM {table}".encode())
        for table in ("campaign", "batch", "request")
    ]
    assert (campaigns, batches, requests) == (1, 2, 2)
    assert len(await program.received()) == 8
    tally = "SELECT audience = 8 AND messages = 8 AND submitted = 8 FROM campaign_tally"
    assert await program.playing.value(tally)
    assert await program.playing.value("SELECT state FROM campaign") == "completed"


async def test_two_messages_to_one_number_never_leave_in_one_request(program: Program) -> None:
    for key in ("k1", "k2", "k3"):
        await program.ask(key, code=key)
    assert await program.gather() == 3
    await program.playing.send()
    assert await program.playing.value("SELECT count(*) FROM request WHERE size = 1") == 3
    texts = {text for _, text in await program.received()}
    assert len(texts) == 3


async def test_of_many_that_gather_at_once_each_message_is_handed_on_once(
    program: Program,
) -> None:
    for number in range(60):
        await program.ask(f"k{number}", f"154123400{number:02}")
    counts = await asyncio.gather(*(program.gather() for _ in range(4)))
    assert sum(counts) == 60
    await program.playing.send()
    assert len({to for to, _ in await program.received()}) == 60
    assert len(await program.received()) == 60


async def test_the_deny_list_drops_it_and_says_so(program: Program) -> None:
    async with program.playing.ledger.transaction() as connection:
        await add_denials(
            connection,
            workspace_id=program.playing.workspace_id,
            platform_id=None,
            source=OptOutSource.by_hand,
            reason="x",
            actor="mei",
            denials=[NewDenial(MOBILE, "", program.playing.stage.clock.now())],
        )
    asked = await program.ask()
    await program.gather()
    await program.playing.send()
    kept = await program.read(asked.id)
    assert (kept.state, kept.cause) == ("dropped", "deny list")
    assert await program.received() == []


async def test_an_opt_out_does_not_stop_a_notification(program: Program) -> None:
    await program.playing.stage.opt_out(MOBILE)
    asked = await program.ask()
    await program.gather()
    await program.playing.send()
    assert (await program.read(asked.id)).state == "submitted"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ("UPDATE template SET state = 'deleted'", "The template “welcome” is deleted."),
        ("UPDATE signature SET state = 'rejected'", "The signature “Textwave” is rejected."),
        ("DELETE FROM platform_workspace", "The platform “sandbox” is not the workspace's"),
        ("UPDATE platform SET retired_at = now()", "The platform “sandbox” is not the workspace's"),
    ],
)
async def test_what_is_taken_back_before_it_leaves_is_refused_with_the_reason_and_stops_nobody(
    program: Program, change: str, cause: str
) -> None:
    asked = await program.ask()
    await program.playing.execute(change.encode())
    assert await program.gather() == 1
    kept = await program.read(asked.id)
    assert (kept.state, kept.cause.startswith(cause)) == ("refused", True)
    assert await program.gather() == 0


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("UPDATE template SET type = 'promotional'", NoNotification),
        ("UPDATE template SET state = 'reviewing'", NotApproved),
        ("UPDATE signature SET state = 'rejected'", NotApproved),
    ],
)
async def test_only_what_the_platform_approved_as_a_notification_is_taken(
    program: Program, change: str, refusal: type[Exception]
) -> None:
    await program.playing.execute(change.encode())
    with pytest.raises(refusal):
        await program.ask()


@pytest.mark.parametrize(
    "more",
    [
        {"to": "123456"},
        {"variables": {}},
        {"variables": {"code": " "}},
        {"variables": {"code": "a\nb"}},
        {"variables": {"code": "1", "other": "2"}},
        {"variables": {"code": "x" * 501}},
        {"platform": "elsewhere"},
    ],
)
async def test_what_cannot_be_sent_is_refused_by_its_place(
    program: Program, more: dict[str, object]
) -> None:
    asked = {"to": "15412345678"} | more
    with pytest.raises(InvalidValue):
        await program.ask("k1", **asked)  # pyright: ignore[reportArgumentType] - the test's choice
    assert await program.gather() == 0


async def test_a_value_that_alibaba_takes_no_more_is_refused_at_once(program: Program) -> None:
    await program.playing.execute("UPDATE platform SET kind = 'aliyun'")
    assert (await program.ask("k1", code="x" * 35)).state == "waiting"
    with pytest.raises(InvalidValue, match="at most 35"):
        await program.ask("k2", code="x" * 36)


async def test_values_of_their_own_go_to_alibaba_in_requests_of_a_hundred(
    program: Program,
) -> None:
    await program.playing.execute("UPDATE platform SET kind = 'aliyun', max_batch = 1000")
    for n in range(3):
        await program.ask(f"k{n}", f"1541234{n:04}", code=str(n))
    assert await program.gather() == 3
    assert await program.playing.value("SELECT request_size FROM campaign") == 100


async def test_what_is_not_there_is_not_found(program: Program) -> None:
    for more in ({"signature": "nobody"}, {"template": "nothing"}):
        with pytest.raises(NotFound):
            await program.ask(**more)
    asked = await program.ask()
    with pytest.raises(NotFound):
        await program.read(replace(asked, id=asked.id + 1).id)


async def test_a_link_that_has_ended_is_refused_before_anybody_gets_it(program: Program) -> None:
    text = "看 http://d.example.cn/abc123/${sp_a} 吧${code}"
    await program.playing.execute("UPDATE template SET content = %s", [text])
    assert (await program.ask("k1")).state == "waiting"
    await program.playing.execute("UPDATE short_link SET expires_at = now()")
    with pytest.raises(TextNotAcceptable):
        await program.ask("k2")


async def test_nothing_more_is_taken_while_nobody_gathers(program: Program) -> None:
    await program.ask()
    await program.playing.execute(
        "UPDATE single_message SET created_at = now() - interval '11 minutes'"
    )
    with pytest.raises(MessagesWait):
        await program.ask("k2")
    assert (await program.ask("k1")).state == "waiting"
    await program.gather()
    assert (await program.ask("k2")).state == "waiting"
