"""The warehouse: DuckLake, computed by DuckDB, its catalog in the ledger's PostgreSQL.

Rules and plans are Ibis expressions over its tables; each workspace has a schema of its own. A
connection belongs to one thread at a time; heavy work runs in a thread so that the worker's event
loop stays free.
"""

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import ClassVar, Final, TypeVar

import duckdb
import duckdb_extension_ducklake
import duckdb_extension_postgres_scanner
import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend
from psycopg.conninfo import conninfo_to_dict

from textwave.kit.ids import WorkspaceId
from textwave.kit.refusal import Refusal
from textwave.storage.compute import CATALOG, Compute, DuckDbEngine, Engine, qualified
from textwave.storage.watching import probing

Result = TypeVar("Result")

_INTERRUPT_SECONDS = 0.2
_OTHER_PATH: Final = "does not match existing data path"  # what DuckLake says
_COUNT_PROGRESS = "SET enable_progress_bar = true; SET enable_progress_bar_print = false"


@dataclass(eq=False)
class WarehouseElsewhere(Refusal):
    """The warehouse of this database has its files in another folder."""

    code: ClassVar[str] = "warehouse_elsewhere"
    path: str

    @property
    def sentence(self) -> str:
        return (
            f"The warehouse of this database does not lie in {self.path}. Give every worker the "
            "same TEXTWAVE_WAREHOUSE_PATH, or the same TEXTWAVE_SHARED, spelled alike. Where it "
            "lies stands in table lake.ducklake_metadata of the database, key data_path."
        )


@dataclass(frozen=True, slots=True)
class Lake:
    """One open connection to the warehouse, seen from one workspace."""

    backend: Backend
    workspace: WorkspaceId
    compute: Compute

    @property
    def duckdb(self) -> duckdb.DuckDBPyConnection:
        """The DuckDB connection, for what Ibis does not say (reading files, transactions)."""
        connection: duckdb.DuckDBPyConnection = self.backend.con
        return connection

    @property
    def schema(self) -> str:
        """The schema of the workspace's tables."""
        return schema_of(self.workspace)

    def qualified(self, name: str) -> str:
        """Return the quoted SQL name of a table of the workspace."""
        return qualified(self.schema, name)

    def table(self, name: str) -> ir.Table:
        """Return a table of the workspace as an Ibis expression."""
        return self.compute.table(name)

    def append(self, name: str, rows: ir.Table) -> int:
        """Append the rows of an expression to a table of the same columns; return how many.

        In a transaction, expressions see what was there when it began.
        """
        return self.compute.append(name, rows)

    def hold(self, rows: pa.RecordBatchReader | pa.Table) -> ir.Table:
        """Keep rows from elsewhere for this piece of work, to be joined with tables of the lake."""
        return self.compute.hold(rows)

    def keep(self, rows: ir.Table) -> ir.Table:
        """Compute an expression once and keep its rows for this piece of work."""
        return self.compute.keep(rows)

    def interrupt(self) -> None:
        """Stop the statement that is running; called from another thread."""
        self.compute.interrupt()

    def stream(
        self, rows: ir.Table, *, rows_per_batch: int
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """Read rows of the lake in batches, while others are written: not those that are held."""
        return self.compute.stream(rows, rows_per_batch=rows_per_batch)

    def has_table(self, name: str) -> bool:
        """Tell whether the workspace has the table."""
        return name in self.backend.list_tables(database=(CATALOG, self.schema))

    def version(self) -> int:
        """Return the newest version (DuckLake snapshot) of the whole lake."""
        row = self.duckdb.execute(
            f"SELECT max(snapshot_id) FROM ducklake_snapshots('{CATALOG}')"  # noqa: S608 - a constant
        ).fetchone()
        return 0 if row is None or row[0] is None else int(row[0])

    @contextmanager
    def transaction(self) -> Generator[None, None, None]:
        """Commit all that is written inside, or nothing of it."""
        self.duckdb.execute("BEGIN TRANSACTION")
        try:
            yield
        except BaseException:
            self.duckdb.execute("ROLLBACK")
            raise
        self.duckdb.execute("COMMIT")


@dataclass(frozen=True, slots=True)
class Warehouse:
    """Where the lake is and what this process may use for it.

    DuckDB is opened and the lake attached at the first use; after that each piece of work gets a
    connection of its own to the same instance, so the memory limit holds for all of them together.
    """

    owner_url: str
    data_path: str
    spill_folder: Path
    memory_megabytes: int
    threads: int
    engine: Engine = field(default_factory=DuckDbEngine)
    _opened: list[duckdb.DuckDBPyConnection] = field(
        default_factory=list[duckdb.DuckDBPyConnection], init=False, repr=False, compare=False
    )
    _opening: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False, compare=False
    )

    @contextmanager
    def open(self, workspace: WorkspaceId) -> Generator[Lake, None, None]:
        """Open a connection for one piece of work and close it after."""
        connection = self._connection()
        try:
            connection.execute(_COUNT_PROGRESS)
            backend = ibis.duckdb.from_connection(connection)
            connection.execute(f"CREATE SCHEMA IF NOT EXISTS {CATALOG}.{schema_of(workspace)}")
            with closing(self.engine.begin(backend, schema_of(workspace))) as compute:
                yield Lake(backend, workspace, compute)
        finally:
            connection.close()

    async def run(self, workspace: WorkspaceId, work: Callable[[Lake], Result]) -> Result:
        """Run work on a connection of its own, in a thread.

        Cancelled, it interrupts what the engine does and waits for the thread; work that was
        done by then stands, and its result is returned.
        """
        opened: list[Lake] = []

        def in_thread() -> Result:
            with self.open(workspace) as lake:
                opened.append(lake)
                try:
                    return work(lake)
                finally:
                    opened.clear()

        def percent() -> dict[str, float]:
            return {"percent": done} if (done := _percent(opened)) is not None else {}

        with probing(percent):
            thread = asyncio.ensure_future(asyncio.to_thread(in_thread))
            try:
                return await asyncio.shield(thread)
            except asyncio.CancelledError:
                return await _interrupted(thread, opened)

    def close(self) -> None:
        """Close the instance; the next use opens it again."""
        with self._opening:
            while self._opened:
                self._opened.pop().close()

    def _connection(self) -> duckdb.DuckDBPyConnection:
        with self._opening:
            if self._opened and not _answers(self._opened[0]):
                self._opened.pop().close()  # the catalog's database was restarted, say
            if not self._opened:
                self._opened.append(self._attached())
            return self._opened[0].cursor()

    def _attached(self) -> duckdb.DuckDBPyConnection:
        self.spill_folder.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(config=self._configuration())
        try:
            for module in (duckdb_extension_postgres_scanner, duckdb_extension_ducklake):
                load_extension(connection, module)
            connection.execute(
                f"ATTACH 'ducklake:postgres:{_quoted(self._catalog_url())}' AS {CATALOG} "
                f"(DATA_PATH '{_quoted(self.data_path)}', METADATA_SCHEMA 'lake'"
                f"{self.engine.attach_options})"
            )
            self.engine.prepare(ibis.duckdb.from_connection(connection))
        except BaseException as error:
            connection.close()
            if isinstance(error, duckdb.Error) and _OTHER_PATH in str(error):
                raise WarehouseElsewhere(self.data_path) from error
            raise
        return connection

    def _configuration(self) -> dict[str, str | bool | int | float | list[str]]:
        configuration: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{self.memory_megabytes}MB",
            "temp_directory": str(self.spill_folder),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if self.threads:
            configuration["threads"] = self.threads
        return configuration

    def _catalog_url(self) -> str:
        # DuckDB's reader wants quotes only where libpq needs them.
        parts = conninfo_to_dict(self.owner_url)
        return " ".join(f"{name}={value}" for name, value in parts.items() if value)


