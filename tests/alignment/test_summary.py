"""What a person reads first is true of the numbers behind it."""

from __future__ import annotations

import pytest

import lieapp
from lieapp.alignment.report import AlignReport
from lieapp.alignment.summary import summarise
from tests.conftest import PROJECT

EXAMPLES = PROJECT / "resources" / "examples"
PAIR = (str(EXAMPLES / "hinge_open.pdb"), str(EXAMPLES / "hinge_closed.pdb"))


def lines(report: AlignReport) -> dict[str, str]:
    found = {}
    for line in summarise("adam", report).splitlines()[2:]:
        name, _, rest = line.strip().partition(" ")
        found[name] = rest.strip()
    return found


def align(**options: object) -> AlignReport:
    return lieapp.align(*PAIR, **options).report


def test_kabsch_is_the_best_possible_rmsd_of_the_fitted_pairs() -> None:
    report = align()
    text = lines(report)
    assert text["RMSD"].endswith(f"equals {report.kabsch_rmsd:.4f} Å (Kabsch)")
    assert "objective" not in text
    assert f"best possible {report.kabsch_rmsd:.4f} Å (Kabsch)" in lines(align(steps=1))["RMSD"]


def test_kabsch_of_a_part_is_not_the_best_possible_for_all() -> None:
    report = align(fit="1-20")
    text = lines(report)
    assert "best possible" not in text["RMSD"]
    assert text["RMSD"].endswith("as at Kabsch's pose of the 20 fitted pairs")
    assert text["objective"].startswith(f"RMSD {report.objective_value:.4f} Å over 20 fitted pairs, equals the best")
    assert report.objective_value < report.rmsd


def test_an_rmsd_below_that_of_kabschs_pose_does_not_equal_it() -> None:
    """Kabsch's pose of other pairs is easily beaten on those that are reported."""
    found = align(fit="1-20", report="all")
    report = found.model_copy(update={"rmsd": found.kabsch_rmsd - 1.0})
    assert "equals" not in lines(report)["RMSD"]
    assert f"{report.kabsch_rmsd:.4f} Å at Kabsch's pose of the 20 fitted pairs" in lines(report)["RMSD"]


def test_weights_are_named() -> None:
    assert "fitted pairs weighted by b-factor" in lines(align(weights="b-factor"))["objective"]


@pytest.mark.parametrize("objective", ["tm", "gdt", "huber", "geman-mcclure"])
def test_other_objectives_stand_beside_their_reference(objective: str) -> None:
    report = align(objective=objective)
    text = lines(report)
    assert f"{report.objective_value:.4f}" in text["objective"]
    assert report.reference_method in text["objective"]
    assert "best possible" not in text["objective"]
    short = lines(align(objective=objective, steps=1))["objective"]
    assert f"best known {report.reference_value:.4f}" in short


def test_a_lesser_optimum_is_called_so() -> None:
    report = align(objective="tm")
    worse = report.model_copy(update={"gap": 0.1, "objective_value": report.reference_value - 0.1})
    assert "lesser optimum" in lines(worse)["objective"]
    better = report.model_copy(update={"gap": -0.1, "objective_value": report.reference_value + 0.1})
    assert f"better than the reference {report.reference_value:.4f}" in lines(better)["objective"]
    assert "lesser" not in lines(report)["objective"]


def test_numbers_that_do_not_exist_are_not_printed() -> None:
    text = lines(align(report="5"))
    assert text["core"].startswith("none")
    assert "1 pair," in text["RMSD"]
    assert "nan" not in str(text)
    poseless = align().model_copy(update={"matrix": None, "rmsd": float("nan")})
    assert summarise("adam", poseless).endswith("There is no pose.")
    assert "1 evaluation," in lines(align(steps=1))["rotation"]
