"""Pulled pages: what can be read of them is merged, the rest is kept, and nothing is held up."""

import json
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.responses.conftest import SendCampaign
from textwave.kit.ids import PlatformId
from textwave.platforms.thirdparty import ThirdPartyPlatform
from textwave.responses.operations import merge_receipts
from textwave.responses.pull_operations import pull_receipts
from textwave.storage.ledger import Ledger


async def test_an_item_that_cannot_be_read_is_kept_and_holds_up_no_page(
    ledger: Ledger, send_campaign: SendCampaign
) -> None:
    sent = await send_campaign(size=3)
    first = [sent.receipt(0), sent.receipt(1, "ON ITS WAY"), sent.receipt(2)]
    pages: dict[str, tuple[list[Any], str]] = {"": (first, "3"), "3": ([], "3")}

    async def handler(request: web.Request) -> web.Response:
        items, following = pages[request.query["after"]]
        said = {"platformName": "p", "code": "OK", "items": items, "next": following}
        return web.json_response(said)

    application = web.Application()
    application.router.add_get("/sms/receipts", handler)
    async with TestServer(application) as server, aiohttp.ClientSession() as session:
        platform = ThirdPartyPlatform(session, url=str(server.make_url("")), name="p", key="")
        platform_id = PlatformId(sent.platform_id)
        pulled = [
            await pull_receipts(ledger, platform_id=platform_id, platform=platform)
            for _ in range(2)
        ]
    merged = await merge_receipts(ledger)
    assert (pulled, merged.changed) == ([2, 0], 2)
    async with ledger.transaction() as connection:
        statement = "SELECT problem, body FROM callback_inbox WHERE problem IS NOT NULL"
        found = await (await connection.execute(statement)).fetchall()
    ((problem, body),) = found
    assert "1 of 1 items were left out. The first: item 0, `status`: “ON ITS WAY”" in problem
    assert json.loads(body) == [first[1]]
