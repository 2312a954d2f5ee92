"""Columns of an imported table: their types and parts, and how both are guessed.

Guesses rest on names, English and Chinese, and on a sample of values; what the user declares is
never overruled. A key or a mobile number is always text: as a number it would lose its zeros.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

Sample = Mapping[str, Sequence[str]]
"""Column name → values of the first rows; an empty text is a missing value."""

TOLERATED_SHARE: Final = 0.01
"""Share of values that may not fit a guessed type; with more of them the column is text."""

_LONGEST_EXACT_DIGITS: Final = 15
_SEPARATORS: Final = ("|", ";", "；", "、", ",")
_is_number = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,2})?\s*").fullmatch
_is_code = re.compile(r"\s*[+-]?0\d+\s*").fullmatch
_time = re.compile(r"\s*(\d{4})([-/])(\d{1,2})\2(\d{1,2})([T ](\d{1,2}:\d\d(:\d\d)?)\S*)?\s*")
_looks_like_mobile = re.compile(r"\s*(\+?86|0086)?1[3-9]\d{9}\s*|\s*\+\d{8,15}\s*").fullmatch
_not_a_word = re.compile(r"[\s_\-./()（）]+")


class ColumnType(StrEnum):
    """What a column holds. A time without offset is the workspace's local one."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    MULTI_VALUE = "multi_value"


class TableKind(StrEnum):
    """What one row of a table is."""

    CUSTOMERS = "customers"
    ORDERS = "orders"
    BEHAVIOURS = "behaviours"
    ORDER_SUMMARY = "order_summary"
    METRICS = "metrics"


KEYED_KINDS: Final = frozenset({TableKind.CUSTOMERS, TableKind.ORDER_SUMMARY})
"""Kinds with one row a customer, so that rows can be renewed by their key."""


class Part(StrEnum):
    """What a column is for."""

    CUSTOMER = "customer"
    MOBILE = "mobile"
    TIME = "time"
    AMOUNT = "amount"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class Column:
    """One column; only a multi-value column has a separator."""

    name: str
    type: ColumnType
    separator: str | None = None

    def written(self) -> dict[str, str]:
        """Return it as the ledger keeps it."""
        separator = {} if self.separator is None else {"separator": self.separator}
        return {"name": self.name, "type": self.type.value} | separator


_NAMES: Final[Mapping[Part, tuple[str, ...]]] = {
    Part.CUSTOMER: (
        "customerid", "customer", "customerno", "customerkey", "userid", "memberid", "buyerid",
        "clientid", "uid", "openid", "memberno", "客户id", "客户编号", "客户号", "用户id",
        "用户编号", "会员id", "会员编号", "会员号", "会员卡号", "买家id", "id", "编号",
    ),
    Part.MOBILE: (
        "mobile", "mobilephone", "mobilenumber", "phone", "phonenumber", "phoneno", "cellphone",
        "tel", "telephone", "msisdn", "手机", "手机号", "手机号码", "电话", "电话号码",
        "联系电话", "联系方式", "移动电话",
    ),
    Part.TIME: (
        "orderedat", "orderdate", "ordertime", "paidat", "paytime", "lastorder", "lastorderat",
        "lastorderdate", "lastordertime", "lastpurchase", "lastpurchaseat", "lastpurchasedate",
        "lasttransactiontime", "happenedat", "occurredat", "eventtime", "time", "timestamp",
        "datetime", "date", "createdat", "下单时间", "订单时间", "订单日期", "最近下单时间",
        "最近购买时间", "最后购买时间", "最近交易时间", "最后交易时间", "付款时间",
        "支付时间", "行为时间", "发生时间", "时间", "日期", "创建时间",
    ),
    Part.AMOUNT: (
        "amount", "paidamount", "revenue", "total", "totalamount", "price", "paid", "payment",
        "value", "monetary", "实付金额", "支付金额", "付款金额", "订单金额", "交易金额",
        "消费金额", "累计金额", "总金额", "金额", "总价", "价格",
    ),
    Part.COUNT: (
        "ordercount", "numberoforders", "orderscount", "orders", "purchasecount", "purchases",
        "transactioncount", "numberoftransactions", "transactions", "frequency", "count",
        "订单数", "订单数量", "下单次数", "购买次数", "交易次数", "交易笔数", "消费次数",
        "次数", "笔数",
    ),
}  # fmt: skip
_MULTI_VALUE_NAMES: Final = ("tags", "tag", "labels", "interests", "标签", "兴趣")


def guess_type(name: str, values: Sequence[str]) -> Column:
    """Guess a column's type from its name and a sample; without values it is text."""
    present = [value for value in values if value.strip()]
    if _plain(name) in _MULTI_VALUE_NAMES:
        return Column(name, ColumnType.MULTI_VALUE, guess_separator(present))
    if not present or any(_is_code(value) or _is_long(value) for value in present):
        return Column(name, ColumnType.TEXT)
    if _most(present, lambda value: _is_number(value) is not None):
        return Column(name, ColumnType.NUMBER)
    if _most(present, is_time):
        return Column(name, ColumnType.TIME)
    return Column(name, ColumnType.TEXT)


def guess_separator(values: Sequence[str]) -> str:
    """Return the separator that occurs in most values; a comma if none does."""
    counts = {mark: sum(mark in value for value in values) for mark in _SEPARATORS}
    best = max(_SEPARATORS, key=counts.__getitem__)
    return best if counts[best] else ","


def guess_part(part: Part, names: Sequence[str], sample: Sample) -> str | None:
    """Return the column that most likely plays the part, or None.

    A name counts as soon as it is a known one; a mobile column is also known by its values, and
    the only column of times is the time.
    """
    by_plain_name = {_plain(name): name for name in reversed(names)}
    for known in _NAMES[part]:
        if known in by_plain_name:
            return by_plain_name[known]
    if part is Part.TIME:
        times = [n for n in names if guess_type(n, sample.get(n, ())).type is ColumnType.TIME]
        return times[0] if len(times) == 1 else None
    if part is not Part.MOBILE:
        return None
    return next((name for name in names if _holds_mobiles(sample.get(name, ()))), None)


def is_time(text: str) -> bool:
    """Tell whether the text is a date or a time as the warehouse reads it: year first."""
    found = _time.fullmatch(text)
    if found is None:
        return False
    hour, minutes = (found[6] or "0:00").split(":", 1)
    try:
        datetime.fromisoformat(
            f"{found[1]}-{int(found[3]):02}-{int(found[4]):02} {int(hour):02}:{minutes}"
        )
    except ValueError:
        return False
    return True


def is_value(text: str) -> bool:
    """Tell whether the text is a number, a time or a mobile number, so hardly a column's name."""
    return bool(_is_number(text) or _looks_like_mobile(text)) or is_time(text)


def looks_like_mobile(text: str) -> bool:
    """Tell whether the text is written like a mobile number."""
    return _looks_like_mobile(text) is not None


def _holds_mobiles(values: Sequence[str]) -> bool:
    present = [value for value in values if value.strip()]
    fitting = sum(_looks_like_mobile(value) is not None for value in present)
    return bool(present) and fitting * 2 > len(present)


def _is_long(value: str) -> bool:
    return value.strip().isdigit() and len(value.strip()) > _LONGEST_EXACT_DIGITS


def _most(values: Sequence[str], fits: Callable[[str], bool]) -> bool:
    return sum(not fits(value) for value in values) <= TOLERATED_SHARE * len(values)


def _plain(name: str) -> str:
    return _not_a_word.sub("", name).lower()
