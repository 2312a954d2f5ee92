"""What tests of digital pages share: files in the library, and forms with the session's token."""

import io
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import aiohttp

from tests.materials.files import picture, sound, video
from tests.stage import Stage
from textwave.kit.ids import WorkspaceId
from textwave.materials.examination import examine
from textwave.materials.operations import Librarian, add_material
from textwave.storage.ledger import Ledger


async def keep(
    ledger: Ledger,
    workspace_id: WorkspaceId,
    name: str,
    content: bytes,
    *,
    by: str = "mei",
    tags: Sequence[str] = (),
    shared: bool = True,
) -> None:
    """Put a file into the library, under somebody's name."""
    async with ledger.transaction(workspace_id) as connection:
        await add_material(
            connection,
            workspace_id=workspace_id,
            librarian=Librarian(by, is_administrator=False),
            name=name,
            examined=examine(content),
            original_size_bytes=len(content),
            tags=tags,
            shared=shared,
        )


async def open_counter(stage: Stage) -> None:
    """Set up an account at Alibaba Cloud with a signature, and a library of three files."""
    await stage.set_rows()
    async with stage.ledger.transaction() as connection:
        await connection.execute("UPDATE platform SET kind = 'aliyun', key_id = 'k'")
        await connection.execute("UPDATE signature SET name = '湖畔'")
    poster = picture("PNG", 640, 480, noisy=True)
    for name, content in (("poster", poster), ("clip", video()), ("jingle", sound())):
        await keep(stage.ledger, stage.founding.workspace_id, name, content, tags=["spring"])


async def page_of(client: aiohttp.ClientSession, place: str) -> str:
    """Return a page of the console that is there."""
    async with client.get(f"/console/{place}") as answer:
        assert answer.status == 200, place
        return await answer.text()


async def token_of(client: aiohttp.ClientSession) -> str:
    """Return the session's own token."""
    found = re.search(r'name="token" value="([^"]+)"', await page_of(client, "materials"))
    assert found
    return found[1]


async def send(
    client: aiohttp.ClientSession, place: str, given: Mapping[str, str]
) -> tuple[int, str, str]:
    """Send a form; return the status, where it led, and the page."""
    form = {"token": await token_of(client), **given}
    async with client.post(f"/console/{place}", data=form) as answer:
        return answer.status, str(answer.url.path), await answer.text()


async def upload(
    client: aiohttp.ClientSession, content: bytes, *, token: str | None = None, **given: str
) -> tuple[int, dict[str, str]]:
    """Send a file as the page of adding does; return the status and the answer."""
    headers = {"X-Form-Token": await token_of(client) if token is None else token}
    address = f"/console/materials?{urlencode(given)}"
    async with client.post(address, data=io.BytesIO(content), headers=headers) as answer:
        is_json = answer.headers["content-type"].startswith("application/json")
        return answer.status, await answer.json() if is_json else {}
