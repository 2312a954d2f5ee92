"""A sandbox for every test that sends."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from tests.dispatch.show import CALM, Show
from tests.stage import Stage
from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings
from textwave.platforms.sandbox.templates import Template
from textwave.platforms.sandbox.world import Sandbox

StartShow = Callable[..., Awaitable[Show]]


@pytest.fixture
async def show(stage: Stage) -> AsyncIterator[StartShow]:
    async with AsyncExitStack() as stack:

        async def start(**changes: Any) -> Show:
            settings = SandboxSettings(**(CALM | changes))
            sandbox = Sandbox(settings)
            sandbox.templates.put(Template("T1", "welcome", "text", 2, "a greeting", 0.0))
            server = TestServer(build_application(settings, sandbox))
            await stack.enter_async_context(server)
            session = await stack.enter_async_context(aiohttp.ClientSession())
            stage.platform_url = str(server.make_url("")).rstrip("/")
            return Show(stage, sandbox, session)

        yield start
