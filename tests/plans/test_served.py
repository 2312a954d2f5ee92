"""Whom an account and a digital template reach, against a row-at-a-time oracle."""

import duckdb
import ibis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textwave.content.variables import parse
from textwave.kit.carriers import Carrier, CarrierRanges
from textwave.kit.mobile import Mobile
from textwave.plans.plan import OPTED_OUT, Recipients, recipients
from textwave.plans.served import Served

RANGES = CarrierRanges({}).changed("154=mobile 164=unicom 169=telecom 179=broadnet")
MAINLAND = st.sampled_from([154, 164, 169, 179, 194]).flatmap(
    lambda prefix: st.integers(0, 99_999_999).map(lambda rest: int(f"86{prefix}{rest:08}"))
)
FOREIGN = st.sampled_from([447700900123, 15550100, 12025550101])
NUMBERS = st.lists(st.none() | MAINLAND | FOREIGN, max_size=30)


def oracle(number: int | None, opted_out: set[int], served: Served, approving: set[Carrier]) -> str:
    """Decide one number by the words of the rule."""
    if number is None:
        return "no number"
    is_mainland = str(number).startswith("861") and len(str(number)) == 13
    if served.mainland is not None and is_mainland is not served.mainland:
        return "bad number"
    if number in opted_out:
        return "opted out"
    if served.segments is not None and RANGES.carrier_of(number) not in approving:
        return "carrier not approved"
    return "message"


@given(
    NUMBERS,
    st.sets(st.sampled_from(Carrier)),
    st.booleans(),
    st.sampled_from([None, True, False]),
    st.data(),
)
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.too_slow])
def test_a_number_is_reached_only_by_an_account_that_serves_it_and_an_approving_carrier(
    numbers: list[int | None],
    approving: set[Carrier],
    is_digital: bool,  # noqa: FBT001 - drawn
    mainland: bool | None,  # noqa: FBT001 - drawn
    data: st.DataObject,
) -> None:
    known = [number for number in numbers if number is not None]
    opted_out = set(data.draw(st.lists(st.sampled_from(known)))) if known else set[int]()
    served = Served(mainland, frozenset(RANGES.segments(approving)) if is_digital else None)
    found = _planned(numbers, opted_out, served)
    expected = [oracle(number, opted_out, served, approving) for number in numbers]
    assert found == expected
    free = [n for n in known if n not in opted_out]
    assert all(
        served.serves(Mobile(n)) is (oracle(n, set(), served, approving) == "message") for n in free
    )


def _planned(numbers: list[int | None], opted_out: set[int], served: Served) -> list[str]:
    backend = ibis.duckdb.from_connection(duckdb.connect())
    fields = {"customer_id": "string", "textwave_mobile": "int64", "textwave_bad_mobile": "boolean"}
    table = backend.create_table("customers", schema=ibis.schema(fields), temp=True)
    rows = [
        {"customer_id": f"{place:03}", "textwave_mobile": number, "textwave_bad_mobile": False}
        for place, number in enumerate(numbers)
    ]
    if rows:
        backend.insert("customers", ibis.memtable(rows, schema=ibis.schema(fields)))
    blocked = ibis.memtable(
        [{"mobile": n} for n in opted_out], schema=ibis.schema({"mobile": "int64"})
    )
    expression = recipients(
        Recipients(
            members=table.select(customer=table.customer_id),
            customers=table,
            customer_column="customer_id",
            template=parse("A text"),
            sources={},
            blocked=[(OPTED_OUT, blocked)],
            served=served,
        )
    )
    planned = backend.to_pyarrow(expression).sort_by("customer").to_pylist()
    return [row["reason"] or "message" for row in planned]
