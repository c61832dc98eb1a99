"""A small made-up protein in two forms, for tests that need no real data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["LENGTH", "hinge", "write_pair", "write_pdb"]

LENGTH = 40
_NAMES = (
    "ALA",
    "LYS",
    "GLU",
    "LEU",
    "GLY",
    "SER",
    "VAL",
    "ASP",
    "PHE",
    "THR",
    "ARG",
    "ILE",
    "ASN",
    "TYR",
    "GLN",
    "HIS",
)


def hinge(angle: float) -> NDArray[np.float64]:
    """Return CA positions, shape=(LENGTH, 3), of two helices whose second is turned by an angle in rad."""
    turns = np.arange(LENGTH) * np.deg2rad(100.0)
    points = np.stack([2.3 * np.cos(turns), 2.3 * np.sin(turns), 1.5 * np.arange(LENGTH)], axis=1)
    c, s = np.cos(angle), np.sin(angle)
    half = LENGTH // 2
    points[half:] = (points[half:] - points[half]) @ np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]]) + points[half]
    return np.round(points, 3)


def write_pdb(
    path: Path,
    points: NDArray[np.float64],
    *,
    chain: str = "A",
    occupancy: NDArray[np.float64] | None = None,
    b_factor: NDArray[np.float64] | None = None,
    models: int = 1,
) -> Path:
    """Write CA atoms as a PDB file; model k is shifted by k - 1 Å along x."""
    count = len(points)
    q = np.ones(count) if occupancy is None else occupancy
    b = np.full(count, 20.0) if b_factor is None else b_factor
    lines = []
    for model in range(models):
        if models > 1:
            lines.append(f"MODEL     {model + 1:4d}")
        for i, (x, y, z) in enumerate(points + np.array([model, 0.0, 0.0])):
            name = _NAMES[(i * i + 3 * i) % len(_NAMES)]
            lines.append(
                f"ATOM  {i + 1:5d}  CA  {name} {chain}{i + 1:4d}    {x:8.3f}{y:8.3f}{z:8.3f}{q[i]:6.2f}{b[i]:6.2f}"
                "           C  "
            )
        lines.append("TER")
        if models > 1:
            lines.append("ENDMDL")
    path.write_text("\n".join([*lines, "END", ""]))
    return path


def write_pair(folder: Path) -> tuple[str, str]:
    """Write the open and the closed form; return their paths."""
    opened = write_pdb(folder / "opened.pdb", hinge(0.0))
    closed = write_pdb(folder / "closed.pdb", hinge(0.6)[:, [1, 2, 0]] + [30.0, -12.0, 5.0], chain="B")
    return str(opened), str(closed)
