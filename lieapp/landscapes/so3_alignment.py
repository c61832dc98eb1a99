"""The alignment loss over rotations: the project's own domain as a landscape with four critical points in closed form.

Six points on the axes of a frame are superposed on themselves, so the mean squared deviation is ``tr M − tr RM`` with
M = diag(3, 2, 1). It is the objective of `lieapp.alignment`, and this module the one door to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lieapp.alignment.objectives import MSD
from lieapp.landscapes.truth import SO3_SINGULAR_VALUES, so3_points
from lieapp.lie import so3
from lieapp.optimizers.oracle import AutogradOracle

__all__ = ["RotationModel", "frame_points"]

Array = NDArray[np.float64]


def frame_points() -> Array:
    """Return the points, shape=(6, 3): ``± a e_i`` with ``a² = 3 s_i / 2``, so that 2/6 Σ x xᵀ = diag(s)."""
    arms = np.diag(np.sqrt(1.5 * np.array(SO3_SINGULAR_VALUES)))
    return np.concatenate((arms, -arms))


class RotationModel:
    """A rotation whose parameters, a small turn about the present one, return to zero after each step.

    Parameters
    ----------
    start : sequence of float, optional
        Rotation vector in rad. By default beside the maximum, the half turn with three negative eigenvalues.
    offset : float
        Angle in rad between that maximum and the start, about an axis drawn with the seed.
    seed : int
    device : torch.device
    dtype : torch.dtype
    """

    def __init__(
        self, start: Sequence[float] | None, offset: float, seed: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self._points = torch.as_tensor(frame_points(), dtype=dtype, device=device)
        self._objective = MSD()
        if start is None:
            axis = torch.randn(3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
            top = torch.tensor(so3_points()[-1].position, dtype=torch.float64)
            rotation = so3.exp(offset * axis / torch.linalg.vector_norm(axis)) @ so3.exp(top)
        else:
            rotation = so3.exp(torch.tensor(list(start), dtype=torch.float64))
        self.anchor = rotation.to(device, dtype)
        self._leaf = torch.zeros(3, dtype=dtype, device=device, requires_grad=True)
        self.parameters = [self._leaf]
        self.oracle = AutogradOracle(self._loss, self.parameters)

    def _loss(self) -> Tensor:
        moved = self._points @ (so3.exp(self._leaf) @ self.anchor).mT
        squares = ((moved - self._points) ** 2).sum(dim=1)
        value: Any = self._objective.rho(squares)
        mean: Tensor = value.mean()
        return mean

    def rotation(self) -> Tensor:
        """Return the present rotation, shape=(3, 3)."""
        return so3.exp(self._leaf.detach()) @ self.anchor

    def position(self) -> Array:
        """Return the present rotation vector in rad."""
        vector: Array = so3.log(self.rotation()).to("cpu", torch.float64).numpy()
        return vector

    def observe(self) -> dict[str, float]:
        """Return the angle from the best superposition in degrees."""
        return {"angle_degrees": float(torch.rad2deg(so3.angle(self.rotation())))}

    def state(self) -> dict[str, NDArray[Any]]:
        """Return the rotation matrix, shape=(3, 3)."""
        return {"rotation": self.rotation().to("cpu", torch.float64).numpy()}

    @torch.no_grad()
    def after_step(self) -> None:
        """Take the step into the anchor and set the parameters to zero."""
        self.anchor = so3.project(so3.exp(self._leaf) @ self.anchor)
        self._leaf.zero_()

    def state_dict(self) -> dict[str, Any]:
        """Return the anchor."""
        return {"anchor": self.anchor}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take an anchor back."""
        self.anchor = state["anchor"].to(self.anchor)
