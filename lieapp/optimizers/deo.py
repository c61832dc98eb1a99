"""Dimer-enhanced optimisation: any optimiser, with the direction of lowest curvature at hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lieapp.optimizers.curvature_block import CurvatureBlock, CurvatureMemory
from lieapp.optimizers.dimer import ROTATION_METHODS, Rotation, rotate
from lieapp.optimizers.flat import FlatSpace
from lieapp.optimizers.oracle import Costs, FiniteDifferenceOracle, Oracle, dot, norm, rough_norm
from lieapp.optimizers.presented import PresentedOracle, RestrictedOracle
from lieapp.optimizers.registry import accepts_oracle
from lieapp.optimizers.wrapping import Base, build_base

__all__ = ["DEO"]

_CHOICES = {
    "mode": ("paper", "project", "reflect", "escape", "off"),
    "method": ROTATION_METHODS,
    "derivative": ("one-sided", "central", "exact"),
    "apply": ("every-step", "on-refresh"),
    "scope": ("global", "per-layer"),
}

MAX_INTERVAL = 160
PAPER_LENGTH = 0.006

_SMALL_RESIDUAL = 0.5
_STILL_DEGREES = 5.0
_NOISE = {torch.float64: 1e-5, torch.float32: 5e-3}


class DEO(Optimizer):
    r"""Wrap an optimiser; every K steps find N, the direction of lowest curvature C, and use it.

    With g the gradient, what the base optimiser is given, and what follows it, is

    ========  =================================================================================================
    escape    g; then, where C < 0, a step of :math:`\min(|g \cdot N| / |C|, r)` down along :math:`\pm N`
    project   :math:`g - \alpha (g \cdot N) N`
    reflect   :math:`g - 2 (g \cdot N) N` where C < 0, else :math:`-(g \cdot N) N`: climbs to a saddle
    paper     :math:`g - \alpha (g \cdot N) N`, and N turned as transcribed (below)
    off       g
    ========  =================================================================================================

    Near a strict saddle with lowest eigenvalue :math:`\lambda < 0` along N, descent with rate :math:`\eta` multiplies
    the unstable coordinate in every step by :math:`1 + \eta (1 - \alpha) |\lambda|`. So projecting, with a right N,
    cannot escape: at :math:`\alpha = 1` the coordinate is frozen, below it grows more slowly than without DEO, and
    beyond it falls to the saddle, which is what the dimer method is for. At a gradient of exactly zero no
    :math:`\alpha` moves anything. Scaling the gradient before a base like Adam, which divides by its recent size,
    mostly cancels. ``escape`` therefore steps after the base and apart from it, at least ``kick`` radii far.

    Parameters
    ----------
    params : iterable or None
        As for any torch optimiser; None with an optimiser that exists.
    base : str, settings, type, callable or Optimizer
        A name ("sgd", "adam", "adamw", "sophia", ...), settings, a class or a factory of parameters, or an optimiser.
        It must be able to step without a closure.
    mode : {"escape", "project", "reflect", "paper", "off"}
    strength : float
        The :math:`\alpha` of ``project`` and ``paper``.
    interval : float
        Steps K between two searches for N; ``math.inf`` for none at all.
    adaptive : bool
        In ``escape`` and ``project``, double K, up to 160, after a search that found C > 0 with a small residual (in
        ``project``, which uses N there too, only if N turned by less than 5°); back to ``interval`` when the gradient
        has fallen tenfold or C < 0. In ``reflect`` an old N would lead uphill for too long.
    rotations : int
        Most rotations of one search. It costs one product more than there are rotations.
    method : {"lor", "lanczos", "optimal-angle", "fixed"}
        See `lieapp.optimizers.dimer.rotate`.
    tolerance : float
        A search ends at this relative residual.
    derivative : {"one-sided", "central", "exact"}
        Products from one further gradient, from two, or the oracle's own (``exact``, needs ``oracle=``).
    dimer_length : float, optional
        Distance of the two points; fitted to the precision if absent (``paper``: 0.006).
    rotation_rate : float
        Of the method ``fixed`` and the mode ``paper``.
    apply : {"every-step", "on-refresh"}
        Use N in every step, or only in those that have just searched.
    scope : {"global", "per-layer"}
        One N over all parameters, the Hessian's eigenvector; or one for each parameter tensor, of the Hessian's
        diagonal block, with a search each.
    trust_radius : float
        Longest escape step r.
    kick : float
        Shortest escape step, in trust radii.
    generator : torch.Generator, optional
        Passed to a base that draws. Its seed also starts the generator of first directions, which is DEO's own.
    **base_options
        For the base: ``lr``, ``foreach``, ``fused``, ...

    Raises
    ------
    ValueError
        For a setting out of range, a base that needs a closure, ``maximize`` or ``differentiable``.

    Notes
    -----
    ``paper`` follows a public transcription of arXiv:2507.19968; nobody here has read the paper's own equations. Every
    K steps, :math:`g_2` the gradient at :math:`\theta + \Delta R\, N`,

    .. math:: F = (g_2 - g) - ((g_2 - g) \cdot N) N, \qquad N \leftarrow (N + \eta_{rot} F) / |N + \eta_{rot} F|.

    With this sign N turns to the *highest* curvature, and F is not divided by :math:`\Delta R`, so that it hardly
    turns. The strength that the paper uses is not known here either.

    ``param_groups`` and ``state`` are the base's own, so schedulers work on them; hooks may be registered on DEO, the
    base's are called too. A step needs a closure that gives the same answer at the same parameters (no new batch, no
    new dropout mask), or an oracle; ``torch.amp.GradScaler`` supports no closures, so it cannot drive DEO. Parameters
    and gradients are put back bit by bit after a search, also when the closure raises.

    Attributes
    ----------
    base : Optimizer
    evaluations : float
        Spent so far, in gradients.
    """

    def __init__(
        self,
        params: Any,
        base: Base = "sgd",
        *,
        mode: str = "escape",
        strength: float = 1.0,
        interval: float = 10.0,
        adaptive: bool = True,
        rotations: int = 5,
        method: str = "lor",
        tolerance: float = 0.05,
        derivative: str = "one-sided",
        dimer_length: float | None = None,
        rotation_rate: float = 0.1,
        apply: str = "every-step",
        scope: str = "global",
        trust_radius: float = 0.1,
        kick: float = 0.01,
        generator: torch.Generator | None = None,
        **base_options: Any,
    ) -> None:
        self.options: dict[str, Any] = {
            "mode": mode,
            "strength": strength,
            "interval": interval,
            "adaptive": adaptive,
            "rotations": rotations,
            "method": method,
            "tolerance": tolerance,
            "derivative": derivative,
            "dimer_length": dimer_length,
            "rotation_rate": rotation_rate,
            "apply": apply,
            "scope": scope,
            "trust_radius": trust_radius,
            "kick": kick,
        }
        _check(self.options)
        self.base = build_base(params, base, base_options, generator)
        seed = 0 if generator is None else generator.initial_seed()
        self._generator = torch.Generator().manual_seed(seed)
        self._memory = CurvatureMemory(interval=float(interval))
        super().__init__(self.base.param_groups, self.base.defaults)
        self._linked = True
        self._link()

    # What can be seen of it

    @property
    def leaves_stationary_points(self) -> bool:
        """Whether a point without a gradient need not be the end."""
        return bool(self.options["mode"] == "escape")

    @property
    def evaluations(self) -> float:
        """Evaluations spent so far, in gradients, those of the base included."""
        return self._memory.evaluations

    @property
    def direction(self) -> list[Tensor] | None:
        """N, one tensor per parameter that requires a gradient; per layer, each of them has unit length."""
        blocks = self._memory.blocks
        return [x.detach() for block in blocks for x in block.direction] if blocks else None

    @property
    def curvature(self) -> float:
        """Curvature along N at the last search, the lowest of all layers; NaN before the first."""
        return min((block.curvature for block in self._memory.blocks), default=math.nan)

    def observations(self) -> dict[str, float]:
        """Return what there is to plot.

        Returns
        -------
        dict
            ``curvature`` and ``residual`` of the last search; at the last step ``alignment``, \\|g·N\\| / \\|g\\|, and
            ``escaping`` (0 or 1); ``turn_degrees``, by how much the last search turned N. NaN where unknown.
        """
        memory = self._memory
        lowest = min(memory.blocks, key=lambda block: block.curvature, default=None)
        return {
            "curvature": math.nan if lowest is None else lowest.curvature,
            "residual": math.nan if lowest is None else lowest.residual,
            "alignment": memory.alignment,
            "turn_degrees": memory.turn_degrees,
            "escaping": float(memory.escaping),
        }

    # One step

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, closure: Callable[[], Tensor] | None = None, *, oracle: Oracle | None = None
    ) -> Tensor | None:
        """Take one step.

        Parameters
        ----------
        closure : callable, optional
            As for any torch optimiser: clears gradients, computes the loss, calls ``backward``, returns it. It is
            called at displaced parameters too, so it must keep to one batch.
        oracle : Oracle, optional
            Asked instead of the closure.

        Returns
        -------
        Tensor
            The loss before the step.

        Raises
        ------
        RuntimeError
            Without closure and oracle (except ``off``), for ``exact`` products without an oracle, and for sparse
            gradients or complex parameters.
        """
        if self.options["mode"] == "off":
            return self._base_step_alone(closure, oracle)
        if closure is None and oracle is None:
            raise RuntimeError(
                "DEO needs a closure that recomputes the loss and its gradient: step(closure), or step(oracle=...). "
                "torch.amp.GradScaler supports no closures and cannot drive it"
            )
        memory, own = self._memory, self._own()
        with torch.enable_grad():
            loss = torch.as_tensor(closure() if oracle is None else oracle.gradient()).detach()  # type: ignore[misc]
        memory.evaluations += 1.0 if oracle is None else oracle.costs.gradient
        memory.escaping = False
        if not own or all(p.grad is None for p in own):
            return loss
        grads = [_dense(p) for p in own]
        length = rough_norm(grads)
        fresh = self._due(length, own)
        if fresh:
            self._refresh(self._curvature_oracle(closure, oracle, own), own, length)
        for block, part in self._parts(grads):
            if fresh:
                block.slope = dot(part, block.direction)
            else:
                block.watch(part)
        memory.since = 0 if fresh else memory.since + 1
        slope = math.hypot(*(block.slope for block in memory.blocks)) if memory.blocks else math.nan
        memory.alignment = slope / length if length > 0.0 else math.nan
        used = bool(memory.blocks) and (fresh or self.options["apply"] == "every-step")
        self._base_step(closure, oracle, own, loss, used)
        if used and self.options["mode"] == "escape":
            for block, parameters in self._parts(own):
                self._escape(block, parameters)
        memory.steps += 1
        return loss

    def _base_step_alone(self, closure: Callable[[], Tensor] | None, oracle: Oracle | None) -> Tensor | None:
        """Step as the base alone would, bit by bit."""
        step: Any = self.base.step
        if accepts_oracle(self.base):
            presented = None if oracle is None else _Counted(oracle)
            loss = step(closure, oracle=presented)
            self._memory.evaluations += 1.0 if presented is None else presented.evaluations
            return None if loss is None else torch.as_tensor(loss)
        if closure is None and oracle is None:
            step()
            return None
        with torch.enable_grad():
            loss = torch.as_tensor(closure() if oracle is None else oracle.gradient()).detach()  # type: ignore[misc]
        self._memory.evaluations += 1.0 if oracle is None else oracle.costs.gradient
        step()
        return loss

    def _base_step(
        self,
        closure: Callable[[], Tensor] | None,
        oracle: Oracle | None,
        own: Sequence[Tensor],
        loss: Tensor,
        used: bool,
    ) -> None:
        """Let the base step along the changed gradient; afterwards ``.grad`` is the true one again."""
        presented = None
        if accepts_oracle(self.base):
            if oracle is None:
                assert closure is not None
                products = FiniteDifferenceOracle(closure, own)
                products.adopt_gradient()
                oracle = products
            presented = PresentedOracle(oracle, loss)
        truth = [p.grad for p in own]
        try:
            if used:
                self._change_gradients(own)
            if presented is None:
                self.base.step()
            else:
                step: Any = self.base.step
                step(oracle=presented)
                self._memory.evaluations += presented.evaluations
        finally:
            for p, grad in zip(own, truth, strict=True):
                p.grad = grad

    def _change_gradients(self, own: Sequence[Tensor]) -> None:
        for block, parameters in self._parts(own):
            along, rest = self._factors(block)
            if along == 0.0 and rest == 1.0:
                continue
            for p, n in zip(parameters, block.direction, strict=True):
                if p.grad is not None:
                    p.grad = torch.add(p.grad * rest if rest != 1.0 else p.grad, n.to(p.grad), alpha=-along)

    def _factors(self, block: CurvatureBlock) -> tuple[float, float]:
        """Return a and b of the changed gradient ``b g - a N``."""
        mode = self.options["mode"]
        if mode == "escape" or not math.isfinite(block.curvature) or not math.isfinite(block.slope):
            return 0.0, 1.0
        if mode == "reflect":
            return (2.0 * block.slope, 1.0) if block.curvature < 0.0 else (block.slope, 0.0)
        return float(self.options["strength"]) * block.slope, 1.0

    def _escape(self, block: CurvatureBlock, parameters: Sequence[Tensor]) -> None:
        noise = _NOISE[block.direction[0].dtype] * block.scale
        if block.left or not block.curvature < -noise or not math.isfinite(block.slope):
            return
        radius = float(self.options["trust_radius"])
        size = min(max(abs(block.slope / block.curvature), float(self.options["kick"]) * radius), radius)
        for p, n in zip(parameters, block.direction, strict=True):
            if p.grad is not None:
                p.add_(n.to(p), alpha=-size if block.slope > 0.0 else size)
        self._memory.escaping = True

    # Searching

    def _due(self, length: float, own: Sequence[Tensor]) -> bool:
        memory, interval = self._memory, float(self.options["interval"])
        if math.isinf(interval) or not math.isfinite(length):
            return False
        if not self._fit(own):
            return True
        adaptive = self._adaptive
        if not adaptive or length < 0.1 * memory.reference:
            memory.interval = interval
        since = memory.since + 1
        left = self.options["mode"] == "escape" and any(block.left for block in memory.blocks)
        return since >= memory.interval or (left and adaptive and since >= memory.products)

    def _fit(self, own: Sequence[Tensor]) -> bool:
        """Make the directions fit the parameters, which may have become more; return whether there are any."""
        blocks, owned = self._memory.blocks, self._owned(own)
        if not blocks:
            return False
        known, wanted = ([tuple(x.shape) for x in list_] for list_ in ([n for b in blocks for n in b.direction], own))
        if known != wanted:
            if known != wanted[: len(known)] or self.options["scope"] == "per-layer":
                self._memory.blocks = []
                return False
            blocks[0].direction += [torch.zeros_like(p, dtype=FlatSpace(own).dtype) for p in own[len(known) :]]
        return len(self._memory.blocks) == len(owned)

    def _curvature_oracle(
        self, closure: Callable[[], Tensor] | None, oracle: Oracle | None, own: Sequence[Tensor]
    ) -> Oracle:
        derivative, paper = self.options["derivative"], self.options["mode"] == "paper"
        if derivative == "exact":
            if oracle is None:
                raise RuntimeError(
                    "DEO with exact products needs an oracle: step(oracle=AutogradOracle(...)); a closure that has "
                    "called backward cannot be differentiated again"
                )
            return oracle if _same(oracle.parameters, own) else RestrictedOracle(oracle, own)
        central = derivative == "central"
        price = 1.0 if oracle is None else oracle.costs.gradient
        length = self.options["dimer_length"]
        differences = FiniteDifferenceOracle(
            closure if oracle is None else oracle.gradient,  # type: ignore[arg-type]
            own,
            central=central,
            displacement=PAPER_LENGTH if length is None and paper else length,
            costs=Costs(gradient=price, loss=price, hvp=price * (2.0 if central else 1.0)),
        )
        differences.adopt_gradient()
        return differences

    def _refresh(self, oracle: Oracle, own: Sequence[Tensor], length: float) -> None:
        memory = self._memory
        before = self.direction
        known: list[CurvatureBlock | None] = [*memory.blocks] or [None] * len(self._owned(own))
        found = []
        for block, parameters in zip(known, self._owned(own), strict=True):
            part = oracle if len(parameters) == len(own) else RestrictedOracle(oracle, parameters)
            rotation = self._search(part, None if block is None else block.direction)
            found.append((rotation, self._turned(rotation, parameters)))
        memory.blocks = [
            CurvatureBlock(direction, rotation.curvature, rotation.residual, rotation.scale)
            for rotation, direction in found
        ]
        memory.products = sum(rotation.products for rotation, _ in found)
        memory.evaluations += sum(rotation.evaluations for rotation, _ in found)
        memory.reference = length
        memory.turn_degrees = _angle(before, self.direction)
        if self._adaptive:
            memory.interval = self._next_interval([rotation for rotation, _ in found])

    def _search(self, oracle: Oracle, direction: Sequence[Tensor] | None) -> Rotation:
        options = self.options
        paper = options["mode"] == "paper"
        if direction is None and paper:
            space = FlatSpace(oracle.parameters)
            direction = space.split(space.random(self._generator))
        return rotate(
            oracle,
            direction,
            budget=oracle.costs.hvp * (1 if paper else options["rotations"] + 1),
            method="fixed" if paper else options["method"],
            tolerance=0.0 if paper else options["tolerance"],
            rate=options["rotation_rate"],
            generator=self._generator,
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
        interval = float(self.options["interval"])
        if not all(r.curvature > 0.0 for r in found):
            return interval
        quiet = all(r.relative_residual <= _SMALL_RESIDUAL for r in found)
        still = self.options["mode"] == "escape" or self._memory.turn_degrees <= _STILL_DEGREES
        return (
            max(interval, min(2.0 * self._memory.interval, MAX_INTERVAL)) if quiet and still else self._memory.interval
        )

    @property
    def _adaptive(self) -> bool:
        return bool(self.options["adaptive"] and self.options["mode"] in ("escape", "project"))

    def _own(self) -> list[Tensor]:
        return [p for group in self.param_groups for p in group["params"] if p.requires_grad]

    def _owned(self, own: Sequence[Tensor]) -> list[list[Tensor]]:
        return [list(own)] if self.options["scope"] == "global" else [[p] for p in own]

    def _parts(self, tensors: Sequence[Tensor]) -> list[tuple[CurvatureBlock, list[Tensor]]]:
        """Return each block with its share of a list that holds one tensor for every parameter."""
        parts, place = [], 0
        for block in self._memory.blocks:
            parts.append((block, list(tensors[place : place + len(block.direction)])))
            place += len(block.direction)
        return parts

    # The manners of a torch optimiser

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters to the base; N is zero along them until the next search."""
        if "_linked" in self.__dict__:
            self.base.add_param_group(param_group)
        else:
            super().add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """Return the base's state and, under ``deo``, the settings, N with what belongs to it, and the generator."""
        own = {"options": dict(self.options), **self._memory.plain(), "generator": self._generator.get_state()}
        return {**self.base.state_dict(), **super().state_dict(), "deo": own}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state; the next steps are those of the saved optimiser, bit by bit.

        A state of the base alone is taken, too: the search for N then starts anew.

        Raises
        ------
        ValueError
            If groups, parameters or directions differ.
        """
        self.base.load_state_dict({key: value for key, value in state_dict.items() if key != "deo"})
        super().load_state_dict(state_dict)
        self.base.__setstate__({"state": self.state, "param_groups": self.param_groups})
        self._link()
        saved = state_dict.get("deo")
        if saved is None:
            self._memory = CurvatureMemory(interval=float(self.options["interval"]))
            return
        options = {**self.options, **saved["options"]}
        _check(options)
        self.options = options
        self._memory = CurvatureMemory.from_plain(saved, self._owned(self._own()))
        self._generator.set_state(saved["generator"].cpu())

    def __getstate__(self) -> dict[str, Any]:
        """Return what copying and pickling need; a generator travels as its state."""
        own = {name: self.__dict__[name] for name in ("options", "base", "_memory", "_linked")}
        return {**super().__getstate__(), **own, "_generator": self._generator.get_state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild from `__getstate__`; also called by torch when a state is loaded."""
        state = dict(state)
        if "_generator" in state:
            generator = torch.Generator()
            generator.set_state(state["_generator"])
            state["_generator"] = generator
        super().__setstate__(state)
        if "base" in state:
            self._link()

    def _link(self) -> None:
        self.param_groups = self.base.param_groups
        self.state = self.base.state


class _Counted(PresentedOracle):
    """The true oracle, with the price of what was asked."""

    def __init__(self, oracle: Oracle) -> None:
        super().__init__(oracle, torch.tensor(math.nan))

    def gradient(self) -> Tensor:
        """Return the loss and set ``.grad``."""
        self.evaluations += self.costs.gradient
        return self._oracle.gradient()


def _dense(p: Tensor) -> Tensor:
    if p.is_complex():
        raise RuntimeError("DEO does not support complex parameters; optimise a real view of them")
    if p.grad is None:
        return torch.zeros_like(p)
    if p.grad.is_sparse:
        raise RuntimeError("DEO does not support sparse gradients")
    return p.grad


def _same(a: Sequence[Tensor], b: Sequence[Tensor]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


def _angle(before: list[Tensor] | None, after: list[Tensor] | None) -> float:
    if before is None or after is None:
        return math.nan
    lengths = norm(before) * norm(after)
    return math.degrees(math.acos(min(1.0, abs(dot(before, after)) / lengths))) if lengths > 0.0 else math.nan


def _check(options: dict[str, Any]) -> None:
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
