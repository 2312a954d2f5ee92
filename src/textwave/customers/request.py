"""What an import is asked to do, checked as far as that is possible without reading the file."""

import codecs
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, ClassVar, Final

from textwave.customers.columns import KEYED_KINDS, ColumnType, Part, TableKind
from textwave.customers.naming import check_table_name
from textwave.kit.refusal import InvalidValue, Refusal

OWN_KEY: Final = "customer"
"""The id type of a customer's own key."""

MOBILE_ID: Final = "mobile"
"""The id type of a mobile number: the mobile column of a table of customers."""

_is_id_type = re.compile(r"[a-z][a-z0-9_]{0,29}").fullmatch


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
        if self.kind in KEYED_KINDS:
            return (
                f"A table of {self.kind} has each key once, so nothing can be appended to it. "
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
    `default_region` None is the workspace's. `customer_id_type` says what the customer column of
    a table of another kind holds, and `ids` which columns of a table of customers hold ids of
    which type; None is as the table has it. `accept_changes` takes a table's change of shape.
    With `mobile_encrypted` the mobile column is ciphertext of the key `key_version`; None: the
    newest, or that of the table's rows.
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
    count_column: str | None = None
    customer_id_type: str | None = None
    ids: Mapping[str, str] | None = None
    partition_column: str | None = None
    accept_changes: bool = False
    mobile_encrypted: bool = False
    key_version: int | None = None

    def declared(self, part: Part) -> str | None:
        """Return the column that was declared for the part."""
        return {
            Part.CUSTOMER: self.customer_column,
            Part.MOBILE: self.mobile_column,
            Part.TIME: self.time_column,
            Part.AMOUNT: self.amount_column,
            Part.COUNT: self.count_column,
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
        unfit = ImportMode.APPEND if self.kind in KEYED_KINDS else ImportMode.UPSERT
        if self.mode is unfit:
            raise ModeUnfit(self.mode.value, self.kind.value)
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter in '"\r\n'):
            raise InvalidValue("delimiter", "It must be one character and no quote or line end.")
        if self.separator is not None and not self.separator.strip():
            raise InvalidValue("separator", "It must be at least one visible character.")
        check_encoding(self.encoding)
        self._check_ids()
        self._check_encryption()
        if self.partition_column is not None and self.kind in KEYED_KINDS:
            problem = f"A table of {self.kind} has one row a customer and is not partitioned."
            raise InvalidValue("partition", problem)

    def _check_encryption(self) -> None:
        if self.mobile_encrypted and self.customer_id_type == MOBILE_ID:
            problem = "The customer column cannot be encrypted; rows are joined by it."
            raise InvalidValue("mobile_encrypted", problem)
        if self.key_version is not None and not self.mobile_encrypted:
            problem = "A key version goes with an encrypted mobile column: say that it is one."
            raise InvalidValue("key_version", problem)

    def _check_ids(self) -> None:
        for id_type in (*(self.ids or {}), self.customer_id_type or OWN_KEY):
            if not _is_id_type(id_type):
                problem = f"“{id_type}” is no id type: up to 30 of a-z, 0-9 and _, a letter first."
                raise InvalidValue("ids", problem)
        if {OWN_KEY, MOBILE_ID} & set(self.ids or {}):
            problem = "Ids of the types customer and mobile are the columns named by those options."
            raise InvalidValue("ids", problem)
        if self.kind is TableKind.CUSTOMERS:
            if self.customer_id_type not in (None, OWN_KEY):
                problem = "A table of customers is known by the customers' own key."
                raise InvalidValue("customer_id_type", problem)
        elif self.ids:
            problem = "Only a table of customers has further ids; others name customer_id_type."
            raise InvalidValue("ids", problem)
        elif self.customer_id_type == MOBILE_ID and self.mobile_column is not None:
            problem = "The customer column holds the mobile numbers; no second column can."
            raise InvalidValue("mobile", problem)


def read_request(written: Mapping[str, Any]) -> ImportRequest:
    """Read a request as `ImportRequest.written` writes it."""
    read: dict[str, Any] = dict(written)
    read["types"] = {name: ColumnType(kind) for name, kind in written["types"].items()}
    read["kind"], read["mode"] = TableKind(written["kind"]), ImportMode(written["mode"])
    return ImportRequest(**read)


def read_ids(written: Sequence[str]) -> dict[str, str]:
    """Read `type=column` pairs.

    Raises:
        InvalidValue: one is not so written, or two name the same type.
    """
    ids: dict[str, str] = {}
    for one in written:
        id_type, _, column = one.partition("=")
        if not _is_id_type(id_type) or not column:
            raise InvalidValue("ids", f"“{one}” is not written as type=column, e.g. email=mail.")
        if id_type in ids:
            problem = f"“{ids[id_type]}” and “{column}” both for {id_type}: one column a type."
            raise InvalidValue("ids", problem)
        ids[id_type] = column
    return ids


def check_encoding(encoding: str | None) -> None:
    """Refuse a name of no encoding of text."""
    if encoding is None:
        return
    try:
        known = codecs.lookup(encoding)
        "".encode(known.name)
    except LookupError:
        problem = f"“{encoding}” is no known encoding of text; use e.g. utf-8, gb18030 or utf-16."
        raise InvalidValue("encoding", problem) from None
