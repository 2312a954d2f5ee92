"""Commands that start and stop processes of an installation, and look at its data folder.

What a command needs is imported when it runs: most of it is heavy.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import psutil
import typer

from textwave.cli.installation import (
    Addresses,
    Running,
    forget_running,
    read_api_key,
    read_running,
)
from textwave.cli.logs import configure_logs
from textwave.cli.options import AsJson
from textwave.kit.refusal import Refusal
from textwave.settings import Settings, load_settings

if TYPE_CHECKING:
    from textwave.wiring import Runtime

STOP_SECONDS = 40.0
_LOOK_SECONDS = 0.05
Supervised = Annotated[bool, typer.Option("--supervised", hidden=True)]


@dataclass(eq=False)
class CouldNotStart(Refusal):
    """`up --detach` did not become ready; the sentence is what stopped it."""

    code: ClassVar[str] = "could_not_start"
    reason: str

    @property
    def sentence(self) -> str:
        return self.reason


@dataclass(eq=False)
class DidNotStop(Refusal):
    """The installation did not stop in the time that it has."""

    code: ClassVar[str] = "did_not_stop"
    pid: int
    seconds: float

    @property
    def sentence(self) -> str:
        return f"Process {self.pid} did not stop in {self.seconds:.0f} seconds. Look at its log."


def up(
    detach: Annotated[bool, typer.Option(help="Return when all is ready.")] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=0, max=64, help="Worker processes; default: TEXTWAVE_WORKERS."),
    ] = None,
    report_to: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start everything on this machine: database, API, redirect and workers."""
    settings = load_settings()
    count = settings.workers if workers is None else workers
    if detach:
        _print_addresses(_start_detached(settings, count))
        return
    from textwave.cli.supervisor import supervise

    def announce(addresses: Addresses) -> None:
        if report_to is None:
            _print_addresses(addresses)
        else:
            _report(report_to, {"web": addresses.web, "links": addresses.links})

    configure_logs(settings.log_format if report_to is not None else "text")
    try:
        asyncio.run(
            supervise(
                settings,
                workers=count,
                log_to_files=report_to is not None,
                announce=announce,
            )
        )
    except Refusal as refusal:
        if report_to is None:
            raise
        _report(report_to, {"error": refusal.sentence})
        raise


def down() -> None:
    """Stop what `textwave up` started from this data folder; harmless when nothing runs."""
    settings = load_settings()
    data = settings.data.resolve()
    from textwave.demo.platform import stop_sandboxes

    if stop_sandboxes(data / "demo"):
        print("The demo's sandbox stopped.")
    running = read_running(data)
    if running is None:
        print(f"Nothing runs from {data}.")
        return
    if running.alive:
        _stop(running)
        print("Stopped.")
        return
    if running.owns_database:
        from textwave.storage.embedded import embedded_postgres

        embedded_postgres(data).stop()
    forget_running(data)
    print(f"Nothing ran from {data} any more; what an earlier run left was put away.")


def web(supervised: Supervised = False) -> None:
    """Serve the API and the console."""
    settings = _begin(supervised)
    from textwave.api.app import create_app
    from textwave.cli.serving import serve

    async def work() -> None:
        async with _runtime(settings) as runtime:
            port = _own_port(settings.web_host, settings.web_port, supervised=supervised)
            await serve(create_app(runtime), host=settings.web_host, port=port)

    _run(work())


def links(supervised: Supervised = False) -> None:
    """Serve the redirect of short links."""
    settings = _begin(supervised)
    from textwave.cli.serving import serve
    from textwave.kit.clock import SystemClock
    from textwave.links.app import Site, build
    from textwave.wiring import database_urls, links_url, prepare_data_folder

    prepare_data_folder(settings)
    site = Site(links_url(settings), settings.links_client_header or "")
    application = build(database_url=database_urls(settings).web, clock=SystemClock(), site=site)
    port = _own_port(settings.links_host, settings.links_port, supervised=supervised)
    _run(serve(application, host=settings.links_host, port=port, lifespan=True))


def worker(supervised: Supervised = False) -> None:
    """Run jobs: import, audience, plan, dispatch, responses, housekeeping."""
    settings = _begin(supervised)
    from textwave.wiring import database_urls
    from textwave.worker import run_worker

    _run(run_worker(settings, database_urls(settings)))


