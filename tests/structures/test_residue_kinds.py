from __future__ import annotations

import pytest

from lieapp.structures.residue_kinds import residue_meaning


@pytest.mark.parametrize(
    ("name", "kind", "letter"),
    [
        ("ALA", "protein", "A"), ("MSE", "protein", "M"), ("SEP", "protein", "S"), ("SEC", "protein", "U"),
        ("PYL", "protein", "O"), ("UNK", "protein", "X"), ("HSD", "protein", "H"), ("HIE", "protein", "H"),
        ("CYX", "protein", "C"), ("DAL", "protein", "A"), ("ala", "protein", "A"),
        ("A", "nucleic", "A"), ("U", "nucleic", "U"), ("DG", "nucleic", "G"), ("PSU", "nucleic", "U"),
        ("GUA", "nucleic", "G"), ("DT5", "nucleic", "T"), ("RA3", "nucleic", "A"), ("+C", "nucleic", "C"),
        ("HOH", "water", ""), ("TIP3", "water", ""), ("SOL", "water", ""), ("DOD", "water", ""),
        ("CA", "other", ""), ("ATP", "other", ""), ("HEM", "other", ""), ("XYZ", "other", ""), ("", "other", ""),
    ],
)  # fmt: skip
def test_names(name, kind, letter):
    meaning = residue_meaning(name)
    assert (meaning.kind, meaning.letter) == (kind, letter)


def test_only_unmodified_residues_are_standard():
    assert residue_meaning("GLN").standard
    assert not residue_meaning("MSE").standard
    assert not residue_meaning("XYZ").known
    assert residue_meaning("HEM").known
