"""From an `AtomTable` to structures: models, kinds of residues, elements, guide atoms, secondary structure."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from lieapp.structures.atom_table import AtomTable, SecondarySpan
from lieapp.structures.errors import StructureError
from lieapp.structures.residue_kinds import residue_meaning
from lieapp.structures.structure import Atoms, Residues, SourceFile, Structure

__all__ = ["assemble"]

_CARBON, _CALCIUM = 6, 20
# Elements of polymers, met or modified; everything else in a residue of a polymer is a misread name such as
# "CA" (calcium), "CD" (cadmium), "HE" (helium) or "NE" (neon) in a file without aligned names or elements.
_ELEMENTS_OF_POLYMERS = np.zeros(256, dtype=bool)
_ELEMENTS_OF_POLYMERS[[1, 5, 6, 7, 8, 9, 15, 16, 17, 33, 34, 35, 53]] = True  # H B C N O F P S Cl As Se Br I
_ELEMENTS_OF_STANDARD = np.zeros(256, dtype=bool)
_ELEMENTS_OF_STANDARD[[1, 6, 7, 8, 15, 16, 34]] = True  # H C N O P S Se
_DEUTERIUM = 119  # gemmi's number
_ELEMENTS_OF_POLYMERS[_DEUTERIUM] = _ELEMENTS_OF_STANDARD[_DEUTERIUM] = True
# A peptide bond measures 1.33 Å and a phosphodiester bond 1.60 Å; twice the spread of poor models is allowed.
_BOND = 2.0
_CA_CA = 4.5


def assemble(table: AtomTable, *, name: str, source: SourceFile, label: Path | str) -> tuple[Structure, ...]:
    """Return one structure for each group of models with equal atoms.

    Parameters
    ----------
    table : AtomTable
    name : str
        Short name of the structure.
    source : SourceFile
    label : Path or str
        What an error calls the file.

    Raises
    ------
    StructureError
        If there are no atoms, or positions that are no numbers.
    """
    if not len(table.name):
        raise StructureError(f"{label}: there are no atoms in the file.")
    if not np.isfinite(table.position).all():
        atom = int(np.argmin(np.isfinite(table.position).all(axis=1)))
        raise StructureError(f"{label}: {_place(table, atom)}: a coordinate is not a finite number.")
    groups = _group_models(table)
    structures = []
    for members in groups:
        first = members[0]
        coordinates = np.empty((len(members), first.stop_atom - first.start_atom, 3))
        for index, member in enumerate(members):
            coordinates[index] = table.position[member.start_atom : member.stop_atom]
        atoms, residues, notes = _describe(table, first, coordinates[0])
        if len(groups) > 1:
            notes = (*notes, f"{len(members)} of {sum(map(len, groups))} models share these atoms.")
        structures.append(
            Structure(
                name=name,
                title=table.title,
                coordinates=coordinates,
                model_numbers=tuple(member.number for member in members),
                atoms=atoms,
                residues=residues,
                source=source,
                notes=(*table.notes, *notes),
            )
        )
    return tuple(structures)


class _Model:
    """The rows of a table that belong to one model."""

    def __init__(self, table: AtomTable, number: int, start: int, stop: int) -> None:
        self.number = number
        self.start, self.stop = start, stop
        self.start_atom, self.stop_atom = int(table.first_atom[start]), int(table.first_atom[stop])

    def same_atoms(self, other: _Model, table: AtomTable) -> bool:
        if self.stop_atom - self.start_atom != other.stop_atom - other.start_atom:
            return False
        mine, theirs = slice(self.start, self.stop), slice(other.start, other.stop)
        by_residue = (table.chain, table.residue_name, table.number, table.insertion_code)
        if self.stop - self.start != other.stop - other.start or not all(
            np.array_equal(column[mine], column[theirs]) for column in by_residue
        ):
            return False
        if not np.array_equal(
            table.first_atom[mine] - self.start_atom,
            table.first_atom[theirs] - other.start_atom,
        ):
            return False
        mine, theirs = slice(self.start_atom, self.stop_atom), slice(other.start_atom, other.stop_atom)
        return all(np.array_equal(column[mine], column[theirs]) for column in (table.name, table.altloc))


def _group_models(table: AtomTable) -> list[list[_Model]]:
    bounds = [0, *(np.flatnonzero(np.diff(table.model)) + 1).tolist(), len(table.model)]
    groups: list[list[_Model]] = []
    for start, stop in pairwise(bounds):
        model = _Model(table, int(table.model[start]), start, stop)
        for members in groups:
            if model.same_atoms(members[0], table):
                members.append(model)
                break
        else:
            groups.append([model])
    return groups


def _describe(
    table: AtomTable, model: _Model, position: NDArray[np.float64]
) -> tuple[Atoms, Residues, tuple[str, ...]]:
    rows, columns = slice(model.start, model.stop), slice(model.start_atom, model.stop_atom)
    first_atom = table.first_atom[model.start : model.stop + 1] - model.start_atom
    residue_name, chain = table.residue_name[rows], table.chain[rows]
    name, altloc, hetero = table.name[columns], table.altloc[columns], table.hetero[columns]
    occupancy = table.occupancy[columns]
    residue = np.repeat(np.arange(len(residue_name)), np.diff(first_atom))

    distinct, inverse = np.unique(residue_name, return_inverse=True)
    meanings = [residue_meaning(str(item)) for item in distinct]
    kind = np.array([meaning.kind for meaning in meanings], dtype="U7")[inverse]
    letter = np.array([meaning.letter for meaning in meanings], dtype="U1")[inverse]
    standard = np.array([meaning.standard for meaning in meanings], dtype=bool)[inverse]
    known = np.array([meaning.known for meaning in meanings], dtype=bool)[inverse]

    element = _repair_elements(table.element[columns], name, residue, kind, standard, known)
    _settle_kinds(kind, letter, standard, known, chain, name, element, hetero, residue, first_atom, position)
    guide = _guide_atoms(kind, name, element, occupancy, residue)
    number, insertion_code = table.number[rows], table.insertion_code[rows]
    alternatives = _keep_one_alternative(guide, chain, number, insertion_code, altloc, occupancy)
    notes = []
    if alternatives:
        plural = "s hold" if alternatives > 1 else " holds"
        notes.append(f"{alternatives} residue number{plural} alternative residues; the one with most occupancy counts.")
    atoms = Atoms(
        name=name,
        element=_symbols()[element],
        residue=residue,
        altloc=altloc,
        serial=table.serial[columns],
        occupancy=occupancy,
        b_factor=table.b_factor[columns],
        hetero=hetero,
    )
    residues = Residues(
        name=residue_name,
        chain=chain,
        number=number,
        insertion_code=insertion_code,
        kind=kind,
        letter=letter,
        first_atom=first_atom,
        guide_atom=guide,
        secondary=_secondary(table.spans, kind, chain, number, insertion_code),
    )
    return atoms, residues, tuple(notes)


@cache
def _symbols() -> NDArray[np.str_]:
    symbols = np.full(256, "X", dtype="U2")
    for number in range(1, _DEUTERIUM + 1):
        symbols[number] = gemmi.Element(number).name
    symbols[_DEUTERIUM] = "D"
    return symbols


def _repair_elements(
    element: NDArray[np.uint8],
    name: NDArray[np.str_],
    residue: NDArray[np.int64],
    kind: NDArray[np.str_],
    standard: NDArray[np.bool_],
    known: NDArray[np.bool_],
) -> NDArray[np.uint8]:
    """Replace elements that a residue of a polymer cannot hold by the one that the atom's name means."""
    polymer = (kind != "other") & known
    strict = polymer & standard
    wrong = ~_ELEMENTS_OF_STANDARD[element] & strict[residue]
    wrong |= ~_ELEMENTS_OF_POLYMERS[element] & (polymer & ~standard)[residue]
    wrong |= element == 0
    if not wrong.any():
        return element
    element = element.copy()
    places = np.flatnonzero(wrong)
    distinct, inverse = np.unique(name[places], return_inverse=True)
    element[places] = np.array([_element_of_name(str(item)) for item in distinct], dtype=np.uint8)[inverse]
    return element


