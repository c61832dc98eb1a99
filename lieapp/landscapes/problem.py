"""A landscape as a problem: parameters that an optimiser moves, and what there is to see of them.

`LandscapeProblem` serves every landscape; what differs (parameters, oracle, where a point lies) is in a `Model`.
`open_landscape` makes one from a `LandscapeJob`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.engine.devices import resolve_device
from lieapp.engine.metric import Metric
from lieapp.engine.problem import Problem
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.truth import Truth, truth_of
from lieapp.optimizers.oracle import Oracle, hessian
from lieapp.optimizers.registry import build_optimizer, settings_class

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from lieapp.engine.outcome import OutcomeKind
    from lieapp.engine.run import Run
    from lieapp.landscapes.catalog import Surface
    from lieapp.landscapes.spec import LandscapeJob
    from lieapp.landscapes.texts import Text
    from lieapp.optimizers.settings import OptimizerSettings

__all__ = ["DIMER_COLUMNS", "LARGEST_EXACT", "LandscapeProblem", "Model", "open_landscape"]

Array = NDArray[np.float64]

LARGEST_EXACT = 128
"""Most parameters of which a frame keeps all, and whose Hessian is taken apart exactly."""

DIMER_COLUMNS = ("dimer_curvature", "dimer_residual", "dimer_alignment", "dimer_turn_degrees", "dimer_escaping")
"""What an optimiser that looks for low curvature reports after its step; NaN for those that do not."""

_LARGEST_HESSIAN = 2000
_SPREAD_GRID = 60
_ONE_THREAD = 100_000  # parameters up to which two threads only get in each other's way


class Model(Protocol):
    """Parameters with their loss.

    Attributes
    ----------
    parameters : list of Tensor
        Leaves.
    oracle : Oracle
    """

    @property
    def parameters(self) -> list[Tensor]: ...

    @property
    def oracle(self) -> Oracle: ...

    def position(self) -> Array:
        """Return where the parameters are, as `Truth` measures it; of a network, a projection to the plane."""
        ...

    def observe(self) -> dict[str, float]:
        """Return more scalars worth plotting, the same names every time."""
        ...

    def state(self) -> dict[str, NDArray[Any]]:
        """Return more of what a frame shows."""
        ...

    def after_step(self) -> None:
        """Re-anchor, or draw the next batch."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what besides the parameters determines the next step."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        ...


