"""The example gateway keeps every rule of the battery, and forgets nothing when it is killed."""

import importlib.util
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from textwave.platforms.conformance import check
from textwave.platforms.contract import (
    MessageType,
    OutgoingMessage,
    SendRequest,
    TemplateSubmission,
)
from textwave.platforms.outcomes import Outcome
from textwave.platforms.thirdparty import ThirdPartyPlatform

EXAMPLE = Path(__file__).parents[2] / "examples" / "gateway.py"
NAME = "example"
TEMPLATE = TemplateSubmission("welcome", "hello", MessageType.promotional, "a greeting")


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_gateway", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their names
    spec.loader.exec_module(module)
    return module


@contextmanager
def running(example: ModuleType, folder: Path, **settings: Any) -> Generator[str]:
    """Run the gateway over a file in a folder, and yield its address."""
    stop = threading.Event()
    database = str(folder / "gateway.sqlite")
    gateway = example.Gateway(example.Settings(NAME, "secret", database=database, **settings))
    server = example.server_of(gateway, "127.0.0.1", 0)
    threads = [threading.Thread(target=server.serve_forever, args=[0.05])]
    if settings:
        threads.append(threading.Thread(target=gateway.push, args=[stop]))
    with ExitStack() as stack:
        stack.callback(gateway.ledger.close)
        stack.callback(server.server_close)
        for thread in threads:
            thread.start()
            stack.callback(thread.join)
        stack.callback(server.shutdown)
        stack.callback(stop.set)
        yield f"http://127.0.0.1:{server.server_address[1]}"


async def test_the_example_gateway_keeps_every_rule(example: ModuleType, tmp_path: Path) -> None:
    place = f"127.0.0.1:{unused_port()}"
    with running(example, tmp_path, textwave=f"http://{place}", push_again_seconds=(0.1,)) as url:
        findings = await check(url, "secret", name=NAME, listen=place, wait_seconds=1)
    assert [finding for finding in findings if not finding.passed] == []
    checked = {finding.rule for finding in findings if finding.checked}
    assert {"refused_push_comes_again", "same_batch_at_once_is_sent_once"} <= checked


async def test_the_example_gateway_remembers_a_batch_over_a_restart(
    example: ModuleType, tmp_path: Path
) -> None:
    async with aiohttp.ClientSession() as session:

        def platform(url: str) -> ThirdPartyPlatform:
            return ThirdPartyPlatform(session, url=url, name=NAME, key="secret")

        with running(example, tmp_path) as url:
            code = await platform(url).submit_template(TEMPLATE)
            sent = await platform(url).send(request(code, 1))
        with running(example, tmp_path) as url:
            again = await platform(url).send(request(code, 2))
            receipts = (await platform(url).receipts("")).items
    assert (sent.outcome, sent.refused) == (Outcome.accepted, {})
    assert [receipt.message_id for receipt in receipts] == [1]
    assert list(again.refused) == [2]  # it got the first answer, which does not speak of it


def request(code: str, identity: int) -> SendRequest:
    message = OutgoingMessage(identity, 8615412345678, "hello", {})
    return SendRequest("batch-1", "Textwave", code, MessageType.promotional, [message])
