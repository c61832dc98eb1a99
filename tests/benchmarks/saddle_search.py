"""Walks from a minimum up to a saddle: DEO's mode reflect, and the dimer of ASE on the same surface and starts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lieapp.engine.devices import single_thread
from lieapp.engine.stepping import stepper
from lieapp.landscapes.catalog import SURFACES, Surface
from lieapp.landscapes.models import PlanarModel
from lieapp.landscapes.recommended import Scales, planar_scales
from lieapp.optimizers.counting import CountingOracle
from lieapp.optimizers.oracle import norm
from lieapp.optimizers.registry import build_optimizer
from tests.benchmarks.saddle_cases import planar_start
from tests.benchmarks.saddle_race import REFLECT, Method

CLIMBS = (("muller-brown", 2), ("muller-brown", 1), ("himmelblau", 0), ("double-well", 0), ("leps", 1))
"""Surfaces, and which of their minima (the deepest is 0) the walks begin beside; (muller-brown, 2) is basin C."""

TOLERANCE = 1e-8
ROUGH = 1e-3
BUDGET = 5000.0


@dataclass(frozen=True)
class Climb:
    """Where a walk ended.

    Attributes
    ----------
    start : tuple of float
    rough, evaluations : float
        Gradients until the gradient was below `ROUGH` and stayed so, and below the tolerance; infinite if it never was.
    position : tuple of float
    index : int
        Negative eigenvalues of the Hessian there.
    """

    start: tuple[float, float]
    rough: float
    evaluations: float
    position: tuple[float, float]
    index: int

    @property
    def found(self) -> bool:
        """Whether it ended at a saddle."""
        return math.isfinite(self.evaluations) and self.index == 1


def start_of(shape: Surface, minimum: int, seed: int) -> tuple[float, float]:
    """Return a place beside a minimum, 2 % of the domain away, in a direction drawn with the seed."""
    return planar_start(shape.minima[minimum].position, 0.02 * shape.size, seed)


def climb(shape: Surface, start: tuple[float, float], method: Method = REFLECT, seed: int = 0) -> Climb:
    """Walk with an optimiser of this library."""
    curvature = max(planar_scales(shape.name, start=point.position).curvature for point in shape.saddles)
    settings = method.settings(0.5 / curvature, Scales(curvature, shape.size))
    model = PlanarModel(shape.function, start, torch.device("cpu"), torch.float64)
    oracle = CountingOracle(model.oracle)
    generator = torch.Generator().manual_seed(seed)
    with single_thread():
        optimizer = build_optimizer(settings, model.parameters, generator=generator)
        step = stepper(optimizer, oracle)
        length = rough = math.inf
        while oracle.evaluations() < BUDGET:
            step()
            oracle.observe()
            length = norm([p.grad for p in model.parameters if p.grad is not None])
            rough = min(rough, oracle.evaluations()) if length < ROUGH else math.inf
            if not length >= TOLERANCE:  # arrived, or no number
                break
    arrived = length < TOLERANCE
    return _climb(shape, start, model.position(), rough, oracle.evaluations() if arrived else math.inf)


def climb_with_ase(shape: Surface, start: tuple[float, float], seed: int = 0) -> Climb:
    """Walk with ASE's dimer at its own settings; its longest step is the share of the domain that DEO trusts.

    Every gradient that its calculator computes is counted, those of rotations and of trial steps as well.
    """
    from ase import Atoms
    from ase.calculators.calculator import Calculator, all_changes
    from ase.mep import DimerControl, MinModeAtoms, MinModeTranslate

    class OnSurface(Calculator):
        implemented_properties = ["energy", "forces"]  # noqa: RUF012
        evaluations = 0

        def calculate(self, atoms: Any = None, properties: Any = None, system_changes: Any = all_changes) -> None:
            super().calculate(atoms, properties, system_changes)
            assert self.atoms is not None
            x, y, _ = self.atoms.positions[0]
            self.evaluations += 1
            fx, fy = shape.gradient(x, y)
            self.results = {
                "energy": float(shape.value(x, y)),
                "forces": np.array([[-float(fx), -float(fy), 0.0]]),
            }

    atoms = Atoms("H", positions=[(*start, 0.0)])
    atoms.calc = OnSurface()
    mode = np.random.default_rng(seed).standard_normal(2)
    control = DimerControl(logfile=None, maximum_translation=0.03 * shape.size)
    dimer = MinModeAtoms(atoms, control, eigenmodes=[np.array([[*(mode / np.linalg.norm(mode)), 0.0]])])
    walk = MinModeTranslate(dimer, logfile=None)
    length = rough = math.inf
    try:
        for _ in walk.irun(fmax=1e-300, steps=int(BUDGET)):
            length = float(np.linalg.norm(dimer.get_forces(real=True)))
            rough = min(rough, float(atoms.calc.evaluations)) if length < ROUGH else math.inf
            if not length >= TOLERANCE or atoms.calc.evaluations >= BUDGET:
                break
    except RuntimeError:  # "Dimer calculation diverged"
        length = math.inf
    arrived = length < TOLERANCE
    spent = float(atoms.calc.evaluations)
    return _climb(shape, start, np.asarray(dimer.positions[0, :2]), rough, spent if arrived else math.inf)


def _climb(
    shape: Surface, start: tuple[float, float], position: NDArray[np.float64], rough: float, evaluations: float
) -> Climb:
    if not np.isfinite(position).all():
        return Climb(start, math.inf, math.inf, (math.nan, math.nan), -1)
    xx, xy, yy = (float(part) for part in shape.hessian(*position))
    index = int((np.linalg.eigvalsh([[xx, xy], [xy, yy]]) < 0.0).sum()) if math.isfinite(xx + xy + yy) else -1
    return Climb(start, rough, evaluations, (float(position[0]), float(position[1])), index)


def places() -> list[tuple[Surface, int]]:
    """Return surfaces and minima of `CLIMBS`."""
    return [(SURFACES[name], minimum) for name, minimum in CLIMBS]
