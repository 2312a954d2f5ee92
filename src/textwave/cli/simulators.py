"""Commands that run simulated platforms; each setting of one is an option of its command."""

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import fields
from typing import Annotated, Any, get_type_hints

import typer

from textwave.cli.logs import configure_logs
from textwave.settings import load_settings

Command = Callable[..., None]


def sandbox_command() -> Command:
    """Return the command that runs a third-party platform."""
    from textwave.platforms.sandbox.settings import SAID, SandboxSettings

    def sandbox(**options: Any) -> None:
        """Run a simulated platform: reviews, receipts, failures, replies, clicks at set rates."""
        from textwave.platforms.sandbox import serve

        _run("The sandbox", lambda say: serve(SandboxSettings(**options), ready=say))

    return _with_options(sandbox, SandboxSettings, SAID)


def aliyun_sandbox_command() -> Command:
    """Return the command that runs the stand-in for Alibaba Cloud."""
    from textwave.platforms.aliyun_sandbox.settings import SAID, StandInSettings

    def aliyun_sandbox(**options: Any) -> None:
        """Run a stand-in for Alibaba Cloud's SMS service and its queues: nothing is really sent."""
        from textwave.platforms.aliyun_sandbox import serve

        _run("The stand-in", lambda say: serve(StandInSettings(**options), ready=say))

    return _with_options(aliyun_sandbox, StandInSettings, SAID)


def _run(name: str, serve: Callable[[Callable[[str], None]], Coroutine[Any, Any, None]]) -> None:
    from textwave.cli.serving import until_stopped

    configure_logs(load_settings().log_format)

    def say(url: str) -> None:
        print(f"{name} answers at {url}", flush=True)

    asyncio.run(until_stopped(lambda: serve(say)))


def _with_options(command: Command, settings: type[Any], said: Mapping[str, str]) -> Command:
    """Give a command one option for each setting."""
    types = get_type_hints(settings)
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined] - read by Typer
        [
            inspect.Parameter(
                field.name,
                inspect.Parameter.KEYWORD_ONLY,
                default=field.default,
                annotation=Annotated[
                    types[field.name], typer.Option(show_default=True, help=said[field.name])
                ],
            )
            for field in fields(settings)
        ]
    )
    command.__annotations__ = {field.name: types[field.name] for field in fields(settings)}
    return command
