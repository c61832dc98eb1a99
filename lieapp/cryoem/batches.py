"""In which order images are seen: every epoch all of them once, in a new random order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from lieapp.cryoem.spec import steps_per_epoch

__all__ = ["BatchOrder", "batch_orders"]


class BatchOrder:
    """The batches of a number of images.

    Parameters
    ----------
    count : int
        Number of images.
    size : int
        Most images of a batch; batches are as equal as possible.
    seed : int
    batches : int, optional
        How many, whatever their size.

    Attributes
    ----------
    batches : int
        Of an epoch.
    """

    def __init__(self, count: int, size: int, *, seed: int, batches: int | None = None) -> None:
        self.batches = steps_per_epoch(count, size) if batches is None else min(batches, count)
        self._count = count
        self._generator = torch.Generator().manual_seed(seed)
        self._order = torch.arange(count)
        self._place = self.batches - 1  # the first `advance` begins an epoch

    @property
    def largest(self) -> int:
        """Images of the largest batch."""
        return -(-self._count // self.batches)

    def advance(self) -> None:
        """Go to the next batch."""
        self._place += 1
        if self._place >= self.batches:
            self._order = torch.randperm(self._count, generator=self._generator)
            self._place = 0

    def rows(self) -> Tensor:
        """Return the images of the present batch, shape=(images,), dtype=int64, ascending."""
        return self._order.tensor_split(self.batches)[self._place].sort().values

    def state_dict(self) -> dict[str, Any]:
        """Return the present order and place, and the generator of the next ones."""
        return {"order": self._order, "place": self._place, "generator": self._generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take them back."""
        self._order, self._place = state["order"].clone(), int(state["place"])
        self._generator.set_state(state["generator"])


def batch_orders(counts: Sequence[int], batch: int, seeds: Sequence[int]) -> list[BatchOrder]:
    """Return the batches of all half sets: as many of each, so that an epoch shows every image once.

    Parameters
    ----------
    counts : sequence of int
        Images of every half set; files may assign more to one than to the other.
    batch : int
        Most images of a batch, of all half sets together.
    seeds : sequence of int
        Of the orders.
    """
    batches = steps_per_epoch(sum(counts), batch)
    return [BatchOrder(count, count, seed=seed, batches=batches) for count, seed in zip(counts, seeds, strict=True)]
