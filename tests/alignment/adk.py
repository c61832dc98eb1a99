"""Points of adenylate kinase, read with gemmi: independent of the readers that the application uses."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

__all__ = ["BACKBONE", "CORE", "LID", "NMP", "points"]

BACKBONE = ("N", "CA", "C", "O")
CORE = np.array([*range(1, 30), *range(60, 122), *range(160, 215)]) - 1
NMP = np.arange(30, 60) - 1
LID = np.arange(122, 160) - 1


@lru_cache
def points(file: Path, chain: str, names: tuple[str, ...] | None = ("CA",)) -> NDArray[np.float64]:
    """Return named atoms (None: all heavy ones, by name) of a chain's amino acids, first altlocs; "_" is blank."""
    model = gemmi.read_structure(str(file))[0]
    found = []
    for residue in model[chain.replace("_", "")]:
        info = gemmi.find_tabulated_residue(residue.name)
        # Charmm's histidines are unknown to gemmi's table; a carbon alpha and a nitrogen say enough.
        if not info.is_amino_acid() and not (residue.find_atom("CA", "*") and residue.find_atom("N", "*")):
            continue
        if names is None:
            kept = [atom for atom in residue if not atom.is_hydrogen() and atom.altloc in "\0A"]
            found += [atom.pos.tolist() for atom in sorted(kept, key=lambda atom: atom.name)]
        else:
            for name in names:
                atom = next(atom for atom in residue if atom.name == name)
                found.append(atom.pos.tolist())
    return np.array(found)
