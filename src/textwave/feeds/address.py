"""Where a source is: the address of a database or a place in the folder of imports.

Passwords are part of an address and never shown. Refused: addresses of another form, and places
outside of the folder that the installation allows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from textwave.kit.refusal import Refusal

_LONGEST_ADDRESS: Final = 2_000


class SourceKind(StrEnum):
    """What a source is."""

    POSTGRES = "postgres"
    MYSQL = "mysql"
    SQLITE = "sqlite"
    DUCKDB = "duckdb"
    FOLDER = "folder"


SERVERS: Final[Mapping[SourceKind, tuple[str, ...]]] = {
    SourceKind.POSTGRES: ("postgresql", "postgres"),
    SourceKind.MYSQL: ("mysql",),
}
"""Kinds that are reached over the network, and the schemes of their addresses."""


@dataclass(eq=False)
class AddressUnfit(Refusal):
    """The address is not one of the source's kind."""

    code: ClassVar[str] = "source_address_unfit"
    kind: str
    problem: str

    @property
    def sentence(self) -> str:
        return f"The address of a source of kind {self.kind} {self.problem}."


@dataclass(eq=False)
class ImportFolderUnset(Refusal):
    """Files of the machine are read from one folder only, and none is set."""

    code: ClassVar[str] = "import_folder_unset"

    @property
    def sentence(self) -> str:
        return (
            "Files on the server are read from one folder only, and none is named. Set "
            "TEXTWAVE_IMPORT_FOLDER to it and start Textwave again."
        )


@dataclass(frozen=True, slots=True)
class Server:
    """A database on the network."""

    host: str
    port: int | None
    database: str
    user: str
    password: str


def shown_address(kind: SourceKind, address: str) -> str:
    """Return the checked address without its password.

    Raises:
        AddressUnfit: it is not of this kind.
    """
    if not address.strip() or len(address) > _LONGEST_ADDRESS or not address.isprintable():
        raise AddressUnfit(kind, f"has 1 to {_LONGEST_ADDRESS} printable characters")
    if kind not in SERVERS:
        if Path(address).is_absolute() or ".." in Path(address).parts:
            raise AddressUnfit(kind, "is a path below the folder of imports, without “..”")
        return address
    parts = _split(kind, address)
    user = parts.username or ""
    place = parts.hostname or ""
    port = f":{parts.port}" if parts.port else ""
    shown = f"{user}@{place}{port}" if user else f"{place}{port}"
    return urlunsplit((parts.scheme, shown, parts.path, "", ""))


def read_server(kind: SourceKind, address: str) -> Server:
    """Return the parts of a database's address.

    Raises:
        AddressUnfit: it is not of this kind.
    """
    parts = _split(kind, address)
    return Server(
        host=parts.hostname or "",
        port=parts.port,
        database=unquote(parts.path.lstrip("/")),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


def place_in(folder: Path | None, address: str) -> Path:
    """Return the place that an address names below the folder of imports.

    Raises:
        ImportFolderUnset: there is no such folder.
        AddressUnfit: a link leads out of it.
    """
    if folder is None:
        raise ImportFolderUnset
    root = folder.resolve()
    place = (root / address).resolve()
    if not place.is_relative_to(root):
        raise AddressUnfit(SourceKind.FOLDER, "leads out of the folder of imports")
    return place


def _split(kind: SourceKind, address: str) -> SplitResult:
    example = f"has the form {SERVERS[kind][0]}://user:password@host:port/database"
    try:
        parts = urlsplit(address)
        place = parts.hostname or (kind is SourceKind.POSTGRES and "host=" in parts.query)
        whole = place and parts.path.strip("/") and (parts.port or True)
    except ValueError:
        raise AddressUnfit(kind, example) from None
    if parts.scheme not in SERVERS[kind] or not whole:
        raise AddressUnfit(kind, example)
    return parts
