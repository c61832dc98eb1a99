"""What is copied can be pasted: numbers read back, tables have one width."""

from __future__ import annotations

import numpy as np

from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.clipboard import matrix_text, residue_table_text, result_table_text, runs_table_text
from lieapp.export.quantities import curves_of


def cells(text: str) -> list[list[str]]:
    assert text.endswith("\n")
    return [line.split("\t") for line in text.splitlines()]


def test_matrix_reads_back_to_the_same_bits(hinge: AlignmentResult) -> None:
    read = np.array([line.split() for line in matrix_text(hinge.matrix).splitlines()], dtype=float)
    assert read.tobytes() == hinge.matrix.tobytes()


def test_result_table(hinge: AlignmentResult) -> None:
    rows = cells(result_table_text(hinge))
    assert {len(row) for row in rows} == {2}
    values = dict(rows)  # type: ignore[arg-type]
    assert float(values["RMSD (Å)"]) == hinge.report.rmsd
    assert float(values["gap (Å)"]) == hinge.report.gap
    assert values["pose"] == "best pose of the run"


def test_table_of_runs(race: list[AlignmentResult]) -> None:
    heads, *rows = cells(runs_table_text(curves_of(race, ["Adam", "SGD\tfast", "Adam\nse(3)"])))
    assert {len(row) for row in (heads, *rows)} == {8}
    assert [row[0] for row in rows] == ["Adam", "SGD fast", "Adam se(3)"]
    assert [float(row[heads.index("evaluations")]) for row in rows] == [r.report.evaluations for r in race]


def test_table_of_residues(hinge: AlignmentResult) -> None:
    heads, *rows = cells(residue_table_text(hinge))
    assert heads == ["hinge_open", "hinge_closed", "distance (Å)"]
    assert [float(row[2]) for row in rows] == hinge.scores.deviations.tolist()
