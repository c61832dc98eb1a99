"""The moved structure, and the same with deviations in its B column."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lieapp.export.alignment_result import AlignmentResult
from lieapp.structures.writing import WrittenFile, write_structure

__all__ = ["write_deviation_structure", "write_moved_structure"]


def _suffix(result: AlignmentResult) -> str:
    source = result.inputs.mobile.source
    return ".pdb" if source is None or source.format == "pdb" else ".cif"


def write_moved_structure(result: AlignmentResult, folder: Path) -> WrittenFile:
    """Write the whole mobile structure at the pose: all atoms, ligands and models move."""
    return write_structure(result.inputs.mobile, folder / f"{result.stem}{_suffix(result)}", transform=result.matrix)


def write_deviation_structure(result: AlignmentResult, folder: Path) -> WrittenFile:
    """Write the moved structure with the deviation in Å of its residue in the B column of every atom; unpaired: -1."""
    mobile = result.inputs.mobile
    residues, deviations = result.residue_deviations
    of_residue = np.full(len(mobile.residues), -1.0)
    of_residue[residues] = deviations
    return write_structure(
        mobile,
        folder / f"{result.stem}_deviation{_suffix(result)}",
        transform=result.matrix,
        b_factors=of_residue[mobile.atoms.residue],
    )
