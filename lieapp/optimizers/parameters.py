"""Parameters of a loss: what may be one, unit vectors over them, and putting them back as they were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

__all__ = ["SavedParameters", "basis_vectors", "checked_leaves", "same_bits"]


def checked_leaves(parameters: Iterable[Tensor]) -> list[Tensor]:
    """Return them as a list; raise ValueError if there is none, or one that is no real leaf to differentiate by."""
    checked = list(parameters)
    if not checked:
        raise ValueError("Invalid parameters: there is none")
    for index, p in enumerate(checked):
        if not p.is_leaf or not p.requires_grad or not p.is_floating_point():
            raise ValueError(f"Invalid parameter {index}: a real leaf tensor that requires a gradient is needed")
    return checked


def basis_vectors(parameters: Sequence[Tensor]) -> Iterable[list[Tensor]]:
    """Yield every unit vector of the joined parameter space; the tensors are reused from one to the next."""
    vectors = [torch.zeros_like(p) for p in parameters]
    for vector in vectors:
        flat = vector.view(-1) if vector.is_contiguous() else None
        for index in range(vector.numel()):
            if flat is None:
                place = tuple(int(i) for i in torch.unravel_index(torch.tensor(index), vector.shape))
                vector[place] = 1
                yield vectors
                vector[place] = 0
            else:
                flat[index] = 1
                yield vectors
                flat[index] = 0


class SavedParameters:
    """Parameters and gradients as they were, to be put back bit by bit.

    Works as a context: on leaving, also by an exception, both are restored; a ``.grad`` is the same tensor as before.
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self._parameters = list(parameters)
        self.values = [p.detach().clone() for p in self._parameters]
        self._grads = [p.grad for p in self._parameters]
        self._grad_values = [None if g is None else g.detach().clone() for g in self._grads]

    def __enter__(self) -> SavedParameters:
        return self

    def __exit__(self, *exception: object) -> None:
        self.restore()

    def gradients(self) -> list[Tensor]:
        """Return the values of the gradients, zero where there was none."""
        pairs = zip(self._parameters, self._grad_values, strict=True)
        return [torch.zeros_like(p) if value is None else value for p, value in pairs]

    def show_gradients(self) -> None:
        """Make ``.grad`` the same tensors as before, whatever is in them by now."""
        for p, grad in zip(self._parameters, self._grads, strict=True):
            p.grad = grad

    @torch.no_grad()
    def restore(self) -> None:
        """Put parameters and gradients back."""
        for p, value in zip(self._parameters, self.values, strict=True):
            p.copy_(value)
        for grad, grad_value in zip(self._grads, self._grad_values, strict=True):
            if grad is not None and grad_value is not None:
                grad.copy_(grad_value)
        self.show_gradients()


_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def same_bits(a: Sequence[Tensor], b: Sequence[Tensor]) -> bool:
    """Return whether two lists of real tensors agree bit by bit (unlike equality, for NaN and signed zeros too)."""
    return all(
        torch.equal(x.detach().view(_BITS[x.element_size()]), y.detach().view(_BITS[y.element_size()]))
        for x, y in zip(a, b, strict=True)
    )
