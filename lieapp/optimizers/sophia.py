"""Sophia-H: momentum divided by a running estimate of the Hessian's diagonal, clipped in every coordinate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from lieapp.optimizers.oracle import FiniteDifferenceOracle, Oracle, hessian_diagonal
from lieapp.optimizers.seeded import SeededOptimizer

__all__ = ["SophiaH"]

_ESTIMATORS = ("exact", "hutchinson")
_PROBES = ("rademacher", "normal")


class SophiaH(SeededOptimizer):
    r"""Second-order clipped stochastic optimisation with a Hessian diagonal (Sophia-H).

    In step t, with gradient g and, every ``update_interval`` steps, a diagonal :math:`\hat h`,

    .. math::
        m_t &= \beta_1 m_{t-1} + (1 - \beta_1) g_t \\
        h_t &= \beta_2 h_{t-1} + (1 - \beta_2) \hat h_t \\
        \theta &\leftarrow \theta - \eta\lambda\theta
            - \eta\, \mathrm{clip}(m_t / \max(\gamma h_t, \epsilon), \pm\rho)

    as Liu et al., "Sophia: a scalable stochastic second-order optimizer for language model pre-training",
    arXiv:2305.14342, algorithm 3. There is no bias correction; with equal ``betas`` and a diagonal in every step the
    two missing corrections cancel. A negative curvature falls back on a clipped step down the gradient.

    Parameters
    ----------
    params : iterable
        Parameters, named parameters or groups, as for any torch optimiser; real and dense.
    lr : float
        Learning rate; no coordinate moves farther than ``lr * clip`` (apart from decay).
    betas : (float, float)
        Memories of the gradient and of the diagonal.
    gamma : float
        Factor on the curvature.
    clip : float
        Largest ratio used.
    estimator : {"exact", "hutchinson"}
        The diagonal itself (the oracle's own, else one product per parameter), or ``u * (H u)`` for one random ``u``.
    probe : {"rademacher", "normal"}
        Distribution of ``u``.
    update_interval : int
        Steps between two estimates; the first step makes one.
    eps : float
        Smallest denominator.
    weight_decay : float
        Decoupled decay; 0 by default, where torch's relatives differ, since it draws a pose back to its start.
    maximize : bool
        Climb instead: gradient and diagonal change sign.
    generator : torch.Generator, optional
        Source of the probes; an own one, seeded 0, when absent. Its state is part of `state_dict`. The global
        generator is never used. Probes are drawn on the generator's device.

    Raises
    ------
    ValueError
        For a setting out of range.

    Notes
    -----
    The step itself cannot be differentiated (no ``differentiable``, ``capturable``, ``foreach`` or ``fused``).
    Parameters without a gradient are left alone; of an oracle with more parameters than the optimiser, the diagonal
    block of the optimiser's own is used.
    """

    def __init__(
        self,
        params: Any,
        *,
        lr: float = 0.1,
        betas: tuple[float, float] = (0.9, 0.9),
        gamma: float = 1.0,
        clip: float = 1.0,
        estimator: str = "exact",
        probe: str = "rademacher",
        update_interval: int = 1,
        eps: float = 1e-12,
        weight_decay: float = 0.0,
        maximize: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        self._generator = generator if generator is not None else torch.Generator().manual_seed(0)
        defaults = {
            "lr": lr,
            "betas": betas,
            "gamma": gamma,
            "clip": clip,
            "estimator": estimator,
            "probe": probe,
            "update_interval": update_interval,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        _check(defaults)
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters, which may have settings of its own."""
        _check({**self.defaults, **param_group})
        super().add_param_group(param_group)

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, closure: Callable[[], Tensor] | None = None, *, oracle: Oracle | None = None
    ) -> Tensor | None:
        """Take one step.

        Parameters
        ----------
        closure : callable, optional
            As for any torch optimiser: clears gradients, computes the loss, calls ``backward``, returns it. Needed
            without an oracle; products are then differences of its gradient, so it must repeat itself.
        oracle : Oracle, optional
            Asked for gradient and curvature instead; ``closure`` is then not called.

        Returns
        -------
        Tensor
            The loss before the step; None without closure and oracle.

        Raises
        ------
        RuntimeError
            If a diagonal is due and neither closure nor oracle is given, or the oracle misses a parameter.
        """
        loss: Tensor | None = None
        if oracle is None and closure is not None:
            parameters = [p for group in self.param_groups for p in group["params"] if p.requires_grad]
            if not parameters:
                with torch.enable_grad():
                    return torch.as_tensor(closure())
            # Asked by an oracle, parameters that the loss does not depend on would get a gradient of zero.
            with torch.enable_grad():
                loss = torch.as_tensor(closure()).detach()
            differences = FiniteDifferenceOracle(closure, parameters)
            differences.adopt_gradient()
            oracle = differences
        elif oracle is not None:
            loss = oracle.gradient()
        due = self._due()
        diagonals = self._diagonals(due, oracle) if due else {}
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update(p, group, diagonals.get(p))
        return loss

    def unclipped_fraction(self) -> float:
        """Return the fraction of coordinates whose last step was not clipped (the paper's win rate)."""
        free = total = 0
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state.get(p)
                if state:
                    ratio = state["exp_avg"] / _denominator(state["hessian"], group)
                    free += int((ratio.abs() < group["clip"]).sum())
                    total += p.numel()
        return free / total if total else float("nan")

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild from what copying, pickling or a stored state holds."""
        super().__setstate__(state)
        for group in self.param_groups:
            group.setdefault("maximize", False)  # states from before there was one

    def _due(self) -> dict[Tensor, dict[str, Any]]:
        return {
            p: group
            for group in self.param_groups
            for p in group["params"]
            if p.grad is not None and int(self.state[p].get("step", 0)) % group["update_interval"] == 0
        }

    def _diagonals(self, due: dict[Tensor, dict[str, Any]], oracle: Oracle | None) -> dict[Tensor, Tensor]:
        if oracle is None:
            raise RuntimeError("SophiaH needs a closure or an oracle in steps that estimate the Hessian")
        known = list(oracle.parameters)
        if not set(due) <= set(known):
            raise RuntimeError("SophiaH got an oracle that misses a parameter of the optimiser")
        result: dict[Tensor, Tensor] = {}
        if any(group["estimator"] == "exact" for group in due.values()):
            exact = dict(zip(known, hessian_diagonal(oracle), strict=True))
            result.update((p, exact[p]) for p, group in due.items() if group["estimator"] == "exact")
        random = [p for p, group in due.items() if group["estimator"] == "hutchinson"]
        if random:
            probes = {p: self._probe(p, due[p]["probe"]) for p in random}
            product = oracle.hvp([probes[p] if p in probes else torch.zeros_like(p) for p in known])
            result.update((p, probes[p] * x) for p, x in zip(known, product, strict=True) if p in probes)
        return result

    def _probe(self, p: Tensor, kind: str) -> Tensor:
        device = self._generator.device
        if kind == "normal":
            draw = torch.randn(p.shape, generator=self._generator, dtype=p.dtype, device=device)
        else:
            draw = torch.randint(0, 2, p.shape, generator=self._generator, device=device).to(p.dtype) * 2 - 1
        return draw.to(p.device)

    def _update(self, p: Tensor, group: dict[str, Any], diagonal: Tensor | None) -> None:
        grad = p.grad
        assert grad is not None
        if grad.is_sparse or p.is_complex():
            raise RuntimeError("SophiaH takes dense gradients of real parameters only")
        if group["maximize"]:
            grad = -grad
            diagonal = None if diagonal is None else -diagonal
        state = self.state[p]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(p, memory_format=torch.preserve_format)
            state["hessian"] = torch.zeros_like(p, memory_format=torch.preserve_format)
        beta1, beta2 = group["betas"]
        state["exp_avg"].mul_(beta1).add_(grad, alpha=1 - beta1)
        if diagonal is not None:
            state["hessian"].mul_(beta2).add_(diagonal, alpha=1 - beta2)
        state["step"] += 1
        if group["weight_decay"] != 0:
            p.mul_(1 - group["lr"] * group["weight_decay"])
        ratio = state["exp_avg"] / _denominator(state["hessian"], group)
        p.sub_(ratio.clamp_(-group["clip"], group["clip"]) * group["lr"])


def _denominator(curvature: Tensor, group: dict[str, Any]) -> Tensor:
    return (curvature * group["gamma"]).clamp_(min=group["eps"])


def _check(group: dict[str, Any]) -> None:
    betas: Sequence[float] = group["betas"]
    if not group["lr"] >= 0.0:
        raise ValueError(f"Invalid learning rate: {group['lr']}")
    if len(betas) != 2 or not all(0.0 <= beta < 1.0 for beta in betas):
        raise ValueError(f"Invalid betas: {betas}")
    for name in ("gamma", "clip", "eps"):
        if not group[name] > 0.0:
            raise ValueError(f"Invalid {name} value: {group[name]}")
    if not group["weight_decay"] >= 0.0:
        raise ValueError(f"Invalid weight_decay value: {group['weight_decay']}")
    if int(group["update_interval"]) != group["update_interval"] or group["update_interval"] < 1:
        raise ValueError(f"Invalid update_interval value: {group['update_interval']}")
    if group["estimator"] not in _ESTIMATORS:
        raise ValueError(f"Invalid estimator: {group['estimator']!r}, expected one of {_ESTIMATORS}")
    if group["probe"] not in _PROBES:
        raise ValueError(f"Invalid probe: {group['probe']!r}, expected one of {_PROBES}")
