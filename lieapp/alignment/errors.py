"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["AlignmentError"]


class AlignmentError(LieAppError):
    """An alignment that cannot be set up or scored; the message says what was given and what was expected."""
