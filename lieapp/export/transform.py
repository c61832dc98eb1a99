"""The transform in every form that people need at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.rigid import quaternion, twist_log
from lieapp.export.alignment_result import AlignmentResult

__all__ = ["CONVENTION", "describe_transform", "transform_record", "write_transform_json", "write_transform_text"]

CONVENTION = "x' = R x + t on the original coordinates of the mobile file, in Å; points are columns here, rows in files"


def transform_record(result: AlignmentResult) -> dict[str, Any]:
    """Return the transform as a JSON object.

    Returns
    -------
    dict
        ``matrix`` (4x4, row-major), ``rotation``, ``translation`` (Å), ``quaternion`` (w, x, y, z), ``twist``
        (v in Å, then w in rad), ``angle_degrees``, the RMSD that it gives, and what was superposed on what.
    """
    matrix = result.matrix
    return {
        "schema": 1,
        "convention": CONVENTION,
        "mobile": {"name": result.inputs.mobile.name, "model": result.inputs.mobile_model + 1},
        "target": {"name": result.inputs.target.name, "model": result.inputs.target_model + 1},
        "pairing": result.inputs.pairing.description,
        "pose": result.pose_text,
        "matrix": matrix.tolist(),
        "rotation": matrix[:3, :3].tolist(),
        "translation": matrix[:3, 3].tolist(),
        "quaternion": quaternion(matrix[:3, :3]).tolist(),
        "twist": twist_log(matrix).tolist(),
        "angle_degrees": result.scores.angle_degrees,
        "rmsd": result.scores.rmsd,
        "pairs": int(np.count_nonzero(result.inputs.pairing.report)),
    }


def _rows(matrix: NDArray[np.float64]) -> str:
    return "\n".join("  ".join(f"{value:22.16f}" for value in row) for row in matrix)


def describe_transform(result: AlignmentResult) -> str:
    """Return the transform as text: 4x4, quaternion, twist, and the lines that PyMOL, ChimeraX and PDB files take."""
    matrix = result.matrix
    record = transform_record(result)
    numbers = ", ".join(repr(value) for value in matrix.ravel().tolist())
    view = ",".join(f"{value:.12g}" for value in matrix[:3].ravel())
    biomt = "\n".join(
        f"REMARK 350   BIOMT{row + 1}   1{matrix[row, 0]:10.6f}{matrix[row, 1]:10.6f}{matrix[row, 2]:10.6f}"
        f"{matrix[row, 3]:15.5f}"
        for row in range(3)
    )
    twist = record["twist"]
    return f"""\
{result.inputs.mobile.name} onto {result.inputs.target.name}: {record["pairing"]}
{result.pose_text}, RMSD {record["rmsd"]:.6f} Å over {record["pairs"]} pairs, rotation {record["angle_degrees"]:.4f}°

Convention: {CONVENTION}.

Matrix (4x4, row-major)
{_rows(matrix)}

Quaternion (w, x, y, z)
{"  ".join(f"{value:.16f}" for value in record["quaternion"])}

Twist: logarithm of the matrix (v in Å, then w in rad)
{"  ".join(f"{value:.12g}" for value in twist[:3])}
{"  ".join(f"{value:.12g}" for value in twist[3:])}

PyMOL
cmd.transform_selection("mobile", [{numbers}], homogenous=1)

ChimeraX
view matrix models #1,{view}

PDB remark
{biomt}
"""


def write_transform_json(result: AlignmentResult, path: Path) -> Path:
    """Write the transform as JSON; every number reads back to the same bits."""
    path.write_text(json.dumps(transform_record(result), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def write_transform_text(result: AlignmentResult, path: Path) -> Path:
    """Write the transform as text for people."""
    path.write_text(describe_transform(result), encoding="utf-8")
    return path