def _element_of_name(name: str) -> int:
    """Return the element of an atom of a polymer by its name: the first letter after leading digits."""
    bare = name.lstrip("0123456789'\"*")
    if bare[:2].upper() == "SE":
        return gemmi.Element("Se").atomic_number
    return gemmi.Element(bare[:1].upper()).atomic_number if bare[:1].isalpha() else 0


def _settle_kinds(
    kind: NDArray[np.str_],
    letter: NDArray[np.str_],
    standard: NDArray[np.bool_],
    known: NDArray[np.bool_],
    chain: NDArray[np.str_],
    name: NDArray[np.str_],
    element: NDArray[np.uint8],
    hetero: NDArray[np.bool_],
    residue: NDArray[np.int64],
    first_atom: NDArray[np.int64],
    position: NDArray[np.float64],
) -> None:
    """Decide, in place, about the residues whose name does not settle it, by the bonds to their neighbours.

    A residue of unknown name is part of a protein (nucleic acid) if a peptide (phosphodiester) bond joins it to a
    neighbour. A standard amino acid or nucleotide among the HETATM records is a ligand unless it is bonded so.
    """
    residue_hetero = hetero[first_atom[:-1]]
    plain = (kind == "protein") | (kind == "nucleic")
    # In files that write everything as HETATM the record means nothing.
    ordinary = np.unique(chain[plain & ~residue_hetero])
    suspects = plain & standard & residue_hetero & np.isin(chain, ordinary)
    strange = np.zeros(len(kind), dtype=bool)
    if not known.all():
        strange[residue[np.isin(name, ("CA", "C3'", "C3*"))]] = True
    unsettled = np.flatnonzero(suspects | (~known & strange))
    for index in unsettled.tolist():
        atoms = slice(first_atom[index], first_atom[index + 1])
        names = name[atoms]
        if suspects[index]:
            if not _bonded(index, str(kind[index]), chain, name, first_atom, position):
                kind[index], letter[index] = "other", ""
        elif np.isin(["N", "CA", "C"], names).all() and element[atoms][names == "CA"][0] != _CALCIUM:
            if _bonded(index, "protein", chain, name, first_atom, position):
                kind[index], letter[index] = "protein", "X"
        elif np.isin(["C3'", "C3*"], names).any() and _bonded(index, "nucleic", chain, name, first_atom, position):
            kind[index], letter[index] = "nucleic", "X"


