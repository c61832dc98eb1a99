"""From a job's files to arrays: structures, pairs, weights, masks, and the exact answers that depend on nothing else.

No torch: the window pairs two structures and shows Kabsch's answer before torch is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.objectives import Objective, make_objective, normalised_weights
from lieapp.alignment.rigid import as_pose, pose_matrix, random_rotations
from lieapp.alignment.spec import AlignJob, StructureInput
from lieapp.alignment.superposition import (
    Core,
    RobustSuperposition,
    Superposition,
    prune_core,
    superpose,
    superpose_robust,
)
from lieapp.structures.pairing import Pairing, pair_structures
from lieapp.structures.reading import read_structures
from lieapp.structures.structure import Structure

if TYPE_CHECKING:
    from lieapp.alignment.choices import WeightsName

__all__ = ["AlignInputs", "load_inputs", "load_structure", "pair_inputs", "pair_weights", "pinned", "start_matrix"]

_CORE_WORD = re.compile(r"(?<!['\"\w])core(?!['\"\w])", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class AlignInputs:
    """Two structures and their pairs, as arrays.

    Attributes
    ----------
    mobile, target : Structure
        What moves, and what stays.
    mobile_model, target_model : int
        Positions of the models, from 0.
    pairing : Pairing
        Its weights are those of the job.
    """

    mobile: Structure
    target: Structure
    mobile_model: int
    target_model: int
    pairing: Pairing
    _references: dict[Objective, RobustSuperposition] = field(default_factory=dict, init=False, repr=False)

    @cached_property
    def paired_chain_residues(self) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which residues of mobile and target, shape=(residues,), lie in paired chains; others are context only."""
        chains = self.pairing.chains
        return (
            np.isin(self.mobile.residues.chain, [match.mobile_chain for match in chains]),
            np.isin(self.target.residues.chain, [match.target_chain for match in chains]),
        )

    def residue_deviations(self, deviations: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the root mean square deviation of every mobile residue, NaN where it is not paired.

        Parameters
        ----------
        deviations : ndarray, shape=(pairs,), dtype=float64
            Distance of every pair in Å.

        Returns
        -------
        ndarray, shape=(residues,), dtype=float64
            In Å.
        """
        index = self.pairing.mobile_residues
        count = len(self.mobile.residues)
        squares = np.bincount(index, weights=deviations**2, minlength=count)
        pairs = np.bincount(index, minlength=count)
        with np.errstate(invalid="ignore", divide="ignore"):
            found: NDArray[np.float64] = np.where(pairs > 0, np.sqrt(squares / pairs), np.nan)
        return found

    @cached_property
    def mobile_points(self) -> NDArray[np.float64]:
        """Positions of all pairs in the mobile structure, shape=(pairs, 3), in Å."""
        return _read_only(self.mobile.coordinates[self.mobile_model, self.pairing.mobile_atoms])

    @cached_property
    def target_points(self) -> NDArray[np.float64]:
        """Positions of all pairs in the target structure, shape=(pairs, 3), in Å."""
        return _read_only(self.target.coordinates[self.target_model, self.pairing.target_atoms])

    @property
    def weights(self) -> NDArray[np.float64]:
        """Weights of all pairs as the job has them, shape=(pairs,), not normalised."""
        return self.pairing.weights

    @cached_property
    def fit_mobile(self) -> NDArray[np.float64]:
        """Mobile positions of the pairs that drive the fit, shape=(fit pairs, 3), in Å."""
        return _read_only(self.mobile_points[self.pairing.fit])

    @cached_property
    def fit_target(self) -> NDArray[np.float64]:
        """Target positions of the pairs that drive the fit, shape=(fit pairs, 3), in Å."""
        return _read_only(self.target_points[self.pairing.fit])

    @cached_property
    def fit_weights(self) -> NDArray[np.float64]:
        """Weights of the pairs that drive the fit, shape=(fit pairs,), adding up to one."""
        weights = self.pairing.weights[self.pairing.fit]
        return _read_only(normalised_weights(weights, len(weights)))

    @cached_property
    def fit_residues(self) -> int:
        """Residues that drive the fit."""
        return len(np.unique(self.pairing.mobile_residues[self.pairing.fit]))

    @cached_property
    def report_residues(self) -> int:
        """Residues over which scores are reported."""
        return len(np.unique(self.pairing.mobile_residues[self.pairing.report]))

    @cached_property
    def kabsch(self) -> Superposition:
        """The pose of least weighted RMSD over the pairs that drive the fit."""
        return superpose(self.fit_mobile, self.fit_target, self.fit_weights)

    @cached_property
    def core(self) -> Core:
        """The pruned core of the reported pairs; its mask is over those, see `core_mask` for all pairs."""
        report = self.pairing.report
        return prune_core(self.mobile_points[report], self.target_points[report])

    @cached_property
    def core_mask(self) -> NDArray[np.bool_]:
        """The pruned core as a mask of all pairs, shape=(pairs,)."""
        mask = np.zeros(len(self.pairing), dtype=bool)
        mask[np.flatnonzero(self.pairing.report)[self.core.mask]] = True
        return mask

    @property
    def centroid_matrix(self) -> NDArray[np.float64]:
        """The pose that only matches the centroids of the fit, shape=(4, 4)."""
        shift = self.fit_weights @ self.fit_target - self.fit_weights @ self.fit_mobile
        return pose_matrix(np.eye(3), shift)

    def objective(self, job: AlignJob) -> Objective:
        """Return the objective of a job for the pairs that drive the fit; L is the length of the structure that stays.

        Raises
        ------
        AlignmentError
            If the scale is out of bounds.
        """
        return make_objective(
            job.objective,
            length=self.pairing.target_length,
            polymer=self.pairing.polymer,
            scale=job.objective_scale,
            residues=self.fit_residues,
        )

    def reference(self, objective: Objective) -> RobustSuperposition:
        """Return the reference answer of an objective over the pairs that drive the fit; computed once."""
        found = self._references.get(objective)
        if found is None:
            found = superpose_robust(objective, self.fit_mobile, self.fit_target, self.fit_weights)
            self._references[objective] = found
        return found


def load_inputs(job: AlignJob) -> AlignInputs:
    """Read the files of a job and pair their atoms.

    Parameters
    ----------
    job : AlignJob

    Returns
    -------
    AlignInputs

    Raises
    ------
    StructureError
        If a file cannot be read, or model, chains, selections or pairs are not there.
    AlignmentError
        If a file is not the one that the job was made with, or the weights cannot be used.
    """
    mobile, mobile_model = load_structure(job.mobile)
    target, target_model = load_structure(job.target)
    return pair_inputs(job, mobile, target, mobile_model, target_model)


def load_structure(part: StructureInput) -> tuple[Structure, int]:
    """Read one structure of a job.

    Returns
    -------
    structure : Structure
        With all models that share the atoms of the chosen one.
    model : int
        Position of the chosen model, from 0.

    Raises
    ------
    StructureError
        If the file cannot be read or has no such model.
    AlignmentError
        If the file has another SHA-256 than the job says.
    """
    structures = read_structures(part.path)
    source = structures[0].source
    if part.sha256 is not None and (source is None or source.sha256 != part.sha256):
        found = "unknown" if source is None else source.sha256[:12]
        raise AlignmentError(
            f"{part.path}: the file has changed since this job was made (SHA-256 {found}..., not {part.sha256[:12]}...)"
        )
    if part.model is None:
        return structures[0], 0
    for structure in structures:
        if part.model in structure.model_numbers:
            return structure, structure.model_index(part.model)
    numbers = [number for structure in structures for number in structure.model_numbers]
    has = f"model {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} models ({min(numbers)} to {max(numbers)})"
    raise AlignmentError(f"{part.path}: there is no model {part.model}; the file has {has}")


def pair_inputs(
    job: AlignJob, mobile: Structure, target: Structure, mobile_model: int = 0, target_model: int = 0
) -> AlignInputs:
    """Pair two structures that are read already, as a job says.

    Parameters
    ----------
    job : AlignJob
        Its paths are not looked at.
    mobile, target : Structure
    mobile_model, target_model : int
        Positions of the models, from 0.

    Raises
    ------
    StructureError
        If chains, selections or pairs are not there.
    AlignmentError
        If the weights cannot be used.

    Notes
    -----
    The word ``core`` in a selection means the pruned core of all pairs, before any selection.
    """

    def pair(fit: str, report: str, core: NDArray[np.bool_] | None = None) -> AlignInputs:
        pairing = pair_structures(
            mobile,
            target,
            method=job.pairing,
            mobile_chains=job.mobile.chains,
            target_chains=job.target.chains,
            mobile_model=mobile_model,
            target_model=target_model,
            atoms=job.atoms,
            fit=fit,
            report=report,
            core=core,
        )
        return AlignInputs(mobile, target, mobile_model, target_model, pairing)

    core = None
    if _CORE_WORD.search(job.fit) or _CORE_WORD.search(job.report):
        everything = pair("all", "all")
        if everything.core.pairs == 0:
            raise AlignmentError(
                f"{mobile.name} and {target.name} have no core: fewer than three pairs superpose within "
                f"{everything.core.cutoff:g} Å"
            )
        core = np.zeros(len(mobile.residues), dtype=bool)
        core[everything.pairing.mobile_residues[everything.core_mask]] = True
    inputs = pair(job.fit, job.report, core)
    if job.weights == "equal":
        return inputs
    weights = pair_weights(job.weights, mobile, target, inputs.pairing)
    if not (weights[inputs.pairing.fit] > 0.0).any():
        raise AlignmentError(f"--weights {job.weights}: every pair of the fit has weight zero")
    return replace(inputs, pairing=replace(inputs.pairing, weights=weights))


def pair_weights(kind: WeightsName, mobile: Structure, target: Structure, pairing: Pairing) -> NDArray[np.float64]:
    """Return the weights of pairs, not normalised.

    Parameters
    ----------
    kind : {"equal", "occupancy", "b-factor", "plddt"}
        What is looked at; see `lieapp.alignment.choices.WEIGHTS`.
    mobile, target : Structure
    pairing : Pairing

    Returns
    -------
    ndarray, shape=(pairs,), dtype=float64
        Finite and not negative.

    Raises
    ------
    AlignmentError
        If the B column holds no pLDDT (0 to 100).

    Notes
    -----
    ``b-factor`` is ``1/(B + mean B)``: the mean in the denominator keeps one well-ordered atom, or one with B = 0,
    from dominating.
    """
    own, other = pairing.mobile_atoms, pairing.target_atoms
    if kind == "occupancy":
        weights = np.minimum(mobile.atoms.occupancy[own], target.atoms.occupancy[other])
    elif kind == "b-factor":
        b = 0.5 * (mobile.atoms.b_factor[own] + target.atoms.b_factor[other])
        b = np.maximum(np.nan_to_num(b), 0.0)
        weights = 1.0 / (b + b.mean()) if b.mean() > 0.0 else np.ones(len(b))
    elif kind == "plddt":
        plddt = mobile.atoms.b_factor[own]
        if not ((plddt >= 0.0) & (plddt <= 100.0)).all():
            raise AlignmentError(f"{mobile.name}: the B column goes beyond 0 to 100, so it holds no pLDDT")
        weights = plddt / 100.0
    else:
        weights = np.ones(len(pairing))
    return np.maximum(np.nan_to_num(weights), 0.0)


def pinned(job: AlignJob, inputs: AlignInputs) -> AlignJob:
    """Return the job with the checksums of the files that were read, so that it will refuse others."""

    def pin(part: StructureInput, structure: Structure) -> StructureInput:
        if structure.source is None:
            return part
        return part.model_copy(update={"sha256": structure.source.sha256})

    return job.model_copy(update={"mobile": pin(job.mobile, inputs.mobile), "target": pin(job.target, inputs.target)})


def start_matrix(job: AlignJob, inputs: AlignInputs) -> NDArray[np.float64]:
    """Return the pose that a run begins with.

    Parameters
    ----------
    job : AlignJob
        Its `start`, `start_pose` and `seed` decide.
    inputs : AlignInputs

    Returns
    -------
    ndarray, shape=(4, 4), dtype=float64
        Of ``x' = R x + t``.

    Notes
    -----
    ``random`` turns about the centroids, which are matched; the rotation is uniform on SO(3) and depends on the seed
    alone, so all entrants of a race begin alike.
    """
    starts: dict[str, Callable[[], NDArray[np.float64]]] = {
        "identity": lambda: np.eye(4),
        "centroids": lambda: inputs.centroid_matrix,
        "random": lambda: _random_start(job.seed, inputs),
        "given": lambda: as_pose(job.start_pose) if job.start_pose is not None else np.eye(4),
    }
    return starts[job.start]()


def _random_start(seed: int, inputs: AlignInputs) -> NDArray[np.float64]:
    rotation = random_rotations(1, np.random.default_rng(seed))[0]
    weights = inputs.fit_weights
    return pose_matrix(rotation, weights @ inputs.fit_target - rotation @ (weights @ inputs.fit_mobile))


def _read_only(array: NDArray[np.float64]) -> NDArray[np.float64]:
    array.flags.writeable = False
    return array
