"""What an upload is asked to do, and what makes two uploads the same."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from textwave.audiences.identity import MOBILE, id_types
from textwave.audiences.particulars import check_name
from textwave.audiences.tables import CustomerTable
from textwave.customers.columns import TableKind
from textwave.customers.request import check_encoding
from textwave.kit.refusal import InvalidValue, NotFound, Refusal


@dataclass(eq=False)
class ListTableUnfit(Refusal):
    """The list is to be matched with a table that has no customers of its own."""

    code: ClassVar[str] = "list_table_unfit"
    table: str
    kind: str

    @property
    def sentence(self) -> str:
        return (
            f"“{self.table}” is a table of {self.kind}. A list is matched with a table of "
            "customers: name one as `table`."
        )


@dataclass(eq=False)
class IdTypeUnknown(Refusal):
    """Customers of the table are not known by ids of that type."""

    code: ClassVar[str] = "id_type_unknown"
    table: str
    id_type: str
    known: tuple[str, ...]

    @property
    def sentence(self) -> str:
        return (
            f"Customers of “{self.table}” have no ids of the type “{self.id_type}”; they have "
            f"{', '.join(f'“{name}”' for name in self.known)}. Choose one of them, or import the "
            "table with the column of these ids declared."
        )


@dataclass(eq=False)
class NumbersEncrypted(Refusal):
    """The table's own numbers are ciphertexts in the lake, which no list can be matched with."""

    code: ClassVar[str] = "numbers_encrypted"
    table: str

    @property
    def sentence(self) -> str:
        return (
            f"The mobile numbers of “{self.table}” stay encrypted, so a list of numbers cannot be "
            "matched with them. Upload ids of another type, such as the customers' keys."
        )


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """One file that becomes a list of the name and an audience of the same name.

    `path` is where the file was stored; `key_version` counts when the ids are `encrypted`, None is
    the newest key. What else is None is guessed: the column, encoding and delimiter.
    """

    path: str
    file_name: str
    list: str
    table: str
    id_type: str
    actor: str
    column: str | None = None
    encrypted: bool = False
    key_version: int | None = None
    keeps_unmatched: bool = False
    encoding: str | None = None
    delimiter: str | None = None
    replace: bool = False

    def written(self) -> dict[str, Any]:
        """Return it as an operation's request keeps it."""
        return asdict(self)

    def check(self, tables: Mapping[str, CustomerTable]) -> None:
        """Refuse what cannot be done whatever the file holds.

        Raises:
            InvalidValue, NotFound, ListTableUnfit, NumbersEncrypted, IdTypeUnknown: what its
                sentence says.
        """
        if check_name(self.list) != self.list:
            raise InvalidValue("name", "It must not begin or end with a blank.")
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InvalidValue("delimiter", "It must be one character and no quote or line end.")
        check_encoding(self.encoding)
        table = tables.get(self.table)
        if table is None:
            raise NotFound("table", self.table)
        if table.kind is not TableKind.CUSTOMERS:
            raise ListTableUnfit(self.table, table.kind.value)
        if self.id_type == MOBILE and table.numbers_encrypted:
            raise NumbersEncrypted(self.table)
        if self.id_type not in id_types(table):
            raise IdTypeUnknown(self.table, self.id_type, id_types(table))

    def fingerprint(self, sha256: str) -> str:
        """Return what makes two uploads the same: the file's content and how it is read."""
        options = self.written() | {"sha256": sha256}
        for name in ("path", "file_name", "actor", "replace"):
            del options[name]
        return hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()
