"""What people do with audiences that exist, as the web role."""

import asyncio
from typing import Any, LiteralString

import pytest
from tests.audiences.stores import BOUGHT, city, make, member_of, pretend, read
from tests.stage import Stage, people

from textwave.audiences import life_operations, store
from textwave.audiences.life_operations import AudienceInUse, ChangedMeanwhile, Changes
from textwave.audiences.particulars import AudienceArchived
from textwave.audiences.refusals import ReferenceUnknown, TableUnknown
from textwave.audiences.rule import read_rule, write_rule
from textwave.audiences.store import Sort, Wanted, Whose
from textwave.audiences.uses import AudienceNamesItself
from textwave.audiences.visibility import SEES_ALL, AudienceOfAnother, Viewer
from textwave.customers.schedule import RefreshUnfit
from textwave.kit.ids import AudienceId, WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound, Refusal
from textwave.storage.ledger import Ledger, execute, value

pytestmark = pytest.mark.usefixtures("described")
WANG = Viewer("wang", is_administrator=False)
LI = Viewer("li", is_administrator=False)


async def edit(
    ledger: Ledger,
    workspace_id: WorkspaceId,
    name: str,
    version: int = 1,
    viewer: Viewer = SEES_ALL,
    **changed: Any,
) -> store.Audience:
    if "rule" in changed:
        changed["rule"] = read_rule(changed["rule"])
    async with ledger.transaction(workspace_id) as connection:
        return await life_operations.edit_audience(
            connection,
            workspace_id=workspace_id,
            viewer=viewer,
            name=name,
            version=version,
            changes=Changes(**changed),
        )


async def do(
    operation: Any, ledger: Ledger, workspace_id: WorkspaceId, viewer: Viewer, **given: Any
) -> Any:
    async with ledger.transaction(workspace_id) as connection:
        return await operation(connection, workspace_id=workspace_id, viewer=viewer, **given)


async def listed(
    ledger: Ledger, workspace_id: WorkspaceId, viewer: Viewer = SEES_ALL, **wanted: Any
) -> list[str]:
    async with ledger.transaction(workspace_id) as connection:
        found = await store.audiences(
            connection, workspace_id, wanted=Wanted(**wanted), viewer=viewer
        )
    return [one.name for one in found]


