"""No route reads or changes what another workspace has: every operation of the document is tried.

The stranger has a valid key of another organization, knows every name and number, and sends bodies
that the document allows. What counts is what the first workspace's rows are after that.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import schemathesis
from hypothesis import HealthCheck, given, seed, settings
from psycopg import sql

from tests.api.conftest import Web
from tests.api.things import Things, make_things
from tests.stage import Stage, people
from textwave.accounts.operations import Founding
from textwave.storage.embedded import DatabaseUrls

EXAMPLES = 3
SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
A_FILE = b"customer_id,mobile\n1,15412345678\n"
MAKE_WHAT_THEY_NAME = {
    "/api/tables/{name}/imports",
    "/api/lists/{name}/imports",
    "/api/materials/{name}/imports",
    "/api/fatigue-rules/{name}",
}
"""Whoever calls these makes a thing of his own under that name."""
WHOLE_BODIES: dict[str, dict[str, Any]] = {
    "/api/campaigns/{name}": {
        "name": "Spring",
        "type": "promotional",
        "platform": "sandbox",
        "signature": "Textwave",
        "template": "welcome",
        "audience": "everybody",
        "variables": {"name": {"column": "first_name"}},
    },
    "/api/campaigns/{name}/test-send": {"mobiles": ["15412345678"]},
    "/api/digital-templates/{name}": {
        "signature": "Textwave",
        "subject": "New",
        "remark": "Campaign message",
        "parts": [{"text": "Hello"}],
    },
}
"""For operations that look at the whole body before they look for the thing."""
OF_THE_INSTALLATION = {"/api/token-keys"}
"""Listings of what belongs to no workspace."""
REFERENCES = ("platform", "signature", "template", "audience", "table", "link", "campaign")

pytestmark = pytest.mark.slow


@pytest.fixture
async def things(stage: Stage, web: Web) -> Things:
    await stage.set(people(3))
    return await make_things(web, stage)


async def test_no_operation_reads_or_changes_what_another_workspace_has(
    web: Web, things: Things, other_key: str, urls: DatabaseUrls, founding: Founding
) -> None:
    assert len(things.names) > 8, things.names
    before = fingerprint(urls.owner, founding)
    refused = await asyncio.to_thread(
        lambda: [try_it(web, things, other_key, o) for o in all_of(web)]
    )
    after = fingerprint(urls.owner, founding)
    assert not [said for said in refused if said]
    assert after == before


async def test_no_listing_shows_what_another_workspace_has(
    web: Web, things: Things, other_key: str
) -> None:
    assert things.names
    shown = 0
    for path, methods in web.app.openapi()["paths"].items():
        if "get" not in methods or "{" in path or path in OF_THE_INSTALLATION:
            continue
        _, ours = await web.ask("GET", path)
        _, theirs = await web.ask("GET", path, key=other_key)
        if "items" in ours:
            shown += bool(ours["items"])
            assert [one for one in theirs["items"] if one in ours["items"]] == [], path
    assert shown > 8


def all_of(web: Web) -> Iterator[Any]:
    document = schemathesis.openapi.from_dict(web.app.openapi())
    found: Any
    for found in document.get_all_operations():
        yield found.ok()


def try_it(web: Web, things: Things, key: str, operation: Any) -> str:
    """Call an operation as a stranger; return what is wrong with what came back."""
    statuses: list[int] = []
    named = "{" in operation.path
    strategy = operation.as_strategy(path_parameters=things.fill(operation.path))

    @seed(0)
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=SLOW_IS_FINE
    )
    @given(case=strategy)
    def call(case: Any) -> None:
        if operation.path in WHOLE_BODIES:
            case.body = WHOLE_BODIES[operation.path]
        elif isinstance(case.body, dict):
            case.body |= {
                name: things.names[f"{name}s"]
                for name in REFERENCES
                if name in case.body and f"{name}s" in things.names
            }
        elif isinstance(case.body, bytes):
            case.body = A_FILE
        headers = {"Authorization": f"Bearer {key}"}
        answer = case.call(base_url=web.url, headers=headers, timeout=30)
        statuses.append(answer.status_code)

    call()
    label = f"{operation.method.upper()} {operation.path}: {statuses}"
    if max(statuses) >= 500:
        return label
    if not named or operation.path in MAKE_WHAT_THEY_NAME:
        return ""
    # a body may be refused for what it says before anybody looks for the thing
    found = 404 not in statuses or any(status not in (404, 422) for status in statuses)
    return label if found else ""


def fingerprint(owner_url: str, founding: Founding) -> dict[str, str]:
    """Return the content of every table, as far as it belongs to the first workspace."""
    owned = {
        "workspace_id": founding.workspace_id,
        "organization_id": founding.organization_id,
    }
    with psycopg.connect(owner_url) as connection:
        found = connection.execute(
            """SELECT c.table_name, c.column_name FROM information_schema.columns c
               JOIN information_schema.tables t USING (table_schema, table_name)
               WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE'
                 AND c.column_name = ANY(%s)""",
            [list(owned)],
        ).fetchall()
        prints: dict[str, str] = {}
        for table, column in found:
            statement = sql.SQL(
                "SELECT coalesce(md5(string_agg(r::text, '|' ORDER BY r::text)), '')"
                " FROM {} r WHERE {} = %s"
            ).format(sql.Identifier(table), sql.Identifier(column))
            row = connection.execute(statement, [owned[column]]).fetchone()
            prints[f"{table} by {column}"] = row[0] if row else ""
    return prints
