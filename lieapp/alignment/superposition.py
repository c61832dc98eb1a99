"""The exact answers: closed-form superposition, the pruned core, the best robust pose, and the critical points.

All in numpy, all for ``x' = R x + t`` on the coordinates as given, rotations always proper (determinant +1).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.fragments import fragment_poses
from lieapp.alignment.objectives import Objective, normalised_weights
from lieapp.alignment.rigid import pose_matrix, random_rotations, rotation_exp, rotation_log
from lieapp.alignment.scores import deviations_at, gdt_ha, gdt_score, gdt_ts, rmsd_at, rmsd_of, tm_score

__all__ = [
    "CORE_CUTOFF",
    "Core",
    "CriticalPoint",
    "RobustSuperposition",
    "Superposition",
    "critical_points",
    "deviations_at",
    "gdt_ha",
    "gdt_maximised",
    "gdt_score",
    "gdt_ts",
    "prune_core",
    "rmsd_at",
    "rmsd_of",
    "superpose",
    "superpose_robust",
    "tm_score",
]

CORE_CUTOFF = 2.0
"""Cutoff of the pruned core in Å: ChimeraX's default."""

# Starts are compared after a coarse iteration, only the best of them is polished. Tolerances are of the motion of the
# farthest point in one step, relative to the size of the structure.
_COARSE_STEPS, _COARSE_TOLERANCE = 300, 1e-6
_FINE_STEPS, _FINE_TOLERANCE = 2000, 1e-11
_SCREENED_PAIRS = 2000  # of larger structures so many decide which start is the best
_BACKTRACKS = 40

Points = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Superposition:
    """The pose of least RMSD.

    Attributes
    ----------
    rotation : ndarray, shape=(3, 3), dtype=float64
    translation : ndarray, shape=(3,), dtype=float64
        Of ``x' = R x + t`` on the original coordinates, in Å.
    rmsd : float
        With the weights of the fit, in Å.
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    rmsd: float

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The pose, shape=(4, 4)."""
        return pose_matrix(self.rotation, self.translation)


@dataclass(frozen=True, eq=False)
class Core:
    """The pairs that are left when far ones have been pruned.

    Attributes
    ----------
    mask : ndarray, shape=(pairs,), dtype=bool
        Pairs of the core; none where fewer than three pairs can be brought below the cutoff.
    superposition : Superposition
        The fit of the core alone; its `rmsd` is the core RMSD. NaN, at the fit of all pairs, where there is no core.
    cutoff : float
        In Å.
    """

    mask: NDArray[np.bool_]
    superposition: Superposition
    cutoff: float

    @property
    def pairs(self) -> int:
        """How many pairs are left."""
        return int(self.mask.sum())

    @property
    def rmsd(self) -> float:
        """Of these pairs, fitted alone, in Å."""
        return self.superposition.rmsd


@dataclass(frozen=True, eq=False)
class RobustSuperposition:
    """The best pose found for an objective.

    Attributes
    ----------
    rotation : ndarray, shape=(3, 3), dtype=float64
    translation : ndarray, shape=(3,), dtype=float64
    loss : float
        In Å², see `lieapp.alignment.objectives`.
    value : float
        The loss as people know it: TM-score, RMSD in Å, ...
    iterations : int
        Of the best start.
    starts, agreeing : int
        Poses tried, and how many of them ended at the best loss (to 1e-6 of it).
    method : str
        For people: how the answer was found.
    history : tuple of float
        Loss before every iteration of the best start, and the last.
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    loss: float
    value: float
    iterations: int
    starts: int
    agreeing: int
    method: str
    history: tuple[float, ...]

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The pose, shape=(4, 4)."""
        return pose_matrix(self.rotation, self.translation)


@dataclass(frozen=True, eq=False)
class CriticalPoint:
    """A pose at which the gradient of the RMSD is zero.

    Attributes
    ----------
    rotation : ndarray, shape=(3, 3), dtype=float64
    translation : ndarray, shape=(3,), dtype=float64
    rmsd : float
        In Å.
    index : int
        Directions that lead down: 0 is the minimum, 1 and 2 are saddles, 3 is the maximum.
    """

    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    rmsd: float
    index: int


