"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["LandscapeError"]


class LandscapeError(LieAppError):
    """A landscape that cannot be set up or reported; the message says what was given and what was expected."""
