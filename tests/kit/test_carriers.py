"""Number ranges of the mainland's carriers, against the library that knows most of them."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import carrier as library

from textwave.kit.carriers import (
    PUBLIC_RANGES,
    SEGMENT_SIZE,
    Carrier,
    CarrierRanges,
    CarrierRangesNotUnderstood,
    carrier_of,
)

NAMES = {
    "China Mobile": Carrier.MOBILE,
    "China Unicom": Carrier.UNICOM,
    "China Telecom": Carrier.TELECOM,
    "China Broadnet": Carrier.BROADNET,
}
RESOLD = ("162", "165", "167", "170", "171")
SATELLITES = "1740"
DIFFERENT_AT_THE_LIBRARY = ("149", "161", SATELLITES)
FICTITIOUS = CarrierRanges({}).changed("154=mobile,164=unicom 169=telecom 1790=broadnet")


def test_a_segment_has_the_carrier_that_an_independent_library_names() -> None:
    differing = [
        segment
        for segment in map(str, range(1300, 2000))
        if not segment.startswith((*RESOLD, *DIFFERENT_AT_THE_LIBRARY))
        and carrier_of(int(f"86{segment}0000000")) != _named_by_library(segment)
    ]
    assert differing == []


def _named_by_library(segment: str) -> Carrier | None:
    number = phonenumbers.parse(f"+86{segment}0000000")
    return NAMES.get(library.name_for_number(number, "en"))


@pytest.mark.parametrize("prefix", [*RESOLD, "1349", "148", "146", "1440", "1410", "174", "154"])
def test_resold_numbers_things_satellites_and_unassigned_ones_have_no_carrier(prefix: str) -> None:
    assert carrier_of(int(f"86{prefix:0<11}")) is None


def test_the_edges_of_a_segment_belong_to_it() -> None:
    assert FICTITIOUS.carrier_of(8617900000000) is Carrier.BROADNET
    assert FICTITIOUS.carrier_of(8617909999999) is Carrier.BROADNET
    assert FICTITIOUS.carrier_of(8617910000000) is None
    assert FICTITIOUS.carrier_of(8615400000000) is Carrier.MOBILE
    assert FICTITIOUS.carrier_of(8615499999999) is Carrier.MOBILE


@given(st.integers(0, 10**15 - 1))
def test_a_number_has_a_carrier_only_if_its_segment_is_one_of_that_carrier(mobile: int) -> None:
    carrier = carrier_of(mobile)
    owners = [one for one in Carrier if mobile // SEGMENT_SIZE in PUBLIC_RANGES.segments([one])]
    assert owners == ([] if carrier is None else [carrier])


def test_a_correction_counts_for_its_digits_and_the_last_one_wins() -> None:
    ranges = PUBLIC_RANGES.changed("170=telecom 1701=none 1880=unicom")
    assert ranges.carrier_of(8617000000000) is Carrier.TELECOM
    assert ranges.carrier_of(8617010000000) is None
    assert ranges.carrier_of(8618800000000) is Carrier.UNICOM
    assert ranges.carrier_of(8618810000000) is Carrier.MOBILE


@pytest.mark.parametrize(
    "text",
    ["154", "154=", "154=vodafone", "12=mobile", "123=mobile", "15412=mobile", "１５４=mobile"],
)
def test_a_range_that_cannot_be_read_is_refused_by_name(text: str) -> None:
    with pytest.raises(CarrierRangesNotUnderstood, match=text):
        PUBLIC_RANGES.changed(text)
