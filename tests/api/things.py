"""One thing of each kind in the first workspace, and where its name stands in an address."""

from dataclasses import dataclass, field
from typing import Any

from tests.api.conftest import Web
from tests.materials.files import picture
from tests.stage import Stage
from textwave.storage.ledger import execute, value

# listing of each kind; a kind that is missing here is listed at an address of its own name
LISTED_AT = {"aipl": "models", "opt-outs": "operations", "in-doubt": "in-doubt"}
UNKNOWN_NUMBER = 1


@dataclass
class Things:
    """What the first workspace has: names by kind, and a number for everything with numbers."""

    names: dict[str, str] = field(default_factory=dict[str, str])
    numbers: dict[str, int] = field(default_factory=dict[str, int])

    def fill(self, path: str) -> dict[str, Any]:
        """Return what stands for the parameters of a path."""
        steps = path.split("/")
        kind = LISTED_AT.get(steps[2], steps[2])
        return {step[1:-1]: self._of(kind, step[1:-1]) for step in steps if step.startswith("{")}

    def _of(self, kind: str, parameter: str) -> Any:
        if parameter in ("name", "table", "column"):
            return {"table": "customers", "column": "first_name"}.get(
                parameter, self.names.get(kind, "none")
            )
        if parameter == "request":
            return "1-0-0"  # of a campaign, a request and its attempt
        return self.numbers.get(parameter, UNKNOWN_NUMBER)


async def make_things(web: Web, stage: Stage) -> Things:
    """Make what can be made over HTTP beside what is on the stage; look what there is."""
    await _write(stage)
    for path, body in _MADE.items():
        status, answer = await web.ask("POST", path, json=body)
        assert status < 300, f"{path}: {answer}"
    _, imported = await web.ask(
        "POST", "/api/tables/orders/imports?kind=orders", data=b"customer_id,ordered_at,amount\n"
    )
    await web.ask("POST", "/api/materials/a picture/imports?shared=true", data=picture("PNG"))
    things = Things(numbers={"operation_id": imported["id"]})
    for path in web.app.openapi()["paths"]:
        kind = path.split("/")[2]
        status, page = await web.ask("GET", f"/api/{kind}")
        if status == 200 and page.get("items") and "name" in page["items"][0]:
            things.names[kind] = page["items"][0]["name"]
    async with stage.ledger.transaction() as connection:
        things.numbers["import_id"] = await value(connection, "SELECT min(id) FROM import") or 1
    return things


async def _write(stage: Stage) -> None:
    async with stage.ledger.transaction() as connection:
        await execute(connection, """UPDATE audience SET rule = '{"kind": "all", "of": []}'""")
    await stage.campaign()


_MADE: dict[str, dict[str, Any]] = {
    "/api/links": {"name": "a link", "long_url": "https://shop.example.com/"},
    "/api/keys": {"name": "a key"},
    "/api/sources": {
        "name": "a source",
        "kind": "postgres",
        "address": "postgresql://u:p@127.0.0.1:9/db",
    },
}
