"""Loss, gradient, products and preconditioner of a reconstruction in closed form, for the present batch.

The loss is that of the Hermitian part of the parameters, ``(V(k) + conj V(-k)) / 2``, so every derivative is exact at
any parameter value, and a gradient never leaves the spectra of real maps. Half sets are fits of their own, whose
losses are added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lieapp.cryoem.choices import PreconditionerName
from lieapp.cryoem.fit import VolumeFit
from lieapp.cryoem.measurements import Batch
from lieapp.cryoem.plane import make_hermitian
from lieapp.cryoem.preconditioners import HutchinsonEstimate, hermitian_signs, one_hit, positive
from lieapp.optimizers.oracle import Costs

__all__ = ["CryoemOracle"]

COSTS = Costs(gradient=1.0, loss=1.0 / 3.0, hvp=0.8)
"""A loss needs the slices, a product slices and adjoint but no tables; from tests/benchmarks/bench_cryoem.py."""
REAL_PRODUCT = 0.5
"""A product with a real volume, as probes and ones are, in units of one with a complex volume: half the columns."""


class CryoemOracle:
    """What an optimiser may ask of a reconstruction; see `lieapp.optimizers.oracle.Oracle`.

    Parameters
    ----------
    fits : sequence of VolumeFit
        One, or one for each half set.
    leaves : sequence of Tensor, shape=(box, box, box, 2)
        Real and imaginary parts of the centred spectra, one for each fit.
    preconditioner : {"none", "exact", "row-sum", "hutchinson"}
    estimates : sequence of HutchinsonEstimate
        Of each fit; used by "hutchinson".
    clamp : float
        See `lieapp.cryoem.preconditioners.positive`.
    generator : torch.Generator
        Of the probes.

    Attributes
    ----------
    products : float
        Products that preconditioners took so far, in units of a complex one.
    """

    hvp_uses_gradient = False

    def __init__(
        self,
        fits: Sequence[VolumeFit],
        leaves: Sequence[Tensor],
        *,
        preconditioner: PreconditionerName = "none",
        estimates: Sequence[HutchinsonEstimate] = (),
        clamp: float = 0.1,
        generator: torch.Generator,
    ) -> None:
        self.parameters = list(leaves)
        self.costs = COSTS
        self.products = 0.0
        self._fits, self._kind, self._clamp = list(fits), preconditioner, clamp
        self._estimates, self._generator = list(estimates), generator
        self._batches: list[Batch] = []
        self._diagonals: list[Tensor] = []
        self._estimated = False

    def set_batches(self, batches: Sequence[Batch]) -> None:
        """Take the next batch of every fit."""
        self._batches = list(batches)
        self._estimated = False

    @torch.no_grad()
    def gradient(self) -> Tensor:
        """Return the loss of the batch, shape ``()``, and set ``.grad``."""
        total = torch.zeros((), dtype=torch.float64)
        for fit, batch, leaf in zip(self._fits, self._batches, self.parameters, strict=True):
            volume = _hermitian(leaf)
            misfit, gradient = batch.gradient(volume)
            damped = self._damped(fit, volume)
            loss = misfit + 0.5 * _real_dot(volume, damped)
            gradient.add_(damped).mul_(1.0 / fit.curvature)
            leaf.grad = torch.view_as_real(gradient)
            total = total + (loss / fit.curvature).cpu()
        return total

    @torch.no_grad()
    def loss(self) -> Tensor:
        """Return the loss of the batch, shape ``()``."""
        total = torch.zeros((), dtype=torch.float64)
        for fit, batch, leaf in zip(self._fits, self._batches, self.parameters, strict=True):
            volume = _hermitian(leaf)
            loss = batch.loss(volume) + 0.5 * _real_dot(volume, self._damped(fit, volume))
            total = total + (loss / fit.curvature).cpu()
        return total

    @torch.no_grad()
    def hvp(self, v: Sequence[Tensor]) -> list[Tensor]:
        """Return the second derivative of the batch times ``v``."""
        results = []
        for fit, batch, vector in zip(self._fits, self._batches, v, strict=True):
            volume = _hermitian(vector)
            product = batch.product(volume).add_(self._damped(fit, volume)).mul_(1.0 / fit.curvature)
            results.append(torch.view_as_real(product))
        return results

    def probe(self) -> list[Tensor]:
        """Return random signs in the space of the parameters: real, and the same for partners."""
        probes = []
        for leaf in self.parameters:
            probe = torch.zeros_like(leaf)
            probe[..., 0] = hermitian_signs(leaf.shape[0], self._generator, leaf)
            probes.append(probe.detach())
        return probes

    @torch.no_grad()
    def preconditioner(self) -> list[Tensor] | None:
        """Return what a gradient is divided by, shape=(box, box, box, 1) for each parameter; None if by nothing.

        Notes
        -----
        Hutchinson's estimate takes its probe of a batch when it is first asked for; the others take one pass over all
        images, once. `products` tells what that cost.
        """
        if self._kind == "none":
            return None
        if self._kind == "hutchinson":
            if not self._estimated:
                self._estimate()
        elif not self._diagonals:
            for fit, batch in zip(self._fits, self._batches, strict=True):
                known = fit.diagonal if self._kind == "exact" else fit.row_sums
                least = one_hit(len(batch), fit.curvature)
                self._diagonals.append(positive(known, fit.shells, self._clamp, least))
                self.products += REAL_PRODUCT * len(fit.measurements) / (len(batch) * len(self._fits))
        return [diagonal[..., None] for diagonal in self._diagonals]

    def diagonals(self) -> list[Tensor]:
        """Return the present preconditioner of every fit, shape=(box, box, box); empty where there is none yet."""
        return self._diagonals

    def hessian_diagonal(self) -> list[Tensor]:
        """Return the exact diagonal of the second derivative of the batch, shaped like the parameters."""
        results = []
        for fit, batch in zip(self._fits, self._batches, strict=True):
            diagonal = batch.diagonal()
            diagonal = (diagonal + self._damped(fit, torch.ones_like(diagonal))) / fit.curvature
            results.append(diagonal[..., None].expand(*diagonal.shape, 2).contiguous())
        return results

    def state_dict(self) -> dict[str, Any]:
        """Return what preconditioners remember."""
        return {
            "products": self.products,
            "estimated": self._estimated,
            "prepared": self._kind != "hutchinson" and bool(self._diagonals),
            "estimates": [estimate.state_dict() for estimate in self._estimates],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take it back."""
        like = self.parameters[0].detach()
        for estimate, values in zip(self._estimates, state["estimates"], strict=True):
            estimate.load_state_dict(values, like)
        self._diagonals = []
        if state["prepared"]:
            self.preconditioner()
        elif self._estimates and self._estimates[0].probes:
            self._diagonals = [estimate.diagonal() for estimate in self._estimates]
        self._estimated = bool(state["estimated"])
        self.products = float(state["products"])

    def _estimate(self) -> None:
        diagonals = []
        for fit, batch, estimate, leaf in zip(self._fits, self._batches, self._estimates, self.parameters, strict=True):

            def product(signs: Tensor, fit: VolumeFit = fit, batch: Batch = batch) -> Tensor:
                self.products += REAL_PRODUCT / len(self._fits)
                return batch.product(signs).add_(self._damped(fit, signs)).mul_(1.0 / fit.curvature)

            diagonals.append(estimate.update(product, self._generator, leaf.detach()))
        self._diagonals, self._estimated = diagonals, True

    @staticmethod
    def _damped(fit: VolumeFit, volume: Tensor) -> Tensor:
        return volume * fit.damping


def _hermitian(leaf: Tensor) -> Tensor:
    return make_hermitian(torch.view_as_complex(leaf.detach().contiguous()))


def _real_dot(a: Tensor, b: Tensor) -> Tensor:
    return (torch.view_as_real(a) * torch.view_as_real(b)).sum(dtype=torch.float64)
