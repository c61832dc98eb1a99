"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["ExportError"]


class ExportError(LieAppError):
    """Something could not be written; the message names the file."""
