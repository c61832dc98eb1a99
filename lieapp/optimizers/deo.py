"""Dimer-enhanced optimisation: any optimiser, with the direction of lowest curvature at hand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from lieapp.optimizers.curvature_block import CurvatureBlock
from lieapp.optimizers.curvature_search import CurvatureSearch, check_options
from lieapp.optimizers.oracle import FiniteDifferenceOracle, Oracle, rough_norm
from lieapp.optimizers.presented import PresentedOracle
from lieapp.optimizers.registry import accepts_oracle
from lieapp.optimizers.saddle_search import SaddleSearch, walks
from lieapp.optimizers.wrapping import Base, build_base

__all__ = ["DEO"]


class DEO(Optimizer):
    r"""Wrap an optimiser; every K steps find N, the direction of lowest curvature C, and use it.

    With g the gradient, what the base optimiser is given, and what follows it, is

    ========  =================================================================================================
    escape    g; then, where C < 0, a step of :math:`\min(|g \cdot N| / |C|, r)` down along :math:`\pm N`
    project   :math:`g - \alpha (g \cdot N) N`
    reflect   :math:`g - 2 (g \cdot N) N` where C < 0, else :math:`-(g \cdot N) N`: climbs to a saddle (see below)
    paper     :math:`g - \alpha (g \cdot N) N`, and N turned as transcribed (below)
    off       g
    ========  =================================================================================================

    Near a strict saddle with lowest eigenvalue :math:`\lambda < 0` along N, descent with rate :math:`\eta` multiplies
    the unstable coordinate in every step by :math:`1 + \eta (1 - \alpha) |\lambda|`. So projecting, with a right N,
    cannot escape: at :math:`\alpha = 1` the coordinate is frozen, below it grows more slowly than without DEO, and
    beyond it falls to the saddle, which is what the dimer method is for. At a gradient of exactly zero no
    :math:`\alpha` moves anything. Scaling the gradient before a base like Adam, which divides by its recent size,
    mostly cancels. ``escape`` therefore steps after the base and apart from it, at least ``kick`` radii far.

    ``reflect`` walks to a saddle of index 1 from wherever it starts, without the base (see
    `lieapp.optimizers.saddle_walk`), or with ``translation="base"`` lets the base step along the gradient above.

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
        has fallen tenfold, in ``project`` also when C < 0. In ``escape`` C < 0 must pay: K is doubled, too, when the
        escapes since a search gained less, by the slopes before and after them, than half of what the base could have
        gained at most with its evaluations (\|g\| times the length of a step, for each); else it is ``interval``
        again, as it is when the gradient has fallen to a third. In ``reflect`` begin with 1 and double K, up to 4,
        while N turns by less than 10°; with the base's steps K stays, an old N would lead uphill for too long.
    rotations : int
        Most rotations of one search. It costs one product more than there are rotations.
    method : {"lanczos", "lor", "optimal-angle", "fixed"}
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
        Longest escape step r; longest step of a walk to a saddle.
    kick : float
        Shortest escape step, in trust radii.
    translation : {"lbfgs", "base"}
        How ``reflect`` steps.
    generator : torch.Generator, optional
        Passed to a base that draws. Its seed also starts the generator of first directions, which is DEO's own.
    **base_options
        For the base: ``lr``, ``foreach``, ``fused``, ...

    Raises
    ------
    ValueError
        For a setting out of range, a base that needs a closure, ``maximize`` or ``differentiable``, and for directions
        per layer in a walk to a saddle.

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

    A negative curvature counts from that share of the highest one on which products can tell: by differences 1e-5
    (5e-3 in single precision), exact ones 1e-11 (1e-5). In 20 dimensions, with six products a search, one of -1 was
    escaped along beside a highest one of up to 1e4 (1e2), with exact products 1e6 (1e4).

    On a network that learns from batches every search finds C < 0, on its batch; over many batches a third of that is
    left (measured on small transformers), and an escape gains less than a step of the base. ``escape`` notices, and its
    price falls to some 4 % of all evaluations; in ``project`` take an ``interval`` of 100.

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
        method: str = "lanczos",
        tolerance: float = 0.05,
        derivative: str = "one-sided",
        dimer_length: float | None = None,
        rotation_rate: float = 0.1,
        apply: str = "every-step",
        scope: str = "global",
        trust_radius: float = 0.1,
        kick: float = 0.01,
        translation: str = "lbfgs",
        generator: torch.Generator | None = None,
        **base_options: Any,
    ) -> None:
        options: dict[str, Any] = {
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
            "translation": translation,
        }
        check_options(options)
        self.base = build_base(params, base, base_options, generator)
        self._search = _new_search(options, 0 if generator is None else generator.initial_seed())
        super().__init__(self.base.param_groups, self.base.defaults)
        self._linked = True
        self._link()

    # What can be seen of it

    @property
    def options(self) -> dict[str, Any]:
        """The settings, by the names of the parameters above."""
        return self._search.options

    @property
    def leaves_stationary_points(self) -> bool:
        """Whether a point without a gradient need not be the end."""
        return bool(self.options["mode"] == "escape")

    @property
    def climbs(self) -> bool:
        """Whether it goes uphill on purpose."""
        return bool(self.options["mode"] == "reflect")

    @property
    def evaluations(self) -> float:
        """Evaluations spent so far, in gradients, those of the base included."""
        return self._search.memory.evaluations

    @property
    def direction(self) -> list[Tensor] | None:
        """N, one tensor per parameter that requires a gradient and is not empty; per layer, each has unit length."""
        return self._search.direction

    @property
    def curvature(self) -> float:
        """Curvature along N at the last search, the lowest of all layers; NaN before the first."""
        return min((block.curvature for block in self._search.memory.blocks), default=math.nan)

    def observations(self) -> dict[str, float]:
        """Return what there is to plot.

        Returns
        -------
        dict
            ``curvature`` and ``residual`` of the last search; at the last step ``alignment``, \\|g·N\\| / \\|g\\|, and
            ``escaping`` (0 or 1); ``turn_degrees``, by how much the last search turned N. NaN where unknown.
        """
        memory = self._search.memory
        lowest = min(memory.blocks, key=lambda block: block.curvature, default=None)
        return {
            "curvature": math.nan if lowest is None else lowest.curvature,
            "residual": math.nan if lowest is None else lowest.residual,
            "alignment": self._search.alignment([_dense(p) for p in self._own()]),
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
        memory, own = self._search.memory, self._own()
        with torch.enable_grad():
            loss = torch.as_tensor(closure() if oracle is None else oracle.gradient()).detach()  # type: ignore[misc]
        memory.evaluations += 1.0 if oracle is None else oracle.costs.gradient
        memory.escaping = False
        if not own or all(p.grad is None for p in own):
            return loss
        self._search.keep_to([i for i, p in enumerate(self._all()) if _has_direction(p)])
        if isinstance(self._search, SaddleSearch):
            self._walk(self._search, closure, oracle, own, loss)
            memory.steps += 1
            return loss
        fresh = self._search.follow(closure, oracle, own, [_dense(p) for p in own])
        used = bool(memory.blocks) and (fresh or self.options["apply"] == "every-step")
        weigh = fresh and self._search.pays_by_escapes
        before = [p.detach().clone() for p in own] if weigh else []
        self._base_step(closure, oracle, own, loss, used)
        if weigh:
            memory.pace = memory.reference * rough_norm(torch._foreach_sub(own, before))
        if used and self.options["mode"] == "escape":
            for block, parameters in self._search.parts(own):
                self._escape(block, parameters)
        memory.steps += 1
        return loss

    def _base_step_alone(self, closure: Callable[[], Tensor] | None, oracle: Oracle | None) -> Tensor | None:
        """Step as the base alone would, bit by bit."""
        step: Any = self.base.step
        if accepts_oracle(self.base):
            presented = None if oracle is None else _Counted(oracle)
            counted = None if closure is None else _CountedCalls(closure)
            loss = step(counted, oracle=presented)
            self._search.memory.evaluations += sum(each.evaluations for each in (presented, counted) if each)
            return None if loss is None else torch.as_tensor(loss)
        if closure is None and oracle is None:
            step()
            return None
        with torch.enable_grad():
            loss = torch.as_tensor(closure() if oracle is None else oracle.gradient()).detach()  # type: ignore[misc]
        self._search.memory.evaluations += 1.0 if oracle is None else oracle.costs.gradient
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
                self._search.memory.evaluations += presented.evaluations
        finally:
            for p, grad in zip(own, truth, strict=True):
                p.grad = grad

    def _walk(
        self,
        search: SaddleSearch,
        closure: Callable[[], Tensor] | None,
        oracle: Oracle | None,
        own: Sequence[Tensor],
        loss: Tensor,
    ) -> None:
        """Take the next step of a walk to a saddle; without any N, the base's."""
        step = search.next_step(closure, oracle, own, [_dense(p) for p in own])
        if step is None:
            self._base_step(closure, oracle, own, loss, used=False)
            return
        for p, change in zip(own, step, strict=True):
            if p.grad is not None:
                p.add_(change)

    def _change_gradients(self, own: Sequence[Tensor]) -> None:
        for block, parameters in self._search.parts(own):
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
        if block.left or not block.bends_down or not math.isfinite(block.slope):
            return
        radius = float(self.options["trust_radius"])
        size = min(max(abs(block.slope / block.curvature), float(self.options["kick"]) * radius), radius)
        block.stride = -size if block.slope > 0.0 else size
        for p, n in zip(parameters, block.direction, strict=True):
            if p.grad is not None:
                p.add_(n.to(p), alpha=block.stride)
        self._search.memory.escaping = True

    def _own(self) -> list[Tensor]:
        return [p for p in self._all() if _has_direction(p)]

    def _all(self) -> Iterator[Tensor]:
        return (p for group in self.param_groups for p in group["params"])

    # The manners of a torch optimiser

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters to the base; N is zero along them until the next search."""
        if "_linked" in self.__dict__:
            self.base.add_param_group(param_group)
        else:
            super().add_param_group(param_group)

    def state_dict(self) -> dict[str, Any]:
        """Return the base's state and, under ``deo``, the settings, N with what belongs to it, and the generator."""
        return {**self.base.state_dict(), **super().state_dict(), "deo": self._search.plain()}

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
        plain = state_dict.get("deo")
        if plain is not None:  # its mode may be another
            self._search = _new_search({**self.options, **plain["options"]}, 0)
        self._search.load_plain(plain, self._own())

    def __getstate__(self) -> dict[str, Any]:
        """Return what copying and pickling need."""
        return {**super().__getstate__(), **{name: self.__dict__[name] for name in ("base", "_search", "_linked")}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild from `__getstate__`; also called by torch when a state is loaded."""
        super().__setstate__(state)
        if "base" in state:
            self._link()

    def _link(self) -> None:
        self.param_groups = self.base.param_groups
        self.state = self.base.state


def _new_search(options: dict[str, Any], seed: int) -> CurvatureSearch:
    check_options(options)
    return SaddleSearch(options, seed) if walks(options) else CurvatureSearch(options, seed)


class _Counted(PresentedOracle):
    """The true oracle, with the price of all that was asked."""

    def __init__(self, oracle: Oracle) -> None:
        super().__init__(oracle, torch.tensor(math.nan))

    def gradient(self) -> Tensor:
        """Return the loss and set ``.grad``."""
        self.evaluations += self.costs.gradient
        return self._oracle.gradient()


class _CountedCalls:
    """A closure, with the price of its calls: a gradient each."""

    def __init__(self, closure: Callable[[], Tensor]) -> None:
        self._closure = closure
        self.evaluations = 0.0

    def __call__(self) -> Tensor:
        """Return the loss, with its gradient in ``.grad``."""
        self.evaluations += 1.0
        return self._closure()


def _has_direction(p: Tensor) -> bool:
    # A tensor without numbers has none, and alone no unit vector.
    return p.requires_grad and p.numel() > 0


def _dense(p: Tensor) -> Tensor:
    if p.is_complex():
        raise RuntimeError("DEO does not support complex parameters; optimise a real view of them")
    if p.grad is None:
        return torch.zeros_like(p)
    if p.grad.is_sparse:
        raise RuntimeError("DEO does not support sparse gradients")
    return p.grad