def superpose(mobile: Points, target: Points, weights: NDArray[np.float64] | None = None) -> Superposition:
    """Return the proper rotation and translation of least (weighted) RMSD.

    Parameters
    ----------
    mobile, target : ndarray, shape=(pairs, 3), dtype=float64
        Positions in Å; mobile moves onto target.
    weights : ndarray, shape=(pairs,), dtype=float64, optional
        Non-negative; equal ones by default.

    Returns
    -------
    Superposition

    Raises
    ------
    AlignmentError
        If there are no pairs, the shapes differ, or a position or weight is not finite.

    Notes
    -----
    1. Both sets are centred at their weighted centroids.
    2. The singular value decomposition of the covariance gives the rotation; where the best orthogonal matrix would
       be a reflection, the axis of the smallest singular value is turned round.
    3. The RMSD is computed from the residuals, not from the singular values, which lose half of the digits where
       the structures agree.

    One point is only translated. For collinear points the rotation about their line is arbitrary; the RMSD is right.

    References
    ----------
    Kabsch (1976) Acta Cryst. A32, 922; (1978) A34, 827.
    """
    mobile, target = _checked(mobile, target)
    w = normalised_weights(weights, len(mobile))
    mobile_center, target_center = w @ mobile, w @ target
    x, y = mobile - mobile_center, target - target_center
    rotation = _best_rotation((x * w[:, None]).T @ y)
    residual = x @ rotation.T
    residual -= y
    rmsd = math.sqrt(float(w @ np.einsum("ij,ij->i", residual, residual)))
    return Superposition(rotation, target_center - rotation @ mobile_center, rmsd)