class LandscapeProblem(Problem):
    """Move the parameters of a landscape.

    Parameters
    ----------
    model : Model
    truth : Truth
        For display only.
    name : str
        For people.
    is_planar : bool
        Whether x and y are columns.
    advice : str
        What to suggest when the run diverges, such as "Try lr 0.1."
    loss_scale : float, optional
        A difference of the loss that matters; 1 by default, where losses are scaled so.

    Attributes
    ----------
    model : Model
    truth : Truth

    Notes
    -----
    A frame's state is ``point``, the parameters, and ``direction``, the unit vector of lowest curvature that the
    optimiser has (NaN where it has none); above `LARGEST_EXACT` parameters it is ``projection``, a fixed random
    projection of the way from the start to two dimensions.
    """

    def __init__(
        self,
        model: Model,
        truth: Truth,
        *,
        name: str = "landscape",
        is_planar: bool = False,
        advice: str = "",
        loss_scale: float | None = None,
    ) -> None:
        self.model = model
        self.truth = truth
        self.name = name
        self._planar = is_planar
        self._advice = advice
        self._parameters = list(model.parameters)
        self.size = sum(p.numel() for p in self._parameters)
        self.is_small = self.size <= LARGEST_EXACT
        self.single_threaded = self.size <= _ONE_THREAD
        self.fixed_loss = bool(getattr(model, "fixed_loss", False))  # not of batches, and not beside an anchor
        self.metric = Metric("loss", "", "log" if truth.deepest is not None and truth.deepest >= 0.0 else "linear")
        self._optimizer: Optimizer | None = None
        if loss_scale is not None:
            self.loss_scale = loss_scale

    @property
    def oracle(self) -> Oracle:
        """Loss and its derivatives at the present parameters."""
        return self.model.oracle

    def parameters(self) -> list[Tensor]:
        """Return the leaves."""
        return self._parameters

    def after_step(self, optimizer: Optimizer) -> None:
        """Let the model re-anchor or draw its next batch; remember whom to ask for its direction."""
        self._optimizer = optimizer
        self.model.after_step()

    def state(self) -> dict[str, NDArray[Any]]:
        """Return ``point`` and ``direction``, or ``projection``, and what the model adds."""
        place = self.model.position()
        if not self.is_small:
            return {"projection": place, **self.model.state()}
        return {"point": place, "direction": self._direction(), **self.model.state()}

    def observe(self, loss: float, gradient_norm: float) -> dict[str, float]:
        """Return what there is to plot.

        Returns
        -------
        dict
            Of small landscapes the exact ``lowest_curvature`` and ``highest_curvature`` and ``gradient_alignment``,
            |g·v|/|g| with the lowest eigenvector v; of planar ones ``x`` and ``y``; ``unstable_coordinate`` where a
            strict saddle with one such direction is known; what the model adds; and `DIMER_COLUMNS`.
        """
        row: dict[str, float] = {}
        if self._planar:
            row["x"], row["y"] = self.model.position().tolist()
        if self.is_small:
            row.update(self._exact_curvature())
            if self.truth.saddle is not None and self.truth.saddle.direction is not None:
                row["unstable_coordinate"] = self.truth.unstable_coordinate(self.model.position())
        row.update(self.model.observe())
        seen = getattr(self._optimizer, "observations", None)
        found: Mapping[str, float] = {} if seen is None else seen()
        row.update({column: float(found.get(column.removeprefix("dimer_"), math.nan)) for column in DIMER_COLUMNS})
        return row

    def reference(self) -> dict[str, float]:
        """Return the loss of the deepest minimum, where it is known."""
        return {} if self.truth.deepest is None else {"loss": self.truth.deepest}

    def suggestion(self, kind: OutcomeKind) -> str:
        """Return the advice after a divergence."""
        if kind != "diverged":
            return ""
        if self._optimizer is None and self._planar:
            return "Choose another start."  # no step was taken, so that none was too large
        return self._advice

    def state_dict(self) -> dict[str, Any]:
        """Return what the model needs beside its parameters."""
        return self.model.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Put it back."""
        self.model.load_state_dict(state)

    def _direction(self) -> Array:
        direction: Sequence[Tensor] | None = getattr(self._optimizer, "direction", None)
        if direction is None:
            return np.full(self.size, math.nan)
        return torch.cat([part.detach().reshape(-1) for part in direction]).to("cpu", torch.float64).numpy()

    def _exact_curvature(self) -> dict[str, float]:
        matrix = hessian(self.oracle).detach().to("cpu", torch.float64).numpy()
        gradient = np.concatenate(
            [np.zeros(p.numel()) if p.grad is None else _flat(p.grad) for p in self._parameters], dtype=np.float64
        )
        if not np.isfinite(matrix).all():
            return {"lowest_curvature": math.nan, "highest_curvature": math.nan, "gradient_alignment": math.nan}
        # By torch, which keeps to one thread: numpy's threads wait for each other where processors are busy, and took
        # 100 times as long.
        values, vectors = (part.numpy() for part in torch.linalg.eigh(torch.from_numpy(matrix)))
        length = float(np.linalg.norm(gradient))
        share = abs(float(vectors[:, 0] @ gradient)) / length if length > 0.0 else math.nan
        return {
            "lowest_curvature": float(values[0]),
            "highest_curvature": float(values[-1]),
            "gradient_alignment": share,
        }


def _flat(tensor: Tensor) -> Array:
    flat: Array = tensor.detach().reshape(-1).to("cpu", torch.float64).numpy()
    return flat


def open_landscape(job: LandscapeJob, inputs: Text | None = None) -> tuple[LandscapeProblem, Run]:
    """Build the problem and the run of a job.

    Parameters
    ----------
    job : LandscapeJob
    inputs : Text, optional
        What `lieapp.landscapes.texts.load_text` returned for this job; read here if missing. Networks only.

    Returns
    -------
    problem : LandscapeProblem
    run : Run
        Not begun. The optimiser has the recommended settings with the job's overrides.

    Raises
    ------
    LandscapeError
        If the text cannot be used, or the optimiser cannot take a landscape of this size.
    OptimizerError
        If there is no such optimiser, or a setting is wrong.
    EngineError
        If the device does not exist.
    """
    from lieapp.engine.run import Run
    from lieapp.landscapes.models import build_model

    device = resolve_device(job.device, prefers="cuda" if _is_network(job) else "cpu", dtype=job.dtype)
    recommended = settings_class(job.optimizer.name)().updated(job.recommended())
    settings = recommended.updated(job.optimizer.overrides)
    model = build_model(job, device, inputs)
    position = model.position() if sum(p.numel() for p in model.parameters) <= LARGEST_EXACT else None
    problem = LandscapeProblem(
        model,
        truth_of(job, None if position is None else tuple(position.tolist())),
        name=job.title,
        is_planar=job.description.is_planar,
        advice=_advice(settings, recommended),
        loss_scale=_spread(job.surface) if job.description.is_planar else None,
    )
    if settings.name == "saddle-free-newton" and problem.size > _LARGEST_HESSIAN:
        raise LandscapeError(
            f"saddle-free-newton takes the whole Hessian, which for {problem.size} parameters fits nowhere; "
            f"it can be used up to {_LARGEST_HESSIAN}"
        )
    generator = torch.Generator().manual_seed(job.seed)
    optimizer = build_optimizer(settings, problem.parameters(), generator=generator)
    return problem, Run(problem, optimizer, settings=settings, limits=job.limits, job=job)


@lru_cache(maxsize=32)
def _spread(shape: Surface) -> float:
    """Return by how much a surface varies over its domain, from its lowest value to the middle one, on a grid.

    The highest one says little: surfaces may rise a thousandfold in a corner.
    """
    x, y = np.meshgrid(*(np.linspace(low, high, _SPREAD_GRID) for low, high in shape.domain))
    with np.errstate(all="ignore"):
        values = np.broadcast_to(np.asarray(shape.value(x, y), dtype=np.float64), x.shape)
    finite = values[np.isfinite(values)]
    spread = float(np.median(finite) - finite.min()) if finite.size else 0.0
    return spread if spread > 0.0 else 1.0


def _is_network(job: LandscapeJob) -> bool:
    from lieapp.landscapes.spec import is_network

    return is_network(job.landscape)


def _advice(settings: OptimizerSettings, recommended: OptimizerSettings) -> str:
    """Return what to try after a divergence: the recommended rate, or a smaller one if that is what diverged."""
    key, given, known = "lr", settings, recommended
    if hasattr(settings, "base"):
        key, given, known = "base.lr", settings.base, recommended.base  # type: ignore[attr-defined]
    rate, usual = getattr(given, "lr", None), getattr(known, "lr", None)
    if rate is None or usual is None:
        return ""
    return f"Try {key} {usual if rate > usual else 0.1 * rate:g}."