async def test_an_edit_changes_what_is_given_and_is_written_down(
    web_ledger: Ledger, ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await make(web_ledger, workspace_id, "local", folder="2026", description="near")

    edited = await edit(web_ledger, workspace_id, "local", rule=city("杭州"), folder=" a // b ")

    assert write_rule(edited.definition.rule) == city("杭州")
    assert (edited.particulars.folder, edited.particulars.description) == ("a/b", "near")
    assert edited.version == 2
    statement: LiteralString = (
        "SELECT detail FROM audit_event WHERE action = 'audience.edited' AND object = 'local'"
    )
    async with ledger.transaction() as connection:
        detail = await value(connection, statement)
    assert (detail["before"]["folder"], detail["after"]["folder"]) == ("2026", "a/b")
    assert "杭州" in detail["after"]["rule"]
    assert "description" not in detail["after"]


async def test_of_two_edits_at_once_the_second_is_refused(
    web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await make(web_ledger, workspace_id, "local")

    ended = await asyncio.gather(
        edit(web_ledger, workspace_id, "local", folder="one"),
        edit(web_ledger, workspace_id, "local", folder="two"),
        return_exceptions=True,
    )

    assert [type(one) for one in ended if isinstance(one, Refusal)] == [ChangedMeanwhile]
    [kept] = [one for one in ended if isinstance(one, store.Audience)]
    assert await read(web_ledger, workspace_id, "local") == kept


async def test_two_edits_at_once_make_no_circle(
    ledger: Ledger, web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    for name in ("a", "b"):
        await pretend(ledger, await make(web_ledger, workspace_id, name))

    ended = await asyncio.gather(
        edit(web_ledger, workspace_id, "a", rule=member_of("b")),
        edit(web_ledger, workspace_id, "b", rule=member_of("a")),
        return_exceptions=True,
    )

    assert [type(one) for one in ended].count(AudienceNamesItself) == 1


async def test_a_rule_that_comes_back_over_others_is_refused_and_nothing_changes(
    ledger: Ledger, web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await pretend(ledger, await make(web_ledger, workspace_id, "first"))
    await pretend(ledger, await make(web_ledger, workspace_id, "second", member_of("first")))
    not_second = {"kind": "not", "of": member_of("second")}
    await pretend(ledger, await make(web_ledger, workspace_id, "third", not_second))
    first = await read(web_ledger, workspace_id, "first")

    with pytest.raises(AudienceNamesItself, match="“first” → “third” → “second” → “first”"):
        await edit(web_ledger, workspace_id, "first", rule=member_of("third"))

    assert await read(web_ledger, workspace_id, "first") == first


@pytest.mark.parametrize(
    ("refusal", "changed"),
    [
        (TableUnknown, {"rule": {"kind": "orders", "table": "none"}}),
        (RefreshUnfit, {"refresh": "hourly"}),
        (InvalidValue, {"folder": "x" * 101}),
        (InvalidValue, {"description": "\0"}),
    ],
)
async def test_an_edit_that_does_not_fit_is_refused(
    web_ledger: Ledger, workspace_id: WorkspaceId, refusal: type[Refusal], changed: dict[str, Any]
) -> None:
    await make(web_ledger, workspace_id, "local")

    with pytest.raises(refusal):
        await edit(web_ledger, workspace_id, "local", **changed)


async def test_a_private_audience_is_there_for_its_maker_and_administrators_only(
    web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await make(web_ledger, workspace_id, "mine", viewer=WANG, is_public=False)

    assert await listed(web_ledger, workspace_id, WANG) == ["mine"]
    assert await listed(web_ledger, workspace_id, SEES_ALL) == ["mine"]
    assert await listed(web_ledger, workspace_id, LI) == []
    with pytest.raises(NotFound):
        await edit(web_ledger, workspace_id, "mine", viewer=LI, folder="taken")
    with pytest.raises(NotFound):
        await do(
            life_operations.copy_audience, web_ledger, workspace_id, LI, name="mine", new_name="x"
        )
    with pytest.raises(ReferenceUnknown):
        await make(web_ledger, workspace_id, "over", member_of("mine"), viewer=LI)


async def test_a_public_audience_is_copied_by_others_and_changed_by_its_maker(
    web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await make(web_ledger, workspace_id, "shared", BOUGHT, viewer=WANG, refresh="0 6 * * *")

    with pytest.raises(AudienceOfAnother, match="wang"):
        await edit(web_ledger, workspace_id, "shared", viewer=LI, folder="taken")
    copy: store.Audience = await do(
        life_operations.copy_audience, web_ledger, workspace_id, LI, name="shared", new_name="own"
    )

    assert (copy.created_by, copy.particulars.refresh) == ("li", "")
    assert copy.definition == (await read(web_ledger, workspace_id, "shared")).definition


async def test_a_new_name_is_written_into_the_rules_that_name_it(
    ledger: Ledger, web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await pretend(ledger, await make(web_ledger, workspace_id, "old"))
    await make(web_ledger, workspace_id, "over", {"kind": "not", "of": member_of("old")})

    rename = life_operations.rename_audience
    await do(rename, web_ledger, workspace_id, SEES_ALL, name="old", new_name="new")

    over = await read(web_ledger, workspace_id, "over")
    assert write_rule(over.definition.rule) == {"kind": "not", "of": member_of("new")}
    assert over.version == 2
    with pytest.raises(AlreadyExists):
        await do(rename, web_ledger, workspace_id, SEES_ALL, name="new", new_name="over")


async def test_what_a_rule_uses_is_not_archived(
    ledger: Ledger, web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await pretend(ledger, await make(web_ledger, workspace_id, "used"))
    await make(web_ledger, workspace_id, "over", member_of("used"))
    archive = life_operations.archive_audience

    with pytest.raises(AudienceInUse, match="the audience “over”"):
        await do(archive, web_ledger, workspace_id, SEES_ALL, name="used")
    await do(archive, web_ledger, workspace_id, SEES_ALL, name="over")
    await do(archive, web_ledger, workspace_id, SEES_ALL, name="used")

    assert await listed(web_ledger, workspace_id) == []
    assert await listed(web_ledger, workspace_id, archived=True) == ["used", "over"]


async def test_an_archived_audience_has_no_schedule_and_cannot_be_edited_until_it_is_back(
    web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    made = await make(web_ledger, workspace_id, "daily", refresh="0 6 * * *")
    assert made.refreshing.next_at is not None

    archived: store.Audience = await do(
        life_operations.archive_audience, web_ledger, workspace_id, SEES_ALL, name="daily"
    )
    assert archived.refreshing.next_at is None
    with pytest.raises(AudienceArchived):
        await edit(web_ledger, workspace_id, "daily", archived.version, folder="x")
    back: store.Audience = await do(
        life_operations.unarchive_audience, web_ledger, workspace_id, SEES_ALL, name="daily"
    )

    assert back.refreshing.next_at is not None
    await edit(web_ledger, workspace_id, "daily", back.version, folder="x")


async def test_the_list_is_filtered_by_folder_text_and_maker(
    web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    await make(web_ledger, workspace_id, "spring", folder="2026/sale", viewer=WANG)
    await make(web_ledger, workspace_id, "autumn", folder="2026", description="Leaves FALL")
    await make(web_ledger, workspace_id, "loose", viewer=WANG, is_public=False)

    assert await listed(web_ledger, workspace_id, folder="2026") == ["spring", "autumn"]
    assert await listed(web_ledger, workspace_id, folder="") == ["loose"]
    assert await listed(web_ledger, workspace_id, search="leaves fall") == ["autumn"]
    assert await listed(web_ledger, workspace_id, search="%") == []
    assert await listed(web_ledger, workspace_id, WANG, whose=Whose.MINE) == ["spring", "loose"]
    public = await listed(web_ledger, workspace_id, WANG, whose=Whose.PUBLIC)
    assert public == ["spring", "autumn"]
    async with web_ledger.transaction(workspace_id) as connection:
        folders = await life_operations.folders(connection, workspace_id=workspace_id, viewer=LI)
    assert [(one.name, one.audiences) for one in folders] == [("2026", 1), ("2026/sale", 1)]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        (Sort.CREATED_AT, ["c", "A", "b", "d"]),
        (Sort.NAME, ["A", "b", "c", "d"]),
        (Sort.SIZE, ["b", "c", "A", "d"]),
        (Sort.COMPUTED_AT, ["A", "c", "b", "d"]),
    ],
)
async def test_pages_in_any_order_give_each_audience_once(
    ledger: Ledger, workspace_id: WorkspaceId, sort: Sort, expected: list[str]
) -> None:
    sizes = {"c": (5, 2), "A": (5, 1), "b": (9, 3), "d": None}
    for name, computed in sizes.items():
        made = await make(ledger, workspace_id, name)
        if computed is not None:
            size, days = computed
            await pretend(ledger, made, size=size, days_ago=days)

    found: list[str] = []
    after: AudienceId | None = None
    async with ledger.transaction(workspace_id) as connection:
        while page := await store.audiences(
            connection, workspace_id, wanted=Wanted(sort=sort), after=after, limit=1
        ):
            found += [one.name for one in page]
            after = page[-1].id

    assert found == expected


async def test_a_campaign_under_way_keeps_its_audience_out_of_the_archive(stage: Stage) -> None:
    workspace_id = stage.founding.workspace_id
    async with stage.ledger.transaction() as connection:
        await execute(connection, "DELETE FROM customer_table")
    await stage.set(people(1))
    async with stage.ledger.transaction() as connection:
        await execute(connection, """UPDATE audience SET rule = '{"kind": "all", "of": []}'""")
    await stage.campaign()
    await stage.start()
    archive = life_operations.archive_audience

    with pytest.raises(AudienceInUse, match="the campaign “Spring”"):
        await do(archive, stage.ledger, workspace_id, SEES_ALL, name="everybody")

    async with stage.ledger.transaction() as connection:
        await execute(connection, "UPDATE campaign SET state = 'completed'")
    await do(archive, stage.ledger, workspace_id, SEES_ALL, name="everybody")
    with pytest.raises(AudienceArchived):
        await stage.campaign("Summer")


async def test_another_workspace_changes_no_audience(
    web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    made = await make(web_ledger, workspace_id, "local")

    with pytest.raises(NotFound):
        await edit(web_ledger, WorkspaceId(workspace_id + 1), "local", folder="x")

    assert await read(web_ledger, workspace_id, "local") == made
