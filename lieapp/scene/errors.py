"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["SceneError"]


class SceneError(LieAppError):
    """Something that cannot be drawn; the message says what is missing and what to do."""
