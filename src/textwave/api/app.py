"""The web application: the REST API, health and metrics, and the console where it is present."""

from fastapi import FastAPI

from textwave.wiring import Runtime


def create_app(runtime: Runtime) -> FastAPI:
    """Build the application over an open runtime of the role `web`."""
    app = FastAPI(title="Textwave", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None)
    app.state.runtime = runtime

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        async with runtime.ledger.transaction() as connection:
            await connection.execute("SELECT 1")
        return {"status": "ok"}

    return app
