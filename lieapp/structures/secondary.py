"""Helix, strand or coil: from the file's own records, from backbone hydrogen bonds, or from CA positions alone."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lieapp.structures._backbone import STRETCH_GAP, backbone, hydrogen_bonds, stretch_places
from lieapp.structures._neighbours import close_pairs
from lieapp.structures.structure import Structure

__all__ = ["assign_from_ca", "assign_from_hydrogen_bonds", "secondary_structure"]

States: TypeAlias = NDArray[np.str_]
Mask: TypeAlias = NDArray[np.bool_]
Indices: TypeAlias = NDArray[np.int64]

_HELIX_LENGTHS = (4, 3, 5)  # alpha, 3-10, pi: residues from C=O to N-H
# Bridges of one ladder follow each other directly or over a bulge: up to 4 residues on one strand, 1 on the other.
_LADDER_STEPS = tuple((di, dj) for di in range(1, 6) for dj in range(1, 6) if min(di, dj) <= 2)
_CA_BOND_MAXIMUM = 4.5  # Å between neighbouring CA; 3.8 in a trans and 2.9 in a cis peptide


def secondary_structure(structure: Structure, model: int = 0) -> States:
    """Return the secondary structure of every residue, from the best source there is.

    The records of the file win. Without any, chains with a complete backbone are assigned from hydrogen bonds and
    the others from CA positions.

    Parameters
    ----------
    structure : Structure
    model : int
        Position of the model, from 0.

    Returns
    -------
    states : ndarray, shape=(residues,), dtype=str
        ``"H"`` helix, ``"E"`` strand, ``"C"`` anything else, also for what is no protein.
    """
    recorded = structure.residues.secondary
    if (recorded != "").any():
        return np.where(recorded == "", "C", recorded)
    residues = structure.residues
    traced = (residues.kind == "protein") & (residues.guide_atom >= 0)
    complete = np.zeros(len(residues), dtype=bool)
    complete[backbone(structure, model).residues] = True
    names, code = np.unique(residues.chain, return_inverse=True)
    share = np.bincount(code, weights=complete, minlength=len(names))
    full = (share >= 0.5 * np.bincount(code, weights=traced, minlength=len(names)))[code]
    states = np.full(len(residues), "C")
    if (full & complete).any():
        states[full] = assign_from_hydrogen_bonds(structure, model)[full]
    if (~full & traced).any():
        states[~full] = assign_from_ca(structure, model)[~full]
    return states


def assign_from_hydrogen_bonds(structure: Structure, model: int = 0) -> States:
    """Assign helices and strands from hydrogen bonds of the backbone, as DSSP does, in three states.

    Two consecutive turns make a helix (alpha, 3-10 and pi alike); bridges that join to a ladder, over bulges too,
    make strands. Isolated turns and bridges are coil. Alpha helix outranks strand, strand the other helices.

    Parameters
    ----------
    structure : Structure
    model : int
        Position of the model, from 0.

    Returns
    -------
    states : ndarray, shape=(residues,), dtype=str
        ``"H"``, ``"E"`` or ``"C"``; ``"C"`` where N, CA, C or O is missing.

    References
    ----------
    Kabsch and Sander, Biopolymers 22 (1983) 2577-2637.
    """
    chain = backbone(structure, model)
    states = np.full(len(structure.residues), "C")
    if len(chain.residues) == 0:
        return states
    acceptor, donor = hydrogen_bonds(structure, chain)
    span = chain.span
    assigned = np.full(span, "C")
    strand = _strands(chain.places, acceptor, donor, span)
    for length in _HELIX_LENGTHS:
        turn = np.zeros(span, dtype=bool)
        turn[acceptor[donor - acceptor == length]] = True
        first = np.flatnonzero(turn[1:] & turn[:-1]) + 1
        members = first[:, None] + np.arange(length)
        if length != 4:
            # DSSP's order: a short or wide helix counts only where nothing else is assigned.
            members = members[(assigned[members] == "C").all(axis=1)]
        assigned[members] = "H"
        if length == 4:
            assigned[strand & (assigned == "C")] = "E"
    states[chain.residues] = assigned[chain.places]
    return states


def assign_from_ca(structure: Structure, model: int = 0) -> States:
    """Assign helices and strands from CA positions alone.

    Four consecutive CA turn like a helix where the first and last lie 4.5 to 6.0 Å apart with a dihedral of 30 to
    80 degrees; two such fours in a row make a helix, without the very first residue. Three residues in a row, each
    extended (5.8 Å or more across it), make a strand where each lies within 5.8 Å of its opposite in another such
    row, parallel or antiparallel. The quantities are those of P-SEA; its limits for single residues, without
    opposites, agree with hydrogen bonds less well.

    Parameters
    ----------
    structure : Structure
    model : int
        Position of the model, from 0.

    Returns
    -------
    states : ndarray, shape=(residues,), dtype=str
        ``"H"``, ``"E"`` or ``"C"``; ``"C"`` for what is no protein or has no CA.

    References
    ----------
    Labesse, Colloc'h, Pothier and Mornon, CABIOS 13 (1997) 291-295 (P-SEA).
    """
    residues = structure.residues
    states = np.full(len(residues), "C")
    own = np.flatnonzero((residues.kind == "protein") & (residues.guide_atom >= 0))
    points = structure.coordinates[model][residues.guide_atom[own]]
    finite = np.isfinite(points).all(axis=1)
    own, points = own[finite], points[finite]
    if len(own) == 0:
        return states
    starts = np.ones(len(own), dtype=bool)
    same_chain = residues.chain[own[1:]] == residues.chain[own[:-1]]
    starts[1:] = ~(same_chain & (np.linalg.norm(np.diff(points, axis=0), axis=1) < _CA_BOND_MAXIMUM))
    places = stretch_places(starts)

    # One row a place, nan where nothing lies: comparisons with nan are false, so patterns end at breaks.
    trace = np.full((int(places[-1]) + STRETCH_GAP, 3), np.nan)
    trace[places] = points
    helix = _ca_helices(trace)
    strand = _ca_strands(trace, places, points, helix)
    states[own] = np.where(helix, "H", np.where(strand, "E", "C"))[places]
    return states


def _ca_helices(trace: NDArray[np.float64]) -> Mask:
    """Return the places in helices; `trace` has one CA a place, nan where there is none."""
    count = len(trace)
    bond = np.diff(trace, axis=0)
    one, two, three = bond[:-2], bond[1:-1], bond[2:]
    left, right = np.cross(one, two), np.cross(two, three)
    sine = np.einsum("ij,ij->i", np.cross(left, right), two) / np.maximum(np.linalg.norm(two, axis=1), 1e-9)
    dihedral = np.degrees(np.arctan2(sine, np.einsum("ij,ij->i", left, right)))
    across = np.linalg.norm(trace[3:] - trace[:-3], axis=1)
    turn = (across > 4.5) & (across < 6.0) & (dihedral > 30.0) & (dihedral < 80.0)
    turn[1:-1] &= turn[:-2] | turn[2:]  # two in a row
    turn[[0, -1]] &= turn[[1, -2]]
    helix = np.zeros(count, dtype=bool)
    for step in (1, 2, 3):
        helix[step : step + len(turn)] |= turn
    return helix


def _ca_strands(trace: NDArray[np.float64], places: Indices, points: NDArray[np.float64], helix: Mask) -> Mask:
    """Return the places in rows of three extended residues that lie opposite another such row."""
    count = len(trace)
    extended = np.zeros(count, dtype=bool)
    extended[1:-1] = np.linalg.norm(trace[2:] - trace[:-2], axis=1) > 5.8
    extended &= ~helix
    i, j, _ = close_pairs(points, points, 5.8)
    i, j = places[i], places[j]
    opposite = (np.abs(i - j) >= 4) & extended[i] & extended[j]
    i, j = i[opposite], j[opposite]
    keys = np.unique(i * count + j)
    strand = np.zeros(count, dtype=bool)
    for sign in (1, -1):
        row = np.isin((i + 1) * count + (j + sign), keys) & np.isin((i + 2) * count + (j + 2 * sign), keys)
        for step in range(3):
            strand[i[row] + step] = True
            strand[j[row] + sign * step] = True
    return strand


def _strands(places: Indices, acceptor: Indices, donor: Indices, span: int) -> Mask:
    """Return the places in ladders of bridges."""
    present = np.zeros(span + 8, dtype=bool)
    present[places] = True
    inside = np.zeros(span, dtype=bool)
    inside[1:] = present[: span - 1] & present[1:span] & present[2 : span + 1]  # both neighbours exist
    bonds = np.unique(acceptor * span + donor)

    def bonded(a: Indices, d: Indices) -> Mask:
        return np.isin(a * span + d, bonds)

    a, d = acceptor, donor
    bridges = {
        # (i, j) with i = a: both bonds within the pair, or both around it.
        "anti": [(a, d, bonded(d, a)), (a + 1, d - 1, bonded(d - 2, a + 2))],
        # C=O of i-1 to N-H of j, and C=O of j to N-H of i+1.
        "parallel": [(a + 1, d, bonded(d, a + 2))],
    }
    strand = np.zeros(span, dtype=bool)
    for kind, found in bridges.items():
        i = np.concatenate([first[holds] for first, _, holds in found])
        j = np.concatenate([second[holds] for _, second, holds in found])
        sound = (np.abs(i - j) >= 3) & inside[np.clip(i, 0, span - 1)] & inside[np.clip(j, 0, span - 1)]
        i, j = i[sound], j[sound]
        i, j = np.concatenate((i, j)), np.concatenate((j, i))
        keys = np.unique(i * span + j)
        sign = -1 if kind == "anti" else 1
        for di, dj in _LADDER_STEPS:
            # The next bridge of a ladder, directly or over a bulge; what lies between belongs to the strand.
            joined = np.isin((i + di) * span + (j + sign * dj), keys)
            for step in range(di + 1):
                strand[i[joined] + step] = True
            for step in range(dj + 1):
                strand[j[joined] + sign * step] = True
    return strand
