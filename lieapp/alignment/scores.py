"""Scores of a pose, from the distances of its pairs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.objectives import GDT_HA_CUTOFFS, GDT_TS_CUTOFFS, d0_of, normalised_weights

__all__ = ["deviations_at", "gdt_ha", "gdt_score", "gdt_ts", "rmsd_at", "rmsd_of", "tm_score"]


def deviations_at(
    mobile: NDArray[np.float64], target: NDArray[np.float64], rotation: ArrayLike, translation: ArrayLike
) -> NDArray[np.float64]:
    """Return the distance of every pair at a pose.

    Parameters
    ----------
    mobile, target : ndarray, shape=(pairs, 3), dtype=float64
        Positions in Å.
    rotation : array_like, shape=(3, 3)
    translation : array_like, shape=(3,)
        Of ``x' = R x + t``, in Å.

    Returns
    -------
    ndarray, shape=(pairs,), dtype=float64
        In Å.
    """
    residual = mobile @ np.asarray(rotation).T
    residual += translation
    residual -= target
    distances: NDArray[np.float64] = np.sqrt(np.einsum("ij,ij->i", residual, residual))
    return distances


def rmsd_of(deviations: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> float:
    """Return the root of the mean of squared distances, in Å; NaN of no pairs.

    Parameters
    ----------
    deviations : ndarray, shape=(pairs,), dtype=float64
        Distances in Å.
    weights : ndarray, shape=(pairs,), optional
        Of any sum; equal by default.
    """
    if len(deviations) == 0:
        return math.nan
    if weights is None:
        return math.sqrt(float(deviations @ deviations) / len(deviations))
    return math.sqrt(float(normalised_weights(weights, len(deviations)) @ deviations**2))


def rmsd_at(
    mobile: NDArray[np.float64],
    target: NDArray[np.float64],
    rotation: ArrayLike,
    translation: ArrayLike,
    weights: NDArray[np.float64] | None = None,
) -> float:
    """Return the RMSD at a pose in Å; arguments as in `deviations_at`."""
    return rmsd_of(deviations_at(mobile, target, rotation, translation), weights)


def tm_score(
    deviations: NDArray[np.float64],
    *,
    length: int,
    polymer: str = "protein",
    residues: int | None = None,
) -> float:
    """Return the TM-score at a pose, for the pairs as they are.

    Parameters
    ----------
    deviations : ndarray, shape=(pairs,), dtype=float64
        Distances of the pairs in Å.
    length : int
        L, the residues of the structure that the score is normalised with.
    polymer : {"protein", "nucleic"}
        Selects the rule for d0.
    residues : int, optional
        Paired residues, where several atoms of a residue are paired; by default one a pair.

    Notes
    -----
    ``(residues/L) mean(1 / (1 + d^2/d0^2))``, which is the TM-score where every residue has one pair. It is evaluated
    at the pose, not maximised over poses; `superpose_robust` does that.
    """
    if len(deviations) == 0:
        return 0.0
    d0 = d0_of(length, polymer)
    coverage = (len(deviations) if residues is None else residues) / length
    terms: NDArray[np.float64] = 1.0 / (1.0 + (deviations / d0) ** 2)
    return coverage * float(terms.sum()) / len(deviations)


def gdt_score(
    deviations: NDArray[np.float64], cutoffs: tuple[float, ...], *, length: int, residues: int | None = None
) -> float:
    """Return the mean over cutoffs of the fraction of residues within the cutoff, at a pose.

    Parameters
    ----------
    deviations : ndarray, shape=(pairs,), dtype=float64
        Distances of the pairs in Å.
    cutoffs : tuple of float
        In Å.
    length : int
        The residues that the fraction is of; unpaired ones count as too far.
    residues : int, optional
        Paired residues, where several atoms of a residue are paired.

    Notes
    -----
    LGA and TMscore maximise each cutoff over poses separately, so their GDT is at least as large; see
    `lieapp.alignment.superposition.gdt_maximised`.
    """
    if length <= 0:
        raise AlignmentError(f"GDT needs a length of at least 1, not {length}")
    if len(deviations) == 0:
        return 0.0
    coverage = (len(deviations) if residues is None else residues) / length
    within = np.searchsorted(np.sort(deviations), cutoffs, side="right")
    return coverage * float(within.sum()) / (len(cutoffs) * len(deviations))


def gdt_ts(deviations: NDArray[np.float64], *, length: int, residues: int | None = None) -> float:
    """Return GDT-TS (1, 2, 4, 8 Å) at a pose; see `gdt_score`."""
    return gdt_score(deviations, GDT_TS_CUTOFFS, length=length, residues=residues)


def gdt_ha(deviations: NDArray[np.float64], *, length: int, residues: int | None = None) -> float:
    """Return GDT-HA (0.5, 1, 2, 4 Å) at a pose; see `gdt_score`."""
    return gdt_score(deviations, GDT_HA_CUTOFFS, length=length, residues=residues)
