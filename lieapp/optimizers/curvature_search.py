"""When a wrapping optimiser searches for the direction of lowest curvature, and the search itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from lieapp.optimizers.curvature_block import CurvatureBlock, CurvatureMemory
from lieapp.optimizers.dimer import ROTATION_METHODS, Rotation, rotate
from lieapp.optimizers.flat import MANY, FlatSpace
from lieapp.optimizers.oracle import Costs, FiniteDifferenceOracle, Oracle, rough_norm
from lieapp.optimizers.presented import RestrictedOracle
from lieapp.optimizers.tensor_lists import rough_product_and_norm

__all__ = ["MAX_INTERVAL", "PAPER_LENGTH", "CurvatureSearch", "check_options"]

_CHOICES = {
    "mode": ("paper", "project", "reflect", "escape", "off"),
    "method": ROTATION_METHODS,
    "derivative": ("one-sided", "central", "exact"),
    "apply": ("every-step", "on-refresh"),
    "scope": ("global", "per-layer"),
    "translation": ("lbfgs", "base"),
}

MAX_INTERVAL = 160
"""Steps up to which an adaptive interval grows."""

PAPER_LENGTH = 0.006
"""Distance of the two points in the code published with arXiv:2507.19968."""

_SMALL_RESIDUAL = 0.5
_STILL_DEGREES = 5.0
_FALLEN, _FALLEN_BESIDE_SADDLES = 0.1, 1.0 / 3.0

_LOOK_EVERY = 5
"""Steps between two looks at the length of the gradient where nothing else needs it and it has many numbers."""


class CurvatureSearch:
    """Keeps directions of lowest curvature, and searches for new ones when they are due.

    Parameters
    ----------
    options : dict of str to Any
        Those of `lieapp.optimizers.deo.DEO`.
    seed : int
        Of the generator of first directions.

    Attributes
    ----------
    options : dict of str to Any
    memory : CurvatureMemory
    generator : torch.Generator
    """

    def __init__(self, options: dict[str, Any], seed: int) -> None:
        check_options(options)
        self.options = options
        self.memory = CurvatureMemory(interval=float(options["interval"]))
        self.generator = torch.Generator().manual_seed(seed)

    @property
    def direction(self) -> list[Tensor] | None:
        """The directions of all blocks, one tensor per parameter."""
        blocks = self.memory.blocks
        return [x.detach() for block in blocks for x in block.direction] if blocks else None

    def follow(
        self,
        closure: Callable[[], Tensor] | None,
        oracle: Oracle | None,
        own: Sequence[Tensor],
        grads: Sequence[Tensor],
    ) -> bool:
        """Take the gradient of a step, and search if it is time to.

        Parameters
        ----------
        closure, oracle
            Either of them, to be asked for further gradients.
        own, grads : sequence of Tensor
            Parameters and their gradients.

        Returns
        -------
        bool
            Whether the directions are fresh.

        Raises
        ------
        RuntimeError
            For ``exact`` products without an oracle, or an oracle that misses a parameter.
        """
        memory = self.memory
        known = self._fit(own) and not math.isinf(float(self.options["interval"]))
        # A step that searches anyway will ask for the slopes along the new directions.
        slopes, length = [], memory.lately
        idle = known and self._idle(own)
        if idle and not self._looks():
            memory.since, memory.alignment = memory.since + 1, math.nan
            return False
        if idle:
            length = rough_norm(grads)
        elif known and (memory.since + 1 < memory.interval or any(block.stride for block in memory.blocks)):
            measured = [rough_product_and_norm(b.direction, part) for b, part in self.parts(grads)]
            slopes, length = [slope for slope, _ in measured], math.hypot(*(norm for _, norm in measured))
            for block, slope in zip(memory.blocks, slopes, strict=True):
                block.watch(slope, fresh=False)
        else:
            length = rough_norm(grads)
        fresh = self._due(length, known)
        if fresh:
            self._refresh(closure, oracle, own, length)
        elif idle:
            memory.since, memory.lately, memory.alignment = memory.since + 1, length, math.nan
            return False
        if fresh or not slopes:
            for block, part in self.parts(grads):
                block.watch(rough_product_and_norm(block.direction, part)[0], fresh=fresh)
        memory.since, memory.lately = 0 if fresh else memory.since + 1, length
        slope = math.hypot(*(block.slope for block in memory.blocks)) if memory.blocks else math.nan
        memory.alignment = slope / length if length > 0.0 else math.nan
        return fresh

    def keep_to(self, places: Sequence[int]) -> None:
        """Forget directions over other parameters than those at these places, or the first of them.

        Their shapes alone do not tell: a parameter may have been frozen since, and another one not.
        """
        memory, places = self.memory, list(places)
        if memory.places != places[: len(memory.places)]:
            memory.blocks = []
        memory.places = places

    def alignment(self, grads: Sequence[Tensor]) -> float:
        """Return \\|g·N\\| / \\|g\\| of the last step; of the gradients at hand where that step had no use for it."""
        memory = self.memory
        if (
            math.isnan(memory.alignment)
            and memory.blocks
            and len(grads) == sum(len(b.direction) for b in memory.blocks)
        ):
            measured = [rough_product_and_norm(block.direction, part) for block, part in self.parts(grads)]
            slope, length = (math.hypot(*values) for values in zip(*measured, strict=True))
            memory.alignment = slope / length if length > 0.0 else math.nan
        return memory.alignment

    def parts(self, tensors: Sequence[Tensor]) -> list[tuple[CurvatureBlock, list[Tensor]]]:
        """Return each block with its share of a list that holds one tensor for every parameter."""
        parts, place = [], 0
        for block in self.memory.blocks:
            parts.append((block, list(tensors[place : place + len(block.direction)])))
            place += len(block.direction)
        return parts

    def plain(self) -> dict[str, Any]:
        """Return options, memory and the generator's state as tensors, numbers, lists and dicts only."""
        return {"options": dict(self.options), **self.memory.plain(), "generator": self.generator.get_state()}

    def load_plain(self, values: Mapping[str, Any] | None, own: Sequence[Tensor]) -> None:
        """Take what `plain` gave; None stands for a search that has not begun.

        Raises
        ------
        ValueError
            If directions and parameters differ, or an option is out of range.
        """
        if values is None:
            self.memory = CurvatureMemory(interval=float(self.options["interval"]))
            return
        options = {**self.options, **values["options"]}
        check_options(options)
        self.options = options
        self.memory = CurvatureMemory.from_plain(values, self._owned(own))
        self.generator.set_state(values["generator"].cpu())

    def __getstate__(self) -> dict[str, Any]:
        """Return what copying and pickling need; a generator travels as its state."""
        return {**self.__dict__, "generator": self.generator.get_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild from `__getstate__`."""
        self.__dict__.update(state)
        self.generator = torch.Generator()
        self.generator.set_state(state["generator"])

    def _idle(self, own: Sequence[Tensor]) -> bool:
        """Whether a step has no use for slopes, and there are so many numbers that taking them would count."""
        if self.options["mode"] != "escape" or any(block.awaits_slope for block in self.memory.blocks):
            return False
        return sum(p.numel() for p in own) > MANY

    def _looks(self) -> bool:
        """Whether a step without use for slopes takes the length of the gradient, or may search."""
        memory = self.memory
        since = memory.since + 1
        if (
            since >= memory.interval
            or not memory.judged
            or (memory.paid and any(block.left for block in memory.blocks))
        ):
            return True
        return self._adaptive and since % _LOOK_EVERY == 0

    def _due(self, length: float, known: bool) -> bool:
        memory, interval = self.memory, float(self.options["interval"])
        if math.isinf(interval) or not math.isfinite(length):
            return False
        if not known:
            return True
        since = memory.since + 1
        if not self._adaptive:
            memory.interval = interval
            return since >= interval
        due, left = since >= memory.interval, any(block.left for block in memory.blocks)
        if not memory.judged:
            self._judge(final=due or left)
        fallen = (_FALLEN_BESIDE_SADDLES if memory.bends_down else _FALLEN) * memory.reference
        if length < fallen and memory.lately < fallen:  # one alone may be a batch's
            memory.interval = interval
        return due or since >= memory.interval or (left and memory.paid and since >= memory.products)

    def _judge(self, *, final: bool) -> None:
        """Search often while that pays: while escapes gain more than the base would for the price of a search."""
        memory = self.memory
        memory.paid = sum(block.gain for block in memory.blocks) > 0.5 * memory.price * memory.pace
        memory.judged = memory.paid or final
        if memory.paid:
            memory.interval = float(self.options["interval"])
        elif final:
            memory.interval = self._longer()

    def _fit(self, own: Sequence[Tensor]) -> bool:
        """Make the directions fit the parameters, which may have become more; return whether there are any."""
        blocks, owned = self.memory.blocks, self._owned(own)
        if not blocks:
            return False
        known, wanted = ([x.shape for x in list_] for list_ in ([n for b in blocks for n in b.direction], own))
        if known != wanted:
            if known != wanted[: len(known)] or self.options["scope"] == "per-layer":
                self.memory.blocks = []
                return False
            blocks[0].direction += [torch.zeros_like(p, dtype=FlatSpace(own).dtype) for p in own[len(known) :]]
        return len(self.memory.blocks) == len(owned)

    def _oracle(
        self, closure: Callable[[], Tensor] | None, oracle: Oracle | None, own: Sequence[Tensor]
    ) -> tuple[Oracle, AbstractContextManager[None]]:
        """Return the oracle to ask for products, and the context to ask in."""
        derivative, paper = self.options["derivative"], self.options["mode"] == "paper"
        if derivative == "exact":
            if oracle is None:
                raise RuntimeError(
                    "DEO with exact products needs an oracle: step(oracle=AutogradOracle(...)); a closure that has "
                    "called backward cannot be differentiated again"
                )
            return oracle if _same(oracle.parameters, own) else RestrictedOracle(oracle, own), nullcontext()
        central = derivative == "central"
        price = 1.0 if oracle is None else oracle.costs.gradient
        length = self.options["dimer_length"]
        other = getattr(oracle, "curvature_gradient", None)
        differences = FiniteDifferenceOracle(
            other or (closure if oracle is None else oracle.gradient),  # type: ignore[arg-type]
            own,
            central=central,
            displacement=PAPER_LENGTH if length is None and paper else length,
            costs=Costs(gradient=price, loss=price, hvp=price * (2.0 if central else 1.0)),
        )
        return differences, differences.holding(adopt=other is None)

    def _refresh(
        self, closure: Callable[[], Tensor] | None, oracle: Oracle | None, own: Sequence[Tensor], length: float
    ) -> None:
        memory = self.memory
        before = self.direction
        known: list[CurvatureBlock | None] = [*memory.blocks] or [None] * len(self._owned(own))
        found = []
        asked, context = self._oracle(closure, oracle, own)
        with context:
            for block, parameters in zip(known, self._owned(own), strict=True):
                part = asked if len(parameters) == len(own) else RestrictedOracle(asked, parameters)
                rotation = self._search(part, self._start(block))
                found.append((rotation, self._turned(rotation, parameters)))
        memory.blocks = [
            CurvatureBlock(direction, rotation.curvature, rotation.residual, rotation.scale, rotation.resolution)
            for rotation, direction in found
        ]
        memory.products = sum(rotation.products for rotation, _ in found)
        memory.price = sum(rotation.evaluations for rotation, _ in found)
        memory.price += self._price_of_point(oracle, asked)
        memory.evaluations += memory.price
        memory.reference = length
        memory.judged, memory.paid = not self.pays_by_escapes or not memory.bends_down, False
        memory.turn_degrees = _angle(before, self.direction, len(found))
        if self._adaptive:
            memory.interval = self._next_interval([rotation for rotation, _ in found])

    def _price_of_point(self, oracle: Oracle | None, asked: Oracle) -> float:
        """Return the price of the gradient at the point itself, where products need it on a batch of their own."""
        own_batch = self.options["derivative"] == "one-sided" and hasattr(oracle, "curvature_gradient")
        return float(asked.costs.gradient) if own_batch else 0.0

    def _start(self, block: CurvatureBlock | None) -> list[Tensor] | None:
        """Return where a search begins: from the last direction, unless that is flat, for then it leads no further."""
        if block is None or (self.options["mode"] == "escape" and block.is_flat):
            return None
        return block.direction

    def _search(self, oracle: Oracle, direction: Sequence[Tensor] | None) -> Rotation:
        options = self.options
        paper = options["mode"] == "paper"
        if direction is None and paper:
            space = FlatSpace(oracle.parameters)
            direction = space.split(space.random(self.generator))
        return rotate(
            oracle,
            direction,
            budget=oracle.costs.hvp * (1 if paper else options["rotations"] + 1),
            method="fixed" if paper else options["method"],
            tolerance=0.0 if paper else options["tolerance"],
            rate=options["rotation_rate"],
            generator=self.generator,
        )

    def _turned(self, rotation: Rotation, parameters: Sequence[Tensor]) -> list[Tensor]:
        """Return the direction to use: as found, or turned once more as transcribed from the paper."""
        if self.options["mode"] != "paper":
            return rotation.direction
        length = self.options["dimer_length"] or PAPER_LENGTH
        space = FlatSpace(parameters)
        n, y = space.flatten(rotation.direction), space.flatten(rotation.product)
        # The transcription's F is a difference of gradients, not divided by the distance.
        force = length * torch.add(y, n, alpha=-rotation.curvature)
        turned = torch.add(n, force, alpha=float(self.options["rotation_rate"]))
        return space.split(space.unit(turned)) if bool(torch.isfinite(turned).all()) else rotation.direction

    def _next_interval(self, found: Sequence[Rotation]) -> float:
        memory = self.memory
        if memory.bends_down:
            return memory.interval if self.pays_by_escapes else float(self.options["interval"])
        quiet = all(r.relative_residual <= _SMALL_RESIDUAL for r in found)
        still = self.pays_by_escapes or memory.turn_degrees <= _STILL_DEGREES
        return self._longer() if quiet and still else memory.interval

    def _longer(self) -> float:
        return max(float(self.options["interval"]), min(2.0 * self.memory.interval, MAX_INTERVAL))

    @property
    def pays_by_escapes(self) -> bool:
        """Whether escapes decide how often to search."""
        return bool(self.options["adaptive"] and self.options["mode"] == "escape")

    @property
    def _adaptive(self) -> bool:
        return bool(self.options["adaptive"] and self.options["mode"] in ("escape", "project"))

    def _owned(self, own: Sequence[Tensor]) -> list[list[Tensor]]:
        return [list(own)] if self.options["scope"] == "global" else [[p] for p in own]


def _same(a: Sequence[Tensor], b: Sequence[Tensor]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


def _angle(before: list[Tensor] | None, after: list[Tensor] | None, blocks: int) -> float:
    """Return the angle between two lists that join as many unit vectors, regardless of sign, in degrees."""
    if before is None or after is None:
        return math.nan
    return math.degrees(math.acos(min(1.0, abs(rough_product_and_norm(before, after)[0]) / blocks)))


def check_options(options: Mapping[str, Any]) -> None:
    """Raise ValueError for an option that is out of range."""
    for name, choices in _CHOICES.items():
        if options[name] not in choices:
            raise ValueError(f"Invalid {name}: {options[name]!r}, expected one of {', '.join(choices)}")
    if not options["strength"] >= 0.0:
        raise ValueError(f"Invalid strength: {options['strength']}")
    if not options["interval"] >= 1.0:
        raise ValueError(f"Invalid interval: {options['interval']}")
    if int(options["rotations"]) != options["rotations"] or options["rotations"] < 0:
        raise ValueError(f"Invalid rotations: {options['rotations']}")
    for name in ("trust_radius", "tolerance"):
        if not 0.0 < options[name] < math.inf:
            raise ValueError(f"Invalid {name}: {options[name]}")
    if not 0.0 <= options["rotation_rate"] < math.inf:
        raise ValueError(f"Invalid rotation_rate: {options['rotation_rate']}")
    if not 0.0 < options["kick"] <= 1.0:
        raise ValueError(f"Invalid kick: {options['kick']}")
    length = options["dimer_length"]
    if length is not None and not 0.0 < length < math.inf:
        raise ValueError(f"Invalid dimer_length: {length}")
