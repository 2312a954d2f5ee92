"""Where expressions over the lake are computed: the seam between DuckDB and Apache Spark.

The lake is one and DuckDB writes it; an engine only computes. Whoever uses a `Lake` gets the same
rows from either, so nothing outside the storage folder knows which one it is.
"""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol
from uuid import uuid4

import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.duckdb import Backend

CATALOG = "lake"


class Compute(Protocol):
    """What one piece of work computes with; it belongs to one thread, but for `interrupt`."""

    def table(self, name: str) -> ir.Table:
        """Return a table of the workspace as an expression."""
        ...

    def hold(self, rows: pa.RecordBatchReader | pa.Table) -> ir.Table:
        """Keep rows from elsewhere until the end of the piece of work."""
        ...

    def keep(self, rows: ir.Table) -> ir.Table:
        """Compute an expression once and keep its rows until the end of the piece of work."""
        ...

    def stream(
        self, rows: ir.Table, *, rows_per_batch: int
    ) -> AbstractContextManager[pa.RecordBatchReader]:
        """Read rows of the lake in batches, while others are written."""
        ...

    def append(self, name: str, rows: ir.Table) -> int:
        """Write the rows of an expression to a table of the same columns; return how many."""
        ...

    def interrupt(self) -> None:
        """Stop what is being computed; called from another thread."""
        ...

    def close(self) -> None:
        """Let go of what was held."""
        ...


class Engine(Protocol):
    """What a process computes with. It outlives the warehouse that uses it."""

    @property
    def attach_options(self) -> str:
        """What the lake is attached with, as DuckDB writes options: each begins with a comma."""
        ...

    def prepare(self, backend: Backend) -> None:
        """Make a lake that was just attached ready for the engine."""
        ...

    def begin(self, backend: Backend, schema: str) -> Compute:
        """Begin a piece of work on the tables of a schema; the DuckDB connection is its own."""
        ...

    def close(self) -> None:
        """End the engine."""
        ...


@dataclass(frozen=True, slots=True)
class DuckDbCompute:
    """Computes in the process, on the connection that also writes."""

    backend: Backend
    schema: str

    def table(self, name: str) -> ir.Table:
        """Return a table of the workspace as an expression."""
        return self.backend.table(name, database=(CATALOG, self.schema))

    def hold(self, rows: pa.RecordBatchReader | pa.Table) -> ir.Table:
        """Copy the rows into a temporary table, which spills to disk when it is big."""
        name = f"held_{uuid4().hex}"
        self.backend.con.register(f"{name}_given", rows)
        self.backend.con.execute(f"CREATE TEMP TABLE {name} AS FROM {name}_given")
        self.backend.con.unregister(f"{name}_given")
        return self.backend.table(name, database=("temp", "main"))

    def keep(self, rows: ir.Table) -> ir.Table:
        """Copy the rows of an expression into a temporary table."""
        name = f"kept_{uuid4().hex}"
        self.backend.con.execute(f"CREATE TEMP TABLE {name} AS {self.backend.compile(rows)}")
        return self.backend.table(name, database=("temp", "main"))

    @contextmanager
    def stream(
        self, rows: ir.Table, *, rows_per_batch: int
    ) -> Generator[pa.RecordBatchReader, None, None]:
        """Read on a connection of its own, so that the first can write."""
        connection = self.backend.con.cursor()
        try:
            connection.execute(self.backend.compile(rows))
            yield connection.to_arrow_reader(rows_per_batch)
        finally:
            connection.close()

    def append(self, name: str, rows: ir.Table) -> int:
        """Select into the table in one statement."""
        selection = self.backend.compile(rows)
        statement = f"INSERT INTO {qualified(self.schema, name)} BY NAME {selection}"
        row = self.backend.con.execute(statement).fetchone()
        return 0 if row is None else int(row[0])

    def interrupt(self) -> None:
        """Stop the statement that is running."""
        self.backend.con.interrupt()

    def close(self) -> None:
        """Leave it to the connection, which closes next."""


class DuckDbEngine:
    """DuckDB, as the warehouse opened it."""

    attach_options = ""

    def prepare(self, backend: Backend) -> None:
        """Leave the lake as it is."""

    def begin(self, backend: Backend, schema: str) -> Compute:
        """Begin a piece of work."""
        return DuckDbCompute(backend, schema)

    def close(self) -> None:
        """Leave it to the warehouse, which closes DuckDB."""


def qualified(schema: str, name: str) -> str:
    """Return the quoted SQL name of a table of the lake."""
    return f'{CATALOG}.{schema}."{name}"'
