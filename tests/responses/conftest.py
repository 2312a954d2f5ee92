"""A sent campaign, written straight into the ledger, and receipts as a platform would push them."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from textwave.kit.ids import WorkspaceId, first_message_id, partition_bounds
from textwave.storage.ledger import Ledger, value

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
FIRST_ID = first_message_id(NOW.date())
FIRST_MOBILE = 8615400000000


@dataclass(frozen=True)
class Sent:
    """A campaign whose messages were accepted; message i went to `FIRST_MOBILE + i`."""

    workspace_id: WorkspaceId
    platform_id: int
    signature_id: int
    campaign_id: int
    first_id: int
    size: int

    def receipt(self, index: int, status: str = "DELIVERED", **more: Any) -> dict[str, Any]:
        return {
            "messageId": self.first_id + index,
            "phoneNumber": str(FIRST_MOBILE + index - 86 * 10**11),
            "status": status,
            "errorCode": "",
            "parts": 1,
            "reportedAt": NOW.isoformat(),
        } | more


SendCampaign = Callable[..., Awaitable[Sent]]


async def _id(connection: Any, statement: str, *parameters: Any) -> int:
    found: int = await value(connection, statement, parameters)  # pyright: ignore[reportArgumentType] - test SQL
    return found


async def _ground(
    connection: Any, workspace_id: int, platform: str, signature: str
) -> tuple[int, int, int, int]:
    await connection.execute(
        "INSERT INTO platform (organization_id, name, kind, base_url, sealed_key, rate_per_second,"
        " max_batch, counting) SELECT organization_id, %s, 'thirdparty', 'http://127.0.0.1', '',"
        " 100, 100, 'mainland' FROM workspace WHERE id = %s ON CONFLICT DO NOTHING",
        [platform, workspace_id],
    )
    platform_id = await _id(connection, "SELECT id FROM platform WHERE name = %s", platform)
    await connection.execute(
        "INSERT INTO platform_workspace VALUES (%s, %s) ON CONFLICT DO NOTHING",
        [platform_id, workspace_id],
    )
    await connection.execute(
        "INSERT INTO signature (workspace_id, platform_id, name, state) VALUES (%s, %s, %s,"
        " 'approved') ON CONFLICT DO NOTHING",
        [workspace_id, platform_id, signature],
    )
    signature_id = await _id(
        connection,
        "SELECT id FROM signature WHERE workspace_id = %s AND platform_id = %s AND name = %s",
        *(workspace_id, platform_id, signature),
    )
    template_id = await _id(
        connection,
        "INSERT INTO template (workspace_id, platform_id, name, type, content, remark) VALUES"
        " (%s, %s, gen_random_uuid()::text, 'promotional', 'x', 'x') RETURNING id",
        *(workspace_id, platform_id),
    )
    audience_id = await _id(
        connection,
        "INSERT INTO audience (workspace_id, name, table_name, rule, created_by) VALUES (%s,"
        " gen_random_uuid()::text, 't', '{}', 'x') RETURNING id",
        workspace_id,
    )
    return platform_id, signature_id, template_id, audience_id


@pytest.fixture
def send_campaign(ledger: Ledger, workspace_id: WorkspaceId) -> SendCampaign:
    """Write a campaign whose messages went out in requests of 4, accepted at `accepted_at`."""

    async def send(
        size: int = 10,
        *,
        platform: str = "gateway",
        signature: str = "Shop",
        workspace: int = workspace_id,
        accepted_at: datetime = NOW - timedelta(minutes=5),
        request_state: str = "accepted",
        first_mobile: int = FIRST_MOBILE,
    ) -> Sent:
        async with ledger.transaction() as connection:
            low, high = partition_bounds(NOW.date())
            await connection.execute(
                b"CREATE TABLE IF NOT EXISTS message_2026_03 PARTITION OF message"
                b" FOR VALUES FROM (%d) TO (%d)" % (low, high)
            )
            platform_id, signature_id, template_id, audience_id = await _ground(
                connection, workspace, platform, signature
            )
            first_id = await _id(
                connection, "SELECT coalesce(max(id) + 1, %s) FROM message", FIRST_ID
            )
            campaign_id = await _id(
                connection,
                "INSERT INTO campaign (workspace_id, name, type, platform_id, signature_id,"
                " template_id, audience_id, state, first_message_id, last_message_id,"
                " request_size, created_by, started_at) VALUES (%s, gen_random_uuid()::text,"
                " 'promotional', %s, %s, %s, %s, 'sending', %s, %s, 4, 'x', %s) RETURNING id",
                *(workspace, platform_id, signature_id, template_id, audience_id),
                *(first_id, first_id + size - 1, accepted_at - timedelta(minutes=1)),
            )
            await connection.execute(
                "INSERT INTO campaign_tally (campaign_id, workspace_id, audience, messages,"
                " submitted) VALUES (%s, %s, %s, %s, %s)",
                [campaign_id, workspace, size, size, size],
            )
            await connection.execute(
                "INSERT INTO message (id, workspace_id, campaign_id, mobile, customer, parts,"
                " variables) SELECT %s + i, %s, %s, %s + i, 'c' || i, 1, '{}'"
                " FROM generate_series(0, %s - 1) AS i",
                [first_id, workspace, campaign_id, first_mobile, size],
            )
            await connection.execute(
                "INSERT INTO request (campaign_id, number, workspace_id, batch_number, first_id,"
                " last_id, size, state, answered_at) SELECT %s, n, %s, 0, %s + n * 4,"
                " least(%s + n * 4 + 3, %s), 4, %s, %s FROM generate_series(0, (%s - 1) / 4) AS n",
                [campaign_id, workspace, first_id, first_id, first_id + size - 1, request_state,
                 accepted_at, size],
            )  # fmt: skip
        return Sent(WorkspaceId(workspace), platform_id, signature_id, campaign_id, first_id, size)

    return send


Push = Callable[..., Awaitable[None]]


@pytest.fixture
def push(ledger: Ledger) -> Push:
    """Store callbacks as the door does, one for each list of items."""

    async def store(
        sent: Sent, *payloads: Sequence[Any] | bytes, kind: str = "receipts",
        form: str = "thirdparty",
    ) -> None:  # fmt: skip
        async with ledger.transaction() as connection:
            for payload in payloads:
                body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
                await connection.execute(
                    "SELECT store_callback(%s, %s, %s, %s)", [sent.platform_id, kind, body, form]
                )

    return store


States = Callable[[Sent], Awaitable[list[tuple[str, str | None]]]]


@pytest.fixture
def states(ledger: Ledger) -> States:
    """Return (state, cause) of each message of a campaign, in their order."""

    async def read(sent: Sent) -> list[tuple[str, str | None]]:
        async with ledger.transaction() as connection:
            cursor = await connection.execute(
                "SELECT state, cause FROM message_state WHERE campaign_id = %s ORDER BY id",
                [sent.campaign_id],
            )
            return [(row[0], row[1]) for row in await cursor.fetchall()]

    return read


Counters = Callable[[Sent], Awaitable[dict[str, int]]]


@pytest.fixture
def counters(ledger: Ledger) -> Counters:
    """Return the counters of a campaign after checking that they equal recounts of the rows."""

    async def read(sent: Sent) -> dict[str, int]:
        async with ledger.transaction() as connection:
            cursor = await connection.execute(
                "SELECT t.delivered, t.failed, t.clicks, t.human_clicks, t.clickers, t.replies,"
                " t.opt_outs FROM campaign_tally t WHERE campaign_id = %s",
                [sent.campaign_id],
            )
            kept = await cursor.fetchone()
            cursor = await connection.execute(
                "SELECT (SELECT count(*) FROM message m WHERE m.campaign_id = c AND state ="
                " 'delivered'), (SELECT count(*) FROM message m WHERE m.campaign_id = c AND state"
                " = 'failed'), (SELECT count(*) FROM click k WHERE k.campaign_id = c), (SELECT"
                " count(*) FROM click k WHERE k.campaign_id = c AND human), (SELECT count(*) FROM"
                " message m WHERE m.campaign_id = c AND clicked_at IS NOT NULL), (SELECT count(*)"
                " FROM reply r WHERE r.campaign_id = c), (SELECT count(DISTINCT o.mobile) FROM"
                " opt_out o JOIN reply r ON r.mobile = o.mobile AND r.campaign_id = c WHERE"
                " o.lifted_at IS NULL) FROM (VALUES (%s::bigint)) AS v (c)",
                [sent.campaign_id],
            )
            assert kept == await cursor.fetchone()
            cursor = await connection.execute(
                "SELECT cause, count FROM campaign_failure_tally WHERE campaign_id = %s AND"
                " count > 0 ORDER BY cause",
                [sent.campaign_id],
            )
            causes = await cursor.fetchall()
            cursor = await connection.execute(
                "SELECT cause, count(*) FROM message WHERE campaign_id = %s AND state = 'failed'"
                " GROUP BY cause ORDER BY cause",
                [sent.campaign_id],
            )
            assert causes == await cursor.fetchall()
        names = ("delivered", "failed", "clicks", "human_clicks", "clickers", "replies", "opt_outs")
        assert kept is not None
        return dict(zip(names, kept, strict=True)) | dict(causes)

    return read


@pytest.fixture
async def other_workspace(ledger: Ledger, workspace_id: WorkspaceId) -> WorkspaceId:
    """A second workspace of the same organization."""
    async with ledger.transaction() as connection:
        return WorkspaceId(
            await value(
                connection,
                "INSERT INTO workspace (organization_id, name) SELECT organization_id, 'second'"
                " FROM workspace WHERE id = %s RETURNING id",
                [workspace_id],
            )
        )
