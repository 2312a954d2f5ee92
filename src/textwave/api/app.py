"""The web application: REST API, callbacks, health, metrics, and the console where it is present.

Every answer that is no success is a problem document. The application holds no state of its own
besides its metrics, so any number of processes may serve it.
"""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI, Response

from textwave.api import (
    audience_routes,
    campaign_routes,
    digital_routes,
    doubt_routes,
    download_routes,
    encryption_routes,
    feed_routes,
    key_routes,
    limit_routes,
    link_routes,
    list_routes,
    material_routes,
    message_routes,
    model_routes,
    number_routes,
    operation_routes,
    platform_routes,
    preview_routes,
    profile_routes,
    recurrence_routes,
    repeat_routes,
    response_routes,
    retention_routes,
    schedule_routes,
    signature_routes,
    suppression_routes,
    table_routes,
    template_routes,
)
from textwave.api.edge import Edge
from textwave.api.metrics import Metrics
from textwave.api.problems import PROBLEM_JSON, Problem, add_problem_handlers
from textwave.connections.accounts import open_key
from textwave.connections.push import push_secret
from textwave.wiring import Runtime

_ROUTES = (
    operation_routes.routes,
    table_routes.routes,
    encryption_routes.routes,
    feed_routes.routes,
    key_routes.routes,
    download_routes.routes,
    profile_routes.routes,
    audience_routes.routes,
    list_routes.routes,
    limit_routes.routes,
    model_routes.routes,
    platform_routes.routes,
    signature_routes.routes,
    preview_routes.routes,
    template_routes.routes,
    link_routes.routes,
    message_routes.routes,
    material_routes.routes,
    digital_routes.routes,
    repeat_routes.routes,
    campaign_routes.routes,
    schedule_routes.routes,
    recurrence_routes.routes,
    doubt_routes.routes,
    response_routes.routes,
    retention_routes.routes,
    suppression_routes.routes,
    number_routes.routes,
)


def create_app(runtime: Runtime) -> FastAPI:
    """Build the application over an open runtime of the role `web`."""
    from textwave.callbacks.routes import router as callback_router
    from textwave.console.router import mount as mount_console

    app = build_api()
    app.state.runtime = runtime
    metrics = Metrics()
    app.add_middleware(Edge, registry=metrics.registry)
    _add_health(app, runtime, metrics)
    app.include_router(
        callback_router(
            ledger=runtime.ledger,
            clock=runtime.clock,
            open_key=lambda name, sealed: open_key(runtime.vault, name, sealed),
            secret_of=lambda account, version: push_secret(runtime.vault, account, version),
        ),
        include_in_schema=False,
    )
    mount_console(app, lambda: runtime)
    return app


def build_api() -> FastAPI:
    """Build the REST API alone, without a runtime: its document needs no database."""
    app = FastAPI(
        title="Textwave",
        version=version("textwave"),
        summary="SMS marketing: audiences, campaigns, delivery and effect.",
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    refused: dict[int | str, dict[str, Any]] = {
        "default": {
            "description": "A problem (RFC 9457).",
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        },
        422: {"model": Problem, "description": "A problem (RFC 9457)."},
    }
    for routes in _ROUTES:
        app.include_router(routes, prefix="/api", responses=refused)
    add_problem_handlers(app)
    _name_problems(app)
    return app


def _name_problems(app: FastAPI) -> None:
    """Let the document say that problems come as problems, not as any JSON."""
    written = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            for operations in written()["paths"].values():
                for operation in operations.values():
                    content = operation["responses"]["422"]["content"]
                    content[PROBLEM_JSON] = content.pop("application/json")
        return written()

    app.openapi = document


def _add_health(app: FastAPI, runtime: Runtime, metrics: Metrics) -> None:
    async def healthz() -> dict[str, str]:
        async with runtime.ledger.transaction() as connection:
            await connection.execute("SELECT 1")
        return {"status": "ok"}

    async def measured() -> Response:
        written = await metrics.written(runtime.ledger)
        return Response(written, media_type="text/plain; version=0.0.4; charset=utf-8")

    answers: dict[str, Callable[[], Awaitable[Any]]] = {"/healthz": healthz, "/metrics": measured}
    for path, answer in answers.items():
        app.add_api_route(path, answer, include_in_schema=False)
