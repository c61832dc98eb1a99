"""What an optimiser remembers about one direction of lowest curvature, and about all of them together."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import torch
from torch import Tensor

__all__ = ["CurvatureBlock", "CurvatureMemory"]


@dataclass
class CurvatureBlock:
    """A unit vector over some parameters, and the curvature along it when it was last measured.

    Attributes
    ----------
    direction : list of Tensor
        In the shapes of the block's parameters.
    curvature, residual, scale, resolution : float
        As in `lieapp.optimizers.dimer.Rotation`.
    slope : float
        g·N of the last step.
    left : bool
        Whether the slope has fallen since: the negative curvature has been left behind.
    stride : float
        How far the last step went along the direction, on purpose.
    gain : float
        By how much the loss fell on these strides since the last refresh: their length times the mean of the slopes at
        both ends, or the one at the end if that is less: what only the batch of the search showed was no gain.
    """

    direction: list[Tensor]
    curvature: float = math.nan
    residual: float = math.nan
    scale: float = math.nan
    resolution: float = 5e-3
    slope: float = math.nan
    left: bool = False
    stride: float = 0.0
    gain: float = 0.0

    @property
    def bends_down(self) -> bool:
        """Whether the curvature is negative beyond what products can tell."""
        return self.curvature < -self._noise

    @property
    def is_flat(self) -> bool:
        """Whether the curvature is zero, as far as products can tell."""
        return abs(self.curvature) <= self._noise

    @property
    def _noise(self) -> float:
        return self.resolution * self.scale

    @property
    def awaits_slope(self) -> bool:
        """Whether an escape is under way, or its last stride not judged."""
        return self.stride != 0.0 or (self.bends_down and not self.left)

    def watch(self, slope: float, *, fresh: bool) -> None:
        """Take the slope at the next gradient: where the curvature is still negative, it has grown on the way down."""
        known = not fresh and self.curvature < 0.0 and self.slope != 0.0 and math.isfinite(self.slope)
        if known and slope * self.slope <= self.slope * self.slope:
            self.left = True
        if self.stride != 0.0 and not fresh:
            self.gain += min(-0.5 * self.stride * (self.slope + slope), -self.stride * slope)
            self.stride = 0.0
        self.slope = slope


@dataclass
class CurvatureMemory:
    """Everything that must survive between two steps, and in a saved state.

    Attributes
    ----------
    steps : int
        Steps taken.
    since : int
        Steps since the directions were last refreshed.
    interval : float
        Steps between two refreshes at present.
    reference, lately : float
        Gradient norm at the last refresh, and at the last step.
    products : int
        Hessian-vector products of the last refresh.
    price : float
        Evaluations of the last refresh.
    pace : float
        What a step of the base could gain at the last refresh at most: its length times the gradient norm.
    judged, paid : bool
        Whether it has been decided if the last refresh was worth its price, and if so, whether it was.
    evaluations : float
        Evaluations spent in all, in gradients.
    alignment : float
        \\|g·N\\| / \\|g\\| at the last step.
    turn_degrees : float
        Angle by which the last refresh turned the direction, regardless of sign.
    escaping : bool
        Whether the last step went along negative curvature.
    places : list of int
        Which of the optimiser's parameters the directions belong to.
    blocks : list of CurvatureBlock
        Empty before the first refresh.
    """

    steps: int = 0
    since: int = 0
    interval: float = 1.0
    reference: float = math.nan
    lately: float = math.nan
    products: int = 0
    price: float = 0.0
    pace: float = 0.0
    judged: bool = True
    paid: bool = False
    evaluations: float = 0.0
    alignment: float = math.nan
    turn_degrees: float = math.nan
    escaping: bool = False
    places: list[int] = field(default_factory=list)
    blocks: list[CurvatureBlock] = field(default_factory=list)

    @property
    def bends_down(self) -> bool:
        """Whether some direction has negative curvature."""
        return any(block.bends_down for block in self.blocks)

    def plain(self) -> dict[str, Any]:
        """Return tensors, numbers, lists and dicts only."""
        values = {item.name: getattr(self, item.name) for item in fields(self)}
        values["blocks"] = [{item.name: getattr(b, item.name) for item in fields(b)} for b in self.blocks]
        return values

    @classmethod
    def from_plain(cls, values: Mapping[str, Any], parameters: Sequence[Sequence[Tensor]]) -> CurvatureMemory:
        """Return what `plain` gave, with copies of the tensors on the devices of the parameters.

        Parameters
        ----------
        values : mapping
        parameters : sequence of sequence of Tensor
            Those of each block.

        Raises
        ------
        ValueError
            If directions and parameters differ in shape.
        """
        blocks = []
        stored = values["blocks"]
        if stored and len(stored) != len(parameters):
            raise ValueError(f"loaded state dict has {len(stored)} directions, the optimiser {len(parameters)}")
        for entry, owned in zip(stored, parameters, strict=False):
            shapes, wanted = [tuple(x.shape) for x in entry["direction"]], [tuple(p.shape) for p in owned]
            if shapes != wanted:
                raise ValueError(f"loaded state dict has a direction of shapes {shapes}, the parameters {wanted}")
            direction = [
                torch.empty_like(p, dtype=_precision(owned)).copy_(x)
                for x, p in zip(entry["direction"], owned, strict=True)
            ]
            blocks.append(CurvatureBlock(**{**entry, "direction": direction}))
        known = {item.name for item in fields(cls)} - {"blocks"}
        return cls(**{name: values[name] for name in known & values.keys()}, blocks=blocks)


def _precision(parameters: Sequence[Tensor]) -> torch.dtype:
    return torch.float64 if any(p.dtype == torch.float64 for p in parameters) else torch.float32
