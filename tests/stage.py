"""A stage for campaigns: what must be there before one can start, written directly.

The long way (import, rule, reviews) is told in tests/flow; tests of planning and sending begin
here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from textwave.accounts.operations import Founding
from textwave.audiences.store import write_members
from textwave.campaigns.draft import CampaignDraft
from textwave.campaigns.operations import create_campaign, start_campaign
from textwave.campaigns.planning import run_plan
from textwave.campaigns.shares import Shares
from textwave.connections.accounts import seal_key
from textwave.kit.clock import Clock, SystemClock
from textwave.kit.ids import CampaignId
from textwave.storage.ledger import Ledger, execute, value
from textwave.storage.secrets import Vault
from textwave.storage.warehouse import Lake, Warehouse

KEY = "a shared key"
LINKS_URL = "http://d.example.cn"
SHANGHAI = 8615400000000


@dataclass(frozen=True)
class Person:
    """One row of the customer table; `mobile` as E.164 digits."""

    customer: str
    mobile: int | None
    bad_mobile: bool = False
    first_name: str | None = "Li"
    level: float | None = 3


def people(count: int) -> list[Person]:
    """Return customers with numbers of their own."""
    return [Person(f"c{n:07}", SHANGHAI + n * 7, first_name=f"N{n}") for n in range(count)]


@dataclass
class Stage:
    """A workspace with a platform, a signature, a template, a table and an audience."""

    ledger: Ledger
    warehouse: Warehouse
    vault: Vault
    founding: Founding
    platform_url: str
    ids: dict[str, int] = field(default_factory=dict[str, int])
    clock: Clock = field(default_factory=SystemClock)

    async def set(
        self,
        persons: Sequence[Person],
        *,
        content: str = "Dear ${name}, see you soon. 拒收请回复R",
        template_state: str = "approved",
        message_type: str = "promotional",
        platform: str = "sandbox",
        rate_per_second: int = 1_000_000,
        max_batch: int = 100,
        template_code: str = "T1",
    ) -> None:
        """Write it all."""
        await self.warehouse.run(self.founding.workspace_id, lambda lake: _fill(lake, persons))
        await self.set_rows(
            size=len(persons),
            content=content,
            template_state=template_state,
            message_type=message_type,
            platform=platform,
            rate_per_second=rate_per_second,
            max_batch=max_batch,
            template_code=template_code,
        )

    async def set_rows(
        self,
        *,
        size: int = 1,
        content: str = "Dear ${name}, see you soon. 拒收请回复R",
        template_state: str = "approved",
        message_type: str = "promotional",
        platform: str = "sandbox",
        rate_per_second: int = 1_000_000,
        max_batch: int = 100,
        template_code: str = "T1",
    ) -> None:
        """Write what is in the ledger alone: enough as long as nothing is planned."""
        async with self.ledger.transaction() as connection:
            given: dict[str, Any] = {
                "workspace": self.founding.workspace_id,
                "organization": self.founding.organization_id,
            }
            for name, statement, parameters in _STATEMENTS:
                known = {
                    **given,
                    **self.ids,
                    "url": self.platform_url,
                    "sealed": seal_key(self.vault, platform, KEY),
                    "platform_name": platform,
                    "rate": rate_per_second,
                    "max_batch": max_batch,
                    "type": message_type,
                    "content": content,
                    "template_state": template_state,
                    "code": template_code,
                    "size": size,
                    **parameters,
                }
                found = await value(connection, statement, known)
                if found is not None:
                    self.ids[name] = found

    async def campaign(
        self,
        name: str = "Spring",
        *,
        message_type: str = "promotional",
        variables: Mapping[str, Mapping[str, str]] | None = None,
        numbers: str = "first",
        shares: Shares | None = None,
    ) -> CampaignId:
        """Create the campaign and return its id."""
        chosen = {"name": {"column": "first_name"}} if variables is None else variables
        draft = CampaignDraft(
            name, message_type, "sandbox", "Textwave", "welcome", "everybody", chosen, numbers,
            shares=shares or Shares(),
        )  # fmt: skip
        async with self.ledger.transaction() as connection:
            created = await create_campaign(
                connection,
                workspace_id=self.founding.workspace_id,
                actor="test",
                draft=draft,
                links_url=LINKS_URL,
                now=self.clock.now(),
            )
        return created.id

    async def template(self, name: str, content: str, *, state: str = "approved") -> None:
        """Write a further template; its code is its name."""
        statement = """INSERT INTO template (workspace_id, platform_id, name, type, content, remark,
                state, code) VALUES (%s, %s, %s, 'promotional', %s, 'another', %s, %s)"""
        written = [self.founding.workspace_id, self.ids["platform"], name, content, state, name]
        async with self.ledger.transaction() as connection:
            await connection.execute(statement, written)

    async def audience(self, name: str, customers: Sequence[str] | None) -> None:
        """Write a further audience of these customers; None: it has not been computed."""
        statement = """INSERT INTO audience (workspace_id, name, table_name, rule, created_by)
                VALUES (%s, %s, 'customers', '{}', 'test') RETURNING id"""
        async with self.ledger.transaction() as connection:
            audience = await value(connection, statement, [self.founding.workspace_id, name])
            if customers is None:
                return
            snapshot = await value(
                connection,
                """INSERT INTO snapshot (workspace_id, audience_id, size, lake_version,
                       milliseconds) VALUES (%s, %s, %s, 1, 1) RETURNING id""",
                [self.founding.workspace_id, audience, len(customers)],
            )
        members = pa.table({"customer": pa.array(customers, pa.string())})
        await self.warehouse.run(
            self.founding.workspace_id,
            lambda lake: write_members(lake, snapshot, lake.hold(members)),
        )

    async def start(self, name: str = "Spring") -> None:
        """Start it."""
        async with self.ledger.transaction() as connection:
            await start_campaign(
                connection,
                workspace_id=self.founding.workspace_id,
                actor="test",
                name=name,
                links_url=LINKS_URL,
                now=self.clock.now(),
            )

    async def plan(self, campaign_id: CampaignId, *, batch_size: int = 2000) -> None:
        """Do the planning job."""
        await run_plan(
            ledger=self.ledger,
            warehouse=self.warehouse,
            vault=self.vault,
            clock=self.clock,
            batch_size=batch_size,
            workspace_id=self.founding.workspace_id,
            campaign_id=campaign_id,
        )

    async def opt_out(self, mobile: int) -> None:
        """Opt a number out of the signature."""
        statement = (
            "INSERT INTO opt_out (workspace_id, signature_id, mobile, source) "
            "VALUES (%(workspace)s, %(signature)s, %(mobile)s, 'by hand')"
        )
        parameters = {
            "workspace": self.founding.workspace_id,
            "signature": self.ids["signature"],
            "mobile": mobile,
        }
        async with self.ledger.transaction() as connection:
            await execute(connection, statement, parameters)


def _fill(lake: Lake, persons: Sequence[Person]) -> None:
    duckdb = lake.duckdb
    duckdb.execute(
        f"CREATE TABLE {lake.qualified('customers')} (customer_id VARCHAR, mobile VARCHAR, "
        "first_name VARCHAR, level DOUBLE, textwave_mobile BIGINT, textwave_bad_mobile BOOLEAN)"
    )
    duckdb.execute(
        f"CREATE TABLE {lake.qualified('audience_member')} "
        "(snapshot_id BIGINT NOT NULL, customer VARCHAR NOT NULL)"
    )
    rows = [
        (p.customer, str(p.mobile or ""), p.first_name, p.level, p.mobile, p.bad_mobile)
        for p in persons
    ]
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        types = ("VARCHAR", "VARCHAR", "VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN")
        unnested = ", ".join(f"unnest(?::{kind}[])" for kind in types)
        duckdb.execute(f"INSERT INTO {lake.qualified('customers')} SELECT {unnested}", columns)
        duckdb.execute(
            f"INSERT INTO {lake.qualified('audience_member')} SELECT 1, customer_id "
            f"FROM {lake.qualified('customers')}"
        )


_STATEMENTS: list[tuple[str, Any, dict[str, Any]]] = [
    (
        "platform",
        """INSERT INTO platform (organization_id, name, kind, base_url, sealed_key, capabilities,
               rate_per_second, max_batch, opt_out_text, counting, price_milli)
           VALUES (%(organization)s, %(platform_name)s, 'thirdparty', %(url)s, %(sealed)s,
               '{variables,short_links,click_tokens,idempotency}', %(rate)s, %(max_batch)s,
               '拒收请回复R', 'mainland', 45) RETURNING id""",
        {},
    ),
    (
        "",
        """INSERT INTO platform_workspace (platform_id, workspace_id)
           VALUES (%(platform)s, %(workspace)s) RETURNING NULL""",
        {},
    ),
    (
        "signature",
        """INSERT INTO signature (workspace_id, platform_id, name, state, verified)
           VALUES (%(workspace)s, %(platform)s, 'Textwave', 'approved', true) RETURNING id""",
        {},
    ),
    (
        "template",
        """INSERT INTO template (workspace_id, platform_id, name, type, content, remark, state,
               code) VALUES (%(workspace)s, %(platform)s, 'welcome', %(type)s, %(content)s,
               'a greeting', %(template_state)s, %(code)s) RETURNING id""",
        {},
    ),
    (
        "link",
        """INSERT INTO short_link (workspace_id, name, code, long_url, expires_at)
           VALUES (%(workspace)s, 'sale', 'abc123', 'https://shop.example.com/sale',
               now() + interval '90 days') RETURNING id""",
        {},
    ),
    (
        "table",
        """INSERT INTO customer_table (workspace_id, name, kind, columns, customer_column,
               mobile_column) VALUES (%(workspace)s, 'customers', 'customers', %(columns)s::jsonb,
               'customer_id', 'mobile') RETURNING id""",
        {
            "columns": '[{"name":"customer_id","type":"text"},{"name":"mobile","type":"text"},'
            '{"name":"first_name","type":"text"},{"name":"level","type":"number"}]'
        },
    ),
    (
        "audience",
        """INSERT INTO audience (workspace_id, name, table_name, rule, created_by)
           VALUES (%(workspace)s, 'everybody', 'customers', '{}', 'test') RETURNING id""",
        {},
    ),
    (
        "snapshot",
        """INSERT INTO snapshot (workspace_id, audience_id, size, lake_version, milliseconds)
           VALUES (%(workspace)s, %(audience)s, %(size)s, 1, 1) RETURNING id""",
        {},
    ),
]
