"""A smooth tube through the guide atoms of a structure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.scene.curves import fill_directions, fragment_ends, parallel_frames, sample_spline
from lieapp.scene.sweep import Mesh, circle_profile, sweep

__all__ = ["PROTEIN_GAP", "NUCLEIC_GAP", "Trace", "build_tube", "trace_fragments"]

PROTEIN_GAP = 4.5
"""Distance in Å between consecutive CA above which residues are missing between them."""
NUCLEIC_GAP = 8.5
"""The same for C3' (6 to 7 Å apart in a chain) or P."""

# Latitudes of the rings that round off an end; the last one is closed flat.
_CAP = np.radians([28.0, 55.0, 78.0])


@dataclass(frozen=True, eq=False)
class Trace:
    """Guide atoms in drawing order.

    Attributes
    ----------
    residues : ndarray, shape=(guides,), dtype=int
        Residue of each guide atom.
    points : ndarray, shape=(guides, 3)
        Positions in Å.
    fragment : ndarray, shape=(guides,), dtype=int
        Unbroken pieces of chain, counted from 0.
    gaps : ndarray, shape=(gaps, 2), dtype=int
        Pairs of guides (positions in this trace) of one chain between which residues are missing.
    """

    residues: NDArray[np.int64]
    points: NDArray[np.float64]
    fragment: NDArray[np.int64]
    gaps: NDArray[np.int64]


def trace_fragments(points: ArrayLike, chain: ArrayLike, nucleic: ArrayLike, residues: ArrayLike) -> Trace:
    """Split guide atoms into unbroken pieces.

    Parameters
    ----------
    points : array_like, shape=(guides, 3)
        Guide atoms in chain order, in Å.
    chain : array_like, shape=(guides,), dtype=str
    nucleic : array_like, shape=(guides,), dtype=bool
        Nucleic acid, whose guide atoms lie farther apart.
    residues : array_like, shape=(guides,), dtype=int

    Returns
    -------
    trace : Trace
    """
    array = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    chains, acid = np.asarray(chain), np.asarray(nucleic, dtype=bool)
    count = len(array)
    if count == 0:
        none = np.zeros(0, dtype=np.int64)
        return Trace(none, array, none, np.zeros((0, 2), dtype=np.int64))
    step = np.linalg.norm(np.diff(array, axis=0), axis=1)
    limit = np.where(acid[1:] & acid[:-1], NUCLEIC_GAP, PROTEIN_GAP)
    same_chain = chains[1:] == chains[:-1]
    same_kind = acid[1:] == acid[:-1]
    broken = ~same_chain | ~same_kind | ~(step <= limit)
    fragment = np.concatenate([[0], np.cumsum(broken)]).astype(np.int64)
    gap = np.flatnonzero(broken & same_chain & same_kind)
    return Trace(np.asarray(residues, dtype=np.int64), array, fragment, np.stack([gap, gap + 1], axis=1))


def _with_round_ends(
    centers: NDArray[np.float64],
    frames: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    radius: NDArray[np.float64],
    fragment: NDArray[np.int64],
    owner: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return source sample, centre, radius and tilt of every section once each end has its rings."""
    begins, finishes = fragment_ends(fragment)
    rings = len(_CAP)
    repeats = 1 + rings * (begins.astype(np.int64) + finishes.astype(np.int64))
    source = np.repeat(np.arange(len(fragment)), repeats)
    place = np.arange(len(source)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    place = place - np.where(begins[source], rings, 0)  # negative: before the sample; positive: after it
    latitude = np.concatenate([-_CAP[::-1], [0.0], _CAP])[place + rings]
    shift = np.sin(latitude) * radius[source]
    return source, centers[source] + frames[0][source] * shift[:, None], radius[source] * np.cos(latitude), latitude


def build_tube(
    points: ArrayLike,
    fragment: ArrayLike,
    radius: ArrayLike,
    *,
    owner: ArrayLike | None = None,
    segments: int = 6,
    corners: int = 8,
) -> Mesh:
    """Build round tubes through points, one for each fragment, with rounded ends.

    The curve is a Catmull-Rom spline, so the tube passes through every guide atom; frames are carried along without
    twist. A fragment of one point becomes a ball.

    Parameters
    ----------
    points : array_like, shape=(guides, 3)
        Positions in Å; equal or collinear points are allowed.
    fragment : array_like, shape=(guides,), dtype=int
        Equal numbers are contiguous and joined.
    radius : float or array_like, shape=(guides,)
        Radius in Å.
    owner : array_like, shape=(guides,), dtype=int, optional
        Whose a guide is, copied to the vertices; its position by default.
    segments : int
        Sections from one guide to the next.
    corners : int
        Corners of a section, at least 3.

    Returns
    -------
    mesh : Mesh
        ``build_tube(R x + t) = R build_tube(x) + t`` for every curve that bends.
    """
    array = np.asarray(points, dtype=np.float64).reshape(-1, 3)
    labels = np.asarray(fragment, dtype=np.int64)
    if len(array) == 0:
        return Mesh.empty()
    whose = np.arange(len(array)) if owner is None else np.asarray(owner, dtype=np.int64)
    samples = sample_spline(labels, segments)
    centers = samples.values(array)
    tangents = fill_directions(samples.derivatives(array), samples.fragment)
    frames = parallel_frames(tangents, samples.fragment)
    thickness = samples.linear(np.broadcast_to(np.asarray(radius, dtype=np.float64), len(array)))
    source, centers, thickness, tilt = _with_round_ends(
        centers, frames, thickness, samples.fragment, whose[samples.nearest]
    )
    profile = circle_profile(corners)
    return sweep(
        centers,
        (frames[0][source], frames[1][source], frames[2][source]),
        profile * thickness[:, None, None],
        np.broadcast_to(profile, (len(source), corners, 2)),
        samples.fragment[source],
        whose[samples.nearest][source],
        tilt=tilt,
    )
