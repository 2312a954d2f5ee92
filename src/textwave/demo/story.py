"""The product's main job from beginning to end, over the REST API, as a marketer would do it.

Each step says what it did and how long it took. What an earlier run made is used again; only the
campaign is new each time.
"""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from rich.console import Console

from textwave.cli.client import Answer, Api, ApiRefused, segment
from textwave.demo.platform import SIGNATURE, Kind, SandboxProcess
from textwave.demo.shop import ShopFiles

LINK: Final = "winter coats"
AUDIENCE: Final = "women in Shanghai or Hangzhou, level 3 and up, two orders in 90 days"
RULE: Final[Answer] = {
    "kind": "all",
    "of": [
        {"kind": "attribute", "column": "gender", "operator": "is", "value": "female"},
        {
            "kind": "attribute",
            "column": "city",
            "operator": "in",
            "value": ["Shanghai", "Hangzhou"],
        },
        {"kind": "attribute", "column": "level", "operator": "at_least", "value": 3},
        {
            "kind": "orders",
            "table": "orders",
            "within": {"last_days": 90},
            "measure": "count",
            "operator": "at_least",
            "value": 2,
        },
    ],
}
NAME: Final = {"column": "first_name", "missing": "default", "default": "friend"}
CITY: Final = {"column": "city", "missing": "drop"}
OFFERS: Final = {
    Kind.THIRDPARTY: (
        "Dear ${name}, 20% off winter coats in our ${city} shop until Sunday. Yours: ",
        {"name": NAME, "city": CITY},
    ),
    # Alibaba Cloud takes one variable in a promotion, beside the token of a link
    Kind.ALIYUN: (
        "Dear ${name}, 20% off winter coats in our shop until Sunday. Yours: ",
        {"name": NAME},
    ),
}
"""What is sent through each kind, in front of the link, and where its variables come from."""

_QUIET_SECONDS: Final = 4.0
_LONGEST_WAIT_SECONDS: Final = 600.0
_REVIEW_SECONDS: Final = 60.0
_ENDED: Final = frozenset({"completed", "cancelled", "rejected", "failed", "paused"})
_SHOWN: Final = (
    "messages", "submitted", "delivered", "failed", "waiting", "in_doubt", "clicks", "replies",
    "opt_outs",
)  # fmt: skip


