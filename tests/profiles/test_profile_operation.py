"""Profiles from the request to the result, on real stores."""

from typing import Any

import pytest

from tests.people_stage import PeopleStage
from textwave.audiences.comparison_operations import AudienceNotComputed
from textwave.kit.refusal import NotFound, Refusal
from textwave.profiles.operations import run_profile, start_profile
from textwave.profiles.profile import ColumnNotProfiled
from textwave.storage import progress


async def profiled(shop: PeopleStage, name: str, **options: Any) -> dict[str, Any]:
    """Profile an audience as the web role asks for it; return the result."""
    async with shop.web_ledger.transaction(shop.workspace_id) as connection:
        operation_id = await start_profile(
            connection, workspace_id=shop.workspace_id, name=name, **options
        )
    key: dict[str, Any] = {"workspace_id": shop.workspace_id, "operation_id": operation_id}
    await run_profile(ledger=shop.ledger, warehouse=shop.using.warehouse, **key)
    async with shop.web_ledger.transaction(shop.workspace_id) as connection:
        operation = await progress.read(connection, **key)
    assert operation.result is not None, operation.problem
    return operation.result


async def test_an_audience_is_compared_with_everyone_new_people_included(
    shop: PeopleStage,
) -> None:
    await shop.fill([(f"C{n}", 8615400000000 + n, None) for n in range(8)], city="上海")
    await shop.uploaded("15400000001\n15400000099\n", keeps_unmatched=True)
    found = await profiled(shop, "vip")
    assert (found["size"], found["against_size"]) == (2, 9)
    (city,) = found["columns"]
    told = {one.pop("value"): one for one in city["values"]}
    assert told == {
        "上海": {
            "audience": 1,
            "everyone": 8,
            "share_audience": 0.5,
            "share_everyone": pytest.approx(8 / 9),
            "index": 56.2,
        },
        None: {
            "audience": 1,
            "everyone": 1,
            "share_audience": 0.5,
            "share_everyone": pytest.approx(1 / 9),
            "index": 450.0,
        },
    }


async def test_an_audience_is_compared_with_another_one(shop: PeopleStage) -> None:
    await shop.uploaded("C1\n", id_type="customer", name="one")
    await shop.uploaded("C2\nC3\n", id_type="customer", name="two")
    found = await profiled(shop, "one", against="two", columns=["city"])
    assert (found["size"], found["against"], found["against_size"]) == (1, "two", 2)


async def test_what_cannot_be_profiled_is_refused_at_once(shop: PeopleStage) -> None:
    await shop.uploaded("C1\n", id_type="customer")
    wrong: list[tuple[dict[str, Any], type[Refusal]]] = [
        ({"name": "nobody"}, NotFound),
        ({"name": "vip", "against": "nobody"}, NotFound),
        ({"name": "vip", "columns": ["phone"]}, ColumnNotProfiled),
    ]
    for options, refusal in wrong:
        async with shop.web_ledger.transaction(shop.workspace_id) as connection:
            with pytest.raises(refusal):
                await start_profile(connection, workspace_id=shop.workspace_id, **options)
    async with shop.ledger.transaction() as connection:
        await connection.execute("DELETE FROM snapshot")
        with pytest.raises(AudienceNotComputed):
            await start_profile(connection, workspace_id=shop.workspace_id, name="vip")
