"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["StructureError"]


class StructureError(LieAppError):
    """A structure that cannot be read, written, fetched, selected from or paired; the message names file and place."""
