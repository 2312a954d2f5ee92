"""What a process is given, and what it refuses to start with."""

from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from textwave.accounts.operations import Founding
from textwave.settings import Settings
from textwave.storage.embedded import DatabaseUrls
from textwave.wiring import MasterKeyDiffers, open_runtime


@pytest.mark.parametrize("role", ["owner", "web"])
async def test_a_key_of_another_installation_is_refused(
    urls: DatabaseUrls, founding: Founding, tmp_path: Path, role: str
) -> None:
    assert founding.api_key
    settings = Settings(data=tmp_path / "another")
    with pytest.raises(MasterKeyDiffers, match=r"another/master\.key"):
        async with open_runtime(settings, urls, role=role):
            pass


async def test_machines_share_one_folder_and_have_one_of_their_own(
    urls: DatabaseUrls, founding: Founding, tmp_path: Path
) -> None:
    assert founding.api_key  # sealed with the key in tmp_path
    settings = Settings(data=tmp_path / "machine", shared=tmp_path)
    async with open_runtime(settings, urls, role="owner") as runtime:
        assert runtime.warehouse.data_path == f"{tmp_path}/lake/"
        assert runtime.warehouse.spill_folder == tmp_path / "machine" / "spill"
    made = {path.name for path in (tmp_path / "machine").iterdir()}
    assert made == {"spill", "log", "demo"}
    assert {"uploads", "downloads", "lake", "master.key"} <= {p.name for p in tmp_path.iterdir()}


async def test_what_a_platform_sets_as_a_cookie_is_not_kept(
    urls: DatabaseUrls, founding: Founding, tmp_path: Path
) -> None:
    assert founding.api_key
    came: list[str] = []

    async def page(request: web.Request) -> web.Response:
        came.append(request.headers.get("Cookie", ""))
        return web.Response(headers={"Set-Cookie": "visitor=1"})

    application = web.Application()
    application.router.add_get("/", page)
    async with (
        open_runtime(Settings(data=tmp_path), urls, role="web") as runtime,
        TestServer(application, host="localhost") as server,
    ):
        for _ in range(2):
            async with runtime.http.get(f"http://localhost:{server.port}/") as answer:
                assert answer.status == 200
    assert came == ["", ""]
