"""Two workers on two machines, and a cut between one of them and PostgreSQL.

The other finishes the campaign; the one that was cut off still reaches the platform, and does no
harm: not while it is alone, and not when it comes back.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.cluster import Cluster, cluster
from tests.faults.network import Network, network, why_not
from tests.faults.play import (
    CALM,
    assert_nothing_lost_nothing_twice,
    begin,
    ended,
    ending,
    report_of,
    templates,
    until,
)
from tests.faults.theatre import sandbox
from tests.stage import Stage
from textwave.storage.embedded import DatabaseUrls
from textwave.storage.ledger import value

MESSAGES = min(int(os.environ.get("MESSAGES", "3000")), 30_000)
REGISTERED = 2  # with the job engine: for serving accounts, and for everything else
SEED = int(os.environ.get("SEED", "0")) or secrets.randbelow(1_000_000)

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(why_not()), reason=why_not() or "-")]


@pytest.fixture
def wires() -> Iterator[Network]:
    with network(2) as laid:
        yield laid


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


@pytest.fixture
def urls(postgres: Cluster) -> DatabaseUrls:
    return postgres.urls


async def test_a_worker_cut_off_from_the_database_leaves_the_campaign_to_the_other(
    postgres: Cluster, stage: Stage, wires: Network, tmp_path: Path
) -> None:
    far = postgres.listen(wires.database)
    environment = {
        "TEXTWAVE_DATA": str(tmp_path),
        "TEXTWAVE_DATABASE_URL": far.owner,
        "TEXTWAVE_DATABASE_WEB_URL": far.web,
        "TEXTWAVE_HEARTBEAT_SECONDS": "0.2",
        "TEXTWAVE_STALLED_SECONDS": "1",
        "TEXTWAVE_WAREHOUSE_MEMORY_MEGABYTES": "300",
    }
    first, second = wires.machines
    with (
        sandbox(
            tmp_path, host=wires.platform, templates_file=templates(tmp_path), seed=SEED,
            answer_milliseconds=20.0, **CALM,
        ) as witness,
        first.worker(environment, tmp_path / "first.log"),
        second.worker(environment, tmp_path / "second.log"),
    ):  # fmt: skip
        await until(lambda: at_work(stage, 2), "both workers")
        campaign_id = await begin(
            stage, witness.url, MESSAGES, pulls=True, max_batch=20, rate_per_second=MESSAGES // 6
        )
        await until(lambda: submitted(stage, MESSAGES // 10), "a tenth")
        first.database.cut()
        await until(lambda: at_work(stage, 1), "the silence of one")
        await until(lambda: ended(stage), "the end", 120)
        alone = await ending(stage, campaign_id, witness)
        first.database.heal()
        await until(lambda: at_work(stage, 2), "the return of the other", 120)
        together = await ending(stage, campaign_id, witness)
    assert_nothing_lost_nothing_twice(alone, MESSAGES, f"seed {SEED}")
    assert_nothing_lost_nothing_twice(together, MESSAGES, f"seed {SEED}")


async def at_work(stage: Stage, workers: int) -> bool:
    """Tell whether so many worker processes have been heard of within the last second."""
    statement = (
        "SELECT count(*) FROM procrastinate_workers "
        "WHERE last_heartbeat > now() - interval '1 second'"
    )
    async with stage.ledger.transaction() as connection:
        return bool(await value(connection, statement) == workers * REGISTERED)


async def submitted(stage: Stage, messages: int) -> bool:
    return (await report_of(stage)).submitted >= messages
