import pytest

from textwave.content.states import (
    SIGNATURE_STATES,
    TEMPLATE_STATES,
    SignatureEvent,
    SignatureState,
    TemplateEvent,
    TemplateState,
)
from textwave.kit.states import MoveNotAllowed
from textwave.storage.ledger import Ledger, value

SIGNATURE_MOVES = {
    ("reviewing", "be approved"): "approved",
    ("reviewing", "be rejected"): "rejected",
    ("reviewing", "be deleted"): "deleted",
    ("approved", "be deleted"): "deleted",
    ("rejected", "be asked about again"): "reviewing",
    ("rejected", "be deleted"): "deleted",
}
TEMPLATE_MOVES = {
    ("draft", "be edited"): "draft",
    ("draft", "be submitted"): "reviewing",
    ("draft", "be deleted"): "deleted",
    ("reviewing", "be approved"): "approved",
    ("reviewing", "be rejected"): "rejected",
    ("reviewing", "be deleted"): "deleted",
    ("approved", "be deleted"): "deleted",
    ("rejected", "be edited"): "draft",
    ("rejected", "be submitted"): "reviewing",
    ("rejected", "be deleted"): "deleted",
}


@pytest.mark.parametrize("state", SignatureState)
@pytest.mark.parametrize("event", SignatureEvent)
def test_a_signature_moves_as_the_product_says_and_no_other_way(
    state: SignatureState, event: SignatureEvent
) -> None:
    if (state, event) in SIGNATURE_MOVES:
        assert SIGNATURE_STATES.after(state, event) == SIGNATURE_MOVES[state, event]
    else:
        with pytest.raises(MoveNotAllowed):
            SIGNATURE_STATES.after(state, event)


@pytest.mark.parametrize("state", TemplateState)
@pytest.mark.parametrize("event", TemplateEvent)
def test_a_template_moves_as_the_product_says_and_no_other_way(
    state: TemplateState, event: TemplateEvent
) -> None:
    if (state, event) in TEMPLATE_MOVES:
        assert TEMPLATE_STATES.after(state, event) == TEMPLATE_MOVES[state, event]
    else:
        with pytest.raises(MoveNotAllowed):
            TEMPLATE_STATES.after(state, event)


@pytest.mark.parametrize(
    ("table", "states"),
    [("signature", SIGNATURE_STATES.states), ("template", TEMPLATE_STATES.states)],
)
async def test_the_ledger_knows_the_states_of_the_table(
    ledger: Ledger, table: str, states: tuple[str, ...]
) -> None:
    async with ledger.transaction() as connection:
        check = await value(
            connection,
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
            [f"{table}_state_check"],
        )
    assert set(check.split("'")[1::2]) == set(states)
