import pytest

from textwave.content.states import (
    TEMPLATE_STATES,
    TemplateEvent,
    TemplateState,
)
from textwave.kit.states import MoveNotAllowed
from textwave.storage.ledger import Ledger, value

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


async def test_the_ledger_knows_the_states_of_the_table(ledger: Ledger) -> None:
    async with ledger.transaction() as connection:
        check = await value(
            connection,
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
            ["template_state_check"],
        )
    assert set(check.split("'")[1::2]) == set(TEMPLATE_STATES.states)
