"""Campaigns by the clock, in a real installation: at a time, spread out, and again and again.

Nobody presses anything when the time comes: the workers look at their clock, and the platform is
the witness of when each message came.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.faults.theatre import SandboxProcess
from tests.flow.test_story import api, done, platform, settled, shop, until, upload, witnessed
from tests.stage import KEY
from textwave.cli.client import Api

__all__ = ["api", "platform"]  # the fixtures of the story

pytestmark = pytest.mark.slow
ZONE = ZoneInfo("Asia/Shanghai")
EVERYBODY = {"kind": "attribute", "column": "city", "operator": "is", "value": "Shanghai"}
CAMPAIGN = {
    "type": "promotional", "platform": "sandbox", "signature": "Lakeside",
    "template": "sale", "audience": "members",
}  # fmt: skip


def test_campaigns_go_by_the_clock(api: Api, platform: SandboxProcess, tmp_path: Path) -> None:
    prepare(api, platform, tmp_path)
    now = datetime.now(ZONE)

    # Every day at the next minute, to people who are counted anew each time.
    minute = now.replace(second=0, microsecond=0) + timedelta(minutes=1 + (now.second > 50))
    rule = {"every": "day", "at": f"{minute:%H:%M}"}
    api.post("/api/recurrences", {"name": "Daily", "campaign": CAMPAIGN, "rule": rule})

    # In three seconds, spread over a minute.
    at = (now + timedelta(seconds=3)).isoformat()
    timed = {"name": "Soon", "schedule": {"at": at}, "spread_minutes": 1}
    api.post("/api/campaigns", {**CAMPAIGN, **timed})
    assert api.post("/api/campaigns/Soon/start")["state"] == "scheduled"

    soon = until(lambda: settled(api.get("/api/campaigns/Soon/report")), seconds=150)
    run = until(lambda: ended(api.get("/api/recurrences/Daily/runs")["items"]), seconds=150)
    assert (run["state"], run["reason"]) == ("started", "")
    path = f"/api/campaigns/Daily%20{minute:%Y-%m-%d}"
    daily = until(lambda: settled(api.get(f"{path}/report")), seconds=60)
    assert (soon["delivered"], daily["delivered"]) == (99, 99)
    assert api.get(path)["recurrence"] == "Daily"
    assert len(witnessed(platform)) == 198
    assert platform.counts()["twice"] == 0
    check_times(api.get("/api/campaigns/Soon"), api.get(path), minute)


def check_times(soon: dict[str, Any], daily: dict[str, Any], due: datetime) -> None:
    """Both began in time; the one that was spread went on for most of its minute."""
    for campaign, wanted in ((soon, soon["schedule"]["at"]), (daily, due.isoformat())):
        late = datetime.fromisoformat(campaign["started_at"]) - datetime.fromisoformat(wanted)
        assert timedelta(0) <= late < timedelta(seconds=20)
    took = [
        datetime.fromisoformat(one["completed_at"]) - datetime.fromisoformat(one["started_at"])
        for one in (soon, daily)
    ]
    assert took[0] > timedelta(seconds=40) > took[1]


def ended(runs: list[dict[str, Any]]) -> dict[str, Any] | None:
    return next((run for run in runs if run["state"] in ("started", "skipped")), None)


def prepare(api: Api, platform: SandboxProcess, folder: Path) -> None:
    done(api, upload(api, "customers", "customers", shop(folder)))
    api.post("/api/audiences", {"name": "members", "table": "customers", "rule": EVERYBODY})
    done(api, api.post("/api/audiences/members/snapshots"))
    account = {
        "name": "sandbox",
        "base_url": platform.url,
        "key": KEY,
        "opt_out_text": "拒收请回复R",
    }
    api.post("/api/platforms", account)
    api.post("/api/signatures", {"platform": "sandbox", "name": "Lakeside"})
    template = {
        "name": "sale", "platform": "sandbox", "type": "promotional", "remark": "for members",
        "content": "It is sale. ",
    }  # fmt: skip
    api.post("/api/templates", template)
    api.post("/api/templates/sale/submit")
    for what in ("signatures", "templates"):
        until(lambda what=what: api.get(f"/api/{what}")["items"][0]["state"] == "approved")
