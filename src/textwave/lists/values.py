"""One id of a list: read by its type, or refused with the reason.

Mobile numbers become E.164 digits, e-mail addresses lower case, everything else is trimmed; so two
ways to write an id are one id. Refused: what cannot be an id, and what a spreadsheet has shortened.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from textwave.audiences.tables import OWN_KEY
from textwave.kit.mobile import read_mobile

MOBILE: Final = "mobile"
EMAIL: Final = "email"
LONGEST_ID: Final = 500
_LONGEST_EMAIL: Final = 254
EMPTY: Final = "empty"
NOT_DECRYPTED: Final = "does not decrypt with this key"
_TOO_LONG: Final = f"longer than {LONGEST_ID} characters"
_UNPRINTABLE: Final = "holds control characters"
_SHORTENED: Final = "a number that a spreadsheet has shortened; format the column as text"
_SPREADSHEET_ERROR: Final = "an error of a spreadsheet instead of a value"
_NO_MOBILE: Final = "no mobile number"
_NO_EMAIL: Final = "no e-mail address"
_is_shortened = re.compile(r"[+-]?\d(?:[.,]\d+[eE]\+?\d+|[eE]\+\d+)").fullmatch
_is_error = re.compile(r"#(?:N/A|REF!|VALUE!|NAME\?|NUM!|NULL!|DIV/0!)").fullmatch
_as_decimal = re.compile(r"(\d{7,15})\.0+").fullmatch
_control = re.compile(r"[\x00-\x1f\x7f]").search
_is_email = re.compile(r"[^\s@]+@[^\s@]+").fullmatch


@dataclass(frozen=True, slots=True)
class Unfit:
    """Why a text is no id."""

    reason: str


def reader_of(id_type: str, region: str) -> Callable[[str], str | Unfit]:
    """Return what reads one text as an id of the type; `region` is of numbers without country."""
    if id_type == MOBILE:
        return lambda text: _read_mobile(text, region)
    return _read_email if id_type == EMAIL else _read_other


def header_names(id_type: str, columns: Sequence[str]) -> frozenset[str]:
    """Return the names by which the column of such ids is known, folded."""
    known = {MOBILE: _MOBILE_NAMES, EMAIL: _EMAIL_NAMES, OWN_KEY: _KEY_NAMES}
    names = {id_type, *columns, *known.get(id_type, ())}
    return frozenset(fold(name) for name in names)


def fold(name: str) -> str:
    """Return a column's name without what people write in different ways."""
    return re.sub(r"[\s_\-.]+", "", name).casefold()


def _plausible(text: str) -> str | Unfit:
    trimmed = text.strip().strip("\ufeff\u200b")
    if not trimmed:
        return Unfit(EMPTY)
    if len(trimmed) > LONGEST_ID:
        return Unfit(_TOO_LONG)
    if _control(trimmed):
        return Unfit(_UNPRINTABLE)
    if _is_shortened(trimmed):
        return Unfit(_SHORTENED)
    return Unfit(_SPREADSHEET_ERROR) if _is_error(trimmed) else trimmed


def _read_mobile(text: str, region: str) -> str | Unfit:
    mobile = read_mobile(text, region)  # the fast path: nothing else to look at
    if mobile is not None:
        return str(mobile)
    plain = _plausible(text)
    if isinstance(plain, Unfit):
        return plain
    decimal = _as_decimal(plain)
    mobile = read_mobile(decimal[1] if decimal else plain, region)
    return Unfit(_NO_MOBILE) if mobile is None else str(mobile)


def _read_email(text: str) -> str | Unfit:
    plain = _plausible(text)
    if isinstance(plain, Unfit):
        return plain
    lower = plain.lower()
    fits = _is_email(lower) and len(lower) <= _LONGEST_EMAIL
    return lower if fits else Unfit(_NO_EMAIL)


def _read_other(text: str) -> str | Unfit:
    return _plausible(text)


_MOBILE_NAMES: Final = (
    "mobile", "mobile phone", "mobile number", "phone", "phone number", "cellphone", "tel",
    "telephone", "msisdn", "手机", "手机号", "手机号码", "电话", "电话号码", "联系电话",
)  # fmt: skip
_EMAIL_NAMES: Final = ("email", "e-mail", "mail", "email address", "邮箱", "电子邮箱", "邮件")
_KEY_NAMES: Final = (
    "customer", "customer id", "user id", "member id", "id", "uid", "客户id", "客户编号", "用户id",
    "用户编号", "会员id", "会员编号", "会员号", "编号",
)  # fmt: skip
