"""Saddle-free Newton: absolute curvatures inside a trust region, for problems of few parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lieapp.optimizers.oracle import FiniteDifferenceOracle, Oracle, hessian

__all__ = ["SaddleFreeNewton", "trust_region_step"]

MAX_PARAMETERS = 4096
"""Largest dense Hessian that is decomposed: 128 MiB in float64 and some tens of seconds."""

_KICK_TOLERANCE = 1e-10


class SaddleFreeNewton(Optimizer):
    r"""Newton's method with the absolute value of the Hessian.

    With eigenvalues :math:`\lambda_i` and eigenvectors :math:`q_i` of the Hessian, the step minimises the model
    :math:`g^T s + \tfrac12 \sum_i (|\lambda_i| + \delta)(q_i^T s)^2` over :math:`|s| \le r`. Along positive curvature
    that is Newton's step; along negative curvature it moves away from the saddle instead of into it (Dauphin et al.,
    arXiv:1406.2572). The bound is met exactly, by one more shift of the curvatures, not by shortening the step.

    Parameters
    ----------
    params : iterable
        Parameters, as for any torch optimiser; real, dense, one group, at most 4096 numbers together.
    lr : float
        Fraction of the step that is taken.
    trust_radius : float
        Longest step.
    damping : float
        The shift :math:`\delta`.
    adaptive : bool
        Compare the fall of the loss with the model's promise when the next gradient is known: below a quarter the
        radius shrinks to a quarter of the last step, above three quarters it doubles, up to ``trust_radius``. It costs
        no evaluation, and a step is never taken back.
    kick : float
        Where the gradient vanishes but a curvature is negative, step by ``kick`` times the radius along the lowest
        eigenvector (its largest component made positive); 0 for none.

    Raises
    ------
    ValueError
        For a setting out of range, several groups, or too many parameters.

    Notes
    -----
    No ``maximize``, ``differentiable``, ``foreach`` or ``fused``. Parameters that require no
    gradient stay where they are.
    """

    def __init__(
        self,
        params: Any,
        *,
        lr: float = 1.0,
        trust_radius: float = 1.0,
        damping: float = 1e-8,
        adaptive: bool = True,
        kick: float = 1e-3,
    ) -> None:
        if not lr >= 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not trust_radius > 0.0:
            raise ValueError(f"Invalid trust_radius value: {trust_radius}")
        for name, value in (("damping", damping), ("kick", kick)):
            if not value >= 0.0:
                raise ValueError(f"Invalid {name} value: {value}")
        defaults = {"lr": lr, "trust_radius": trust_radius, "damping": damping, "adaptive": adaptive, "kick": kick}
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("Invalid params: SaddleFreeNewton does not support per-parameter options")
        size = sum(p.numel() for p in self.param_groups[0]["params"])
        if size > MAX_PARAMETERS:
            raise ValueError(
                f"Invalid params: {size} numbers, but SaddleFreeNewton decomposes a dense Hessian and takes "
                f"{MAX_PARAMETERS} at most"
            )

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, closure: Callable[[], Tensor] | None = None, *, oracle: Oracle | None = None
    ) -> Tensor:
        """Take one step.

        Parameters
        ----------
        closure : callable, optional
            As for any torch optimiser: clears gradients, computes the loss, calls ``backward``, returns it. Needed
            without an oracle; the Hessian then comes from central differences of its gradient.
        oracle : Oracle, optional
            Asked for gradient and Hessian (its own, else one product per parameter); ``closure`` is then not called.

        Returns
        -------
        Tensor
            The loss before the step.

        Raises
        ------
        RuntimeError
            If neither closure nor oracle is given, or the oracle misses a parameter.
        """
        group = self.param_groups[0]
        own = [p for p in group["params"] if p.requires_grad]
        if oracle is None:
            if closure is None:
                raise RuntimeError("SaddleFreeNewton needs a closure or an oracle")
            oracle = FiniteDifferenceOracle(closure, own, central=True)
        loss = oracle.gradient()
        curvature, moving = _own_block(hessian(oracle), oracle.parameters, own)
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in moving]
        gradient = torch.cat([grad.reshape(-1) for grad in grads]).to(torch.float64)
        if not (bool(torch.isfinite(curvature).all()) and bool(torch.isfinite(gradient).all())):
            # Nothing to decompose: show the failure in the parameters, where a run looks for it.
            for p in moving:
                p.fill_(math.nan)
            return loss
        eigenvalues, vectors = torch.linalg.eigh(curvature.to(torch.float64))
        state = self.state[moving[0]]
        if not state:
            state.update(step=0, radius=float(group["trust_radius"]), loss=None, promised=0.0, length=0.0)
        radius = self._radius(state, group, float(loss))
        components = vectors.T @ gradient
        scales = eigenvalues.abs() + group["damping"]
        step, promised = trust_region_step(components, scales, radius)
        step *= float(group["lr"])
        if self._at_saddle(components, eigenvalues, group):
            step[0] += math.copysign(group["kick"] * radius, _sign_of_largest(vectors[:, 0]))
        state.update(step=state["step"] + 1, loss=float(loss), promised=promised, length=float(step.norm()))
        displacement = vectors @ step
        for p, part in zip(moving, torch.split(displacement, [p.numel() for p in moving]), strict=True):
            p.add_(part.reshape(p.shape).to(p.dtype))
        return loss

    @staticmethod
    def _radius(state: dict[str, Any], group: dict[str, Any], loss: float) -> float:
        largest = float(group["trust_radius"])
        radius = min(float(state["radius"]), largest)
        # A fall within the rounding of the loss says nothing about the model.
        noise = 1e-12 * (1.0 + abs(loss))
        if group["adaptive"] and group["lr"] == 1.0 and state["loss"] is not None and state["promised"] > noise:
            ratio = (state["loss"] - loss) / state["promised"]
            if ratio < 0.25:
                radius = max(0.25 * state["length"], 1e-6 * largest)
            elif ratio > 0.75:
                radius = min(2.0 * radius, largest)
        state["radius"] = radius
        return radius

    @staticmethod
    def _at_saddle(components: Tensor, eigenvalues: Tensor, group: dict[str, Any]) -> bool:
        scale = float(eigenvalues.abs().max())
        lowest = float(eigenvalues[0])
        return (
            group["kick"] > 0.0
            and lowest < -_KICK_TOLERANCE * scale
            and float(components.norm()) <= _KICK_TOLERANCE * scale * group["trust_radius"]
        )


def trust_region_step(components: Tensor, scales: Tensor, radius: float) -> tuple[Tensor, float]:
    """Minimise a diagonal convex quadratic in a ball.

    Parameters
    ----------
    components : Tensor, shape (n,), float64
        Gradient in the eigenbasis.
    scales : Tensor, shape (n,), float64
        Curvatures, none negative.
    radius : float
        Radius of the ball.

    Returns
    -------
    step : Tensor, shape (n,)
        The minimiser of ``components @ s + 0.5 * (scales * s**2).sum()`` over ``|s| <= radius``.
    decrease : float
        The fall of the quadratic, at least 0.
    """
    size = float(components.norm())
    if size == 0.0:
        return torch.zeros_like(components), 0.0
    step = torch.where(components == 0, 0.0, -components / scales)
    if not (bool(torch.isfinite(step).all()) and float(step.norm()) <= radius):
        # The length falls with the shift; size / radius is beyond the root, and Newton's method on the reciprocal of
        # the length rises to it from below without overshooting.
        low, high = 0.0, size / radius
        shift = max(0.0, high - float(scales.max()))
        for _ in range(200):
            step = torch.where(components == 0, 0.0, -components / (scales + shift))
            length = float(step.norm())
            if abs(length - radius) <= 1e-12 * radius:
                break
            if length > radius:
                low = shift
            else:
                high = shift
            if math.isfinite(length) and length > 0.0:
                slope = float((step**2 / (scales + shift)).sum()) / length**2
                shift += (length - radius) / (radius * slope) if slope > 0.0 and math.isfinite(slope) else 0.0
            if not low < shift < high:
                shift = 0.5 * (low + high)
            if high - low <= 1e-15 * high:
                break
        step = step * min(1.0, radius / float(step.norm()))
    decrease = -float(components @ step + 0.5 * (scales * step**2).sum())
    return step, max(0.0, decrease)


def _own_block(matrix: Tensor, known: list[Tensor], own: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
    wanted = set(own)
    if not wanted <= set(known):
        raise RuntimeError("SaddleFreeNewton got an oracle that misses a parameter of the optimiser")
    mask = torch.cat([torch.full((p.numel(),), p in wanted, dtype=torch.bool, device=matrix.device) for p in known])
    return matrix[mask][:, mask], [p for p in known if p in wanted]


def _sign_of_largest(vector: Tensor) -> float:
    return float(vector[int(vector.abs().argmax())])
