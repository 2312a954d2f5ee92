import pytest

from textwave.kit.states import MoveNotAllowed
from textwave.signatures.states import SIGNATURE_STATES, SignatureEvent, SignatureState
from textwave.storage.ledger import Ledger, value

SIGNATURE_MOVES = {
    ("reviewing", "be approved"): "approved",
    ("reviewing", "be rejected"): "rejected",
    ("reviewing", "be deleted"): "deleted",
    ("approved", "be deleted"): "deleted",
    ("rejected", "be edited"): "reviewing",
    ("rejected", "be asked about again"): "reviewing",
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


async def test_the_ledger_knows_the_states_of_the_table(ledger: Ledger) -> None:
    async with ledger.transaction() as connection:
        check = await value(
            connection,
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s",
            ["signature_state_check"],
        )
    assert set(check.split("'")[1::2]) == set(SIGNATURE_STATES.states)
