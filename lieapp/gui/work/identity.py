"""Which object something was made of, as part of a key."""

from __future__ import annotations

import weakref
from collections.abc import Hashable

__all__ = ["identity"]


def identity(value: object | None) -> Hashable:
    """Return a key that only this object has, without keeping it.

    The address of an object, as `id` tells it, may be that of another one later, and what was made of the first would
    then be taken for what belongs to the second.

    Parameters
    ----------
    value : object or None
        Hashable, and not equal to any other.
    """
    return None if value is None else weakref.ref(value)