@dataclass(slots=True)
class Story:
    """One telling: the API it speaks to, where it prints, and how long each step took."""

    api: Api
    sandbox: SandboxProcess
    console: Console
    seconds: dict[str, float] = field(default_factory=dict[str, float])

    @contextmanager
    def step(self, name: str, title: str) -> Generator[None, None, None]:
        """Announce a step and time it."""
        self.console.print(f"\n[bold]{title}[/bold]", markup=True)
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 3)
        self.say(f"done in {self.seconds[name]:.1f} s")

    def say(self, text: str) -> None:
        """Say one line."""
        self.console.print(f"   {text}", markup=False, highlight=False)

    def tell(self, shop: ShopFiles) -> Answer:
        """Do everything; return the final effect report with the seconds of each step."""
        with self.step("import", "1. Import customers and orders"):
            self._import("customers", shop.customers_csv, {"kind": "customers"})
            self._import("orders", shop.orders_csv, {"kind": "orders"})
        with self.step("audience", "2. Build the audience by rule"):
            self._audience()
        with self.step("content", "3. Signature, short link, template, and their review"):
            template = self._content()
        name = self._campaign(template)
        with self.step("dry run", f"4. Dry run of the campaign “{name}”"):
            self._dry_run(name)
        with self.step("send", "5. Start, and watch it"):
            self.api.post(f"/api/campaigns/{segment(name)}/start")
            self._watch(name, until=lambda report: report["state"] in _ENDED)
        with self.step("responses", "6. Receipts, clicks and replies come back"):
            report = self._settle(name)
        return {**report, "seconds": self.seconds}

    def _import(self, table: str, file: Any, options: Mapping[str, str]) -> None:
        query = {**options, "file_name": file.name}
        operation = self.api.upload(f"/api/tables/{table}/imports", file, query, lambda _: None)
        result = self.api.finished(operation, lambda _: None, every_seconds=10)
        again = " (this very file was imported before)" if result.get("already_imported") else ""
        self.say(
            f"{table}: {result['rows_read']:,} rows read, {result['rows_kept']:,} kept, "
            f"{result['rows_rejected']:,} rejected{again}"
        )
        for kind, count in (result.get("numbers") or {}).items():
            self.say(f"   mobile numbers, {kind}: {count:,}")

    def _audience(self) -> None:
        path = f"/api/audiences/{segment(AUDIENCE)}"
        if self._missing(path):
            body = {"name": AUDIENCE, "table": "customers", "rule": RULE}
            self.api.post("/api/audiences", body)
        operation = self.api.post(f"{path}/snapshots")
        result = self.api.finished(operation, lambda _: None, every_seconds=10)
        self.say(f"“{AUDIENCE}”: {result['size']:,} customers")

    def _content(self) -> str:
        sandbox = self.sandbox
        if not self._has("/api/platforms", sandbox.name):
            self.api.post("/api/platforms", sandbox.account())
        path = f"/api/platforms/{segment(sandbox.name)}"
        found = self.api.get(path)
        if found["base_url"] != sandbox.url:  # somebody else took its port meanwhile
            self.api.patch(path, {"base_url": sandbox.url})
        sandbox.push_to(self.api.url, found["callback_addresses"])
        if not any(self._is_own(one) for one in self._all("/api/signatures")):
            self.api.post("/api/signatures", {"platform": sandbox.name, "name": SIGNATURE})
        self._until_approved(
            lambda: next(one for one in self._all("/api/signatures") if self._is_own(one))
        )
        self.say(f"signature 【{SIGNATURE}】 approved")
        if not self._has("/api/links", LINK):
            long_url = "https://shop.example.com/winter-coats?from=sms"
            self.api.post("/api/links", {"name": LINK, "long_url": long_url})
        link = self._named("/api/links", LINK)
        self.say(f"short link {link['url']} → {link['long_url']}")
        return self._template(str(link["url"]))

    def _template(self, link: str) -> str:
        content = f"{OFFERS[self.sandbox.kind][0]}{link}/${{sp_coats}} "
        for number in range(1, 100):
            name = "winter coats" if number == 1 else f"winter coats {number}"
            path = f"/api/templates/{segment(name)}"
            if self._missing(path):
                body = {
                    "name": name,
                    "platform": self.sandbox.name,
                    "type": "promotional",
                    "content": content,
                    "remark": "Seasonal offer to members of the shop who agreed to it.",
                }
                self.api.post("/api/templates", body)
            found = self.api.get(path)
            if found["content"] != content or found["platform"] != self.sandbox.name:
                continue  # of an earlier run, with another platform or address of the link
            if found["state"] == "draft":
                self.api.post(f"{path}/submit")
            self._until_approved(lambda path=path: self.api.get(path))
            self.say(f"template “{name}” approved: {content}")
            return name
        raise RuntimeError("a hundred templates of the demo: begin with a new data folder")

    def _campaign(self, template: str) -> str:
        taken = {one["name"] for one in self.api.items("/api/campaigns", limit=1000)}
        number = 1
        while f"Winter coats {number}" in taken:
            number += 1
        name = f"Winter coats {number}"
        body = {
            "name": name,
            "type": "promotional",
            "platform": self.sandbox.name,
            "signature": SIGNATURE,
            "template": template,
            "audience": AUDIENCE,
            "variables": OFFERS[self.sandbox.kind][1],
        }
        self.api.post("/api/campaigns", body)
        return name

    def _dry_run(self, name: str) -> None:
        operation = self.api.post(f"/api/campaigns/{segment(name)}/dry-run")
        plan = self.api.finished(operation, lambda _: None, every_seconds=10)
        self.say(f"{plan['audience']:,} in the audience → {plan['messages']:,} messages")
        for reason, count in plan["drops"].items():
            self.say(f"   dropped, {reason}: {count:,}")
        price = plan["price_milli"] / 1000
        self.say(f"{plan['parts']:,} parts, {price:,.2f} {plan['currency']}")
        for sample in plan["samples"][:3]:
            self.say(f"   {sample['mobile']}  【{plan['signature']}】{sample['text']}")

    def _watch(self, name: str, until: Callable[[Answer], bool]) -> Answer:
        path = f"/api/campaigns/{segment(name)}/report"
        deadline = time.monotonic() + _LONGEST_WAIT_SECONDS
        shown = ""
        while True:
            report = self.api.get(path)
            line = f"{report['state']}: " + ", ".join(
                f"{key.replace('_', ' ')} {report[key]:,}" for key in _SHOWN if report[key]
            )
            if line != shown:
                trouble = f" ({report['trouble']})" if report["trouble"] else ""
                self.say(line.removesuffix(": ") + trouble)
                shown = line
            if until(report) or time.monotonic() > deadline:
                return report
            time.sleep(0.5)

    def _settle(self, name: str) -> Answer:
        """Watch until nothing has changed for a while and the platform has pushed everything."""
        last: list[Any] = []
        since = time.monotonic()

        def quiet(report: Answer) -> bool:
            nonlocal last, since
            now = [report[key] for key in _SHOWN]
            if now != last:
                last, since = now, time.monotonic()
            return time.monotonic() - since > _QUIET_SECONDS

        return self._watch(name, until=quiet)

    def _until_approved(self, read: Callable[[], Answer]) -> None:
        deadline = time.monotonic() + _REVIEW_SECONDS
        while (found := read())["state"] != "approved":
            if found["state"] == "rejected" or time.monotonic() > deadline:
                raise RuntimeError(f"“{found['name']}” is {found['state']}: {found['reason']}")
            time.sleep(0.25)

    def _missing(self, path: str) -> bool:
        try:
            self.api.get(path)
        except ApiRefused as refused:
            if refused.status == 404:  # noqa: PLR2004 - not found
                return True
            raise
        return False

    def _all(self, path: str) -> list[Answer]:
        return list(self.api.items(path, limit=1000))

    def _has(self, path: str, name: str) -> bool:
        return any(one["name"] == name for one in self._all(path))

    def _named(self, path: str, name: str) -> Answer:
        return next(one for one in self._all(path) if one["name"] == name)

    def _is_own(self, signature: Answer) -> bool:
        return signature["name"] == SIGNATURE and signature["platform"] == self.sandbox.name
