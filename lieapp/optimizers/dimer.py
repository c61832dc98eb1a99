"""The direction of lowest curvature, found by turning a dimer: two points close together, and their gradients.

The curvature along a unit vector N is C = N·HN. Every method below needs one product HN, and one more for each
rotation; products come from an `Oracle`, so from differences of gradients (the dimer proper) or from second
derivatives. In terms of gradients the rotational force of Henkelman and Jónsson (J. Chem. Phys. 111, 7010, 1999) is
-(HN - CN), and C falls along it.

Nothing depends on whether N or -N is given: the sign is fixed first, the largest component of a direction being
positive. Dot products are summed in float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from lieapp.optimizers.flat import FlatSpace
from lieapp.optimizers.krylov import MAX_STEPS, Krylov
from lieapp.optimizers.oracle import Oracle
from lieapp.optimizers.tensor_lists import dots, subtract_

__all__ = ["ROTATION_METHODS", "Rotation", "RotationMethod", "fourier_angle", "rotate", "rotations"]

RotationMethod = Literal["fixed", "optimal-angle", "lor", "lanczos"]

ROTATION_METHODS: tuple[str, ...] = get_args(RotationMethod)
"""Fixed-step rotation (as published), optimal angle, locally optimal rotation, Lanczos (the default)."""

CURVATURE_FLOOR = 0.01
"""Curvatures are compared with at least this share of the largest one met: a zero has no relative error."""

RANDOM_SHARE = 0.1

RECOMPUTE_AFTER = 10
"""Rotations after which HN, carried along, is computed anew: differences leave errors that add up."""


@dataclass(frozen=True, eq=False)
class Rotation:
    """A direction and what is known about the curvature along it.

    Attributes
    ----------
    direction : list of Tensor
        Unit vector N over all parameters together, in their shapes; its largest component is positive.
    curvature : float
        C = N·HN.
    residual : float
        \\|HN - CN\\|: an eigenvalue lies within this distance of C.
    scale : float
        Length of the longest Hv met for a unit v: a lower bound of the largest \\|eigenvalue\\|.
    products : int
        Hessian-vector products computed.
    evaluations : float
        Their price, in gradients. The gradient at the point itself, which one-sided differences share with whoever
        has computed it, is not in it.
    converged : bool
        Whether the relative residual is within the tolerance.
    """

    direction: list[Tensor]
    curvature: float
    residual: float
    scale: float
    products: int
    evaluations: float
    converged: bool
    _product: Callable[[], list[Tensor]] = field(repr=False)

    @cached_property
    def product(self) -> list[Tensor]:
        """HN, put together when first asked for."""
        return self._product()

    @property
    def relative_residual(self) -> float:
        """Residual over the curvature, or over a hundredth of ``scale`` where that is larger."""
        return self.residual / max(abs(self.curvature), CURVATURE_FLOOR * self.scale, 1e-300)


def rotate(
    oracle: Oracle,
    direction: Sequence[Tensor] | None = None,
    *,
    budget: float = 100.0,
    method: RotationMethod = "lanczos",
    tolerance: float = 0.01,
    rate: float = 0.1,
    ascend: bool = False,
    trial_angle: float = math.pi / 4.0,
    generator: torch.Generator | None = None,
) -> Rotation:
    """Return the direction of lowest curvature, as well as a budget allows.

    Parameters
    ----------
    oracle : Oracle
        Asked for products at the present parameters.
    direction : sequence of Tensor, optional
        Where to begin, one tensor per parameter, of any length and sign. If absent, the gradient left in ``.grad``
        with a tenth of a random direction, or that alone. In a network the gradient has a hundred times the share of
        the lowest direction that a random vector has; exactly on a ridge it has none, hence the tenth.
    budget : float
        Evaluations to spend at most, at the oracle's price of a product; at least one product.
    method : {"lanczos", "lor", "optimal-angle", "fixed"}
        - ``lanczos``: the lowest direction in the Krylov space, which keeps a vector for every product, 50 at most;
          from there it starts over with the lowest direction found.
        - ``lor``, locally optimal rotation (Leng, Yang, Chen, arXiv:1303.1638): the lowest direction in the space of
          N, HN - CN and the previous change of N, which is LOBPCG with one vector (Knyazev 2001). It keeps three
          vectors and their products, whatever the budget.
        - ``optimal-angle``: the plane of N and HN - CN, its lowest angle from a trial rotation (Heyden, Bell and Keil,
          J. Chem. Phys. 123, 224101, 2005; Kästner and Sherwood, ibid. 128, 014106, 2008).
        - ``fixed``: N - rate (HN - CN), normalised. Stable for a rate below 2 / (largest - lowest curvature) only.
    tolerance : float
        Stop at this relative residual.
    rate : float
        Of ``fixed``.
    ascend : bool
        Of ``fixed``: N + rate (HN - CN), the sign as transcribed from arXiv:2507.19968, which seeks the highest
        curvature.
    trial_angle : float
        Of ``optimal-angle``, in rad.
    generator : torch.Generator, optional
        Of random directions; a new one, seeded 0, if absent.

    Returns
    -------
    Rotation

    Raises
    ------
    ValueError
        For a setting out of range, or a direction of no length.

    Notes
    -----
    An eigenvector gives no hint of a lower one, so ``lanczos`` and ``lor``, when they have found one, try a random
    direction beside it once, for one product. HN is carried along and, by differences, computed anew after ten
    rotations or more; the budget covers this.
    """
    search = _Search(oracle, direction, budget, tolerance, generator)
    holding: Callable[[], Any] = getattr(oracle, "holding", nullcontext)
    with holding():
        *_, last = _run(search, method, rate, ascend, trial_angle, watched=False)
    return last


def rotations(
    oracle: Oracle,
    direction: Sequence[Tensor] | None = None,
    *,
    budget: float = 100.0,
    method: RotationMethod = "lanczos",
    tolerance: float = 0.01,
    rate: float = 0.1,
    ascend: bool = False,
    trial_angle: float = math.pi / 4.0,
    generator: torch.Generator | None = None,
) -> Iterator[Rotation]:
    """Yield what is known after every product, to be drawn; the last is what `rotate` returns. See there."""
    search = _Search(oracle, direction, budget, tolerance, generator)
    return _run(search, method, rate, ascend, trial_angle, watched=True)


def fourier_angle(curvature: float, slope: float, trial_curvature: float, trial_angle: float) -> float:
    """Return the angle of lowest curvature in a plane, from the curvature at 0 and at a trial angle.

    In the plane of two unit vectors C(phi) = a0/2 + a1 cos 2phi + b1 sin 2phi.

    Parameters
    ----------
    curvature, slope : float
        C and dC/dphi at angle 0.
    trial_curvature : float
        C at the trial angle.
    trial_angle : float
        In rad; no multiple of pi.

    Returns
    -------
    float
        In (-pi/2, pi/2].
    """
    b1 = 0.5 * slope
    double = 2.0 * trial_angle
    a1 = (curvature - trial_curvature + b1 * math.sin(double)) / (1.0 - math.cos(double))
    # C = a0/2 + |(a1, b1)| cos(2 phi - delta) is lowest where the cosine is -1.
    angle = 0.5 * (math.atan2(b1, a1) + math.pi)
    return angle - math.pi if angle > 0.5 * math.pi else angle


class _Search:
    """What all methods share: the space, the oracle's products and their price."""

    def __init__(
        self,
        oracle: Oracle,
        direction: Sequence[Tensor] | None,
        budget: float,
        tolerance: float,
        generator: torch.Generator | None,
    ) -> None:
        self._oracle = oracle
        self._hvp = getattr(oracle, "unit_hvp", None)
        self._price = float(oracle.costs.hvp)
        self._allowed = math.floor(budget / self._price + 1e-9)
        if self._allowed < 1:
            raise ValueError(f"Invalid budget: {budget}, but one Hessian-vector product costs {self._price:g}")
        if not tolerance >= 0.0:
            raise ValueError(f"Invalid tolerance: {tolerance}")
        self.space = FlatSpace(oracle.parameters)
        self._generator = generator
        start = self._guess() if direction is None else self.space.unit(self.space.flatten(direction))
        self.start = self.space.with_sign(start)
        self.tolerance = tolerance
        self.by_differences = bool(getattr(oracle, "hvp_by_differences", False))
        self.products = 0
        self.scale = 0.0

    @property
    def left(self) -> int:
        """Number of products that the budget still allows."""
        return self._allowed - self.products

    def product(self, v: Tensor) -> Tensor:
        """Return H v for a unit v."""
        return self.space.flatten(self.product_of(self.space.split(v)))

    def product_of(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return H v for a unit v that is split, in tensors that may be overwritten."""
        self.products += 1
        v = self.space.as_parameters(v)
        if self._hvp is not None:
            return self.space.in_precision(self._hvp(v))
        return self.space.in_precision(self._oracle.hvp(v), copy=True)

    def random(self) -> Tensor:
        """Return a random unit vector."""
        if self._generator is None:
            self._generator = torch.Generator().manual_seed(0)
        return self.space.random(self._generator)

    def _guess(self) -> Tensor:
        """Return a direction to begin with, see `rotate`."""
        start = self.random()
        grads = [torch.zeros_like(p) if p.grad is None else p.grad for p in self._oracle.parameters]
        gradient = self.space.flatten(grads)
        length = self.space.norm(gradient)
        if 0.0 < length < math.inf:
            start = self.space.unit(gradient / length + RANDOM_SHARE * start)
        return start

    def settled(self, curvature: float, residual: float) -> bool:
        """Return whether the relative residual is within the tolerance."""
        return residual <= self.tolerance * max(abs(curvature), CURVATURE_FLOOR * self.scale)

    def rotation(self, n: Tensor, y: Callable[[], Tensor], curvature: float, residual: float) -> Rotation:
        """Return what is known about a direction."""
        turned = self.space.with_sign(n)
        sign = 1.0 if turned is n else -1.0
        return Rotation(
            direction=self.space.split(turned),
            curvature=curvature,
            residual=residual,
            scale=self.scale,
            products=self.products,
            evaluations=self.products * self._price,
            converged=self.settled(curvature, residual),
            _product=lambda: self.space.split(sign * y()),
        )


def _run(
    search: _Search, method: str, rate: float, ascend: bool, trial_angle: float, *, watched: bool
) -> Iterator[Rotation]:
    if method == "lor":
        return _locally_optimal(search, watched)
    if method == "lanczos":
        return _lanczos(search, watched)
    if method == "optimal-angle":
        if not abs(math.sin(trial_angle)) > 1e-8:
            raise ValueError(f"Invalid trial_angle: {trial_angle}")
        return _optimal_angle(search, trial_angle, watched)
    if method == "fixed":
        if not rate >= 0.0:
            raise ValueError(f"Invalid rate: {rate}")
        return _fixed(search, -rate if ascend else rate, watched)
    raise ValueError(f"Invalid method: {method!r}, expected one of {', '.join(ROTATION_METHODS)}")


def _curvature(search: _Search, n: Tensor, y: Tensor) -> tuple[float, Tensor, float]:
    """Return N·HN, HN - CN and the length of that."""
    curvature = search.space.dot(n, y)
    residual = torch.add(y, n, alpha=-curvature)
    length = search.space.norm(residual)
    search.scale = max(search.scale, math.hypot(curvature, length))  # the length of HN
    return curvature, residual, length


def _locally_optimal(search: _Search, watched: bool) -> Iterator[Rotation]:
    space = search.space
    # Rows: N, the previous change of N (orthonormal to it; absent at first), the new direction. And their products.
    vectors = torch.empty(3, space.size, dtype=space.dtype, device=search.start.device)
    products = torch.empty_like(vectors)
    vectors[0], products[0] = search.start, search.product(search.start)
    known, change_curvature = 1, 0.0
    stale, probed = 0, False
    while True:
        n, y = vectors[0], products[0]
        curvature, residual, length = _curvature(search, n, y)
        settled = search.settled(curvature, length)
        if not math.isfinite(length) or search.left == 0 or space.size == 1:
            break
        if search.by_differences and stale >= RECOMPUTE_AFTER and (settled or search.left == 1):
            products[0], stale, known = search.product(n), 0, 1
            continue
        if settled and probed:
            break
        if watched:
            yield search.rotation(n.clone(), y.clone, curvature, length)
        # Where HN shows no way to turn, a random one: the eigenvector at hand need not be the lowest.
        probed = probed or settled
        if settled:
            turn = _orthonormal(space, search.random(), 1.0, vectors[:known])
        else:  # a long one is orthogonal to N as it stands; of a short one, rounding is a part
            first = 1 if length > 0.01 * search.scale else 0
            turn = _orthonormal(space, residual, length, vectors[first:known])
        if turn is None:
            break
        vectors[known], products[known] = turn, search.product(turn)
        coefficients, change_curvature = _lowest_in_span(vectors, products, known, curvature, change_curvature)
        if coefficients is None:
            break
        known = len(coefficients)
        for rows in (vectors, products):
            space.mix(rows, coefficients)
        stale += 1
    scale = 1.0 / space.norm(n)
    yield search.rotation(n * scale, lambda: y * scale, curvature, length)


def _orthonormal(space: FlatSpace, vector: Tensor, length: float, basis: Tensor) -> Tensor | None:
    """Return the unit vector along the part of a vector orthogonal to orthonormal rows; None if there is none."""
    before = length
    for _ in range(3 if len(basis) else 0):
        parts = space.rows_dot(basis, vector)
        for part, row in zip(parts.tolist(), basis, strict=True):
            vector = vector.add_(row, alpha=-part)
        small = float(parts.norm()) <= 1e-3 * length
        if small:  # what is left of them is beyond the precision, and so is the change of length
            return vector.div_(length)
        length = space.norm(vector)
        if not length > 1e-10 * before:
            return None
    return vector.div_(length)


def _lowest_in_span(
    vectors: Tensor, products: Tensor, known: int, curvature: float, change_curvature: float
) -> tuple[Tensor | None, float]:
    """Solve the Rayleigh-Ritz problem in two or three orthonormal rows, the last of them new.

    Returns
    -------
    coefficients : Tensor, shape=(1 or 2, known + 1), dtype=float64, or None
        Of the lowest vector, and of the direction in which the first row was left, orthonormal to it. None where a
        product is not finite.
    change_curvature : float
        Curvature along that direction.
    """
    size = known + 1
    matrix = torch.zeros(size, size, dtype=torch.float64)
    matrix[0, 0] = curvature
    if known == 2:
        # The last Rayleigh-Ritz problem has left the change conjugate to N.
        matrix[1, 1] = change_curvature
    matrix[-1] = FlatSpace.rows_dot(vectors[:size], products[known])
    matrix[:, -1] = matrix[-1]
    if not bool(torch.isfinite(matrix).all()):
        return None, change_curvature
    lowest = torch.linalg.eigh(matrix)[1][:, 0]
    change = lowest.clone()
    change[0] = 0.0
    change -= (change @ lowest) * lowest
    length = float(change.norm())
    if length < 1e-12:
        return lowest[None], 0.0
    change /= length
    return torch.stack((lowest, change)), float(change @ matrix @ change)


def _optimal_angle(search: _Search, trial_angle: float, watched: bool) -> Iterator[Rotation]:
    space, n = search.space, search.start
    y = search.product(n)
    stale = 0
    while True:
        curvature, residual, length = _curvature(search, n, y)
        settled = search.settled(curvature, length)
        if not math.isfinite(length) or search.left == 0:
            break
        if search.by_differences and stale >= RECOMPUTE_AFTER and (settled or search.left == 1):
            y, stale = search.product(n), 0
            continue
        if settled or length == 0.0:
            break
        if watched:
            yield search.rotation(n, partial(_same, y), curvature, length)
        turn = residual / -length
        trial = space.unit(math.cos(trial_angle) * n + math.sin(trial_angle) * turn)
        trial_product = search.product(trial)
        angle = fourier_angle(curvature, -2.0 * length, space.dot(trial, trial_product), trial_angle)
        # H is linear: its product with the turned N follows from the two at hand.
        sine = math.sin(trial_angle)
        n = math.cos(angle) * n + math.sin(angle) * turn
        y = (math.sin(trial_angle - angle) / sine) * y + (math.sin(angle) / sine) * trial_product
        scale = 1.0 / space.norm(n)
        n, y, stale = n * scale, y * scale, stale + 1
    yield search.rotation(n, partial(_same, y), curvature, length)


def _fixed(search: _Search, rate: float, watched: bool) -> Iterator[Rotation]:
    space, n = search.space, search.start
    while True:
        y = search.product(n)
        curvature, residual, length = _curvature(search, n, y)
        if search.left == 0 or search.settled(curvature, length) or not math.isfinite(length):
            break
        if watched:
            yield search.rotation(n, partial(_same, y), curvature, length)
        n = space.unit(torch.add(n, residual, alpha=-rate))
    yield search.rotation(n, partial(_same, y), curvature, length)


def _same(y: Tensor) -> Tensor:
    return y


def _lanczos(search: _Search, watched: bool) -> Iterator[Rotation]:
    space = search.space
    krylov = Krylov(space, space.split(search.start), min(search.left, MAX_STEPS))
    known: list[Tensor] | None = None
    probed = False
    while True:
        krylov.extend(search.product_of(krylov.next) if known is None else known)
        known = None
        curvature, residual = krylov.lowest()
        search.scale = max(search.scale, krylov.scale)
        if not math.isfinite(curvature + residual) or search.left == 0 or krylov.steps == space.size:
            break
        if watched:
            yield _lowest(search, krylov)
        settled = search.settled(curvature, residual)
        if settled and probed:
            break
        lower = None
        if settled or krylov.invariant:
            probed = True
            lower = _lower_beside(search, krylov, curvature - 1e-12 * search.scale)
            if lower is None:
                break
        elif krylov.complete:
            lowest = krylov.ritz()[1][:, 0]
            lower = krylov.vector(lowest), krylov.product(lowest)
        if lower is not None:
            scale = 1.0 / space.norm(lower[0])
            start, known = space.split(lower[0] * scale), space.split(lower[1] * scale)
            krylov = Krylov(space, start, min(search.left + 1, MAX_STEPS))
    yield _lowest(search, krylov, final=True)


def _lowest(search: _Search, krylov: Krylov, *, final: bool = False) -> Rotation:
    curvature, residual = krylov.lowest()
    lowest = krylov.ritz()[1][:, 0]
    n = search.space.unit(krylov.vector(lowest))
    if final and search.by_differences and search.products > RECOMPUTE_AFTER and search.left:
        y = search.product(n)
        curvature, _, residual = _curvature(search, n, y)
        return search.rotation(n, partial(_same, y), curvature, residual)
    return search.rotation(n, partial(krylov.product, lowest), curvature, residual)


def _lower_beside(search: _Search, krylov: Krylov, bound: float) -> tuple[Tensor, Tensor] | None:
    """Return a vector with a curvature below a bound and its product, with the help of one random direction.

    An eigenvector at hand, or an invariant space, shows no way to a lower one.
    """
    space, size = search.space, krylov.steps
    vector = search.random()
    for _ in range(2):
        factors = dots(krylov.basis, space.split(vector)).tolist()
        subtract_(space.split(vector), list(zip(factors, krylov.basis, strict=True)))
        length = space.norm(vector)
        if not length > 1e-8:
            return None
        vector = vector / length
    product = search.product_of(space.split(vector))
    matrix = torch.zeros(size + 1, size + 1, dtype=torch.float64)
    matrix[:size, :size] = krylov.matrix
    matrix[-1] = dots([*krylov.basis, space.split(vector)], product)
    matrix[:, -1] = matrix[-1]
    if not bool(torch.isfinite(matrix).all()):
        return None
    values, vectors = torch.linalg.eigh(matrix)
    search.scale = max(search.scale, float(matrix[-1].norm()))
    if not float(values[0]) < bound:
        return None
    known, share = vectors[:-1, 0], float(vectors[-1, 0])
    joined = space.flatten(product)
    return krylov.vector(known).add_(vector, alpha=share), krylov.product(known).add_(joined, alpha=share)
