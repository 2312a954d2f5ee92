"""PostgreSQL dies or is restarted in the middle of a campaign: everything goes on by itself.

One worker and the web process live through it; the platform pushes its receipts meanwhile and
tries again those that nobody could take. `make faults` does it many times over more messages.
"""

import asyncio
import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster, cluster
from tests.faults.play import (
    CALM,
    assert_nothing_lost_nothing_twice,
    assert_receipts_agree,
    begin,
    ended,
    ending,
    templates,
    until,
)
from tests.faults.theatre import Workers, sandbox, web
from tests.stage import KEY, Stage
from textwave.storage.embedded import DatabaseUrls

MESSAGES = min(int(os.environ.get("MESSAGES", "2000")), 50_000)
OUTAGES = min(int(os.environ.get("KILLS", "2")), 20)
SEED = int(os.environ.get("SEED", "0")) or secrets.randbelow(1_000_000)

pytestmark = pytest.mark.slow


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


@pytest.fixture
def urls(postgres: Cluster) -> DatabaseUrls:
    return postgres.urls


async def test_a_campaign_goes_on_by_itself_after_the_database_was_killed_or_restarted(
    stage: Stage, postgres: Cluster, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    with (
        web(tmp_path, postgres.urls) as callbacks_url,
        sandbox(
            tmp_path, templates_file=templates(tmp_path), textwave_url=callbacks_url, push_key=KEY,
            answer_milliseconds=5.0, **CALM,
        ) as witness,
    ):  # fmt: skip
        rate = max(300, MESSAGES // (OUTAGES * 4))
        campaign_id = await begin(stage, witness.url, MESSAGES, max_batch=50, rate_per_second=rate)
        workers = Workers(tmp_path, postgres.urls, SEED)
        workers.start()
        for outage in range(OUTAGES):
            await asyncio.sleep(chance.uniform(1.0, 3.0))
            if outage % 2:
                await asyncio.to_thread(postgres.restart)
            else:
                postgres.kill()
                await asyncio.sleep(chance.uniform(0.0, 2.0))
                await asyncio.to_thread(postgres.start)
        await until(lambda: ended(stage), f"seed {SEED}: the end", 120 + OUTAGES * 10)
        assert workers.alive, f"seed {SEED}: the worker has ended"
        workers.kill()
        end = await ending(stage, campaign_id, witness)
    assert_nothing_lost_nothing_twice(end, MESSAGES, f"seed {SEED}")
    assert_receipts_agree(end)
