"""Run the stand-in as a program until it is told to stop."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from textwave.platforms.aliyun_sandbox.application import build_application
from textwave.platforms.aliyun_sandbox.settings import StandInSettings
from textwave.platforms.aliyun_sandbox.world import StandIn

SHUTDOWN_SECONDS = 2.0
LINE_BYTES_MAX = 4 * 1024 * 1024
"""The official client puts a thousand numbers, and whole pictures, into the query."""


async def serve(settings: StandInSettings, *, ready: Callable[[str], None]) -> None:
    """Serve until cancelled; `ready` is called once with the URL."""
    async with running(StandIn(settings)) as url:
        ready(url)
        await asyncio.Event().wait()


@asynccontextmanager
async def running(stand_in: StandIn) -> AsyncGenerator[str]:
    """Serve a stand-in inside the block, whose value is the URL."""
    settings = stand_in.settings
    runner = web.AppRunner(
        build_application(settings, stand_in),
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        handle_signals=False,
        max_line_size=LINE_BYTES_MAX,
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
