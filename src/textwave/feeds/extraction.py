"""Reading a source into one Parquet file: by a query in the database's own words, or as it lies.

A DuckDB of its own does it, apart from the warehouse: databases are attached for reading only, and
a query over a file can open nothing else. Refused: what is no single SELECT, sources that cannot
be reached, Textwave's own database, and results without columns.
"""

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import duckdb

from textwave.customers.quoting import literal
from textwave.feeds.address import SERVERS, Server, SourceKind, place_in, read_server
from textwave.kit.refusal import Refusal
from textwave.storage.warehouse import load_extension
from textwave.storage.watching import probing

_MEMORY_MEGABYTES: Final = 500
_LONGEST_PROBLEM: Final = 300
_CONNECT_SECONDS: Final = 15


@dataclass(eq=False)
class SourceUnreachable(Refusal):
    """The source cannot be opened."""

    code: ClassVar[str] = "source_unreachable"
    source: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"The source “{self.source}” cannot be opened: {self.problem}"


@dataclass(eq=False)
class QueryRefused(Refusal):
    """The source did not take the query."""

    code: ClassVar[str] = "source_query_refused"
    source: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"The source “{self.source}” did not take the query: {self.problem}"


@dataclass(eq=False)
class NoSuchFile(Refusal):
    """The folder holds no file of the pattern."""

    code: ClassVar[str] = "source_file_missing"
    source: str
    pattern: str

    @property
    def sentence(self) -> str:
        return (
            f"The folder of “{self.source}” holds no file “{self.pattern}”. Put one there, or "
            "change the pattern; * stands for any characters of a name."
        )


@dataclass(frozen=True, slots=True)
class OpenedSource:
    """A source with its address in the clear; lives only while it is read."""

    name: str
    kind: SourceKind
    address: str


async def extract(
    source: OpenedSource, query: str, *, to: Path, folder: Path | None, spill: Path
) -> str:
    """Write what the query gives to a file; return the name that the file has for people.

    Raises:
        SourceUnreachable, QueryRefused, NoSuchFile, ImportFolderUnset, AddressUnfit: as named.
    """
    if source.kind is SourceKind.FOLDER:
        return await asyncio.to_thread(_copy_newest, source, query, to, folder)
    with _engine(spill) as connection:
        await _interruptible(
            connection, lambda: _query(connection, source, query, to=to, folder=folder)
        )
    return f"{source.name}.parquet"


async def check(source: OpenedSource, *, folder: Path | None, spill: Path) -> None:
    """Open the source and ask it nothing.

    Raises:
        SourceUnreachable, ImportFolderUnset, AddressUnfit: as named.
    """
    if source.kind is SourceKind.FOLDER:
        place = place_in(folder, source.address)
        if not await asyncio.to_thread(place.is_dir):
            raise SourceUnreachable(source.name, "there is no such folder.")
        return
    with _engine(spill) as connection:
        await _interruptible(connection, lambda: _attach(connection, source, folder))