def _bonded(
    index: int,
    kind: str,
    chain: NDArray[np.str_],
    name: NDArray[np.str_],
    first_atom: NDArray[np.int64],
    position: NDArray[np.float64],
) -> bool:
    pairs: list[tuple[tuple[str, ...], tuple[str, ...], float]]
    if kind == "protein":
        pairs = [(("C",), ("N",), _BOND), (("CA",), ("CA",), _CA_CA)]
    else:
        pairs = [(("O3'", "O3*"), ("P",), _BOND)]
    for before, after in ((index - 1, index), (index, index + 1)):
        if before < 0 or after >= len(chain) or chain[before] != chain[after]:
            continue
        for left, right, limit in pairs:
            one = _find(before, left, name, first_atom)
            other = _find(after, right, name, first_atom)
            if one >= 0 and other >= 0:
                if np.linalg.norm(position[one] - position[other]) < limit:
                    return True
                break  # the atoms of the bond are there and apart; CA-CA is for traces only
    return False


def _find(index: int, names: tuple[str, ...], name: NDArray[np.str_], first_atom: NDArray[np.int64]) -> int:
    start = int(first_atom[index])
    found = np.flatnonzero(np.isin(name[start : first_atom[index + 1]], names))
    return start + int(found[0]) if len(found) else -1


