"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["CryoemError", "OutsideError"]


class CryoemError(LieAppError):
    """A map or particle file that cannot be used, or a reconstruction that cannot be set up; names file and reason."""


class OutsideError(CryoemError):
    """A particle file names images outside its folder, which are read only when the user allows it."""
