"""What kind of residue it is, as a colour: bases of nucleic acids, classes of amino acids by their side chains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lieapp.scene.colors import CONTEXT, rgba
from lieapp.structures.structure import Structure

__all__ = ["AMINO_ACID_CLASSES", "BASES", "class_colors", "classes_shown"]

BASES: tuple[tuple[str, str, str], ...] = (
    ("A", "#C8382E", "adenine"),
    ("C", "#D9A400", "cytosine"),
    ("G", "#1E8A5A", "guanine"),
    ("TU", "#2F6FC4", "thymine, uracil"),
)
"""One-letter codes, colour and name of each base; purines and pyrimidines differ in lightness as well."""

AMINO_ACID_CLASSES: tuple[tuple[str, str, str], ...] = (
    ("AVLIMPGC", "#C9B27C", "apolar"),
    ("FWY", "#8A6BB8", "aromatic"),
    ("STNQ", "#57A88F", "polar"),
    ("KRH", "#3B6FD0", "basic"),
    ("DE", "#D2493A", "acidic"),
)
"""One-letter codes, colour and name of each class; glycine counts as apolar, histidine as basic."""


def class_colors(structure: Structure) -> NDArray[np.float32]:
    """Return the colour of every residue's class, shape (residues, 4); that of what is not compared where unknown."""
    residues = structure.residues
    result = np.tile(rgba(CONTEXT), (len(residues), 1))
    for kind, table in (("nucleic", BASES), ("protein", AMINO_ACID_CLASSES)):
        mine = residues.kind == kind
        for letters, color, _ in table:
            result[mine & np.isin(residues.letter, list(letters))] = rgba(color)
    return result


def classes_shown(structure: Structure, drawn: NDArray[np.bool_] | None = None) -> tuple[tuple[str, str], ...]:
    """Return colour and name of the classes of the kinds of polymer that a structure has, or that are drawn of it."""
    kinds = structure.residues.kind if drawn is None else structure.residues.kind[drawn]
    tables = [table for kind, table in (("nucleic", BASES), ("protein", AMINO_ACID_CLASSES)) if kind in kinds]
    return tuple((color, name) for table in tables for _, color, name in table)
