from enum import StrEnum

import pytest

from textwave.kit.states import MoveNotAllowed, StateTable


class Lamp(StrEnum):
    OFF = "off"
    ON = "on"
    BURNT_OUT = "burnt out"


class Touch(StrEnum):
    SWITCH = "switch"
    BREAK = "break"


TABLE = StateTable(
    "lamp",
    {
        (Lamp.OFF, Touch.SWITCH): Lamp.ON,
        (Lamp.ON, Touch.SWITCH): Lamp.OFF,
        (Lamp.ON, Touch.BREAK): Lamp.BURNT_OUT,
    },
)


def test_a_move_of_the_table_leads_to_its_state() -> None:
    assert TABLE.after(Lamp.OFF, Touch.SWITCH) is Lamp.ON


def test_a_move_outside_the_table_is_refused_with_what_is_possible() -> None:
    with pytest.raises(MoveNotAllowed) as refused:
        TABLE.after(Lamp.OFF, Touch.BREAK)
    assert refused.value.fields == {
        "kind": "lamp",
        "state": "off",
        "event": "break",
        "allowed": ("switch",),
    }
    assert refused.value.sentence == "A lamp that is off cannot break. It can: switch."


def test_a_final_state_says_that_it_is_final() -> None:
    assert [state for state in TABLE.states if TABLE.is_final(state)] == [Lamp.BURNT_OUT]
    with pytest.raises(MoveNotAllowed, match="final"):
        TABLE.after(Lamp.BURNT_OUT, Touch.SWITCH)


def test_the_states_come_in_the_order_of_the_table() -> None:
    assert TABLE.states == (Lamp.OFF, Lamp.ON, Lamp.BURNT_OUT)


def test_the_sources_of_an_event_are_all_states_in_which_it_can_happen() -> None:
    assert TABLE.sources(Touch.SWITCH) == (Lamp.OFF, Lamp.ON)
    assert TABLE.sources(Touch.BREAK) == (Lamp.ON,)


def test_the_diagram_has_the_start_every_move_and_the_ends() -> None:
    assert TABLE.mermaid().splitlines() == [
        "stateDiagram-v2",
        '    state "burnt out" as burnt_out',
        "    [*] --> off",
        "    off --> on: switch",
        "    on --> off: switch",
        "    on --> burnt_out: break",
        "    burnt_out --> [*]",
    ]


def test_the_check_lists_every_state() -> None:
    assert TABLE.check_sql("state") == "state IN ('off', 'on', 'burnt out')"
