"""Searching for the lowest direction where a walk up to a saddle needs it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from lieapp.optimizers.curvature_block import CurvatureMemory
from lieapp.optimizers.curvature_search import CurvatureSearch
from lieapp.optimizers.dimer import Rotation
from lieapp.optimizers.flat import FlatSpace
from lieapp.optimizers.oracle import Oracle, norm
from lieapp.optimizers.presented import ShutOracle
from lieapp.optimizers.saddle_walk import Lowest, SaddleWalk

__all__ = ["SaddleSearch", "walks"]

_LONGEST = 4.0
_TURN_DEGREES = 10.0
_NOISE = 1e-6


def walks(options: dict[str, Any]) -> bool:
    """Return whether these options of DEO ask for a walk to a saddle with steps of its own."""
    return bool(options["mode"] == "reflect" and options["translation"] == "lbfgs")


class SaddleSearch(CurvatureSearch):
    """Searches for N, and the walk that uses it.

    With ``adaptive``, the walk searches anew in the step after a search that has turned N by more than 10°; else it
    doubles the number of steps between two searches, up to 4 and to ``interval``.

    Parameters
    ----------
    options : dict of str to Any
        Those of `lieapp.optimizers.deo.DEO`.
    seed : int
        Of the generator of first directions.

    Attributes
    ----------
    walk : SaddleWalk

    Raises
    ------
    ValueError
        For directions per layer, and an option that is out of range.
    """

    def __init__(self, options: dict[str, Any], seed: int) -> None:
        super().__init__(options, seed)
        if options["scope"] != "global":
            raise ValueError("Invalid scope: a walk to a saddle needs one direction over all layers")
        self.walk = SaddleWalk()
        self.memory.interval = self._first_interval

    def next_step(
        self,
        closure: Callable[[], Tensor] | None,
        oracle: Oracle | None,
        own: Sequence[Tensor],
        grads: Sequence[Tensor],
    ) -> list[Tensor] | None:
        """Search if it is time to, and return the next step.

        Parameters
        ----------
        closure, oracle
            Either of them, to be asked for further gradients.
        own, grads : sequence of Tensor
            Parameters and their gradients.

        Returns
        -------
        list of Tensor or None
            In the shapes and types of the parameters; None where there is no N, for want of a search or of numbers.
        """
        space = FlatSpace(own)
        if not self.walk.fits(space.size):
            self.walk = SaddleWalk()
        walk, longest = self.walk, float(self.options["trust_radius"])
        fresh = self.follow(closure, oracle, own, grads)
        gradient = space.flatten(grads)
        step = None
        if not math.isfinite(space.norm(gradient)):
            step = walk.retreat()
        elif self.memory.blocks and math.isfinite(self.memory.blocks[0].curvature):
            (block,) = self.memory.blocks
            lowest = Lowest(space.flatten(block.direction), block.curvature, block.scale)
            if fresh and space.size > 1 and walk.must_check(gradient, lowest, longest):
                second = self._beside(closure, oracle, own)
                walk.checked = not second.curvature < -_NOISE * block.scale
                if not walk.checked:
                    step = walk.leave(space.flatten(second.direction), longest)
            if step is None:
                step = walk.step(gradient, lowest, longest, fresh=fresh)
        return None if step is None else space.split_as_parameters(step)

    def plain(self) -> dict[str, Any]:
        """Return what `CurvatureSearch.plain` does, and the walk."""
        return {**super().plain(), "walk": self.walk.plain()}

    def load_plain(self, values: Any, own: Sequence[Tensor]) -> None:
        """Take what `plain` gave; None stands for a search that has not begun."""
        super().load_plain(values, own)
        if values is None:
            self.memory = CurvatureMemory(interval=self._first_interval)
        self.walk = SaddleWalk.from_plain(None if values is None else values.get("walk"), FlatSpace(own))

    def _beside(self, closure: Callable[[], Tensor] | None, oracle: Oracle | None, own: Sequence[Tensor]) -> Rotation:
        """Return the lowest direction across N; what is remembered of N stays."""
        (block,) = self.memory.blocks
        asked, context = self._oracle(closure, oracle, own)
        with context:
            rotation = self._search_across(asked, None, block.direction, block.scale)
        self.memory.evaluations += rotation.evaluations + self._price_of_point(oracle, asked)
        return rotation

    def _search(self, oracle: Oracle, direction: Sequence[Tensor] | None) -> Rotation:
        shut = self.walk.shut
        if shut is None:
            return super()._search(oracle, direction)
        space = FlatSpace(oracle.parameters)
        return self._search_across(oracle, direction, space.split(shut), self.memory.blocks[0].scale)

    def _search_across(
        self, oracle: Oracle, direction: Sequence[Tensor] | None, shut: Sequence[Tensor], scale: float
    ) -> Rotation:
        """Search among the directions across one; from a random one of them where there is no other to begin with."""
        across, space = ShutOracle(oracle, shut, scale), FlatSpace(oracle.parameters)
        start = [] if direction is None else across.without([x.clone() for x in direction])
        if not start or norm(start) < 0.1:
            start = across.without([x.clone() for x in space.split(space.random(self.generator))])
        return super()._search(across, start)

    def _due(self, length: float, known: bool) -> bool:
        interval = float(self.options["interval"])
        if math.isinf(interval) or not math.isfinite(length):
            return False
        return not known or self.walk.searching or self.memory.since + 1 >= self.memory.interval

    def _next_interval(self, found: Sequence[Rotation]) -> float:
        still = self.memory.turn_degrees <= _TURN_DEGREES
        return min(2.0 * self.memory.interval, _LONGEST, float(self.options["interval"])) if still else 1.0

    @property
    def _first_interval(self) -> float:
        return 1.0 if self._adaptive else float(self.options["interval"])

    @property
    def _adaptive(self) -> bool:
        return bool(self.options["adaptive"])
