"""Walking up to a saddle: along the lowest direction as far as trusted or needed, across it down by L-BFGS.

Near a saddle of index 1 this is Newton's step with two curvatures: that along N, which a search has measured, and
those across N, which L-BFGS learns from the steps themselves (Kästner and Sherwood, J. Chem. Phys. 128, 014106, 2008,
for L-BFGS on the reflected force; Cerjan and Miller, ibid. 75, 2800, 1981, for walking uphill from a minimum). So it
ends superlinearly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

from lieapp.optimizers.flat import FlatSpace

__all__ = ["Lowest", "SaddleWalk"]

MEMORY = 8
"""Pairs of a step and the change of gradient over it."""

PATIENCE = 10
"""Steps of full length within which the lowest curvature, or where that is negative the gradient, must have fallen."""

FALL = 0.99
"""Share below which it counts as fallen."""

HEADINGS = 4
"""Up and down the lowest direction at the start, then up and down the one above it; then anew, with more patience."""

_SMALLEST_RADIUS = 1.0 / 64.0
_NEAR = 1e-2
_ASIDE = 0.1
_LEAST_ACROSS = 0.1


@dataclass(frozen=True, eq=False)
class Lowest:
    """What a search has found.

    Attributes
    ----------
    direction : Tensor, shape=(size,)
        Unit vector N.
    curvature : float
        Along it.
    scale : float
        A lower bound of the largest \\|eigenvalue\\|.
    """

    direction: Tensor
    curvature: float
    scale: float


@dataclass
class SaddleWalk:
    """One walk, and all that it must remember between two steps.

    Where the curvature C along N is positive, a step goes one radius along N, always on the same way; where it is
    negative, it goes uphill by \\|g·N\\| / \\|C\\|. Across N it goes downhill by L-BFGS. No step is longer than the
    radius, which halves where a step takes back the one before.

    A way on which the lowest curvature, or where that is negative the gradient, does not fall within `PATIENCE` steps
    leads to no saddle. The walk then goes back to where it began, and tries the other side; after that, both sides of
    the lowest direction but one: ``shut`` is the direction that searches are to leave out. So it never rests, not in a
    minimum either, before it has found a saddle.

    Attributes
    ----------
    steps, gradients : list of Tensor, shape=(size,)
        Pairs: steps, and the changes of gradient over them.
    gradient, last : Tensor or None, shape=(size,)
        At the point before the last step, and that step.
    path : Tensor or None, shape=(size,)
        From where the walk began to where it is.
    heading : Tensor or None, shape=(size,)
        Where it went last, along N.
    first : Tensor or None, shape=(size,)
        Heading of the first of the two sides at present.
    lowest : Tensor or None, shape=(size,)
        N where the walk began.
    shut : Tensor or None, shape=(size,)
        What searches leave out.
    share : float
        Of the longest step that is trusted at present.
    reference, steepness : float
        Lowest positive curvature met on this way, and least gradient where the curvature was negative.
    waited : float
        Steps since either fell; those that leave a point with several directions downhill, where the gradient has to
        grow, count as a quarter.
    tried : int
        Headings given up.
    leaving : bool
        Whether the last step went down negative curvature across N.
    searching : bool
        Whether the next step needs a fresh N.
    checked : bool
        Whether the saddle nearby is known to have no second direction downhill.
    """

    steps: list[Tensor] = field(default_factory=list)
    gradients: list[Tensor] = field(default_factory=list)
    gradient: Tensor | None = None
    last: Tensor | None = None
    path: Tensor | None = None
    heading: Tensor | None = None
    first: Tensor | None = None
    lowest: Tensor | None = None
    shut: Tensor | None = None
    share: float = 1.0
    reference: float = math.inf
    steepness: float = math.inf
    waited: float = 0.0
    tried: int = 0
    leaving: bool = False
    searching: bool = False
    checked: bool = False

    def plain(self) -> dict[str, Any]:
        """Return tensors, numbers, lists and None only."""
        return {item.name: getattr(self, item.name) for item in fields(self)}

    @classmethod
    def from_plain(cls, values: Mapping[str, Any] | None, space: FlatSpace) -> SaddleWalk:
        """Return what `plain` gave, with copies of the tensors on a space's device and in its precision."""
        if values is None:
            return cls()

        def own(value: Any) -> Any:
            if isinstance(value, list):
                return [own(each) for each in value]
            return value.to(space.device, space.dtype, copy=True) if isinstance(value, Tensor) else value

        known = {item.name for item in fields(cls)}
        return cls(**{name: own(value) for name, value in values.items() if name in known})

    def fits(self, size: int) -> bool:
        """Whether what is remembered belongs to as many parameters."""
        return self.gradient is None or self.gradient.numel() == size

    def step(self, gradient: Tensor, lowest: Lowest, longest: float, *, fresh: bool) -> Tensor:
        """Return the next step.

        Parameters
        ----------
        gradient : Tensor, shape=(size,)
            At the present point; finite.
        lowest : Lowest
        longest : float
            Longest step.
        fresh : bool
            Whether N belongs to the present point.

        Returns
        -------
        Tensor, shape=(size,)
        """
        self._learn(gradient)
        n, curvature = lowest.direction, lowest.curvature
        if fresh:
            self.searching = False
        if self._is_lost(n, curvature, gradient) and not _is_near(gradient, lowest, longest):
            return self._go(gradient, self._turn(longest), longest, judged=False)
        if curvature <= 0.0 and self.shut is not None:
            self.shut, self.searching = None, True  # from here on the lowest direction counts
        slope = FlatSpace.dot(gradient, n)
        radius = self.share * longest
        sign = self._sign(n, slope)
        self.heading = sign * n
        along = sign * radius if curvature > 0.0 else min(max(slope / abs(curvature), -radius), radius)
        step = along * n - self._across(gradient - slope * n, n, lowest.scale)
        length = FlatSpace.norm(step)
        if length > radius:
            step *= radius / length
        return self._go(gradient, step, longest, judged=True)

    def retreat(self) -> Tensor | None:
        """Return half the way back, where the last step led to no number; None where there is nothing to take back."""
        if self.last is None:
            return None
        back = -0.5 * self.last
        self.last = -back
        self.path = back if self.path is None else self.path + back
        self.gradient, self.share = None, max(0.5 * self.share, _SMALLEST_RADIUS)
        return back

    def leave(self, direction: Tensor, longest: float) -> Tensor:
        """Return a step out of a point that is stationary, but has a second direction downhill."""
        step = _ASIDE * longest * direction
        return self._go(torch.zeros_like(direction), step, longest, judged=False)

    def must_check(self, gradient: Tensor, lowest: Lowest, longest: float) -> bool:
        """Return whether a saddle is so near that one should know its index, and does not."""
        near = _is_near(gradient, lowest, longest)
        self.checked = self.checked and near
        return near and not self.checked

    def _learn(self, gradient: Tensor) -> None:
        """Take the pair that the last step gave."""
        if self.last is None or self.gradient is None:
            return
        self.steps.append(self.last)
        self.gradients.append(gradient - self.gradient)
        del self.steps[:-MEMORY], self.gradients[:-MEMORY]

    def _sign(self, n: Tensor, slope: float) -> float:
        if self.heading is None:
            return 1.0 if slope >= 0.0 else -1.0
        return 1.0 if FlatSpace.dot(n, self.heading) >= 0.0 else -1.0

    def _across(self, slope: Tensor, n: Tensor, scale: float) -> Tensor:
        """Return the inverse Hessian across N times a vector across N, by the two loops of L-BFGS."""
        pairs, self.leaving = [], False
        for s, y in zip(self.steps, self.gradients, strict=True):
            s_across = s - FlatSpace.dot(s, n) * n
            length = FlatSpace.norm(s_across)
            if not length > _LEAST_ACROSS * FlatSpace.norm(s):
                continue  # of a step along N, rounding and the turn of N are what is left
            y_across = y - FlatSpace.dot(y, n) * n
            product = FlatSpace.dot(s_across, y_across)
            self.leaving = product < 0.0
            if product > 1e-8 * length * FlatSpace.norm(y_across):
                pairs.append((s_across, y_across, product))
        if self.leaving:  # as far as Newton's step would go uphill
            return slope * (length * length / -product)
        q, factors = slope.clone(), []
        for s, y, product in reversed(pairs):
            factor = FlatSpace.dot(s, q) / product
            factors.append(factor)
            q -= factor * y
        if pairs:
            _, y, product = pairs[-1]
            q *= product / FlatSpace.dot(y, y)
        else:
            q /= scale if scale > 0.0 else 1.0
        for (s, y, product), factor in zip(pairs, reversed(factors), strict=True):
            q += (factor - FlatSpace.dot(y, q) / product) * s
        return q

    def _is_lost(self, n: Tensor, curvature: float, gradient: Tensor) -> bool:
        """Return whether this way leads to no saddle."""
        if self.path is None:
            self.path, self.lowest = torch.zeros_like(n), n
        if self.first is None and self.heading is not None:
            self.first = self.heading
        self.waited += 0.25 if self.leaving else 1.0
        if 0.0 < curvature < FALL * self.reference:
            self.reference, self.waited = curvature, 0.0
        elif curvature <= 0.0 and (steepness := FlatSpace.norm(gradient)) < FALL * self.steepness:
            self.steepness, self.waited = steepness, 0.0
        return self.waited > PATIENCE * 2 ** (self.tried // HEADINGS)

    def _turn(self, longest: float) -> Tensor:
        """Choose another way, and return the step back to beside where the walk began: that may be a minimum."""
        assert self.path is not None and self.lowest is not None
        self.tried += 1
        side = self.tried % HEADINGS
        if side % 2 == 1:
            self.heading = None if self.first is None else -self.first
        else:
            self.heading = self.first = None
            self.shut = self.lowest if side == 2 else None
        self.reference = self.steepness = math.inf
        self.waited, self.share, self.searching = 0.0, 1.0, True
        return torch.add(-self.path, self.lowest if self.heading is None else self.heading, alpha=_ASIDE * longest)

    def _go(self, gradient: Tensor, step: Tensor, longest: float, *, judged: bool) -> Tensor:
        if judged and self.last is not None:
            length, before = FlatSpace.norm(step), FlatSpace.norm(self.last)
            cosine = FlatSpace.dot(step, self.last) / max(length * before, 1e-300)
            if cosine < -0.5 and length > 0.7 * self.share * longest:
                self.share = max(0.5 * self.share, _SMALLEST_RADIUS)
                step = 0.5 * step
            elif cosine > 0.5:
                self.share = min(1.0, 1.5 * self.share)
        if self.path is not None:
            self.path = self.path + step
        self.gradient, self.last = (gradient, step) if judged else (None, None)
        return step


def _is_near(gradient: Tensor, lowest: Lowest, longest: float) -> bool:
    """Return whether what is left to a saddle is a small share of a step."""
    return lowest.curvature < 0.0 and FlatSpace.norm(gradient) < _NEAR * longest * abs(lowest.curvature)
