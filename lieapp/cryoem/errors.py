"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["CryoemError"]


class CryoemError(LieAppError):
    """A map or particle file that cannot be used, or a reconstruction that cannot be set up; names file and reason."""
