"""Giving up work that takes its time, such as a simulation: between two pieces it asks whether it is still wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lieapp.cryoem.errors import CryoemError

__all__ = ["Interrupted", "interruptible", "stop_if_unwanted"]

_unwanted: ContextVar[Callable[[], bool] | None] = ContextVar("unwanted", default=None)


class Interrupted(CryoemError):
    """The work is not wanted any more."""


@contextmanager
def interruptible(unwanted: Callable[[], bool]) -> Iterator[None]:
    """Let the work inside end with `Interrupted` soon after a question is answered with yes.

    Parameters
    ----------
    unwanted : callable() -> bool
        Asked between pieces, by the thread that works.
    """
    token = _unwanted.set(unwanted)
    try:
        yield
    finally:
        _unwanted.reset(token)


def stop_if_unwanted() -> None:
    """Raise `Interrupted` if the work that is under way is not wanted any more; call it between pieces."""
    unwanted = _unwanted.get()
    if unwanted is not None and unwanted():
        raise Interrupted("The work was given up: it is not wanted any more.")
