import json
from typing import Any

import pytest

from textwave.cli import models
from textwave.cli.output import print_fields
from textwave.cli.schedules import tell_state


def test_a_rule_is_shown_as_it_is_given_to_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    rule = {"kind": "not", "of": {"kind": "list", "list": "员工"}}

    print_fields({"name": "all but staff", "rule": rule})

    shown = capsys.readouterr().out.splitlines()[1]
    assert json.loads(shown.removeprefix("rule")) == rule


def test_where_each_score_of_quantiles_begins_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    one: dict[str, Any] = {"users": 1, "orders": 4, "amount": 50.0}
    dimensions = {"recency": 1.5, "frequency": 1.5, "monetary": 1.5}
    bounds = {"recency_days": [90.0], "frequency": [4.0], "monetary": [255.8]}

    models.print_rfm(
        {
            **one,
            "at": "2026-01-01",
            "types": {letters: one | {"name": "n"} for letters in models.TYPES},
            "scores": {},
            "means": dimensions,
            "baseline": dimensions,
            "thresholds": bounds,
        }
    )

    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["recency,", "days", "from", "90", "less"] in lines
    assert ["monetary", "less", "from", "255.80"] in lines


def test_what_a_command_takes_again_is_shown_as_it_is_typed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    window = {"from": "09:00", "until": None, "days": [1, 5]}

    print_fields({"seed": 831206483, "messages": 1737, "window": window})

    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    shown = {name: value.strip() for name, value in lines}
    assert shown == {
        "seed": "831206483", "messages": "1,737", "window": "from: 09:00, days: mon, fri",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("moved", "said"),
    [
        (
            {"state": "scheduled", "schedule": {"starts_at": "2026-12-01T09:00:00+08:00"}},
            "“Spring” is scheduled. Starts at 2026-12-01T09:00:00+08:00.",
        ),
        ({"state": "draft", "schedule": {"starts_at": None}}, "“Spring” is a draft."),
    ],
)
def test_a_state_is_told_with_the_time_of_the_start(
    moved: dict[str, Any], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    tell_state({"name": "Spring", "reason": "", **moved}, as_json=False)

    assert capsys.readouterr().out.strip() == said
