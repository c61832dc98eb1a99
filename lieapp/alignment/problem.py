"""The Lie problem: a pose that an optimiser moves, one body, six parameters.

`AlignProblem` works on two arrays of paired points; `open_align` makes one from an `AlignJob`. What is minimised is
described in `lieapp.alignment.objectives`, the parameters in `lieapp.alignment.parametrisation`, the derivatives in
`lieapp.alignment.oracle`.

Frames show the pose in original file coordinates, ``x' = R x + t``. The exact (or, for robust objectives, the best
known) answer is there to be drawn beside the run; nothing that decides consults it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.objectives import MSD, Objective, normalised_weights
from lieapp.alignment.oracle import AlignOracle, MSDModel, PairModel, PoseModel
from lieapp.alignment.parametrisation import Parametrisation, ParametrisationKind, Pivot, SplitPose
from lieapp.alignment.rigid import as_pose, rotation_angle, rotation_exp, split_pose
from lieapp.alignment.superposition import superpose, superpose_robust
from lieapp.engine.devices import resolve_device
from lieapp.engine.metric import Metric
from lieapp.engine.problem import Problem
from lieapp.engine.stopping import CEILING_MARGIN
from lieapp.optimizers.registry import build_optimizer, settings_class

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.spec import AlignJob
    from lieapp.engine.outcome import OutcomeKind
    from lieapp.engine.run import Run
    from lieapp.optimizers.settings import OptimizerSettings

__all__ = ["AlignProblem", "open_align"]

Array = NDArray[np.float64]

_KICK = 1e-3  # rad
_LEVEL = 1e-6  # a scaled gradient norm, and a curvature, that count as zero at the start


class AlignProblem(Problem):
    """Superpose paired points by moving six parameters.

    Parameters
    ----------
    mobile, target : ndarray, shape=(pairs, 3), dtype=float64
        Paired positions in Å; mobile moves onto target.
    weights : ndarray, shape=(pairs,), dtype=float64, optional
        Non-negative; equal ones by default.
    objective : Objective, optional
        The mean squared deviation by default, shown as RMSD.
    parametrisation : {"local", "se3", "so3xr3"}
    pivot : {"centroid", "origin"}
    start : array_like, shape=(4, 4), optional
        First pose, ``x' = R x + t`` in file coordinates. By default the centroids are matched without a rotation.
    reference : array_like, shape=(4, 4), optional
        The best known pose, if the caller has it already. Computed when first needed otherwise: closed form for the
        MSD, reweighted least squares for the others.
    seed : int
        Of the kick (see Notes).
    device : torch.device
        Where the pairs of a robust objective lie. The MSD and the six parameters' algebra need no device.
    dtype : torch.dtype
        Of the parameters. Sums are in float64 on the CPU whatever it is.
    advice : str
        What to suggest when the run diverges, such as "Try lr 1 Å."

    Attributes
    ----------
    objective : Objective
    parametrisation : Parametrisation
    kicked : bool
        Whether the start was moved off a stationary point.

    Raises
    ------
    AlignmentError
        If there are no pairs, weights are wrong, or the start is.

    Notes
    -----
    The parameters are one leaf of shape (bodies, 6) with one body, translation first. Under ``local`` they return to
    zero after each step (`after_step`); moments of an optimiser stay as they are, in the frame of the pose.

    A start at which the gradient is exactly zero though it is no minimum (two structures half a turn apart about a
    principal axis) would hold any gradient method for ever. Such a start is turned by a thousandth of a rad about an
    axis drawn with the seed; every other start is used as it is.
    """

    name = "alignment"

    def __init__(
        self,
        mobile: Array,
        target: Array,
        *,
        weights: Array | None = None,
        objective: Objective | None = None,
        parametrisation: ParametrisationKind = "local",
        pivot: Pivot = "centroid",
        start: ArrayLike | None = None,
        reference: ArrayLike | None = None,
        seed: int = 0,
        device: torch.device = torch.device("cpu"),  # noqa: B008
        dtype: torch.dtype = torch.float64,
        advice: str = "",
    ) -> None:
        mobile, target = np.asarray(mobile, dtype=np.float64), np.asarray(target, dtype=np.float64)
        if mobile.ndim != 2 or mobile.shape[1:] != (3,) or mobile.shape != target.shape:
            raise AlignmentError(f"Expected two arrays of shape (pairs, 3), but got {mobile.shape} and {target.shape}")
        used = normalised_weights(weights, len(mobile))
        if not used.all():  # pairs without weight would only cost time
            mobile, target, used = mobile[used > 0.0], target[used > 0.0], used[used > 0.0]
        self.objective: Objective = MSD() if objective is None else objective
        self.metric = Metric("gap", self.objective.unit, "log")
        self._points = mobile, target, used
        self._known = None if reference is None else as_pose(reference)
        self._reference: dict[str, float] | None = None
        self._advice = advice
        self._msd = MSDModel(mobile, target, used)
        self.parametrisation = Parametrisation(
            parametrisation, pivot, self._msd.mobile_center, self._msd.target_center, self._msd.radius
        )
        # Where structures agree, the loss of the start says nothing about what is large.
        self.loss_scale = max(1.0, self._msd.radius**2)
        self.loss_ceiling = self.objective.ceiling
        self._flat = False  # whether the last frame lay so far off that the objective has no slope
        origins = self.parametrisation.mobile_origin, self.parametrisation.target_origin
        self._msd.set_origins(*origins)
        model: PoseModel = self._msd
        if self.objective.name != "rmsd":
            model = PairModel(self.objective, mobile, target, used, *origins, device=device, dtype=dtype)
        self._model = model
        self._leaf = torch.zeros((1, 6), dtype=dtype, device=device, requires_grad=True)
        self._oracle = AlignOracle(model, self.parametrisation, self._leaf)
        if start is None:
            rotation, translation = np.eye(3), self._msd.target_center - self._msd.mobile_center
        else:
            rotation, translation = split_pose(as_pose(start))
        rotation, translation, self.kicked = self._off_ridges(model, rotation, translation, seed)
        with torch.no_grad():
            self._leaf.copy_(torch.from_numpy(self.parametrisation.start(rotation, translation)).view(1, 6))

    @property
    def oracle(self) -> AlignOracle:
        """Loss, gradient and Hessian at the present parameters."""
        return self._oracle

    def parameters(self) -> list[Tensor]:
        """Return the one leaf, shape=(1, 6): translation first, in the units of the parametrisation."""
        return [self._leaf]

    def after_step(self, optimizer: Optimizer | None = None) -> None:
        """Take the step into the anchor and set the parameters to zero (``local`` only)."""
        if self.parametrisation.reanchor(self._leaf.detach().view(-1).tolist()):
            with torch.no_grad():
                self._leaf.zero_()

    def pose(self) -> tuple[Array, Array]:
        """Return rotation, shape=(3, 3), and translation, shape=(3,), of ``x' = R x + t`` in file coordinates."""
        with np.errstate(all="ignore"):
            return self.parametrisation.pose(self._leaf.detach().view(-1).tolist())

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the pose: ``rotation``, shape=(1, 3, 3), and ``translation``, shape=(1, 3), in file coordinates."""
        rotation, translation = self.pose()
        return {"rotation": rotation[None].copy(), "translation": translation[None].copy()}

    def observe(self, loss: float, gradient_norm: float) -> dict[str, float]:
        """Return what there is to plot.

        Returns
        -------
        dict
            ``rmsd`` in Å over the pairs of the fit with their weights; ``gap`` and ``objective_value`` in the unit of
            the objective, the gap being how far the value is from the best known one (below zero where a run found
            a better one); ``angle_degrees``, the angle of the rotation from file to frame.
        """
        split = self.parametrisation.split(self._leaf.detach().view(-1).tolist())
        msd = loss if self.objective.name == "rmsd" else self._msd.loss(split)
        self._flat = loss >= (1.0 - CEILING_MARGIN) * self.loss_ceiling
        value = float(self.objective.value_for_people(loss))
        best = self.reference()["objective_value"]
        return {
            "rmsd": math.sqrt(msd),
            "gap": best - value if self.objective.maximised else value - best,
            "objective_value": value,
            "angle_degrees": math.degrees(rotation_angle(split.rotation)),
        }

    def reference(self) -> dict[str, float]:
        """Return the truth by column.

        Returns
        -------
        dict
            ``loss``, ``objective_value`` and ``angle_degrees`` of the best pose, ``gap`` (0), and ``rmsd``, the least
            there is. Kabsch's answer for the MSD, exact; the best pose known for the others.
        """
        if self._reference is None:
            rotation, translation = split_pose(self._best_known() if self._known is None else self._known)
            split = SplitPose(rotation, np.zeros(3), self._between(rotation, translation))
            loss = self._model.loss(split)
            value = float(self.objective.value_for_people(loss))
            self._reference = {
                "loss": loss,
                "objective_value": value,
                "rmsd": value if self.objective.name == "rmsd" else superpose(*self._points).rmsd,
                "gap": 0.0,
                "angle_degrees": math.degrees(rotation_angle(rotation)),
            }
        return dict(self._reference)

    def scaled_gradient_norm(self, gradient: Sequence[Tensor]) -> Tensor:
        """Return the norm of a gradient, shape=(), its rotation in Å at the radius of gyration whatever the pivot."""
        if self.parametrisation.pivot == "centroid":
            return torch.linalg.vector_norm(gradient[0])
        scaled = gradient[0].clone()
        scaled[:, 3:] /= max(self._msd.radius, 1.0)
        return torch.linalg.vector_norm(scaled)

    def describe_best(self, row: Mapping[str, float]) -> str:
        """Return which pose was kept, such as ``Best pose kept (7.9 Å).``"""
        if self.objective.name == "rmsd":
            return f"Best pose kept ({row['rmsd']:.4g} Å)."
        value = f"{self.objective.title} {row['objective_value']:.4g}"
        unit = f" {self.objective.unit}" if self.objective.unit else ""
        return f"Best pose kept ({value}{unit})."

    def suggestion(self, kind: OutcomeKind) -> str:
        """Return the advice after a divergence, which is about the start where the objective is flat; else nothing."""
        if kind == "diverged" and self._flat:
            return f"So far away no {self.objective.title} has a slope: start with the centroids matched."
        return self._advice if kind == "diverged" else ""

    def state_dict(self) -> dict[str, Any]:
        """Return the anchor, to the last bit."""
        return {key: torch.from_numpy(value) for key, value in self.parametrisation.state_dict().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take an anchor back; the parameters are the run's to restore."""
        self.parametrisation.load_state_dict({key: value.numpy().copy() for key, value in state.items()})

    def _between(self, rotation: Array, translation: Array) -> Array:
        """Return the translation between the frames of a pose in file coordinates."""
        frames = self.parametrisation
        return translation + rotation @ frames.mobile_origin - frames.target_origin

    def _best_known(self) -> Array:
        return superpose_robust(self.objective, *self._points).matrix

    def _off_ridges(
        self, model: PoseModel, rotation: Array, translation: Array, seed: int
    ) -> tuple[Array, Array, bool]:
        """Turn a start that is stationary but no minimum by a hair."""
        radius = max(self._msd.radius, 1e-3)
        local = model.local(SplitPose(rotation, np.zeros(3), self._between(rotation, translation)))
        slope = math.hypot(*local.force.tolist(), *(local.torque / radius).tolist())
        if not slope <= _LEVEL:
            return rotation, translation, False
        center = rotation @ self._msd.mobile_center + translation
        # Judged about the centroid, whatever the pivot: a curvature about a far origin would mix in translation.
        frame = Parametrisation("local", "centroid", self._msd.mobile_center, self._msd.target_center, radius)
        frame.start(rotation, translation)
        centred = _recentred(model, self._points, self.objective, self._msd, frame)
        zero = torch.zeros((1, 6), dtype=torch.float64, requires_grad=True)
        lowest = float(torch.linalg.eigvalsh(AlignOracle(centred, frame, zero).hessian())[0])
        if lowest >= -_LEVEL:
            return rotation, translation, False
        axis = torch.randn(3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).numpy()
        turn = rotation_exp(_KICK * axis / np.linalg.norm(axis))
        return turn @ rotation, center - turn @ (center - translation), True


