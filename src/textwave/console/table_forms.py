"""What the form of an import asks for, read into the import's request; what is empty is guessed."""

from collections.abc import Mapping

from textwave.customers.columns import ColumnType, TableKind
from textwave.customers.request import MOBILE_ID, ImportMode, ImportRequest, read_ids
from textwave.kit.refusal import InvalidValue


def read_import(form: Mapping[str, str], path: str) -> ImportRequest:
    """Read the request of an import from the stored file.

    Raises:
        InvalidValue, TableNameInvalid, ModeUnfit: a field does not fit; the sentence names it.
    """
    ids = read_ids(_lines(form.get("ids", "")))
    mobile = ids.pop(MOBILE_ID, None)
    key_version = _text(form, "key_version")
    request = ImportRequest(
        path=path,
        file_name=(_text(form, "file_name") or "upload")[:200],
        table=form.get("table", "").strip(),
        kind=TableKind(_choice(form, "kind", TableKind)),
        mode=ImportMode(_choice(form, "mode", ImportMode)),
        customer_column=_text(form, "customer"),
        mobile_column=_text(form, "mobile") or mobile,
        time_column=_text(form, "time"),
        amount_column=_text(form, "amount"),
        count_column=_text(form, "count"),
        types=dict(_typed(line) for line in _lines(form.get("types", ""))),
        separator=_text(form, "separator"),
        encoding=_text(form, "encoding"),
        delimiter=form.get("delimiter") or None,
        customer_id_type=_text(form, "customer_id_type"),
        ids=ids or None,
        partition_column=_text(form, "partition"),
        accept_changes=form.get("accept_changes") == "yes",
        mobile_encrypted=form.get("mobile_encrypted") == "yes",
        key_version=None if key_version is None else _number("key_version", key_version),
    )
    request.check()
    return request


def _text(form: Mapping[str, str], name: str) -> str | None:
    given = form.get(name, "").strip()
    if not given.isprintable():
        raise InvalidValue(name, "It holds characters that cannot be printed.")
    return given or None


def _choice(form: Mapping[str, str], name: str, choices: type[TableKind | ImportMode]) -> str:
    given = form.get(name, "")
    if given not in list(choices):
        raise InvalidValue(name, f"“{given[:60]}” is none of {', '.join(choices)}.")
    return given


def _number(name: str, given: str) -> int:
    if not (given.isascii() and given.isdigit() and len(given) < 10):  # noqa: PLR2004 - fits an integer
        raise InvalidValue(name, f"“{given[:20]}” is no whole number.")
    return int(given)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _typed(written: str) -> tuple[str, ColumnType]:
    column, _, kind = written.rpartition("=")
    if not column or kind not in list(ColumnType):
        choices = "|".join(ColumnType)
        raise InvalidValue("types", f"“{written[:80]}” is not written as column={choices}.")
    return column, ColumnType(kind)
