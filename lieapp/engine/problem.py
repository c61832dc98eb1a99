"""What an optimiser works on, seen from the engine."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from lieapp.engine.metric import Metric

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch.optim import Optimizer

    from lieapp.engine.outcome import OutcomeKind
    from lieapp.optimizers.oracle import Oracle

__all__ = ["Metric", "Problem"]


class Problem(ABC):
    """A loss with its parameters, and what people want to see of it.

    The loss should be scaled so that its Hessian at a good fit is of order one, or `scaled_gradient_norm` corrected
    for it: tolerances are the same for all problems.

    Attributes
    ----------
    name : str
        For people.
    metric : Metric
        The column by which runs are compared.
    loss_scale : float
        A difference of the loss that matters. It stands in for the loss of the start, or for the best one, where that
        is nearly zero: ten times nearly nothing is no divergence.
    loss_ceiling : float
        The level that the loss approaches far from any answer, where it is flat: to rest there is no convergence.
        Infinite where there is none.
    fixed_loss : bool
        Whether the loss at the same parameters is the same in every step: no batch, no anchor. Then a gradient that a
        step has ended with is not computed, nor paid for, again by the next one.
    single_threaded : bool
        Whether `Run.complete` and `Race.complete` compute on one torch thread; False for large problems.
    """

    name: str = "problem"
    metric: Metric = Metric()
    loss_scale: float = 1.0
    loss_ceiling: float = math.inf
    fixed_loss: bool = False
    single_threaded: bool = True

    @abstractmethod
    def parameters(self) -> list[Tensor]:
        """Return the leaf tensors that the optimiser moves; the same ones whenever asked."""

    @property
    @abstractmethod
    def oracle(self) -> Oracle:
        """The oracle of the loss at the present parameters and batch."""

    def after_step(self, optimizer: Optimizer) -> None:  # noqa: B027 - optional
        """Do what belongs to the problem between two steps: re-anchor, restore a symmetry, draw the next batch.

        Parameters
        ----------
        optimizer : torch.optim.Optimizer
            For problems whose moments must move with the anchor.

        Notes
        -----
        It may change parameters and loss; the run forgets the last gradient afterwards, unless the loss is fixed.
        """

    @abstractmethod
    def state(self) -> dict[str, NDArray]:
        """Return what a frame shows (a pose, a point, a map): same keys, shapes and types every time; it is copied."""

    def observe(self, loss: float, gradient_norm: float) -> dict[str, float]:
        """Return more scalars worth plotting, the same names every time; what this costs is not charged.

        Parameters
        ----------
        loss, gradient_norm : float
            Of this frame; both are finite.
        """
        return {}

    def reference(self) -> dict[str, float]:
        """Return known true values by column name, such as the closed-form RMSD; for display, never for stopping."""
        return {}

    def scaled_gradient_norm(self, gradient: Sequence[Tensor]) -> Tensor:
        """Return the norm of a gradient in units in which the Hessian at a good fit is of order one, shape ``()``.

        Parameters
        ----------
        gradient : sequence of Tensor
            One for every parameter.
        """
        if len(gradient) == 1:
            return torch.linalg.vector_norm(gradient[0])
        return torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(part) for part in gradient]))

    def describe_best(self, row: Mapping[str, float]) -> str:
        """Return the sentence that tells which frame was kept, such as "Best pose kept (7.9 Å)."

        Parameters
        ----------
        row : mapping of str to float
            All columns of the best frame.
        """
        return f"Best frame kept (loss {row['loss']:.6g})."

    def suggestion(self, kind: OutcomeKind) -> str:
        """Return advice after an outcome, such as "Try lr 1 Å."; empty if there is none.

        Parameters
        ----------
        kind : {"converged", "limit", "diverged", "cancelled", "failed"}
        """
        return ""

    def state_dict(self) -> dict[str, Any]:
        """Return what, besides the parameters, determines the next step: anchor, batch position, generators.

        Only tensors, numbers, strings, None, and lists, tuples and dicts of them, so that checkpoints need no pickle.
        """
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - optional
        """Put back what `state_dict` returned; parameters are restored by the run."""