def _copy_newest(source: OpenedSource, pattern: str, to: Path, folder: Path | None) -> str:
    place = place_in(folder, source.address)
    plain = pattern and "/" not in pattern and ".." not in pattern
    found = [path for path in place.glob(pattern) if path.is_file()] if plain else []
    if not found:
        raise NoSuchFile(source.name, pattern)
    newest = max(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
    shutil.copyfile(place_in(folder, f"{source.address}/{newest.name}"), to)
    return newest.name


def _engine(spill: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(
        config={
            "memory_limit": f"{_MEMORY_MEGABYTES}MB",
            "temp_directory": str(spill),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
    )
    connection.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
    return connection


async def _interruptible(connection: duckdb.DuckDBPyConnection, work: Callable[[], None]) -> None:
    thread = asyncio.ensure_future(asyncio.to_thread(work))
    with probing(lambda: {"phase": "asking the source"}):
        try:
            await asyncio.shield(thread)
        except asyncio.CancelledError:
            while not thread.done():
                connection.interrupt()
                await asyncio.wait([thread], timeout=0.2)
            raise


def _query(
    connection: duckdb.DuckDBPyConnection,
    source: OpenedSource,
    query: str,
    *,
    to: Path,
    folder: Path | None,
) -> None:
    _attach(connection, source, folder)
    if source.kind in SERVERS:
        asked = f"{source.kind}_query('source', {literal(query)})"
    else:
        asked = f"({_one_select(connection, source, query)})"
        connection.execute("USE source")
        connection.execute(f"SET allowed_paths = [{literal(str(to))}]")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
    try:
        connection.execute(
            f"COPY (SELECT * FROM {asked}) TO {literal(str(to))} "  # noqa: S608 - quoted above
            "(FORMAT parquet, USE_TMP_FILE false)"
        )
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise QueryRefused(source.name, _told(error)) from None


def _one_select(connection: duckdb.DuckDBPyConnection, source: OpenedSource, query: str) -> str:
    try:
        statements = connection.extract_statements(query)
    except duckdb.Error as error:
        raise QueryRefused(source.name, _told(error)) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryRefused(source.name, "it is not one SELECT statement.")
    return statements[0].query.strip().rstrip(";")


def _attach(
    connection: duckdb.DuckDBPyConnection, source: OpenedSource, folder: Path | None
) -> None:
    try:
        if source.kind is SourceKind.POSTGRES:
            _attach_postgres(connection, source)
        elif source.kind is SourceKind.MYSQL:
            _attach_mysql(connection, read_server(source.kind, source.address))
        else:
            _attach_file(connection, source, place_in(folder, source.address))
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise SourceUnreachable(source.name, _without_password(source, _told(error))) from None


def _attach_postgres(connection: duckdb.DuckDBPyConnection, source: OpenedSource) -> None:
    import duckdb_extension_postgres_scanner as extension

    load_extension(connection, extension)
    mark = "&" if "?" in source.address else "?"
    bounded = f"{source.address}{mark}connect_timeout={_CONNECT_SECONDS}"
    connection.execute(f"ATTACH {literal(bounded)} AS source (TYPE postgres, READ_ONLY)")
    ours = connection.execute(
        "SELECT * FROM postgres_query('source', 'SELECT to_regclass(''public.procrastinate_jobs'') "
        "IS NOT NULL AND to_regclass(''public.token_key'') IS NOT NULL')"
    ).fetchone()
    if ours is not None and ours[0]:
        raise SourceUnreachable(source.name, "it is Textwave's own database, which feeds nothing.")


def _attach_mysql(connection: duckdb.DuckDBPyConnection, server: Server) -> None:
    import duckdb_extension_mysql_scanner as extension

    load_extension(connection, extension)
    port = f", PORT {server.port}" if server.port else ""
    connection.execute(
        f"CREATE SECRET of_source (TYPE mysql, HOST {literal(server.host)}{port}, "
        f"DATABASE {literal(server.database)}, USER {literal(server.user)}, "
        f"PASSWORD {literal(server.password)})"
    )
    connection.execute("ATTACH '' AS source (TYPE mysql, SECRET of_source, READ_ONLY)")


def _attach_file(connection: duckdb.DuckDBPyConnection, source: OpenedSource, place: Path) -> None:
    if not place.is_file():
        raise SourceUnreachable(source.name, "there is no such file in the folder of imports.")
    if source.kind is SourceKind.SQLITE:
        import duckdb_extension_sqlite_scanner as extension

        load_extension(connection, extension)
    kind = "" if source.kind is SourceKind.DUCKDB else f"TYPE {source.kind}, "
    connection.execute(f"ATTACH {literal(str(place))} AS source ({kind}READ_ONLY)")


def _told(error: duckdb.Error) -> str:
    return str(error).strip().splitlines()[0][:_LONGEST_PROBLEM]


def _without_password(source: OpenedSource, text: str) -> str:
    if source.kind not in SERVERS:
        return text
    password = read_server(source.kind, source.address).password
    hidden = text.replace(source.address, "the address")
    return hidden.replace(password, "***") if password else hidden
