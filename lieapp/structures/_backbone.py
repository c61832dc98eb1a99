"""The backbone of proteins as unbroken stretches, and the hydrogen bonds between its peptide groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lieapp.structures._atoms import named_atoms
from lieapp.structures._neighbours import close_pairs
from lieapp.structures.structure import Structure

__all__ = ["STRETCH_GAP", "Backbone", "backbone", "hydrogen_bonds", "stretch_places"]

#: Places left empty between stretches, more than any pattern reaches: arithmetic on places never crosses a break.
STRETCH_GAP = 8

_PEPTIDE_BOND_MAXIMUM = 2.5  # Å between C and N of neighbours, as in DSSP
_NITROGEN_HYDROGEN = 1.01  # Å
_COULOMB = 332.0 * 0.42 * 0.20  # kcal Å / mol; Kabsch and Sander's charges 0.42 e and 0.20 e
_BOND_ENERGY = -0.5  # kcal / mol
_REACH = 5.2  # Å between N and O; no weaker geometry gets below the bond energy
_SMALLEST = 0.5  # Å; atoms on top of each other give a large, finite energy


@dataclass(frozen=True, eq=False)
class Backbone:
    """Residues with N, CA, C and O.

    Attributes
    ----------
    residues : ndarray, shape=(n,), dtype=int
        Residue indices, ascending.
    places : ndarray, shape=(n,), dtype=int
        Consecutive numbers along each unbroken stretch, `STRETCH_GAP` apart between stretches.
    points : ndarray, shape=(n, 4, 3), dtype=float64
        N, CA, C, O in Å.
    """

    residues: NDArray[np.int64]
    places: NDArray[np.int64]
    points: NDArray[np.float64]

    @property
    def span(self) -> int:
        """One more than the last place, and an empty rim."""
        return int(self.places[-1]) + STRETCH_GAP + 1 if len(self.places) else STRETCH_GAP


def stretch_places(starts: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number elements so that a stretch is consecutive and stretches lie `STRETCH_GAP` apart.

    Parameters
    ----------
    starts : ndarray, shape=(n,), dtype=bool
        True where a stretch begins.
    """
    return np.arange(len(starts), dtype=np.int64) + STRETCH_GAP * np.cumsum(starts)


def backbone(structure: Structure, model: int) -> Backbone:
    """Return the complete backbone residues of a model."""
    protein = np.flatnonzero(structure.residues.kind == "protein")
    atoms = named_atoms(structure, ("N", "CA", "C", "O"), protein)
    points = structure.coordinates[model][np.maximum(atoms, 0)]
    complete = (atoms >= 0).all(axis=1) & np.isfinite(points).all(axis=(1, 2))
    residues, points = protein[complete], points[complete]
    starts = np.ones(len(residues), dtype=bool)
    if len(residues) > 1:
        same_chain = structure.residues.chain[residues[1:]] == structure.residues.chain[residues[:-1]]
        bond = np.linalg.norm(points[1:, 0] - points[:-1, 2], axis=1)
        starts[1:] = ~(same_chain & (bond < _PEPTIDE_BOND_MAXIMUM))
    return Backbone(residues, stretch_places(starts), points)


def hydrogen_bonds(structure: Structure, chain: Backbone) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the backbone hydrogen bonds of Kabsch and Sander (1983, equation 2).

    The hydrogen is placed 1.01 Å from N, opposite to the C=O before it, whether or not the file has hydrogens.

    Parameters
    ----------
    structure : Structure
    chain : Backbone

    Returns
    -------
    acceptor, donor : ndarray, shape=(bonds,), dtype=int
        Places of the residue that gives C=O and of the one that gives N-H; energy below -0.5 kcal/mol.
    """
    nitrogen, carbon, oxygen = chain.points[:, 0], chain.points[:, 2], chain.points[:, 3]
    follows = np.flatnonzero(np.diff(chain.places) == 1) + 1
    donors = follows[~np.isin(structure.residues.name[chain.residues[follows]], ("PRO", "HYP"))]
    carbonyl = carbon[donors - 1] - oxygen[donors - 1]
    length = np.maximum(np.linalg.norm(carbonyl, axis=1, keepdims=True), _SMALLEST)
    hydrogen = nitrogen[donors] + _NITROGEN_HYDROGEN * carbonyl / length

    which, acceptor, on = close_pairs(nitrogen[donors], oxygen, _REACH)
    apart = chain.places[donors[which]] - chain.places[acceptor]
    other = (apart != 0) & (apart != 1)  # not the own peptide groups
    which, acceptor, on = which[other], acceptor[other], on[other]
    donor = donors[which]
    oh = np.linalg.norm(oxygen[acceptor] - hydrogen[which], axis=1)
    ch = np.linalg.norm(carbon[acceptor] - hydrogen[which], axis=1)
    cn = np.linalg.norm(carbon[acceptor] - nitrogen[donor], axis=1)
    on, oh, ch, cn = (np.maximum(distance, _SMALLEST) for distance in (on, oh, ch, cn))
    energy = _COULOMB * (1.0 / on + 1.0 / ch - 1.0 / oh - 1.0 / cn)
    bonded = energy < _BOND_ENERGY
    return chain.places[acceptor[bonded]], chain.places[donor[bonded]]
