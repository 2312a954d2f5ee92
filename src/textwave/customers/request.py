"""What an import is asked to do, checked as far as that is possible without reading the file."""

import codecs
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from textwave.customers.columns import ColumnType, Part, TableKind
from textwave.customers.naming import check_table_name
from textwave.kit.refusal import InvalidValue, Refusal


class ImportMode(StrEnum):
    """What happens to the rows that the table has already."""

    REPLACE = "replace"
    UPSERT = "upsert"
    APPEND = "append"


@dataclass(eq=False)
class ModeUnfit(Refusal):
    """The mode does not go with the kind of table."""

    code: ClassVar[str] = "mode_unfit"
    mode: str
    kind: str

    @property
    def sentence(self) -> str:
        if self.kind == TableKind.CUSTOMERS:
            return (
                "A table of customers has each key once, so nothing can be appended to it. "
                "Use “upsert” (rows with a known key are renewed) or “replace”."
            )
        return (
            f"A table of {self.kind} has no key by which rows could be renewed. "
            "Use “append” or “replace”."
        )


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One file for one table.

    `path` is where the file was stored, absolute; `file_name` is what the user calls it. What is
    None is guessed: columns, encoding (UTF-8, or UTF-16 by its byte order mark), delimiter;
    `default_region` None is the workspace's.
    """

    path: str
    file_name: str
    table: str
    kind: TableKind
    mode: ImportMode = ImportMode.REPLACE
    customer_column: str | None = None
    mobile_column: str | None = None
    time_column: str | None = None
    amount_column: str | None = None
    types: Mapping[str, ColumnType] = field(default_factory=dict[str, ColumnType])
    separator: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    default_region: str | None = None

    def declared(self, part: Part) -> str | None:
        """Return the column that was declared for the part."""
        return {
            Part.CUSTOMER: self.customer_column,
            Part.MOBILE: self.mobile_column,
            Part.TIME: self.time_column,
            Part.AMOUNT: self.amount_column,
        }[part]

    def written(self) -> dict[str, Any]:
        """Return it as an operation's request keeps it."""
        return asdict(self) | {"types": {name: str(kind) for name, kind in self.types.items()}}

    def check(self) -> None:
        """Refuse what cannot be done whatever the file holds.

        Raises:
            TableNameInvalid, ModeUnfit, InvalidValue: what its sentence says.
        """
        check_table_name(self.table)
        unfit = ImportMode.APPEND if self.kind is TableKind.CUSTOMERS else ImportMode.UPSERT
        if self.mode is unfit:
            raise ModeUnfit(self.mode.value, self.kind.value)
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InvalidValue("delimiter", "It must be one character and no quote or line end.")
        if self.separator is not None and not self.separator.strip():
            raise InvalidValue("separator", "It must be at least one visible character.")
        _check_encoding(self.encoding)


def read_request(written: Mapping[str, Any]) -> ImportRequest:
    """Read a request as `ImportRequest.written` writes it."""
    read: dict[str, Any] = dict(written)
    read["types"] = {name: ColumnType(kind) for name, kind in written["types"].items()}
    read["kind"], read["mode"] = TableKind(written["kind"]), ImportMode(written["mode"])
    return ImportRequest(**read)


def _check_encoding(encoding: str | None) -> None:
    if encoding is None:
        return
    try:
        known = codecs.lookup(encoding)
        "".encode(known.name)
    except LookupError:
        problem = f"“{encoding}” is no known encoding of text; use e.g. utf-8, gb18030 or utf-16."
        raise InvalidValue("encoding", problem) from None
