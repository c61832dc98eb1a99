"""What a residue name stands for: protein, nucleic acid, water or something else, and its one-letter code.

The names of the PDB come from gemmi's table. Beside them stand the names that simulation programs write
(CHARMM, Amber, GROMACS), which no table of the PDB knows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal, NamedTuple

import gemmi

__all__ = ["ResidueKind", "ResidueMeaning", "residue_meaning"]

ResidueKind = Literal["protein", "nucleic", "water", "other"]


class ResidueMeaning(NamedTuple):
    """What a residue name stands for.

    Attributes
    ----------
    kind : {"protein", "nucleic", "water", "other"}
    letter : str
        One-letter code, ``"X"`` for an unknown residue of a polymer, ``""`` for water and other.
    standard : bool
        True for the amino acids and nucleotides that the genetic code knows. A standard amino acid written as
        HETATM is usually a ligand, a modified one usually part of the chain.
    known : bool
        False if no table holds the name, so that only its atoms can tell.
    """

    kind: ResidueKind
    letter: str
    standard: bool
    known: bool


_SIMULATION_PROTEIN = {
    "HSD": "H", "HSE": "H", "HSP": "H", "HID": "H", "HIE": "H", "HIP": "H", "HSC": "H",
    "CYX": "C", "CYM": "C", "ASH": "D", "ASPP": "D", "GLH": "E", "GLUP": "E", "LYN": "K", "LSN": "K", "ARN": "R",
    "TYM": "Y",
}  # fmt: skip
_SIMULATION_NUCLEIC = {"ADE": "A", "GUA": "G", "CYT": "C", "THY": "T", "URA": "U", "T": "T"}
for _base in "ACGTU":
    for _prefix in ("D", "R", ""):
        for _end in ("", "3", "5"):  # Amber marks the ends of a strand
            _SIMULATION_NUCLEIC.setdefault(_prefix + _base + _end, _base)
    _SIMULATION_NUCLEIC["+" + _base] = _base  # modified nucleotides before the PDB's remediation of 2007
_SIMULATION_WATER = frozenset(
    {"TIP", "TIP2", "TIP3", "TIP4", "TIP5", "TP3", "TP4", "TP5", "T3P", "T4P", "SOL", "SPC", "SPCE", "OH2"}
)


@lru_cache(maxsize=4096)
def residue_meaning(name: str) -> ResidueMeaning:
    """Return what a residue name stands for.

    Parameters
    ----------
    name : str
        Residue name without padding, such as ``"MSE"``.
    """
    upper = name.upper()
    if upper in _SIMULATION_WATER:
        return ResidueMeaning("water", "", True, True)
    if upper in _SIMULATION_PROTEIN:
        return ResidueMeaning("protein", _SIMULATION_PROTEIN[upper], True, True)
    entry = gemmi.find_tabulated_residue(upper)
    if entry.found():
        kind = entry.kind
        letter = entry.one_letter_code.strip().upper() or "X"
        if kind in (gemmi.ResidueKind.AA, gemmi.ResidueKind.AAD, gemmi.ResidueKind.PAA, gemmi.ResidueKind.MAA):
            return ResidueMeaning("protein", letter, entry.is_standard(), True)
        if kind in (gemmi.ResidueKind.RNA, gemmi.ResidueKind.DNA):
            return ResidueMeaning("nucleic", "X" if letter == "N" else letter, entry.is_standard(), True)
        if kind == gemmi.ResidueKind.HOH:
            return ResidueMeaning("water", "", True, True)
        return ResidueMeaning("other", "", True, True)
    if upper in _SIMULATION_NUCLEIC:
        return ResidueMeaning("nucleic", _SIMULATION_NUCLEIC[upper], True, True)
    return ResidueMeaning("other", "", False, False)