def _guide_atoms(
    kind: NDArray[np.str_],
    name: NDArray[np.str_],
    element: NDArray[np.uint8],
    occupancy: NDArray[np.float64],
    residue: NDArray[np.int64],
) -> NDArray[np.int64]:
    guide = np.full(len(kind), -1, dtype=np.int64)
    protein = kind == "protein"
    _choose(guide, np.flatnonzero((name == "CA") & (element != _CALCIUM) & protein[residue]), occupancy, residue)
    nucleic = kind == "nucleic"
    if nucleic.any():
        for wanted in ("P", "C3*", "C3'"):  # later choices replace earlier ones
            _choose(guide, np.flatnonzero((name == wanted) & nucleic[residue]), occupancy, residue)
    return guide


def _choose(
    guide: NDArray[np.int64],
    candidates: NDArray[np.int64],
    occupancy: NDArray[np.float64],
    residue: NDArray[np.int64],
) -> None:
    """Enter, for each residue, the candidate with the highest occupancy, the first of equals."""
    owner = residue[candidates]
    if len(owner) and (owner[1:] == owner[:-1]).any():
        order = np.lexsort((candidates, -occupancy[candidates], owner))
        candidates, owner = candidates[order], owner[order]
        leads = np.append(True, owner[1:] != owner[:-1])
        candidates, owner = candidates[leads], owner[leads]
    guide[owner] = candidates


def _keep_one_alternative(
    guide: NDArray[np.int64],
    chain: NDArray[np.str_],
    number: NDArray[np.int64],
    insertion_code: NDArray[np.str_],
    altloc: NDArray[np.str_],
    occupancy: NDArray[np.float64],
) -> int:
    """Take the guide atom, in place, from all but one of the residues that are alternatives on one number.

    Returns
    -------
    int
        Residue numbers at which there was a choice.
    """
    with_guide = np.flatnonzero(guide >= 0)
    here, there = with_guide[:-1], with_guide[1:]
    same = (number[here] == number[there]) & (there == here + 1)
    same &= (chain[here] == chain[there]) & (insertion_code[here] == insertion_code[there])
    same &= (altloc[guide[here]] != "") & (altloc[guide[there]] != "")
    choices = 0
    kept = last = -1
    for one, other in zip(here[same].tolist(), there[same].tolist(), strict=True):
        if one != last:  # else a third alternative follows
            kept = one
            choices += 1
        last = other
        if occupancy[guide[other]] > occupancy[guide[kept]]:
            guide[kept] = -1
            kept = other
        else:
            guide[other] = -1
    return choices


def _secondary(
    spans: tuple[SecondarySpan, ...],
    kind: NDArray[np.str_],
    chain: NDArray[np.str_],
    number: NDArray[np.int64],
    insertion_code: NDArray[np.str_],
) -> NDArray[np.str_]:
    secondary = np.full(len(kind), "", dtype="U1")
    if not spans:
        return secondary
    protein = kind == "protein"
    # Backwards, so that the first residue with a number is the one that counts.
    keys = zip(chain[::-1].tolist(), number[::-1].tolist(), insertion_code[::-1].tolist(), strict=True)
    place = dict(zip(keys, range(len(kind) - 1, -1, -1), strict=True))
    secondary[protein] = "C"
    for span in spans:
        first, last = place.get(span.first), place.get(span.last)
        if first is not None and last is not None and span.first[0] == span.last[0] and first <= last:
            secondary[first : last + 1] = span.code
    secondary[~protein] = ""
    return secondary


def _place(table: AtomTable, atom: int) -> str:
    residue = int(np.searchsorted(table.first_atom, atom, side="right")) - 1
    chain = table.chain[residue] or "_"
    number = f"{table.number[residue]}{table.insertion_code[residue]}"
    return f"atom {table.serial[atom]} ({chain}:{table.residue_name[residue]} {number} {table.name[atom]})"