def migrate_database() -> None:
    """Bring the database to the current schema."""
    from textwave.storage.migrate import migrate
    from textwave.wiring import database_urls, prepare_data_folder

    settings = load_settings()
    prepare_data_folder(settings)
    applied = migrate(database_urls(settings).owner)
    print(f"{applied} migrations applied." if applied else "The database is up to date.")


def show_key() -> None:
    """Print the API key that the first start wrote into the data folder."""
    print(read_api_key(load_settings().data.resolve()))


def list_settings(as_json: AsJson = False) -> None:
    """List all settings, their values and where each comes from; secrets stay hidden."""
    from textwave.cli.output import print_json, print_rows

    rows = setting_rows(load_settings(), os.environ)
    if as_json:
        print_json(rows)
        return
    as_written = [
        row | {"value": "" if row["value"] is None else str(row["value"])} for row in rows
    ]
    print_rows(as_written, ("name", "value", "source", "description"))


def setting_rows(settings: Settings, environment: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return one row a setting: name, value, source, description."""
    rows: list[dict[str, Any]] = []
    for field, described in Settings.model_fields.items():
        name = f"TEXTWAVE_{field.upper()}"
        value = getattr(settings, field)
        source = "default"
        if environment.get(name + "_FILE"):
            source = "file"
        elif environment.get(name):
            source = "environment"
        shown = value if value is None or isinstance(value, bool | int | float) else str(value)
        rows.append(
            {"name": name, "value": shown, "source": source, "description": described.description}
        )
    return rows


def _run(work: Coroutine[Any, Any, None]) -> None:
    import uvloop

    uvloop.run(work)


def _begin(supervised: bool) -> Settings:
    from textwave.cli.serving import end_with_parent

    settings = load_settings()
    configure_logs(settings.log_format)
    if supervised:
        end_with_parent()
    return settings


@asynccontextmanager
async def _runtime(settings: Settings) -> "AsyncGenerator[Runtime, None]":
    from textwave.wiring import database_urls, open_runtime, prepare_data_folder

    prepare_data_folder(settings)
    async with open_runtime(settings, database_urls(settings), role="web") as runtime:
        yield runtime


def _own_port(host: str, wanted: int, *, supervised: bool) -> int:
    from textwave.cli.serving import address_of, claim_port

    if supervised:
        return wanted  # claimed by the supervisor
    port = claim_port(host, wanted)
    print(address_of(host, port), flush=True)
    return port


def _start_detached(settings: Settings, workers: int) -> Addresses:
    from textwave.cli.child import keep_short
    from textwave.wiring import prepare_data_folder

    data = prepare_data_folder(settings)
    log_file = data / "log" / "up.log"
    keep_short(log_file)
    reading, writing = os.pipe()
    with log_file.open("ab") as output:
        process = subprocess.Popen(
            [
                sys.executable, "-P", "-m", "textwave.cli",
                "up", "--workers", str(workers), "--report-to", str(writing),
            ],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=[writing],
            start_new_session=True,
        )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading, encoding="utf-8") as reports:
            return _reported(reports.readline(), log_file)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        raise


def _reported(line: str, log_file: Path) -> Addresses:
    report: dict[str, str] = json.loads(line) if line else {}
    if "web" in report:
        return Addresses(report["web"], report["links"])
    raise CouldNotStart(report.get("error", f"Textwave did not start; its log is {log_file}."))


def _report(descriptor: int, report: dict[str, str]) -> None:
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(report) + "\n")


def _print_addresses(addresses: Addresses) -> None:
    print(f"Console and API  {addresses.web}\nShort links      {addresses.links}", flush=True)


def _stop(running: Running) -> None:
    try:
        supervisor = psutil.Process(running.pid)
        supervisor.send_signal(signal.SIGTERM)
    except psutil.NoSuchProcess:
        return
    deadline = time.monotonic() + STOP_SECONDS
    while running.alive:
        if time.monotonic() > deadline:
            raise DidNotStop(running.pid, STOP_SECONDS)
        time.sleep(_LOOK_SECONDS)
