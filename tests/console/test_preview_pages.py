"""Previews of a template in the browser: texts of named customers, and the worst of an audience."""

import re
from collections.abc import Sequence

import aiohttp

from tests.stage import Person, Stage, people
from textwave.kit.ids import OperationId
from textwave.previews.operations import run_preview

from .test_template_pages import page_of, send

ASKED = {
    "audience": "everybody",
    "signature": "Textwave",
    "customers": "c1\nc2, nobody",
    "column_name": "first_name",
    "missing_name": "drop",
}


async def set_stage(stage: Stage, persons: Sequence[Person]) -> None:
    await stage.set(persons)
    async with stage.ledger.transaction() as connection:
        await connection.execute("""UPDATE audience SET rule = '{"kind": "all", "of": []}'""")


def begun(page: str) -> OperationId:
    found = re.search(r'id="operation-(\d+)"', page)
    assert found
    return OperationId(int(found[1]))


async def test_a_preview_shows_named_customers_and_counts_the_audience(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await set_stage(stage, [Person("c1", 1, first_name="Li"), Person("c2", None, first_name=None)])
    form = await page_of(member, "templates/welcome/preview")
    assert '<option value="everybody" selected' in form
    assert '<option value="first_name" selected>' in form
    status, where, page = await send(member, "templates/welcome/preview", ASKED)
    assert (status, where) == (200, "/console/templates/welcome/preview")
    assert "hx-get" in page
    operation_id = begun(page)
    await run_preview(
        stage.ledger,
        stage.warehouse,
        workspace_id=stage.founding.workspace_id,
        operation_id=operation_id,
    )
    page = await page_of(member, f"templates/welcome/preview?operation={operation_id}")
    assert "【Textwave】Dear Li, see you soon. 拒收请回复R" in page
    assert "there is no value for name" in page
    assert "The table has no such customer." in page
    assert "c1\nc2\nnobody</textarea>" in page


async def test_a_refused_preview_keeps_what_was_typed(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await set_stage(stage, people(1))
    many = {"customers": "\n".join(f"c{n}" for n in range(11))}
    status, _, page = await send(member, "templates/welcome/preview", ASKED | many)
    assert status == 409
    assert "at most 10" in page
    assert "c10</textarea>" in page


async def test_a_preview_of_another_template_is_not_shown_here(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await set_stage(stage, people(1))
    _, _, page = await send(member, "templates/welcome/preview", ASKED)
    operation = begun(page)
    await send(
        member,
        "templates/-/new",
        {
            "name": "other",
            "platform": "sandbox",
            "type": "promotional",
            "content": "Hello",
            "remark": "r",
        },
    )
    for place in (f"other/preview?operation={operation}", "welcome/preview?operation=999999"):
        async with member.get(f"/console/templates/{place}") as answer:
            assert answer.status == 404


async def test_without_an_audience_the_preview_says_what_it_needs(
    member: aiohttp.ClientSession, stage: Stage
) -> None:
    await set_stage(stage, people(1))
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE audience SET archived_at = now()")
    assert "/console/audiences/-/new" in await page_of(member, "templates/welcome/preview")
