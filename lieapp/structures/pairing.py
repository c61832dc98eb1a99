"""Which atom of the mobile structure belongs to which atom of the target: a value, whoever made it.

`pair_structures` makes one from chains, sequences and residue numbers. What it decided is in the value: which chains
(`Pairing.chains`), which residues were left out and why (`Pairing.left_out`), and one line about it for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lieapp.structures._pairing_atoms import AtomChoice, match_atoms, shown_atoms
from lieapp.structures._pairing_chains import PolymerChain, assign_chains, chosen_chains, polymer_chains
from lieapp.structures._pairing_residues import Columns, SequenceMatcher, columns_by_number
from lieapp.structures.errors import StructureError
from lieapp.structures.selection import select_residues
from lieapp.structures.sequence import Polymer
from lieapp.structures.structure import Structure

__all__ = [
    "LOW_IDENTITY",
    "AtomChoice",
    "ChainMatch",
    "LeftOut",
    "Pairing",
    "PairingMethod",
    "pair_structures",
    "select_pairs",
]

PairingMethod = Literal["auto", "sequence", "number", "structure"]

#: Share of equal letters below which a sequence alignment says little about which residues belong together.
LOW_IDENTITY = 0.2

# Coordinates of PDB files are rounded to 0.001 Å, so that points on a line lie within 0.0005 Å of it.
_FLAT_ANGSTROM = 0.002


@dataclass(frozen=True)
class ChainMatch:
    """Two chains that were paired."""

    mobile_chain: str
    target_chain: str
    pairs: int
    identity: float  # fraction of paired residues with the same letter


@dataclass(frozen=True)
class LeftOut:
    """Residues that were not paired, and why."""

    side: Literal["mobile", "target"]
    chain: str
    residues: int
    reason: str


@dataclass(frozen=True, eq=False)
class Pairing:
    """Matched atoms of two structures.

    Attributes
    ----------
    mobile_atoms, target_atoms : ndarray, shape=(pairs,), dtype=int
        Atom indices in the mobile and target structures.
    mobile_residues, target_residues : ndarray, shape=(pairs,), dtype=int
        Residue indices of those atoms.
    weights : ndarray, shape=(pairs,), dtype=float64
        Non-negative weights of the objective.
    fit, report : ndarray, shape=(pairs,), dtype=bool
        Pairs that drive the fit, and pairs over which scores are reported.
    body : ndarray, shape=(pairs,), dtype=int
        Rigid body of the pair; 0 everywhere today.
    polymer : {"protein", "nucleic"}
    mobile_length, target_length : int
        Residues with the paired atom in the selected chains: L of both TM-scores.
    chains : tuple of ChainMatch
    left_out : tuple of LeftOut
    origin : str
        Method that made it: ``"auto"``, ``"sequence"``, ``"number"``, ``"given"``.
    description : str
        One line for people: what was paired with what, and which of how many.
    """

    mobile_atoms: NDArray[np.int64]
    target_atoms: NDArray[np.int64]
    mobile_residues: NDArray[np.int64]
    target_residues: NDArray[np.int64]
    weights: NDArray[np.float64]
    fit: NDArray[np.bool_]
    report: NDArray[np.bool_]
    body: NDArray[np.int64]
    polymer: Literal["protein", "nucleic"]
    mobile_length: int
    target_length: int
    chains: tuple[ChainMatch, ...]
    left_out: tuple[LeftOut, ...]
    origin: str
    description: str

    def __len__(self) -> int:
        return len(self.mobile_atoms)


def pair_structures(
    mobile: Structure,
    target: Structure,
    *,
    method: PairingMethod = "auto",
    mobile_chains: Sequence[str] | None = None,
    target_chains: Sequence[str] | None = None,
    mobile_model: int = 0,
    target_model: int = 0,
    atoms: AtomChoice = "ca",
    fit: str = "all",
    report: str = "all",
    core: NDArray[np.bool_] | None = None,
) -> Pairing:
    """Pair the atoms of two structures.

    Parameters
    ----------
    mobile, target : Structure
        What moves, and what stays.
    method : {"auto", "sequence", "number"}
        ``"sequence"`` pairs the aligned columns of the sequences. ``"number"`` pairs residues with equal number and
        insertion code, whatever their names. ``"auto"`` aligns sequences and takes the numbers instead where these
        pair as many residues, equally identical: beside a gap only they are unambiguous.
    mobile_chains, target_chains : sequence of str, optional
        Chains to pair; ``"_"`` is the blank id. Where neither side names more than one, the best single pair of
        chains is taken: by alignment score, or by the count of equal residues on equal numbers; of equally good ones
        the first in file order, proteins before nucleic acids. Where a side names several, mobile chains are
        assigned to target chains so that the sum of scores is largest, of equally good assignments the one that
        keeps the order.
    mobile_model, target_model : int
        Positions of the models, from 0; only their coordinates are looked at.
    atoms : {"ca", "backbone", "heavy"}
        CA of proteins and C3' (else P) of nucleic acids; N CA C O and P O5' C5' C4' C3' O3'; or all non-hydrogen
        atoms with equal names in residues with equal names, backbone and CB in residues that differ. Of alternate
        locations the highest occupancy is taken, the first of equals.
    fit, report : str
        Selections of the pairs that drive the fit and of those over which scores are reported. Both are evaluated
        on the structure that moves: its chains, its numbering, its pLDDT.
    core : ndarray, shape=(mobile residues,), dtype=bool, optional
        What the word ``core`` means in these selections.

    Returns
    -------
    pairing : Pairing
        In the order of the mobile chains as paired, ascending along each.

    Raises
    ------
    StructureError
        For a chain, model or selection that does not exist, for protein against nucleic acid, for fewer than three
        pairs, and for pairs that do not fix a rotation because they lie on one line or in one point.
    """
    if method == "structure":
        raise StructureError("Pairing by structure is not available yet; pair by auto, sequence or number.")
    if method not in get_args(PairingMethod):
        raise StructureError(f"There is no pairing {method!r}; choose auto, sequence or number.")
    if atoms not in get_args(AtomChoice):
        raise StructureError(f"There is no choice of atoms {atoms!r}; choose ca, backbone or heavy.")
    mobile_points = _model(mobile, mobile_model)
    target_points = _model(target, target_model)

    choice = _choose_chains(mobile, target, method, mobile_chains, target_chains)
    matches: list[ChainMatch] = []
    left_out: list[LeftOut] = []
    parts: list[tuple[NDArray[np.int64], ...]] = []
    sizes: dict[Polymer, int] = {"protein": 0, "nucleic": 0}
    for one, two, columns in choice.matched:
        own, other = one.residues[columns.mobile], two.residues[columns.target]
        own_atoms, other_atoms, column = match_atoms(mobile, target, own, other, one.polymer, atoms)
        # A file may say that it does not know where an atom is.
        known = np.isfinite(mobile_points[own_atoms]).all(axis=1) & np.isfinite(target_points[other_atoms]).all(axis=1)
        own_atoms, other_atoms, column = own_atoms[known], other_atoms[known], column[known]
        parts.append((own_atoms, other_atoms, own[column], other[column]))
        matches.append(ChainMatch(one.chain, two.chain, len(column), columns.identity))
        sizes[one.polymer] += len(column)
        left_out += _left_out_of_match(mobile, target, one, two, columns, column, atoms)
    left_out += choice.left_out

    stacked = [np.concatenate([part[k] for part in parts]) for k in range(4)]
    count = len(stacked[0])
    everyone = np.ones(count, dtype=bool)
    pairing = Pairing(
        mobile_atoms=stacked[0],
        target_atoms=stacked[1],
        mobile_residues=stacked[2],
        target_residues=stacked[3],
        weights=np.ones(count),
        fit=everyone,
        report=everyone,
        body=np.zeros(count, dtype=np.int64),
        polymer="protein" if sizes["protein"] >= sizes["nucleic"] else "nucleic",
        mobile_length=_length(mobile, choice.mobile),
        target_length=_length(target, choice.target),
        chains=tuple(matches),
        left_out=tuple(left_out),
        origin=method,
        description=_describe(mobile, target, choice, matches, method, atoms, count),
    )
    if count < 3:
        raise StructureError(f"{_counted(count)} cannot fix a rotation; three are needed ({pairing.description}).")
    if fit != "all" or report != "all":
        residue_core = None if core is None else core[pairing.mobile_residues]
        pairing = replace(
            pairing,
            fit=select_pairs(pairing, mobile, fit, core=residue_core),
            report=select_pairs(pairing, mobile, report, core=residue_core),
        )
    _check_geometry(mobile, mobile_points[pairing.mobile_atoms[pairing.fit]])
    _check_geometry(target, target_points[pairing.target_atoms[pairing.fit]])
    return pairing


def select_pairs(
    pairing: Pairing, mobile: Structure, text: str, *, core: NDArray[np.bool_] | None = None
) -> NDArray[np.bool_]:
    """Return the pairs whose mobile residue a selection names.

    Parameters
    ----------
    pairing : Pairing
    mobile : Structure
        The structure that moves: selections use its chains and numbering.
    text : str
        A selection; see `lieapp.structures.selection`.
    core : ndarray, shape=(pairs,), dtype=bool, optional
        What the word ``core`` means, as a mask of pairs.

    Returns
    -------
    mask : ndarray, shape=(pairs,), dtype=bool
        At least one is True.

    Raises
    ------
    StructureError
        If the text is not understood, or if none of the residues it names is paired.
    """
    if text.strip() == "all":
        return np.ones(len(pairing), dtype=bool)
    residue_core = None
    if core is not None:
        residue_core = np.zeros(len(mobile.residues), dtype=bool)
        residue_core[pairing.mobile_residues[core]] = True
    mask = select_residues(mobile, text, core=residue_core)[pairing.mobile_residues]
    if not mask.any():
        raise StructureError(f"Selection {text!r} names no paired residue of {mobile.name} ({pairing.description}).")
    return mask


@dataclass(frozen=True, eq=False)
class _Choice:
    """The chains that were paired, those considered (they give L), and the chains left aside."""

    matched: list[tuple[PolymerChain, PolymerChain, Columns]]
    mobile: list[PolymerChain]
    target: list[PolymerChain]
    left_out: list[LeftOut]
    candidates: int


def _choose_chains(
    mobile: Structure,
    target: Structure,
    method: PairingMethod,
    mobile_chains: Sequence[str] | None,
    target_chains: Sequence[str] | None,
) -> _Choice:
    all_mobile, all_target = polymer_chains(mobile), polymer_chains(target)
    for structure, found in ((mobile, all_mobile), (target, all_target)):
        if not found:
            raise StructureError(f"{structure.name} holds no protein or nucleic acid that could be paired.")
    named_mobile = chosen_chains(mobile, all_mobile, mobile_chains)
    named_target = chosen_chains(target, all_target, target_chains)
    ones = list(named_mobile or all_mobile)
    twos = list(named_target or all_target)
    several = len(mobile_chains or ()) > 1 or len(target_chains or ()) > 1

    matcher = SequenceMatcher()
    scores = np.array([[_score(matcher, method, one, two) for two in twos] for one in ones])
    possible = np.isfinite(scores)
    if not possible.any():
        kinds = {"protein": "protein", "nucleic": "nucleic acid"}
        raise StructureError(
            f"{_named(mobile, ones)} is {kinds[ones[0].polymer]}, {_named(target, twos)} is {kinds[twos[0].polymer]}: "
            "residues of one cannot be paired with residues of the other."
        )
    if several:
        places = assign_chains(scores)
        mobile_used = list(named_mobile) if named_mobile else [ones[i] for i, _ in places]
        target_used = list(named_target) if named_target else [twos[j] for _, j in places]
    else:
        protein = possible & np.array([[one.polymer == "protein"] for one in ones])
        ranked = np.where(protein if protein.any() else possible, scores, -np.inf)
        i, j = np.unravel_index(int(np.argmax(ranked)), ranked.shape)
        places = [(int(i), int(j))]
        mobile_used, target_used = [ones[i]], [twos[j]]
    matched = [(ones[i], twos[j], _columns(matcher, method, ones[i], twos[j])) for i, j in places]

    left_out: list[LeftOut] = []
    sides: tuple[Literal["mobile"], Literal["target"]] = ("mobile", "target")
    for side, available, used, taken in (
        (sides[0], all_mobile, mobile_used, {id(one) for one, _, _ in matched}),
        (sides[1], all_target, target_used, {id(two) for _, two, _ in matched}),
    ):
        considered = {id(chain) for chain in used}
        for chain in available:
            if id(chain) not in taken:
                reason = "no chain to pair it with" if id(chain) in considered else "chain not selected"
                left_out.append(LeftOut(side, chain.chain, len(chain), reason))
    return _Choice(matched, mobile_used, target_used, left_out, 1 if several else int(possible.sum()))


def _score(matcher: SequenceMatcher, method: PairingMethod, one: PolymerChain, two: PolymerChain) -> float:
    if method != "number" or one.polymer != two.polymer:
        return matcher.score(one, two)
    columns = columns_by_number(one, two)
    # Equal residues on equal numbers; where names say nothing (all X) the numbers alone.
    return len(columns) * columns.identity + 1e-6 * len(columns)


def _columns(matcher: SequenceMatcher, method: PairingMethod, one: PolymerChain, two: PolymerChain) -> Columns:
    if method == "number":
        return columns_by_number(one, two)
    return matcher.refined(one, two) if method == "auto" else matcher.columns(one, two)


def _left_out_of_match(
    mobile: Structure,
    target: Structure,
    one: PolymerChain,
    two: PolymerChain,
    columns: Columns,
    paired: NDArray[np.int64],
    atoms: AtomChoice,
) -> list[LeftOut]:
    """Return what two paired chains left out; `paired` are the columns that gave a pair of atoms."""
    found: list[LeftOut] = []
    bare = np.ones(len(columns), dtype=bool)
    bare[paired] = False
    own_missing = mobile.residues.guide_atom[one.residues[columns.mobile[bare]]] < 0
    other_missing = target.residues.guide_atom[two.residues[columns.target[bare]]] < 0
    guide = "CA atom" if one.polymer == "protein" else "C3' or P atom"
    sides: tuple[Literal["mobile"], Literal["target"]] = ("mobile", "target")
    for side, chain, partner, missing, other in (
        (sides[0], one, two, own_missing, other_missing),
        (sides[1], two, one, other_missing, own_missing),
    ):
        if columns.by_number:
            alone = f"no residue of this number in chain {partner.shown}"
        else:
            alone = f"no partner in the alignment with chain {partner.shown}"
        partner_lacks = other & ~missing
        reasons = {
            alone: len(chain) - len(columns),
            f"no {guide}": int(missing.sum()),
            f"the partner has no {guide}": int(partner_lacks.sum()),
            "no atom in common": int((~missing & ~partner_lacks).sum()),
        }
        found += [LeftOut(side, chain.chain, count, reason) for reason, count in reasons.items() if count]
    return found


def _describe(
    mobile: Structure,
    target: Structure,
    choice: _Choice,
    matches: Sequence[ChainMatch],
    method: PairingMethod,
    atoms: AtomChoice,
    count: int,
) -> str:
    columns = [found for _, _, found in choice.matched]
    residues = sum(len(found) for found in columns)
    identity = sum(found.identity * len(found) for found in columns) / max(1, residues)
    line = f"{_named(mobile, choice.mobile)} with {_named(target, choice.target)}"
    if len(matches) > 1:
        shown = [f"{match.mobile_chain or '_'}-{match.target_chain or '_'}" for match in matches]
        line += f" ({_listed(shown, ', ')})"
    line += f": {count} {shown_atoms(atoms, choice.matched[0][0].polymer)}"
    by_number = all(found.by_number for found in columns)
    how = "sequence" if not by_number else "number" if method == "number" else "sequence and number"
    line += f" by {how}, {100.0 * identity:.0f} % identical"
    if choice.candidates > 1:
        line += f", best of {choice.candidates} chain pairs"
    if identity < LOW_IDENTITY:
        line += "; so little is equal that the pairs may be wrong"
    return line


def _named(structure: Structure, chains: Sequence[PolymerChain]) -> str:
    return f"{structure.name} {_listed(list(dict.fromkeys(chain.shown for chain in chains)), ',')}"


def _listed(words: Sequence[str], separator: str) -> str:
    """Join a few words; of many, the first ones and their count."""
    if len(words) <= 6:
        return separator.join(words)
    return f"{separator.join(words[:4])} and {len(words) - 4} more"


def _length(structure: Structure, chains: Sequence[PolymerChain]) -> int:
    return sum(int((structure.residues.guide_atom[chain.residues] >= 0).sum()) for chain in chains)


def _model(structure: Structure, index: int) -> NDArray[np.float64]:
    if not 0 <= index < structure.model_count:
        models = "1 model" if structure.model_count == 1 else f"{structure.model_count} models"
        raise StructureError(f"{structure.name} has {models}; there is none at position {index}, counted from 0.")
    return structure.coordinates[index]


def _check_geometry(structure: Structure, points: NDArray[np.float64]) -> None:
    """Refuse points that leave a rotation free."""
    if len(points) < 3:
        raise StructureError(f"{_counted(len(points))} to fit cannot fix a rotation; three are needed.")
    centred = points - points.mean(axis=0)
    spread = np.sqrt(np.maximum(np.linalg.eigvalsh(centred.T @ centred / len(points)), 0.0))[::-1]
    if spread[0] < _FLAT_ANGSTROM:
        raise StructureError(
            f"The {len(points)} paired atoms of {structure.name} lie in one point; no rotation is best."
        )
    if spread[1] < _FLAT_ANGSTROM:
        raise StructureError(
            f"The {len(points)} paired atoms of {structure.name} lie on one line; the rotation about it stays free."
        )


def _counted(pairs: int) -> str:
    return "One pair" if pairs == 1 else f"{pairs} pairs"
