"""What `/metrics` tells besides the requests: waiting jobs, running campaigns, the warehouse's lag.

Read from counters at each scrape, with bounded queries; nothing here counts messages.
"""

from typing import LiteralString

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from textwave.storage.ledger import Connection, Ledger, value

# The web login reads no jobs and no workspace but its own; these functions answer for it.
_READY: LiteralString = "SELECT to_regprocedure('jobs_waiting()') IS NOT NULL"
_JOBS: LiteralString = "SELECT queue, waiting FROM jobs_waiting()"
_MESSAGES: LiteralString = "SELECT state, messages FROM messages_of_running_campaigns()"
_BEHIND: LiteralString = "SELECT seconds_behind_outcomes()"
_LAG: LiteralString = "SELECT longest_opt_out_lag()"
_STANDING_STILL: LiteralString = "SELECT requests_in_doubt, campaigns_stalled FROM standing_still()"


class Metrics:
    """The registry of the process and the gauges that are filled when somebody asks."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._jobs = Gauge(
            "textwave_jobs_waiting", "Jobs that wait for a worker.", ("queue",),
            registry=self.registry,
        )  # fmt: skip
        self._messages = Gauge(
            "textwave_running_messages", "Messages of campaigns that are sending, by state.",
            ("state",), registry=self.registry,
        )  # fmt: skip

        self._behind = Gauge(
            "textwave_outcomes_behind_seconds",
            "Age of the oldest outcome that audiences cannot use yet.",
            registry=self.registry,
        )

        self._in_doubt = Gauge(
            "textwave_requests_in_doubt",
            "Requests of which nobody knows whether the platform took them.",
            registry=self.registry,
        )
        self._stalled = Gauge(
            "textwave_campaigns_stalled",
            "Campaigns that are sending and stand still.",
            registry=self.registry,
        )

        self._lag = Gauge(
            "textwave_opt_out_lag_seconds",
            "Longest time of the last hour from a reply of T to the last message prepared.",
            registry=self.registry,
        )

    async def written(self, ledger: Ledger) -> bytes:
        """Return all metrics in the text format of Prometheus."""
        async with ledger.transaction() as connection:
            if await value(connection, _READY):
                await _fill(connection, self._jobs, _JOBS)
                await _fill(connection, self._messages, _MESSAGES)
                await self._fill_standing_still(connection)
                self._behind.set(await value(connection, _BEHIND))
                self._lag.set(await value(connection, _LAG))
        return generate_latest(self.registry)

    async def _fill_standing_still(self, connection: Connection) -> None:
        cursor = await connection.execute(_STANDING_STILL)
        in_doubt, stalled = await cursor.fetchone() or (0, 0)
        self._in_doubt.set(in_doubt)
        self._stalled.set(stalled)


async def _fill(connection: Connection, gauge: Gauge, statement: LiteralString) -> None:
    cursor = await connection.execute(statement)
    gauge.clear()
    for label, count in await cursor.fetchall():
        gauge.labels(label).set(count)
