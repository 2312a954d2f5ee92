# ruff: noqa: S608 - statements are built from quoted names and literals only
"""Mobile numbers of a whole file, as `kit.mobile` reads one: in sets where a pattern will do.

Three steps, each on what the one before left: plain mainland numbers while the file is staged,
then distinct values without their separators, and one by one only what may be a foreign number.
"""

from typing import Final

from textwave.customers.quoting import literal
from textwave.kit.mobile import (
    MAINLAND_PATTERN,
    PLAIN_DIGITS,
    SEPARATORS_PATTERN,
    WIDE_DIGITS,
    read_mobile,
)
from textwave.storage.warehouse import Lake

_MAINLAND: Final = "CN"
_MAINLAND_CODE: Final = 8_600_000_000_000
_FIRST_BARE, _LAST_BARE = 13_000_000_000, 19_999_999_999
_MAINLAND_ABROAD_PATTERN: Final = r"^(?:\+|00)86(1[3-9][0-9]{9})$"
_NUMBER_PATTERN: Final = r"^\+?[0-9]{4,20}$"
_NO_MOBILE_PATTERN: Final = (
    r"^(?:[1-9][0-9]{3,9}|0[1-9][0-9]{2,8}|0[2-9][0-9]+|01[0-2][0-9]+"
    r"|[2-79][0-9]+|8[0-57-9][0-9]+)$"
)
"""Digits that in the mainland are too short, a landline or no number: no table has to be asked."""

_LONGEST_WRITTEN: Final = 40
_NUMBERS_PER_BLOCK: Final = 5_000


def plain_mainland(cell: str, region: str) -> str:
    """Return the expression for a number written plainly, else NULL."""
    if region != _MAINLAND:
        return "NULL::BIGINT"
    # eleven digits as they stand need no pattern; a number such as 154e8 is none of them
    digits = f"try_cast({cell} AS BIGINT)"
    bare = (
        f"strlen({cell}) = 11 AND NOT contains({cell}, 'e') AND NOT contains({cell}, 'E') "
        f"AND {digits} BETWEEN {_FIRST_BARE} AND {_LAST_BARE}"
    )
    pattern = _mainland(cell, MAINLAND_PATTERN)
    return f"CASE WHEN {bare} THEN {_MAINLAND_CODE} + {digits} ELSE {pattern} END"


def read_numbers(lake: Lake, query: str, *, region: str) -> None:
    """Make the table `read_number` (written, mobile) of those that are mobile numbers.

    `query` gives one column of texts, `written`: NULL or repeated ones do no harm.
    """
    pattern = MAINLAND_PATTERN if region == _MAINLAND else _MAINLAND_ABROAD_PATTERN
    separators, wide = literal(SEPARATORS_PATTERN), f"'{WIDE_DIGITS}', '{PLAIN_DIGITS}'"
    lake.duckdb.execute(
        "CREATE OR REPLACE TEMP TABLE unread AS SELECT written, "
        f"regexp_replace(translate(written, {wide}), {separators}, '', 'g') AS plain "
        f"FROM (SELECT DISTINCT written FROM ({query}) WHERE length(written) <= {_LONGEST_WRITTEN})"
    )
    lake.duckdb.execute(
        "CREATE OR REPLACE TEMP TABLE read_number AS SELECT * FROM "
        f"(SELECT written, {_mainland('plain', pattern)} AS mobile FROM unread) "
        "WHERE mobile IS NOT NULL"
    )
    lake.duckdb.execute(
        "CREATE OR REPLACE TEMP TABLE hard_number AS SELECT written FROM unread "
        f"ANTI JOIN read_number USING (written) WHERE {_may_be_foreign(region)}"
    )
    _read_each(lake, region)


def _mainland(cell: str, pattern: str) -> str:
    digits = f"regexp_extract({cell}, {literal(pattern)}, 1)"
    return f"{_MAINLAND_CODE} + try_cast(nullif({digits}, '') AS BIGINT)"


def _may_be_foreign(region: str) -> str:
    digits = "CASE WHEN plain[1] = '+' THEN translate(plain, './', '') ELSE plain END"
    condition = f"regexp_matches({digits}, {literal(_NUMBER_PATTERN)})"
    if region != _MAINLAND:
        return condition
    return f"{condition} AND NOT regexp_matches(plain, {literal(_NO_MOBILE_PATTERN)})"


def _read_each(lake: Lake, region: str) -> None:
    last = -1
    while True:
        block = lake.duckdb.execute(
            f"SELECT rowid, written FROM hard_number WHERE rowid > {last} "
            f"ORDER BY rowid LIMIT {_NUMBERS_PER_BLOCK}"
        ).fetchall()
        if not block:
            return
        last = block[-1][0]
        read = [(text, read_mobile(text, region)) for _, text in block]
        values = ", ".join(f"({literal(text)}, {mobile})" for text, mobile in read if mobile)
        # written out: for a list as parameter DuckDB imports pandas, which takes a second
        if values:
            lake.duckdb.execute(f"INSERT INTO read_number VALUES {values}")
