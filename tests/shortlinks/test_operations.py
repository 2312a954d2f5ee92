from itertools import count

import pytest

from textwave.kit.refusal import AlreadyExists, InvalidValue, NotFound
from textwave.shortlinks import store
from textwave.shortlinks.links import ShortLink
from textwave.shortlinks.operations import CODE_ATTEMPTS, change_link
from textwave.shortlinks.targets import LongUrlNotAllowed
from textwave.storage.ledger import value

from .conftest import LINKS_URL, NOW, Place


async def change(
    place: Place, *, enabled: bool | None = None, days: int | None = None
) -> ShortLink:
    async with place.people.transaction(place.caller.workspace_id) as connection:
        return await change_link(
            connection,
            workspace_id=place.caller.workspace_id,
            actor="wang",
            name="sale",
            enabled=enabled,
            days=days,
            now=NOW,
        )


async def test_a_short_link_is_made_switched_and_listed(place: Place) -> None:
    made = await place.link()
    assert (made.enabled, (made.expires_at - NOW).days) == (True, 30)
    assert made.url(LINKS_URL) == f"https://d.example.cn/{made.code}"
    assert not (await change(place, enabled=False)).enabled
    assert not (await change(place, enabled=False)).enabled
    assert (await change(place, enabled=True)).enabled
    async with place.people.transaction(place.caller.workspace_id) as connection:
        listed = await store.links(connection, workspace_id=place.caller.workspace_id)
    assert listed == [made]
    assert await place.actions() == ["link.create", "link.disable", "link.enable"]


async def test_a_link_lives_longer_or_shorter_from_now(place: Place) -> None:
    await place.link()
    assert ((await change(place, days=60)).expires_at - NOW).days == 60
    assert ((await change(place, days=1)).expires_at - NOW).days == 1
    with pytest.raises(InvalidValue):
        await change(place, days=3_651)


async def test_the_redirect_finds_a_link_by_its_code(place: Place) -> None:
    made = await place.link()
    async with place.people.transaction() as connection:
        url = await value(connection, "SELECT long_url FROM link_target(%s)", [made.code])
    assert url == "https://shop.example/sale"


async def test_a_code_that_is_taken_is_chosen_again(place: Place) -> None:
    first = await place.link(choose_code=lambda: "aaaaaa")
    spelled = (letter * 6 for letter in "aab")
    second = await place.link("other", choose_code=lambda: next(spelled))
    assert (first.code, second.code) == ("aaaaaa", "bbbbbb")


async def test_codes_that_are_all_taken_end_after_some_attempts(place: Place) -> None:
    await place.link(choose_code=lambda: "aaaaaa")
    tried = count()
    with pytest.raises(RuntimeError, match="no free code"):
        await place.link("other", choose_code=lambda: "a" * 6 if next(tried) < 99 else "b" * 6)
    assert next(tried) == CODE_ATTEMPTS


async def test_a_link_name_that_is_taken_is_refused(place: Place) -> None:
    await place.link()
    with pytest.raises(AlreadyExists):
        await place.link()


@pytest.mark.parametrize("days", [0, -1, 3_651])
async def test_a_lifetime_outside_the_limits_is_refused(place: Place, days: int) -> None:
    with pytest.raises(InvalidValue):
        await place.link(days=days)


async def test_private_addresses_are_refused_unless_allowed(place: Place) -> None:
    with pytest.raises(LongUrlNotAllowed):
        await place.link(long_url="http://127.0.0.1:8600/shop")
    made = await place.link(long_url="http://127.0.0.1:8600/shop", allow_private=True)
    assert made.allows_private


@pytest.mark.parametrize(
    "circle", ["https://d.example.cn/abcdef", "http://D.EXAMPLE.CN:80/x", "https://d.example.cn."]
)
async def test_a_link_to_a_short_link_is_refused_also_where_private_ones_are_allowed(
    place: Place, circle: str
) -> None:
    with pytest.raises(LongUrlNotAllowed, match="circle"):
        await place.link(long_url=circle, allow_private=True)


async def test_a_link_that_is_not_there_cannot_be_changed(place: Place) -> None:
    with pytest.raises(NotFound):
        await change(place, enabled=True)
    with pytest.raises(NotFound):
        await change(place, days=3)


async def test_clicks_are_listed_newest_first_with_whose_they_are(place: Place) -> None:
    made = await place.link()
    async with place.jobs.transaction() as connection:
        for number, human in ((1, True), (2, False), (3, True)):
            await connection.execute(
                "INSERT INTO click (id, workspace_id, link_id, human, judged_by, clicked_at)"
                " VALUES (%s, %s, %s, %s, 'a rule', now())",
                [number, place.caller.workspace_id, made.id, human],
            )

    async def page(before: int | None, *, only_human: bool, limit: int) -> list[int]:
        async with place.people.transaction(place.caller.workspace_id) as connection:
            found = await store.clicks(
                connection,
                workspace_id=place.caller.workspace_id,
                link_id=made.id,
                before=before,
                only_human=only_human,
                limit=limit,
            )
        return [click.id for click in found]

    assert await page(None, only_human=False, limit=2) == [3, 2]
    assert await page(2, only_human=False, limit=2) == [1]
    assert await page(None, only_human=True, limit=9) == [3, 1]
