"""What a run should reach: the exact minimiser by conjugate gradients, and the one-pass reconstruction.

With known poses one pass over the images, each coefficient divided by the weights it received, is nearly as good as
any fit; RELION and cryoDRGN reconstruct so. Stochastic gradient descent is for what has no such formula: unknown
poses, heterogeneity, learned priors. It is drawn beside the runs for this reason.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from lieapp.cryoem.interruption import stop_if_unwanted
from lieapp.cryoem.metrics import Shells

__all__ = ["conjugate_gradients", "weighted_backprojection", "wiener_precision"]


def conjugate_gradients(
    product: Callable[[Tensor], Tensor],
    right: Tensor,
    diagonal: Tensor,
    *,
    start: Tensor | None = None,
    tolerance: float = 1e-7,
    iterations: int = 200,
) -> Tensor:
    """Solve ``H V = b`` by conjugate gradients with a diagonal preconditioner.

    Parameters
    ----------
    product : callable
        ``H`` times a volume; symmetric, not negative.
    right : Tensor, shape=(box, box, box), complex
        ``b``.
    diagonal : Tensor, shape=(box, box, box), real
        Of H; coefficients where it is zero stay zero.
    start : Tensor, shape=(box, box, box), complex, optional
        First volume; zero by default.
    tolerance : float
        Preconditioned norm of the residual at which it ends, relative to that of an empty volume.
    iterations : int
        Most iterations.

    Returns
    -------
    Tensor, shape=(box, box, box), complex
    """
    inverse = torch.where(diagonal > 0.0, 1.0 / diagonal.clamp_min(torch.finfo(diagonal.dtype).tiny), 0.0)
    solution = torch.zeros_like(right) if start is None else start.to(right, copy=True)
    residual = right.clone() if start is None else right - product(solution)
    scaled = residual * inverse
    direction = scaled.clone()
    first, size = _dot(right, right * inverse), _dot(residual, scaled)
    for _ in range(iterations):
        if not size > tolerance**2 * first:
            break
        stop_if_unwanted()
        image = product(direction)
        step = size / _dot(direction, image)
        solution += step * direction
        residual -= step * image
        torch.mul(residual, inverse, out=scaled)
        before, size = size, _dot(residual, scaled)
        direction.mul_(size / before).add_(scaled)
    return solution


def weighted_backprojection(right: Tensor, row_sums: Tensor, *, floor: float = 1e-3) -> Tensor:
    """Return the one-pass reconstruction: the backprojection divided by the weights that every coefficient received.

    Parameters
    ----------
    right : Tensor, shape=(box, box, box), complex
        ``mean P' C y``.
    row_sums : Tensor, shape=(box, box, box), real
        ``mean P' C² P 1``, with the precision of the prior.
    floor : float
        Smallest weight divided by, relative to the mean one, so that coefficients that were hardly seen stay small.
    """
    seen = row_sums > 0.0
    least = floor * row_sums[seen].mean() if bool(seen.any()) else torch.ones((), dtype=row_sums.dtype)
    return torch.where(seen, right / torch.maximum(row_sums, least), 0.0)


def wiener_precision(first: Tensor, second: Tensor, diagonal: Tensor, shells: Shells) -> Tensor:
    """Return the precision of the Wiener prior, ``noise / (images signal)`` of every shell, from two half maps.

    Parameters
    ----------
    first, second : Tensor, shape=(box, box, box), complex
        Reconstructions of independent halves of the images.
    diagonal : Tensor, shape=(box, box, box), real
        Diagonal of the second derivative, for all images.
    shells : Shells

    Returns
    -------
    Tensor, shape=(box, box, box), real
        ``D (1 - FSC) / (2 FSC)`` with D the mean diagonal of the shell: the signal-to-noise ratio of all images is
        ``2 FSC / (1 - FSC)``.
    """
    correlation = shells.correlation(first, second).clamp(1e-3, 1.0 - 1e-6)
    mean = shells.mean(diagonal).to(correlation)
    return shells.spread(mean * (1.0 - correlation) / (2.0 * correlation)).to(diagonal)


def _dot(a: Tensor, b: Tensor) -> float:
    return float((torch.view_as_real(a) * torch.view_as_real(b)).sum(dtype=torch.float64))