def _percent(opened: list[Lake]) -> float | None:
    """Return how much of the statement under way is done, in percent; None if not known."""
    lake = next(iter(opened), None)
    try:
        done = -1.0 if lake is None else lake.duckdb.query_progress()
    except duckdb.Error:  # it was closed in this moment
        return None
    return round(done, 1) if done >= 0 else None


async def _interrupted(thread: asyncio.Future[Result], opened: list[Lake]) -> Result:
    """Interrupt one statement after the other until the thread has ended.

    Raises:
        asyncio.CancelledError: the work did not come to its end.
    """
    while not thread.done():
        for lake in list(opened):
            lake.interrupt()
        await asyncio.wait([thread], timeout=_INTERRUPT_SECONDS)
    if thread.exception() is None and (task := asyncio.current_task()) is not None:
        task.uncancel()
        return thread.result()
    raise asyncio.CancelledError


def schema_of(workspace: WorkspaceId) -> str:
    """Return the schema that holds a workspace's tables."""
    return f"workspace_{workspace}"


def _answers(connection: duckdb.DuckDBPyConnection) -> bool:
    """Tell whether the lake's catalog can still be read over this connection."""
    try:
        connection.execute(f"SELECT max(snapshot_id) FROM ducklake_snapshots('{CATALOG}')")  # noqa: S608 - a constant
        connection.fetchall()
    except duckdb.Error:
        return False
    return True


def load_extension(connection: duckdb.DuckDBPyConnection, module: ModuleType) -> None:
    """Load an extension of DuckDB from the wheel that carries it."""
    file = next(Path(str(module.__file__)).parent.rglob("*.duckdb_extension"))
    connection.execute(f"LOAD '{_quoted(str(file))}'")


def _quoted(text: str) -> str:
    return text.replace("'", "''")
