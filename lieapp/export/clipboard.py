"""Texts to copy: a matrix for scripts, tables for spreadsheets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.quantities import Curve, gap_unit
from lieapp.export.tables import number_cell

__all__ = ["matrix_text", "residue_table_text", "result_table_text", "runs_table_text"]


def matrix_text(matrix: ArrayLike) -> str:
    """Return a 4x4 matrix as four lines of numbers that read back to the same bits.

    Parameters
    ----------
    matrix : array_like, shape=(4, 4)
        ``x' = R x + t``, in Å.
    """
    rows = np.asarray(matrix, dtype=np.float64).reshape(4, 4).tolist()
    return "\n".join("  ".join(repr(value) for value in row) for row in rows) + "\n"


def result_table_text(result: AlignmentResult) -> str:
    """Return what the result strip shows, two columns apart by a tab: what it is, and its value."""
    report = result.report
    unit = gap_unit(result)
    rows = [
        ("mobile", result.inputs.mobile.name),
        ("target", result.inputs.target.name),
        ("pairing", report.pairing.description),
        ("pose", result.pose_text),
        ("optimiser", report.optimizer),
        ("outcome", report.outcome),
        ("evaluations", number_cell(report.evaluations)),
        ("pairs", str(report.pairs)),
        ("RMSD (Å)", number_cell(report.rmsd)),
        ("least RMSD, Kabsch (Å)", number_cell(report.kabsch_rmsd)),
        ("core pairs", str(report.core_pairs)),
        ("core RMSD (Å)", number_cell(report.core_rmsd)),
        ("core cut-off (Å)", number_cell(report.core_cutoff)),
        ("TM-score, length of the mobile", number_cell(report.tm_score_mobile)),
        ("TM-score, length of the target", number_cell(report.tm_score_target)),
        ("GDT-TS", number_cell(report.gdt_ts)),
        (f"gap ({unit})", number_cell(report.gap)),
        ("rotation (°)", number_cell(report.angle_degrees)),
    ]
    return _tsv(rows)


def runs_table_text(curves: Sequence[Curve]) -> str:
    """Return the list of runs, a row a run under a row of heads, apart by tabs."""
    heads = ["run", "outcome", "steps", "evaluations", "seconds", "RMSD (Å)", "gap", "unit of the gap"]
    rows: list[Sequence[str]] = [heads]
    for curve in curves:
        report = curve.result.report
        numbers = (report.evaluations, report.seconds, report.rmsd, report.gap)
        rows.append(
            [curve.title, report.outcome, str(report.steps), *map(number_cell, numbers), gap_unit(curve.result)]
        )
    return _tsv(rows)


def residue_table_text(result: AlignmentResult) -> str:
    """Return the pairs, a row a pair under a row of heads, apart by tabs: both residues and their distance in Å."""
    inputs, pairing = result.inputs, result.inputs.pairing
    rows: list[Sequence[str]] = [[inputs.mobile.name, inputs.target.name, "distance (Å)"]]
    pairs = zip(
        pairing.mobile_residues.tolist(),
        pairing.target_residues.tolist(),
        result.scores.deviations.tolist(),
        strict=True,
    )
    for mobile, target, deviation in pairs:
        labels = (inputs.mobile.residues.label(mobile), inputs.target.residues.label(target))
        rows.append([*labels, number_cell(deviation)])
    return _tsv(rows)


def _tsv(rows: Iterable[Sequence[str]]) -> str:
    return "".join("\t".join(" ".join(cell.split()) for cell in row) + "\n" for row in rows)
