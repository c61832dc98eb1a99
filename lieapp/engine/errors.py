"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["EngineError"]


class EngineError(LieAppError):
    """A job, run, recording or checkpoint that cannot be used as asked; the message names the file or field."""