def _recentred(
    model: PoseModel, points: tuple[Array, Array, Array], objective: Objective, msd: MSDModel, frame: Parametrisation
) -> PoseModel:
    """Return the loss for poses between centred frames."""
    if objective.name == "rmsd":
        centred = MSDModel(*points)
        centred.set_origins(msd.mobile_center, msd.target_center)
        return centred
    return PairModel(objective, *points, frame.mobile_origin, frame.target_origin)


def open_align(job: AlignJob, inputs: AlignInputs | None = None) -> tuple[AlignProblem, Run]:
    """Build the problem and the run of a job.

    Parameters
    ----------
    job : AlignJob
    inputs : AlignInputs, optional
        What `lieapp.alignment.inputs.load_inputs` returned for this job; read and paired here if missing.

    Returns
    -------
    problem : AlignProblem
    run : Run
        Not begun. The optimiser has the recommended settings with the job's overrides.

    Raises
    ------
    StructureError, AlignmentError
        If the files cannot be read or paired.
    OptimizerError
        If there is no such optimiser, or a setting is wrong.
    EngineError
        If the device does not exist.
    """
    from lieapp.alignment.inputs import load_inputs, start_matrix
    from lieapp.engine.run import Run

    inputs = load_inputs(job) if inputs is None else inputs
    device = resolve_device(job.device, prefers="cpu", dtype=job.dtype)
    recommended = settings_class(job.optimizer.name)().updated(job.recommended())
    settings = recommended.updated(job.optimizer.overrides)
    objective = inputs.objective(job)
    problem = AlignProblem(
        inputs.fit_mobile,
        inputs.fit_target,
        weights=inputs.fit_weights,
        objective=objective,
        parametrisation=job.parametrisation,
        pivot=job.pivot,
        start=start_matrix(job, inputs),
        reference=inputs.reference(objective).matrix,
        seed=job.seed,
        device=device,
        dtype=getattr(torch, job.dtype),
        advice=_advice(settings, recommended, job.pivot),
    )
    generator = torch.Generator().manual_seed(job.seed)
    optimizer = build_optimizer(settings, problem.parameters(), generator=generator)
    return problem, Run(problem, optimizer, settings=settings, limits=job.limits, job=job)


def _advice(settings: OptimizerSettings, recommended: OptimizerSettings, pivot: Pivot) -> str:
    """Return what to try after a divergence: the recommended rate, or a smaller one if that is what diverged."""
    rate, known = getattr(settings, "lr", None), getattr(recommended, "lr", None)
    if rate is None or known is None:
        return ""
    return f"Try lr {known if rate > known else 0.1 * rate:g}{' Å' if pivot == 'centroid' else ''}."