def prune_core(mobile: Points, target: Points, *, cutoff: float = CORE_CUTOFF) -> Core:
    """Return the pairs that superpose within a cutoff, by the rule of ChimeraX's ``align`` and ``matchmaker``.

    Parameters
    ----------
    mobile, target : ndarray, shape=(pairs, 3), dtype=float64
        Positions in Å.
    cutoff : float
        In Å.

    Returns
    -------
    Core

    Raises
    ------
    AlignmentError
        As `superpose`, and if the cutoff is not positive.

    Notes
    -----
    Fit all n pairs. While the farthest lies beyond the cutoff, keep the nearest
    ``max(floor(0.9 n), floor((n + number within the cutoff) / 2))`` and fit again: that is, drop a tenth of all pairs
    or half of those beyond the cutoff, whichever is fewer. ChimeraX gives up below three pairs; here the mask is
    then empty.

    References
    ----------
    Meng et al. (2006) BMC Bioinformatics 7, 339.
    """
    if not cutoff > 0.0:
        raise AlignmentError(f"The cutoff of the core is {cutoff:g} Å; it must be positive")
    mobile, target = _checked(mobile, target)
    chosen = np.arange(len(mobile))
    while len(chosen) >= 3:
        fit = superpose(mobile[chosen], target[chosen])
        distances = deviations_at(mobile[chosen], target[chosen], fit.rotation, fit.translation)
        within = int(np.count_nonzero(distances <= cutoff))
        count = len(chosen)
        if within == count:
            mask = np.zeros(len(mobile), dtype=bool)
            mask[chosen] = True
            return Core(mask, fit, cutoff)
        keep = max(int(count * 0.9), (count + within) // 2)
        chosen = chosen[np.argsort(distances, kind="stable")[:keep]]
    fit = superpose(mobile, target)
    return Core(np.zeros(len(mobile), dtype=bool), Superposition(fit.rotation, fit.translation, math.nan), cutoff)


def critical_points(
    mobile: Points, target: Points, weights: NDArray[np.float64] | None = None
) -> tuple[CriticalPoint, CriticalPoint, CriticalPoint, CriticalPoint]:
    """Return the four poses at which the RMSD is stationary, from the minimum to the maximum.

    Parameters
    ----------
    mobile, target, weights
        As in `superpose`.

    Notes
    -----
    With the covariance ``U S V^T``, stationary rotations are ``V D U^T`` with signs D of the right determinant; over
    SO(3) there are four: one minimum, saddles with one and two descending directions, and one maximum, as long as the
    singular values differ and no more than one of them is zero. So the RMSD has no local minimum besides the global
    one.
    """
    mobile, target = _checked(mobile, target)
    w = normalised_weights(weights, len(mobile))
    mobile_center, target_center = w @ mobile, w @ target
    x, y = mobile - mobile_center, target - target_center
    u, _, vt = np.linalg.svd((x * w[:, None]).T @ y)
    handedness = _sign_of_determinant(u) * _sign_of_determinant(vt)
    points = []
    # Ordered by decreasing trace of R C: turning two axes round costs twice the sum of their singular values.
    for index, signs in enumerate(((1, 1, 1), (1, -1, -1), (-1, 1, -1), (-1, -1, 1))):
        rotation = (u * np.array([signs[0], signs[1], signs[2] * handedness], dtype=np.float64) @ vt).T
        translation = target_center - rotation @ mobile_center
        residual = x @ rotation.T - y
        rmsd = math.sqrt(float(w @ np.einsum("ij,ij->i", residual, residual)))
        points.append(CriticalPoint(rotation, translation, rmsd, index))
    return points[0], points[1], points[2], points[3]


def superpose_robust(
    objective: Objective,
    mobile: Points,
    target: Points,
    weights: NDArray[np.float64] | None = None,
    *,
    starts: Sequence[NDArray[np.float64]] | None = None,
    random_starts: int = 6,
    seed: int = 0,
) -> RobustSuperposition:
    """Return the best pose of an objective: the reference answer.

    Parameters
    ----------
    objective : Objective
    mobile, target, weights
        As in `superpose`.
    starts : sequence of ndarray, shape=(4, 4), optional
        Poses to begin with. By default the fit of all pairs, that of the pruned core, those of the most promising
        fragments, and random rotations about the centroids.
    random_starts : int
        Number of random rotations beside the fits; ignored where `starts` are given.
    seed : int
        Of the random rotations.

    Returns
    -------
    RobustSuperposition
        The best of all starts, with the number of starts that agree.

    Raises
    ------
    AlignmentError
        As `superpose`.

    Notes
    -----
    Iteratively reweighted least squares: weigh each pair by ``rho'(d^2)``, superpose in closed form, repeat until no
    point moves. For a kernel that is concave in ``d^2`` (TM, Huber, Geman-McClure) the weighted fit minimises a
    majoriser, so the loss never goes up and no step size is needed. The smooth GDT has no such majoriser: there a
    step is halved along its screw until the loss goes down, and the answer is the best found, not a proven optimum.
    No robust kernel guarantees the global optimum; `agreeing` says how many starts found the same one. Fragments are
    the seeds of TM-score and TM-align: runs of consecutive pairs, from all of them down to four, each halving the
    last; each is fitted by itself, and the poses with the lowest loss over all pairs are taken. Where the two
    structures have little in common, the best pose is seldom found without them. Of more than
    4000 pairs, 2000 random ones decide between the starts, and all of them polish the best. The MSD needs no
    iteration.
    """
    mobile, target = _checked(mobile, target)
    w = normalised_weights(weights, len(mobile))
    if objective.name == "rmsd":
        fit = superpose(mobile, target, w)
        loss = fit.rmsd**2
        return RobustSuperposition(fit.rotation, fit.translation, loss, fit.rmsd, 0, 1, 1, "Kabsch", (loss,))
    # Everything is done about the centroids, where a structure that lies 1000 Å off loses no digits.
    mobile_center, target_center = w @ mobile, w @ target
    x, y = mobile - mobile_center, target - target_center
    if starts is None:
        poses = _default_starts(objective, x, y, w, random_starts, seed)
    else:
        poses = [(s[:3, :3], s[:3, 3] + s[:3, :3] @ mobile_center - target_center) for s in starts]
    if not poses:
        raise AlignmentError("At least one start is needed")
    screen = _screen(w)
    part = x[screen], y[screen], w[screen] / w[screen].sum()
    ends = [_reweight(objective, *part, *pose, _COARSE_STEPS, _COARSE_TOLERANCE) for pose in poses]
    first = min(range(len(ends)), key=lambda k: ends[k][2][-1])
    lowest = ends[first][2][-1]
    agreeing = sum(end[2][-1] - lowest <= 1e-6 * max(lowest, 1e-12) for end in ends)
    # Where all pairs were screened, the polish goes on from there; else it begins at the screened answer.
    rotation, shift, before = ends[first]
    rotation, shift, history = _reweight(objective, x, y, w, rotation, shift, _FINE_STEPS, _FINE_TOLERANCE)
    if len(screen) == len(w):
        history = before + history[1:]
    loss = history[-1]
    how = "iteratively reweighted least squares" if objective.concave else "best found, safeguarded reweighting"
    return RobustSuperposition(
        rotation=rotation,
        translation=target_center + shift - rotation @ mobile_center,
        loss=loss,
        value=float(objective.value_for_people(loss)),
        iterations=len(history) - 1,
        starts=len(ends),
        agreeing=agreeing,
        method=f"{how}, {agreeing} of {len(ends)} starts agree",
        history=tuple(history),
    )


def gdt_maximised(
    mobile: Points, target: Points, cutoffs: tuple[float, ...], *, length: int, residues: int | None = None
) -> float:
    """Return GDT with each cutoff maximised over poses by itself, as LGA and TMscore do: the best found.

    Parameters
    ----------
    mobile, target : ndarray, shape=(pairs, 3), dtype=float64
        Positions in Å.
    cutoffs : tuple of float
        In Å, such as `lieapp.alignment.objectives.GDT_TS_CUTOFFS`.
    length, residues
        As in `gdt_score`.

    Notes
    -----
    Seeds are runs of consecutive pairs, from all of them down to four, each halving the last. Every seed is fitted,
    then refitted to the pairs within the cutoff until they stay the same (at most 20 times).
    """
    mobile, target = _checked(mobile, target)
    count = len(mobile)
    seeds = []
    size = count
    while True:
        step = max(1, size // 4)
        seeds += [slice(start, start + size) for start in range(0, count - size + 1, step)]
        if size <= 4:
            break
        size = max(4, size // 2)
    fits = [superpose(mobile[seed], target[seed]) for seed in seeds]
    total = 0
    for cutoff in cutoffs:
        best = 0
        for fit in fits:
            pose, chosen = fit, np.zeros(0, dtype=np.int64)
            for _ in range(20):
                near = np.flatnonzero(deviations_at(mobile, target, pose.rotation, pose.translation) <= cutoff)
                best = max(best, len(near))
                if len(near) < 3 or np.array_equal(near, chosen):
                    break
                chosen = near
                pose = superpose(mobile[near], target[near])
        total += best
    return (count if residues is None else residues) / length * total / (len(cutoffs) * count)


def _checked(mobile: Points, target: Points) -> tuple[Points, Points]:
    x, y = np.asarray(mobile, dtype=np.float64), np.asarray(target, dtype=np.float64)
    if x.ndim != 2 or x.shape[1] != 3 or x.shape != y.shape:
        raise AlignmentError(f"Expected two arrays of shape (pairs, 3), but got {x.shape} and {y.shape}")
    # One sum finds a NaN or infinity anywhere, at a third of the cost of looking at every number.
    if not math.isfinite(float(x.sum()) + float(y.sum())) and not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise AlignmentError("A position is not a finite number")
    return x, y


def _sign_of_determinant(m: NDArray[np.float64]) -> float:
    a, b, c, d, e, f, g, h, i = m.ravel().tolist()
    return 1.0 if a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g) >= 0.0 else -1.0


def _best_rotation(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the proper R that maximises tr(R C) with C = sum w x y^T."""
    u, _, vt = np.linalg.svd(covariance)
    if _sign_of_determinant(u) * _sign_of_determinant(vt) < 0.0:
        vt[2] = -vt[2]
    rotation: NDArray[np.float64] = (u @ vt).T
    return rotation


def _screen(w: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the pairs that decide between starts: all, or of many a choice of those with weight.

    The choice is random (and always the same), because evenly spread pairs fall into step with what repeats: every
    third pair of a backbone is the same atom.
    """
    weighted = np.flatnonzero(w > 0.0)
    if len(w) <= 2 * _SCREENED_PAIRS or len(weighted) <= _SCREENED_PAIRS:
        return np.arange(len(w))
    return np.sort(np.random.default_rng(0).choice(weighted, _SCREENED_PAIRS, replace=False))


def _default_starts(
    objective: Objective, x: Points, y: Points, w: NDArray[np.float64], count: int, seed: int
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    fit = superpose(x, y, w)
    poses = [(fit.rotation, fit.translation)]
    core = prune_core(x[w > 0.0], y[w > 0.0])
    if core.pairs:
        poses.append((core.superposition.rotation, core.superposition.translation))
    screen = _screen(w)
    poses += fragment_poses(objective, x[screen], y[screen], w[screen] / w[screen].sum())
    poses += [(rotation, np.zeros(3)) for rotation in random_rotations(count, np.random.default_rng(seed))]
    return poses


def _reweight(
    objective: Objective,
    x: Points,
    y: Points,
    w: NDArray[np.float64],
    rotation: NDArray[np.float64],
    translation: NDArray[np.float64],
    steps: int,
    tolerance: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[float]]:
    """Iterate weights and closed-form fits from one pose, both sets centred; return the end and all losses."""
    size = math.sqrt(float(np.einsum("ij,ij->i", x, x).max())) or 1.0
    d2 = _squares(x, y, rotation, translation)
    history = [float(w @ objective.rho(d2))]
    for _ in range(steps):
        pull = w * objective.weight(d2)
        total = float(pull.sum())
        if not total > 0.0:  # a pose so far off, or so good, that nothing pulls
            break
        pull /= total
        p, q = pull @ x, pull @ y
        new_rotation = _best_rotation((x * pull[:, None]).T @ y - np.outer(p, q))
        new_translation = q - new_rotation @ p
        new_d2 = _squares(x, y, new_rotation, new_translation)
        loss = float(w @ objective.rho(new_d2))
        if not objective.concave and loss > history[-1]:
            found = _backtrack(objective, x, y, w, (rotation, translation), new_rotation, p, q, history[-1])
            if found is None:
                break
            new_rotation, new_translation, new_d2, loss = found
        motion = size * float(np.abs(new_rotation - rotation).max())
        motion += float(np.abs(new_translation - translation).max())
        rotation, translation, d2 = new_rotation, new_translation, new_d2
        history.append(loss)
        if motion <= tolerance * size:
            break
    return rotation, translation, history


def _backtrack(
    objective: Objective,
    x: Points,
    y: Points,
    w: NDArray[np.float64],
    pose: tuple[NDArray[np.float64], NDArray[np.float64]],
    goal: NDArray[np.float64],
    p: NDArray[np.float64],
    q: NDArray[np.float64],
    limit: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float] | None:
    """Shorten a step that went up: turn part of the way about the weighted centroid, which moves part of the way."""
    rotation, translation = pose
    turn = rotation_log(goal @ rotation.T)
    center = rotation @ p + translation
    part = 1.0
    for _ in range(_BACKTRACKS):
        part *= 0.5
        new_rotation = rotation_exp(part * turn) @ rotation
        new_translation = center + part * (q - center) - new_rotation @ p
        d2 = _squares(x, y, new_rotation, new_translation)
        loss = float(w @ objective.rho(d2))
        if loss < limit:
            return new_rotation, new_translation, d2, loss
    return None


def _squares(x: Points, y: Points, rotation: NDArray[np.float64], translation: NDArray[np.float64]) -> Points:
    residual = x @ rotation.T
    residual += translation
    residual -= y
    squares: Points = np.einsum("ij,ij->i", residual, residual)
    return squares
