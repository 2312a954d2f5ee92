import asyncio
from dataclasses import replace

import pytest

from textwave.accounts.key_operations import AdministratorNeeded
from textwave.kit.refusal import InvalidValue, NotFound
from textwave.shortlinks import domain_operations, store
from textwave.shortlinks.domains import LinkDomain
from textwave.storage.ledger import value

from .conftest import LINKS_URL, NOW, Place


async def add(place: Place, address: str, *, is_default: bool = False) -> LinkDomain:
    async with place.people.transaction(place.caller.workspace_id) as connection:
        return await domain_operations.add_domain(
            connection, caller=place.caller, address=address, is_default=is_default
        )


async def choose(place: Place, host: str | None) -> list[tuple[str, bool]]:
    async with place.people.transaction(place.caller.workspace_id) as connection:
        found = await domain_operations.choose_default(connection, caller=place.caller, host=host)
    return [(one.host, one.is_default) for one in found]


async def retire(place: Place, host: str) -> LinkDomain:
    async with place.people.transaction(place.caller.workspace_id) as connection:
        return await domain_operations.retire_domain(
            connection, caller=place.caller, host=host, now=NOW
        )


async def test_new_links_begin_with_the_default_domain_and_old_ones_keep_theirs(
    place: Place,
) -> None:
    first = await place.link("first")
    await add(place, "https://one.example", is_default=True)
    second = await place.link("second")
    await add(place, "http://two.example:8080/", is_default=True)
    third = await place.link("third")
    named = await place.link("named", domain="one.example")
    async with place.people.transaction(place.caller.workspace_id) as connection:
        kept = await store.links(connection, workspace_id=place.caller.workspace_id)
    assert [link.url(LINKS_URL).rpartition("/")[0] for link in kept] == [
        LINKS_URL,
        "https://one.example",
        "http://two.example:8080",
        "https://one.example",
    ]
    assert [link.code for link in kept] == [first.code, second.code, third.code, named.code]


async def test_the_default_moves_and_can_be_taken_away(place: Place) -> None:
    await add(place, "one.example", is_default=True)
    await add(place, "two.example")
    assert await choose(place, "two.example") == [("two.example", True), ("one.example", False)]
    assert await choose(place, None) == [("one.example", False), ("two.example", False)]
    assert (await place.link()).domain is None


async def test_a_retired_domain_gets_no_links_until_it_is_added_again(place: Place) -> None:
    await add(place, "one.example", is_default=True)
    made = await place.link("before")
    retired = await retire(place, "one.example")
    assert (retired.retired_at, retired.is_default, retired.links) == (NOW, False, 1)
    assert (await place.link("after")).domain is None
    with pytest.raises(InvalidValue, match="retired"):
        await place.link("named", domain="one.example")
    with pytest.raises(InvalidValue, match="retired"):
        await choose(place, "one.example")
    async with place.people.transaction(place.caller.workspace_id) as connection:
        codes = await store.links_of_codes(
            connection, workspace_id=place.caller.workspace_id, codes=[made.code]
        )
    assert codes[made.code].url(LINKS_URL) == f"https://one.example/{made.code}"
    assert (await add(place, "one.example")).retired_at is None
    assert (await place.link("again", domain="one.example")).domain == "https://one.example"


@pytest.mark.parametrize(
    "address",
    ["", "https://", "ftp://d.example", "https://d.example/path", "https://d.example?x", "a b",
     "https://user@d.example", "https://[2001:4860:4860::8888]", "x" * 101, "https://d.invalid"],
)  # fmt: skip
async def test_what_is_no_bare_domain_is_refused(place: Place, address: str) -> None:
    with pytest.raises(InvalidValue):
        await add(place, address)


async def test_a_domain_that_nobody_added_is_not_found(place: Place) -> None:
    for attempt in (choose(place, "x.example"), retire(place, "x.example")):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(NotFound):
        await place.link(domain="x.example")


async def test_only_administrators_change_domains(place: Place) -> None:
    marketer = replace(place, caller=replace(place.caller, is_administrator=False))
    for attempt in (add(marketer, "x.example"), choose(marketer, None), retire(marketer, "x")):
        with pytest.raises(AdministratorNeeded):
            await attempt


async def test_the_domain_of_another_organization_is_refused_and_not_shown(place: Place) -> None:
    async with place.jobs.transaction() as connection:
        other = await value(
            connection, "INSERT INTO organization (name) VALUES ('other') RETURNING id"
        )
        await connection.execute(
            "INSERT INTO link_domain (organization_id, host, address, is_default)"
            " VALUES (%s, 'theirs.example', 'https://theirs.example', true)",
            [other],
        )
    with pytest.raises(InvalidValue, match="another organization"):
        await add(place, "theirs.example")
    assert await choose(place, None) == []
    assert (await place.link()).domain is None


async def test_of_two_who_choose_a_default_at_once_the_later_wins_and_there_is_one(
    place: Place,
) -> None:
    await add(place, "one.example")
    await add(place, "two.example")
    await asyncio.gather(*(choose(place, f"{name}.example") for name in ("one", "two") * 5))
    async with place.people.transaction(place.caller.workspace_id) as connection:
        found = await store.domains(connection, workspace_id=place.caller.workspace_id)
    assert [one.is_default for one in found] == [True, False]
