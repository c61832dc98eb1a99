"""Optimisers that draw random numbers, with the generator as part of their state."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim import Optimizer

__all__ = ["SeededOptimizer"]


class SeededOptimizer(Optimizer):
    """Base of optimisers with a ``torch.Generator`` of their own, kept in ``_generator``.

    States, copies and pickles carry it, so that the next steps are those of the saved optimiser, bit by bit.
    """

    _generator: torch.Generator

    def state_dict(self) -> dict[str, Any]:
        """Return the state, with that of the generator."""
        return {**super().state_dict(), "generator": self._generator.get_state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load a state, with that of the generator."""
        super().load_state_dict(state_dict)
        if "generator" in state_dict:
            # Loaded through map_location, the state may have left the CPU, where set_state wants it.
            self._generator.set_state(state_dict["generator"].cpu())

    def __getstate__(self) -> dict[str, Any]:
        """Return what copying and pickling need; a generator travels as device and state."""
        generator = (str(self._generator.device), self._generator.get_state())
        return {**super().__getstate__(), "generator": generator}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild from `__getstate__`; also called by torch when a state is loaded."""
        state = dict(state)
        saved = state.pop("generator", None)
        if saved is not None:
            self._generator = torch.Generator(device=saved[0])
            self._generator.set_state(saved[1])
        super().__setstate__(state)
