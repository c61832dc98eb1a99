"""Check what the reports of all jobs share."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import pytest

from lieapp.alignment.report import AlignReport
from lieapp.cryoem.report import CryoemReport
from lieapp.engine.reporting import RunReport, cost_text, finite_values, summary_text
from lieapp.landscapes.report import LandscapeReport


def report_of(**changes: Any) -> RunReport:
    values: dict[str, Any] = {
        "schema": 1,
        "outcome": "limit",
        "message": "Stopped after 3 steps.",
        "steps": 3,
        "gradients": 4.0,
        "losses": 0.0,
        "hvps": 0.0,
        "evaluations": 4.0,
        "seconds": 0.25,
        "best_step": 2,
        "optimizer": "adam",
        "settings": {"lr": 0.1},
        "device": "cpu",
    }
    return RunReport(**{**values, **changes})


@pytest.mark.parametrize("kind", [AlignReport, LandscapeReport, CryoemReport])
def test_every_report_begins_with_what_all_share(kind: type[RunReport]) -> None:
    shared = list(RunReport.model_fields)
    assert list(kind.model_fields)[: len(shared)] == shared


def test_json_has_nulls_for_what_does_not_exist() -> None:
    record = json.loads(report_of(seconds=math.inf, settings={"lr": math.nan, "betas": (0.9, math.nan)}).to_json())
    assert record["schema"] == 1 and record["seconds"] is None
    assert record["settings"] == {"lr": None, "betas": [0.9, None]}
    assert finite_values({"a": [1, -math.inf, {"b": 2.5}]}) == {"a": [1, None, {"b": 2.5}]}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("", "There is no pose.")], ["  There is no pose."]),
        (
            [("", "a remark"), ("core", "1 Å"), ("objective", "2 Å")],
            ["  a remark", "  core       1 Å", "  objective  2 Å"],
        ),
    ],
)
def test_summaries_stand_in_columns(rows: Sequence[tuple[str, str]], expected: list[str]) -> None:
    assert summary_text("adam", report_of(), rows).splitlines() == ["adam: Stopped after 3 steps.", *expected]
    assert cost_text(report_of()) == "4 evaluations, 0.250 s"
    assert cost_text(report_of(evaluations=1.0)) == "1 evaluation, 0.250 s"
