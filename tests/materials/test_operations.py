"""Who sees and changes materials, and what keeps one from being deleted."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.materials.files import picture
from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.materials import operations as library
from textwave.materials import store
from textwave.materials.examination import examine
from textwave.materials.operations import Librarian, LibraryFull, MaterialOfAnother
from textwave.materials.store import Filter, Material
from textwave.storage.ledger import Ledger

MAKER, OTHER = (
    Librarian("maker", is_administrator=False),
    Librarian("other", is_administrator=False),
)
ADMINISTRATOR = Librarian("administrator", is_administrator=True)
EXAMINED = examine(picture("PNG"))
Add = Callable[..., Awaitable[Material]]
Act = Callable[..., Awaitable[Any]]


@pytest.fixture
def act(web_ledger: Ledger, workspace_id: WorkspaceId) -> Act:
    """Run an operation of the library as the web role, by default as the maker."""

    async def run(operation: Callable[..., Awaitable[Any]], **given: Any) -> Any:
        given = {"librarian": MAKER} | given
        async with web_ledger.transaction(workspace_id) as connection:
            return await operation(connection, workspace_id=workspace_id, **given)

    return run


@pytest.fixture
def add(act: Act) -> Add:
    async def run(name: str, **given: Any) -> Material:
        return await act(
            library.add_material, name=name, examined=EXAMINED, original_size_bytes=7, **given
        )

    return run


async def names(act: Act, librarian: Librarian, **wanted: Any) -> list[str]:
    found = await act(
        library.materials, librarian=librarian, wanted=Filter(**wanted), after=0, limit=100
    )
    return [one.name for one in found]


async def test_a_material_is_kept_with_its_file(
    add: Add, web_ledger: Ledger, workspace_id: WorkspaceId
) -> None:
    made = await add("spring", tags=["a", "b", "a"])
    assert (made.size_bytes, made.width, made.tags) == (len(EXAMINED.content), 100, ["a", "b"])
    async with web_ledger.transaction(workspace_id) as connection:
        assert await store.content(connection, workspace_id, made.id) == EXAMINED.content
        assert await store.thumbnail(connection, workspace_id, made.id) == EXAMINED.thumbnail
    with pytest.raises(AlreadyExists):
        await add("spring")


async def test_a_material_is_seen_by_its_maker_and_administrators_until_it_is_shared(
    act: Act, add: Add
) -> None:
    await add("spring")
    assert await names(act, MAKER) == await names(act, ADMINISTRATOR) == ["spring"]
    assert await names(act, OTHER) == []
    with pytest.raises(NotFound):
        await act(library.change_material, librarian=OTHER, name="spring", shared=True)
    await act(library.change_material, name="spring", shared=True)
    assert await names(act, OTHER) == ["spring"]
    with pytest.raises(MaterialOfAnother, match="added by “maker”"):
        await act(library.delete_material, librarian=OTHER, name="spring")


async def test_materials_are_found_by_kind_tag_maker_and_a_part_of_the_name(
    act: Act, add: Add
) -> None:
    await add("Spring sale", tags=["sale"], shared=True)
    await add("autumn", librarian=OTHER, shared=True)
    assert await names(act, MAKER, tag="sale") == ["Spring sale"]
    assert await names(act, MAKER, text="SPRING") == ["Spring sale"]
    assert await names(act, MAKER, created_by="other") == ["autumn"]
    assert await names(act, MAKER, kind="video") == []


async def test_a_new_name_must_be_free(act: Act, add: Add) -> None:
    await add("spring")
    await add("autumn")
    with pytest.raises(AlreadyExists):
        await act(library.change_material, name="spring", new_name="autumn")
    changed = await act(library.change_material, name="spring", new_name="winter")
    assert changed.name == "winter"


async def test_tags_are_changed_for_all_of_several_materials_or_for_none(
    act: Act, add: Add
) -> None:
    await add("spring", tags=["old", "kept"])
    await add("autumn", tags=[str(number) for number in range(10)])
    with pytest.raises(InvalidValue, match="one would have more"):
        await act(library.tag_materials, names=["spring", "autumn"], added=["new"])
    with pytest.raises(NotFound):
        await act(library.tag_materials, names=["spring", "none"], added=["new"])
    assert (await act(library.material, name="spring")).tags == ["old", "kept"]
    changed = await act(
        library.tag_materials, names=["spring", "autumn"], added=["new"], removed=["old", "3"]
    )
    assert changed[0].tags == ["kept", "new"]
    assert changed[1].tags == [*(str(number) for number in range(10) if number != 3), "new"]


async def test_a_library_takes_no_more_than_its_limit(
    add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    await add("spring")
    monkeypatch.setattr(library, "MOST_BYTES", 2 * len(EXAMINED.content) - 1)
    with pytest.raises(LibraryFull, match="1 materials"):
        await add("autumn")


async def test_a_deleted_material_is_gone_with_its_file(act: Act, add: Add, ledger: Ledger) -> None:
    await add("spring")
    await act(library.delete_material, name="spring")
    assert await names(act, ADMINISTRATOR) == []
    async with ledger.transaction() as connection:
        cursor = await connection.execute("SELECT count(*) FROM material_content")
        assert await cursor.fetchone() == (0,)
