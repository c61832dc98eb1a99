"""The cartoon: helices as ribbons, strands as arrows, the rest as a thin tube.

Guide points and peptide planes follow Carson and Bugg; all chains are built at once, without a loop over residues.

References
----------
M. Carson, C. E. Bugg, "Algorithm for ribbon models of proteins", J. Mol. Graphics 4 (1986) 121-122.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.scene.curves import fill_directions, fragment_ends, sample_spline
from lieapp.scene.sweep import Mesh, circle_profile, slab_profile, sweep

__all__ = ["build_ribbon", "ribbon_pieces", "ribbon_sides"]

HELIX = (1.30, 0.24)
"""Half width and half thickness in Å."""
STRAND = (1.15, 0.26)
ARROW_WIDTH = 1.95
"""Half width of an arrow at its base in Å."""
COIL = 0.28
"""Radius in Å."""
_TIP = 0.12

# How far the B-spline's control points are moved out of (or, negative, into) the local bend. On an ideal helix the
# spline then runs through the CA atoms; a strand loses its pleats.
_SHARPENING = {"H": 0.55, "E": -0.50, "C": 0.30}
_SHORTEST = {"H": 4, "E": 3}


def _neighbour_mean(values: NDArray[np.float64], fragment: NDArray[np.int64]) -> NDArray[np.float64]:
    """Mean of the two neighbours in the fragment; at an end, the value itself."""
    begins, ends = fragment_ends(fragment)
    mean = (np.roll(values, 1, axis=0) + np.roll(values, -1, axis=0)) / 2
    edge = begins | ends
    mean[edge] = values[edge]
    return mean


def ribbon_sides(points: ArrayLike, oxygens: ArrayLike, fragment: ArrayLike) -> NDArray[np.float64]:
    """Return the direction in which the ribbon is wide at every residue.

    It lies in the peptide plane across the chain, ``(A x B) x A`` with A from CA to the next CA and B from CA to O.
    Where O is unknown, the bend of the CA trace takes its place, which points the same way in helices and strands.
    Each direction is turned to agree with the one before it: the ribbon does not flip with the pleats of a strand.

    Parameters
    ----------
    points : array_like, shape=(guides, 3)
        CA atoms in Å.
    oxygens : array_like, shape=(guides, 3)
        Carbonyl oxygens; NaN where unknown.
    fragment : array_like, shape=(guides,), dtype=int

    Returns
    -------
    sides : ndarray, shape=(guides, 3)
        Unit vectors.
    """
    array = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    oxygen = np.asarray(oxygens, dtype=np.float64).reshape(-1, 3)
    labels = np.asarray(fragment, dtype=np.int64)
    if len(array) == 0:
        return array
    begins, ends = fragment_ends(labels)
    ahead = np.roll(array, -1, axis=0) - array
    behind = array - np.roll(array, 1, axis=0)
    bend = np.cross(behind, ahead)
    bend[begins | ends] = 0.0
    plane = np.cross(np.cross(ahead, oxygen - array), ahead)
    known = np.isfinite(plane).all(axis=1) & ~ends
    # At the last residue of a piece the plane before it goes on.
    sides = fill_directions(np.where(known[:, None], plane, np.where(ends[:, None], 0.0, bend)), labels)
    agreement = np.where(np.einsum("ij,ij->i", sides, np.roll(sides, 1, axis=0)) < 0, -1.0, 1.0)
    agreement[begins] = 1.0
    return sides * np.cumprod(agreement)[:, None]


def ribbon_pieces(secondary: ArrayLike, fragment: ArrayLike) -> NDArray[np.str_]:
    """Return what is drawn from each residue to the next.

    Parameters
    ----------
    secondary : array_like, shape=(guides,), dtype=str
        ``"H"``, ``"E"``; anything else is coil.
    fragment : array_like, shape=(guides,), dtype=int

    Returns
    -------
    kinds : ndarray, shape=(guides,), dtype=str
        ``"H"``, ``"E"``, ``"A"`` (the head of an arrow) or ``"C"``; the last residue of a fragment repeats the kind
        before it. Helices below four residues and strands below three are coil.
    """
    states = np.asarray(secondary)
    labels = np.asarray(fragment, dtype=np.int64)
    count = len(states)
    kinds = np.full(count, "C")
    if count == 0:
        return kinds
    change = np.ones(count, dtype=bool)
    change[1:] = (states[1:] != states[:-1]) | (labels[1:] != labels[:-1])
    first = np.flatnonzero(change)
    last = np.append(first[1:], count) - 1
    for state, shortest in _SHORTEST.items():
        long_enough = (states[first] == state) & (last - first + 1 >= shortest)
        inside = np.zeros(count + 1, dtype=np.int64)
        np.add.at(inside, first[long_enough], 1)
        np.add.at(inside, last[long_enough], -1)
        kinds[np.cumsum(inside)[:-1] > 0] = state
        if state == "E":
            kinds[last[long_enough] - 1] = "A"
    _, ends = fragment_ends(labels)
    trailing = np.flatnonzero(ends)
    has_before = np.zeros(count, dtype=bool)
    has_before[1:] = labels[1:] == labels[:-1]
    trailing = trailing[has_before[trailing]]
    kinds[trailing] = kinds[trailing - 1]
    return kinds


def build_ribbon(
    points: ArrayLike,
    sides: ArrayLike,
    secondary: ArrayLike,
    fragment: ArrayLike,
    *,
    owner: ArrayLike | None = None,
    segments: int = 6,
    corners: int = 12,
) -> Mesh:
    """Build the cartoon of all fragments.

    Parameters
    ----------
    points : array_like, shape=(guides, 3)
        CA atoms in Å.
    sides : array_like, shape=(guides, 3)
        Directions in which the ribbon is wide, from `ribbon_sides`.
    secondary : array_like, shape=(guides,), dtype=str
        ``"H"``, ``"E"``; anything else is coil.
    fragment : array_like, shape=(guides,), dtype=int
        Equal numbers are contiguous and joined.
    owner : array_like, shape=(guides,), dtype=int, optional
        Whose a guide is, copied to the vertices; its position by default.
    segments : int
        Sections from one residue to the next.
    corners : int
        Corners of a section: 8, 12, 16, ...

    Returns
    -------
    mesh : Mesh
        Every helix, strand, arrow head and coil is a closed piece. A fragment of one residue is left out.

    Raises
    ------
    ValueError
        If `corners` is not 8 and not 8 plus a multiple of 4.
    """
    if corners < 8 or corners % 4:
        raise ValueError("a section of the ribbon has 8, 12, 16, ... corners")
    array = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    labels = np.asarray(fragment, dtype=np.int64)
    if len(array) == 0:
        return Mesh.empty()
    whose = np.arange(len(array)) if owner is None else np.asarray(owner, dtype=np.int64)
    kinds = ribbon_pieces(secondary, labels)
    begins, _ = fragment_ends(labels)

    # A residue belongs to a helix or strand if a piece of it begins or ends there.
    before = np.where(begins, kinds, np.roll(kinds, 1))
    state = np.where((kinds == "H") | (before == "H"), "H", np.where(np.isin(kinds, ("E", "A")), "E", "C"))
    state = np.where((state == "C") & np.isin(before, ("E", "A")), "E", state)
    sharpening = np.select([state == "H", state == "E"], [_SHARPENING["H"], _SHARPENING["E"]], _SHARPENING["C"])
    controls = array + sharpening[:, None] * (array - _neighbour_mean(array, labels))
    across = np.asarray(sides, dtype=np.float64).reshape(-1, 3)
    across = across + _neighbour_mean(across, labels)

    samples = sample_spline(labels, segments, "b-spline")
    centers = samples.values(controls)
    tangents = fill_directions(samples.derivatives(controls), samples.fragment)
    wide = samples.values(across)
    wide -= np.einsum("ij,ij->i", wide, tangents)[:, None] * tangents
    wide = fill_directions(wide, samples.fragment, fallback=(0.0, 0.0, 1.0))
    # A direction that had to be filled in may lean: make it square, or take any that is.
    wide -= np.einsum("ij,ij->i", wide, tangents)[:, None] * tangents
    length = np.linalg.norm(wide, axis=1)
    lost = length < 1e-6
    if lost.any():
        axis = np.eye(3)[np.argmin(np.abs(tangents[lost]), axis=1)]
        wide[lost] = np.cross(tangents[lost], axis)
        length[lost] = np.linalg.norm(wide[lost], axis=1)
    wide /= length[:, None]

    # Where the kind changes a section is needed twice: as the end of one piece and as the start of the next.
    interval = np.minimum(np.floor(samples.parameter).astype(np.int64), len(array) - 1)
    kind_after = kinds[interval]
    at_control = samples.parameter == interval
    kind_before = np.where(at_control & ~samples.first, np.roll(kind_after, 1), kind_after)
    doubled = at_control & ~samples.first & ~samples.last & (kind_before != kind_after)
    source = np.repeat(np.arange(len(samples)), 1 + doubled)
    second = np.zeros(len(source), dtype=bool)
    second[1:] = source[1:] == source[:-1]
    kind = np.where(doubled[source] & ~second, kind_before[source], kind_after[source])
    kind = np.where(samples.last[source], kind_before[source], kind)
    starts_piece = samples.first[source] | second
    piece = np.cumsum(starts_piece) - 1

    progress = samples.parameter[source] - interval[source]
    progress = np.where(at_control[source] & ~second & ~samples.first[source], 1.0, progress)
    width = np.select(
        [kind == "H", kind == "E", kind == "A"],
        [HELIX[0], STRAND[0], ARROW_WIDTH + (_TIP - ARROW_WIDTH) * progress],
        COIL,
    )
    height = np.select([kind == "H", np.isin(kind, ("E", "A"))], [HELIX[1], STRAND[1]], COIL)
    circle, (slab, slab_normals) = circle_profile(corners), slab_profile(corners)
    flat = np.isin(kind, ("E", "A"))[:, None, None]
    size = np.stack([width, height], axis=1)[:, None, :]
    outline = np.where(flat, slab, circle) * size
    leaning = np.where(flat, slab_normals, circle / size)
    leaning = leaning / np.linalg.norm(leaning, axis=-1, keepdims=True)
    frames = (tangents[source], wide[source], np.cross(tangents, wide)[source])
    return sweep(centers[source], frames, outline, leaning, piece, whose[samples.nearest[source]])
