"""What questions to an oracle cost."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Costs"]


@dataclass(frozen=True)
class Costs:
    """Price of each question in units of one gradient.

    Attributes
    ----------
    gradient, loss, hvp : float
        Price of a loss with its gradient, of a loss alone, and of a Hessian-vector product.
    """

    gradient: float = 1.0
    loss: float = 1.0 / 3.0
    hvp: float = 2.0

    def evaluations(self, gradients: float, losses: float, hvps: float) -> float:
        """Return the price of that many questions."""
        return self.gradient * gradients + self.loss * losses + self.hvp * hvps
