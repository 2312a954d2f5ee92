"""Whatever the order, the repetition and the cutting into payloads: the same end."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from textwave.responses.operations import merge_receipts
from textwave.storage.ledger import Ledger

from .conftest import Counters, Push, SendCampaign, States

SIZE = 6
STATUSES = ("DELIVERED", "FAILED", "EXPIRED", "REJECTED", "UNKNOWN")
END = {
    "DELIVERED": ("delivered", None),
    "FAILED": ("failed", "failed at the carrier"),
    "EXPIRED": ("failed", "expired"),
    "REJECTED": ("failed", "rejected by the carrier"),
}
patiently = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def payloads(draw: st.DrawFn) -> tuple[dict[int, str], list[list[list[tuple[int, str]]]]]:
    """What is true of some messages, and rounds of payloads that say it in a mess."""
    truth: dict[int, str] = draw(
        st.dictionaries(st.integers(0, SIZE - 1), st.sampled_from(STATUSES[:4]))
    )
    said = [*truth.items()]
    noise = draw(st.lists(st.tuples(st.integers(0, SIZE - 1), st.just("UNKNOWN")), max_size=3))
    again = draw(st.lists(st.sampled_from(said), max_size=6)) if said else []
    items = draw(st.permutations([*said, *again, *noise]))
    cuts = sorted(draw(st.lists(st.integers(0, len(items)), max_size=4)))
    pieces = [
        items[start:end]
        for start, end in zip([0, *cuts], [*cuts, len(items)], strict=True)
        if start < end
    ]
    first_round = draw(st.integers(0, len(pieces)))
    return truth, [pieces[:first_round], pieces[first_round:]]


@given(told=payloads())
@patiently
async def test_any_order_repetition_and_cutting_gives_the_same_states_and_true_counters(
    ledger: Ledger,
    send_campaign: SendCampaign,
    push: Push,
    states: States,
    counters: Counters,
    told: tuple[dict[int, str], list[list[list[tuple[int, str]]]]],
) -> None:
    truth, rounds = told
    sent = await send_campaign(SIZE)
    for pieces in rounds:
        bodies: list[list[dict[str, Any]]] = [
            [sent.receipt(index, status) for index, status in piece] for piece in pieces
        ]
        await push(sent, *bodies)
        await merge_receipts(ledger)
    assert await states(sent) == [
        END[truth[index]] if index in truth else ("submitted", None) for index in range(SIZE)
    ]
    assert (await counters(sent))["delivered"] == list(truth.values()).count("DELIVERED")


@given(
    rounds=st.lists(
        st.lists(
            st.tuples(st.integers(0, SIZE), st.sampled_from(STATUSES)), min_size=1, max_size=8
        ),
        max_size=4,
    )
)
@patiently
async def test_counters_equal_recounts_even_when_receipts_contradict_each_other(
    ledger: Ledger,
    send_campaign: SendCampaign,
    push: Push,
    counters: Counters,
    rounds: list[list[tuple[int, str]]],
) -> None:
    sent = await send_campaign(SIZE)
    for items in rounds:
        await push(sent, [sent.receipt(index, status) for index, status in items])
        await merge_receipts(ledger)
    final = {index for items in rounds for index, status in items if status != "UNKNOWN"}
    counted = await counters(sent)
    assert counted["delivered"] + counted["failed"] == len(final - {SIZE})
