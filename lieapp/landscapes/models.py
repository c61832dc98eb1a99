"""The losses of the catalogue with their parameters: surfaces, the 100-D saddle, factorisations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.landscapes.planar import PlanarOracle
from lieapp.landscapes.truth import TARGET_SINGULAR_VALUES, StrictSaddle, truth_of
from lieapp.optimizers.oracle import AutogradOracle, Costs, Oracle

if TYPE_CHECKING:
    from lieapp.landscapes.problem import Model
    from lieapp.landscapes.spec import LandscapeJob
    from lieapp.landscapes.texts import Text

__all__ = ["FactorisationModel", "PlainModel", "PlanarModel", "StrictSaddleModel", "build_model"]

Array = NDArray[np.float64]

_OFFSET = 1e-4
_WEIGHTS = 1e-2


class PlainModel:
    """Leaves and an oracle that depend on nothing else.

    Parameters
    ----------
    parameters : list of Tensor
    oracle : Oracle
    """

    fixed_loss = True

    def __init__(self, parameters: list[Tensor], oracle: Oracle) -> None:
        self.parameters = parameters
        self.oracle = oracle

    def position(self) -> Array:
        """Return all parameters, joined."""
        joined = torch.cat([p.detach().reshape(-1) for p in self.parameters])
        values: Array = joined.to("cpu", torch.float64).numpy().copy()
        return values

    def observe(self) -> dict[str, float]:
        """Return nothing more."""
        return {}

    def state(self) -> dict[str, NDArray[Any]]:
        """Return nothing more."""
        return {}

    def after_step(self) -> None:
        """Do nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the parameters are all there is."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Do nothing."""


class PlanarModel(PlainModel):
    """A point on a surface.

    Parameters
    ----------
    function : Formula
    start : sequence of float
    device : torch.device
    dtype : torch.dtype
    """

    def __init__(self, function: Any, start: Sequence[float], device: torch.device, dtype: torch.dtype) -> None:
        leaf = torch.tensor(list(start), dtype=dtype, device=device, requires_grad=True)
        super().__init__([leaf], PlanarOracle(function, leaf))


class _StrictSaddleOracle:
    """``½ zᵀΛz + ¼ Σ_neg z⁴`` with its derivatives in closed form."""

    hvp_uses_gradient = False

    def __init__(self, truth: StrictSaddle, leaf: Tensor) -> None:
        self.parameters = [leaf]
        self.costs = Costs()
        self._q = torch.as_tensor(truth.rotation, dtype=leaf.dtype, device=leaf.device)
        self._spectrum = torch.as_tensor(truth.spectrum, dtype=leaf.dtype, device=leaf.device)
        self._negative = torch.as_tensor(truth.negative, dtype=leaf.dtype, device=leaf.device)

    def gradient(self) -> Tensor:
        z = self._z()
        self.parameters[0].grad = self._q @ (self._spectrum * z + self._negative * z**3)
        return self._value(z)

    def loss(self) -> Tensor:
        return self._value(self._z())

    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        return [self._q @ (self._bend() * (self._q.T @ v[0].detach()))]

    def hessian(self) -> Tensor:
        return (self._q * self._bend()) @ self._q.T

    def hessian_diagonal(self) -> list[Tensor]:
        return [(self._q * self._q) @ self._bend()]

    def _z(self) -> Tensor:
        return self._q.T @ self.parameters[0].detach()

    def _bend(self) -> Tensor:
        return self._spectrum + 3.0 * self._negative * self._z() ** 2

    def _value(self, z: Tensor) -> Tensor:
        return (0.5 * self._spectrum * z * z + 0.25 * self._negative * z**4).sum()


class StrictSaddleModel(PlainModel):
    """The 100-dimensional strict saddle, started beside it in a random direction.

    Parameters
    ----------
    truth : StrictSaddle
        Spectrum and rotation.
    offset : float
        Distance of the start from the saddle.
    seed : int
        Of the direction.
    device : torch.device
    dtype : torch.dtype
    """

    def __init__(self, truth: StrictSaddle, offset: float, seed: int, device: torch.device, dtype: torch.dtype) -> None:
        direction = torch.randn(len(truth.spectrum), generator=_generator(seed), dtype=torch.float64)
        start = offset * direction / torch.linalg.vector_norm(direction)
        leaf = start.to(device, dtype).requires_grad_()
        super().__init__([leaf], _StrictSaddleOracle(truth, leaf))


class FactorisationModel(PlainModel):
    """``½|W_L..W₁ − T|²`` with T = diag(2, 1.5, 1, 0.5): matrix factorisation, or a deep linear network.

    Parameters
    ----------
    layers : int
    offset : float
        Norm of all weights together at the start.
    seed : int
        Of the weights.
    device : torch.device
    dtype : torch.dtype
    """

    def __init__(self, layers: int, offset: float, seed: int, device: torch.device, dtype: torch.dtype) -> None:
        size = len(TARGET_SINGULAR_VALUES)
        weights = torch.randn(layers, size, size, generator=_generator(seed), dtype=torch.float64)
        weights *= offset / torch.linalg.vector_norm(weights)
        leaves = [weight.clone().to(device, dtype).requires_grad_() for weight in weights]
        target = torch.diag(torch.tensor(TARGET_SINGULAR_VALUES, dtype=dtype, device=device))

        def loss() -> Tensor:
            product = leaves[0]
            for weight in leaves[1:]:
                product = weight @ product
            return 0.5 * ((product - target) ** 2).sum()

        super().__init__(leaves, AutogradOracle(loss, leaves))


def build_model(job: LandscapeJob, device: torch.device, text: Text | None = None) -> Model:
    """Return the parameters and the loss of a job's landscape, at its start.

    Parameters
    ----------
    job : LandscapeJob
    device : torch.device
    text : Text, optional
        For networks; read from the job's file if missing.

    Raises
    ------
    LandscapeError
        If a formula or a text cannot be used.
    """
    dtype: torch.dtype = getattr(torch, job.dtype)
    if job.description.is_planar:
        shape = job.surface
        return PlanarModel(shape.function, job.start or shape.start, device, dtype)
    if job.landscape == "strict-saddle-100":
        truth = truth_of(job)
        assert isinstance(truth, StrictSaddle)
        return StrictSaddleModel(truth, job.offset or _OFFSET, job.seed, device, dtype)
    if job.landscape in ("matrix-factorisation", "deep-linear"):
        layers = 2 if job.landscape == "matrix-factorisation" else 3
        offset = job.offset or (_WEIGHTS if layers == 2 else 0.5)
        return FactorisationModel(layers, offset, job.seed, device, dtype)
    if job.landscape == "so3-alignment":
        from lieapp.landscapes.so3_alignment import RotationModel

        return RotationModel(job.start, job.offset or 1e-2, job.seed, device, dtype)
    from lieapp.landscapes.transformer import TransformerModel, shape_of

    return TransformerModel(
        shape_of(job.landscape), text, job.text, job.seed, device, dtype, fixed=job.curvature_batch == "fixed"
    )


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
