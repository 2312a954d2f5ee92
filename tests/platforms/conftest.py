"""A sandbox on loopback, the adapter on it, and a place that takes what it pushes."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from platform_stage import APPROVED, QUIET, Inbox, Stage

from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.templates import Template
from textwave.platforms.sandbox.world import Sandbox
from textwave.platforms.thirdparty import Limits, ThirdPartyPlatform


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    taken = Inbox()
    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", taken.take)
    async with TestServer(application) as server:
        taken.url = str(server.make_url("")).rstrip("/")
        yield taken


@pytest.fixture
async def stage() -> AsyncIterator[Callable[..., Any]]:
    """Return a function that starts a sandbox with the given settings."""
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Stage:
            settings = SandboxSettings(**(QUIET | changes))
            sandbox = Sandbox(settings)
            sandbox.templates.put(Template(APPROVED, "a", "b", 2, "c", 0.0))
            server = TestServer(build_application(settings, sandbox))
            await stack.enter_async_context(server)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            url = str(server.make_url("")).rstrip("/")
            platform = ThirdPartyPlatform(
                session, url=url, name=settings.name, key=settings.key, limits=Limits(5, 2)
            )
            return Stage(sandbox, url, session, platform)

        yield start
