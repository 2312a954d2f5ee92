import json
from typing import Any

import pytest

from textwave.cli import models
from textwave.cli.output import print_fields


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
