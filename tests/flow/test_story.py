"""The product in one story: a real installation, a simulated platform, everything over HTTP.

A marketer imports her customers, picks whom to write to, writes a text, has it approved, tries it
dry, sends it; people read, click and answer; who answers T is never written to again.
"""

import csv
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.faults.theatre import SandboxProcess, sandbox
from tests.stage import KEY
from textwave.cli.client import Api
from textwave.cli.installation import read_api_key, read_running
from textwave.storage.embedded import embedded_postgres

pytestmark = pytest.mark.slow
CUSTOMERS = 200


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A whole installation of its own: `textwave up --detach`, at the end `textwave down`."""
    data = tmp_path / "data"
    for name, value in {"DATA": str(data), "WEB_PORT": "0", "LINKS_PORT": "0"}.items():
        monkeypatch.setenv(f"TEXTWAVE_{name}", value)
    textwave = [sys.executable, "-P", "-m", "textwave.cli"]
    subprocess.run([*textwave, "up", "--detach"], check=True, timeout=180)
    running = read_running(data)
    assert running is not None
    yield Api(running.addresses.web, read_api_key(data))
    subprocess.run([*textwave, "down"], check=True, timeout=120)
    shutil.rmtree(embedded_postgres(data).cluster)  # as root it may lie outside the test's folder


@pytest.fixture
def platform(api: Api, tmp_path: Path) -> Iterator[SandboxProcess]:
    """A platform that delivers everything and opens every tenth link."""
    with sandbox(
        tmp_path, push_key=KEY, textwave_url=api.url, review_seconds=0.2, click_rate=0.2,
        receipt_seconds=(0.0, 0.5), delivered=1.0, failed=0.0, expired=0.0, no_receipt=0.0,
        bad_number=0.0, blacklisted=0.0, reply_rate=0.0, opt_out_reply_rate=0.0,
    ) as running:  # fmt: skip
        yield running


def test_a_campaign_from_the_customer_file_to_the_effect(
    api: Api, platform: SandboxProcess, tmp_path: Path
) -> None:
    # She imports her customers and their orders.
    customers = done(api, upload(api, "customers", "customers", shop(tmp_path)))
    orders = done(api, upload(api, "orders", "orders", tmp_path / "orders.csv"))
    assert (customers["rows_kept"], orders["rows_kept"]) == (CUSTOMERS, CUSTOMERS)

    # She picks whom to write to: who lives in Shanghai and has ordered lately.
    rule = {
        "kind": "all",
        "of": [
            {"kind": "attribute", "column": "city", "operator": "is", "value": "Shanghai"},
            {"kind": "orders", "table": "orders", "within": {"last_days": 30}},
        ],
    }
    api.post("/api/audiences", {"name": "lately", "table": "customers", "rule": rule})
    assert done(api, api.post("/api/audiences/lately/snapshots"))["size"] == CUSTOMERS // 2

    # Her company's platform, her signature, a short link, and a text with a link for each person.
    account = {
        "name": "sandbox",
        "base_url": platform.url,
        "key": KEY,
        "opt_out_text": "拒收请回复R",
    }
    api.post("/api/platforms", account)
    api.post("/api/signatures", {"platform": "sandbox", "name": "Lakeside"})
    until(lambda: api.get("/api/signatures")["items"][0]["state"] == "approved")
    link = api.post("/api/links", {"name": "sale", "long_url": "https://shop.example.com/sale"})
    template = {
        "name": "sale", "platform": "sandbox", "type": "promotional", "remark": "for members",
        "content": "Hello ${name}, it is sale: " + link["url"] + "/${sp_sale} ",
    }  # fmt: skip
    api.post("/api/templates", template)
    api.post("/api/templates/sale/submit")

    # She may start while the platform still reviews the text: it goes by itself when approved.
    campaign = {
        "name": "Sale", "type": "promotional", "platform": "sandbox", "signature": "Lakeside",
        "template": "sale", "audience": "lately",
        "variables": {"name": {"column": "first_name", "missing": "default", "default": "you"}},
    }  # fmt: skip
    api.post("/api/campaigns", campaign)
    plan = done(api, api.post("/api/campaigns/Sale/dry-run"))
    assert (plan["messages"], plan["drops"]) == (99, {"duplicate number": 1})
    api.post("/api/campaigns/Sale/start")

    # Everybody gets one message with a text of his own; every recipient is accounted for.
    effect = until(lambda: settled(api.get("/api/campaigns/Sale/report"), clicks=1))
    received = witnessed(platform)
    assert effect["state"] == "completed"
    assert effect["audience"] == effect["messages"] + sum(effect["drops"].values()) == 100
    assert (effect["delivered"], effect["failed"], effect["in_doubt"]) == (99, 0, 0)
    assert len({message["content"] for message in received}) == 99
    assert all(message["content"].endswith("拒收请回复R") for message in received)
    assert effect["clickers"] > 0

    # One person answers T. Her next campaign leaves that person out.
    number = received[-1]["phoneNumber"]
    answer(platform, number, "T")
    until(lambda: api.get("/api/opt-outs")["items"])
    [reply] = api.get("/api/replies")["items"]
    assert (reply["intent"], reply["mobile"][-4:]) == ("opt out", number[-4:])
    api.post("/api/campaigns", {**campaign, "name": "Sale again"})
    api.post("/api/campaigns/Sale%20again/start")
    again = until(lambda: settled(api.get("/api/campaigns/Sale%20again/report")))
    assert again["drops"] == {"duplicate number": 1, "opted out": 1}
    assert (again["messages"], platform.counts()["twice"]) == (98, 0)


def shop(folder: Path) -> Path:
    """Write customers, every second of them in Shanghai, and one order each of last week."""
    last_week = datetime.now(UTC) - timedelta(days=7)
    with (folder / "orders.csv").open("w", newline="") as file:
        orders = csv.writer(file)
        orders.writerow(["order_no", "customer_id", "ordered_at", "amount"])
        orders.writerows([n, f"c{n}", last_week.isoformat(), 10 + n] for n in range(CUSTOMERS))
    with (folder / "customers.csv").open("w", newline="") as file:
        customers = csv.writer(file)
        customers.writerow(["customer_id", "mobile", "first_name", "city"])
        for n in range(CUSTOMERS):
            number = 15412340000 + (0 if n == 2 else n)  # customers 0 and 2 share a phone
            name = f"Name{n}" if n % 5 else ""
            customers.writerow([f"c{n}", number, name, ("Shanghai", "Hangzhou")[n % 2]])
    return folder / "customers.csv"


def upload(api: Api, table: str, kind: str, file: Path) -> dict[str, Any]:
    return api.upload(f"/api/tables/{table}/imports", file, {"kind": kind}, lambda _: None)


def done(api: Api, operation: dict[str, Any]) -> dict[str, Any]:
    return api.finished(operation, lambda _: None, every_seconds=5)


def settled(report: dict[str, Any], clicks: int = 0) -> dict[str, Any] | None:
    ended = report["state"] == "completed" and report["waiting"] == 0
    return report if ended and report["clicks"] >= clicks else None


def until(holds: Callable[[], Any], seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)
    return found


def witnessed(platform: SandboxProcess) -> list[dict[str, Any]]:
    import json

    with urlopen(f"{platform.url}/sandbox/messages?limit=1000", timeout=10) as page:
        items: list[dict[str, Any]] = json.loads(page.read())["items"]
        return items


def answer(platform: SandboxProcess, number: str, text: str) -> None:
    import json

    body = json.dumps({"phoneNumber": number, "content": text}).encode()
    request = Request(f"{platform.url}/sandbox/reply", body, {"Content-Type": "application/json"})
    urlopen(request, timeout=10).close()
