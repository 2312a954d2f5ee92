"""The demo's platform: a simulated one in a process of its own, found again by the next run.

It keeps its port and its approved templates, so that what was set up against it goes on working.
Each kind has a process and an account of its own: both may be used over one data folder.
"""

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import psutil

from textwave.cli.installation import Addresses, is_same_process
from textwave.kit.refusal import Refusal

SIGNATURE: Final = "Lakeside"
OPT_OUT_TEXT: Final = "拒收请回复R"
_ALIYUN_KEY_ID: Final = "demo-key-id"
_START_SECONDS: Final = 30.0


class Kind(StrEnum):
    """Which kind of platform the demo sends through."""

    THIRDPARTY = "thirdparty"
    ALIYUN = "aliyun"


COMMANDS: Final = {Kind.THIRDPARTY: "sandbox", Kind.ALIYUN: "aliyun-sandbox"}
"""The command that runs a kind; its account in Textwave has the same name."""


@dataclass(eq=False)
class SandboxDidNotStart(Refusal):
    """The simulated platform does not answer."""

    code: ClassVar[str] = "sandbox_did_not_start"
    url: str
    log: str

    @property
    def sentence(self) -> str:
        return f"The sandbox does not answer at {self.url}. Its log is {self.log}."


@dataclass(frozen=True, slots=True)
class SandboxProcess:
    """A running sandbox: who it is, where it answers, and its key."""

    pid: int
    started_at: float
    port: int
    key: str
    kind: Kind = Kind.THIRDPARTY

    @property
    def name(self) -> str:
        """What its account in Textwave is called."""
        return COMMANDS[self.kind]

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def alive(self) -> bool:
        """Tell whether it is still that very process."""
        return is_same_process(self.pid, self.started_at)

    def counts(self) -> dict[str, Any]:
        """Ask what it really received: the witness."""
        return _ask(f"{self.url}/sandbox/counts")

    def account(self) -> dict[str, Any]:
        """Return the account in Textwave that belongs to it, as the API takes it."""
        account = {
            "name": self.name,
            "kind": self.kind.value,
            "base_url": self.url,
            "key": self.key,
            "opt_out_text": OPT_OUT_TEXT,
            "price_milli": 45,
        }
        if self.kind is Kind.THIRDPARTY:
            return {**account, "rate_per_second": 50_000}
        return {
            **account,
            "key_id": _ALIYUN_KEY_ID,
            "rate_per_second": 20_000,
            # The demo's account was granted what a usual one is not: variables in promotions
            "capabilities": ["variables", "short_links", "click_tokens", "opt_out_text"],
            "options": {
                "company_name": "Lakeside Tea",
                "organization_code": "91330000MA00000000",
                "icp_number": "00000000",
                "icp_picture": "demo/icp.png",
            },
        }

    def push_to(self, web: str, addresses: Mapping[str, str]) -> None:
        """Enter at Alibaba's stand-in where its reports go; the other sandbox knows by itself.

        `web` is where Textwave answers on this machine, whatever its public address is.
        """
        if self.kind is Kind.ALIYUN:
            path = urlsplit(addresses["SmsReport"]).path.removesuffix("/SmsReport")
            _ask(f"{self.url}/sandbox/settings", {"push_url": web + path})

    def stop(self) -> None:
        """End it, if it still runs."""
        if self.alive:
            process = psutil.Process(self.pid)
            process.terminate()
            process.wait(10)


def start_sandbox(folder: Path, addresses: Addresses, *, kind: Kind, seed: int) -> SandboxProcess:
    """Return the sandbox of this data folder and kind, started if it does not run.

    Raises:
        SandboxDidNotStart: it does not answer within half a minute.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = _known(folder, kind)
    if known and known.alive:
        if kind is Kind.THIRDPARTY:
            _ask(f"{known.url}/sandbox/settings", {"textwave_url": addresses.web})
        return known
    port = _port(known.port if known else 0)
    key = known.key if known else secrets.token_urlsafe(18)
    log = folder / f"{COMMANDS[kind]}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(folder, addresses, kind=kind, port=port, key=key, seed=seed),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    began = psutil.Process(process.pid).create_time()
    started = SandboxProcess(process.pid, began, port, key, kind)
    _until_it_answers(started, log)
    kept = _kept(folder, kind)
    descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(started), file)
    return started


def stop_sandboxes(folder: Path) -> bool:
    """End the sandboxes of a data folder; tell whether one ran."""
    known = [found for kind in Kind if (found := _known(folder, kind))]
    ran = any(one.alive for one in known)
    for one in known:
        one.stop()
    return ran


def _kept(folder: Path, kind: Kind) -> Path:
    return folder / f"{COMMANDS[kind]}.json"


def _known(folder: Path, kind: Kind) -> SandboxProcess | None:
    kept = _kept(folder, kind)
    if not kept.exists():
        return None
    return SandboxProcess(**(json.loads(kept.read_text("utf-8")) | {"kind": kind}))


def _command(
    folder: Path, addresses: Addresses, *, kind: Kind, port: int, key: str, seed: int
) -> list[str | Path]:
    of_kind = {
        Kind.THIRDPARTY: {
            "name": COMMANDS[kind],
            "key": key,
            "push-key": key,
            "textwave-url": addresses.web,
            "templates-file": folder / "sandbox-templates.json",
            "rate-per-second": 50_000,
            "max-batch": 100,
        },
        Kind.ALIYUN: {
            "key-id": _ALIYUN_KEY_ID,
            "key-secret": key,
            "signatures": SIGNATURE,
            "state-file": folder / "aliyun-sandbox-state.json",
        },
    }
    usual = {"port": port, "links-url": addresses.links, "seed": seed, "throttled": 0.01}
    options = usual | of_kind[kind]
    written = [str(part) for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-P", "-m", "textwave.cli", COMMANDS[kind], *written]


def _until_it_answers(sandbox: SandboxProcess, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and sandbox.alive:
        try:
            sandbox.counts()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SandboxDidNotStart(sandbox.url, str(log))


def _ask(url: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - loopback
        found: dict[str, Any] = json.loads(answer.read())
    return found


def _port(wanted: int) -> int:
    from textwave.cli.serving import PortTaken, free_port

    try:
        return free_port("127.0.0.1", wanted)
    except PortTaken:
        return free_port("127.0.0.1", 0)
