"""Run the sandbox as a program until it is told to stop."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from textwave.platforms.sandbox.application import build_application
from textwave.platforms.sandbox.settings import SandboxSettings

SHUTDOWN_SECONDS = 2.0


async def serve(settings: SandboxSettings, *, ready: Callable[[str], None] | None = None) -> None:
    """Serve until cancelled; `ready` is called once with the base URL."""
    await run(build_application(settings), host=settings.host, port=settings.port, ready=ready)


async def run(
    application: web.Application,
    *,
    host: str,
    port: int,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve an application until cancelled; port 0 takes a free one."""
    runner = web.AppRunner(
        application, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, handle_signals=False
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        if ready is not None:
            bound = runner.addresses[0][1]
            shown = f"[{host}]" if ":" in host else host
            ready(f"http://{shown}:{bound}")
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
