"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["OptimizerError"]


class OptimizerError(LieAppError):
    """An optimiser or a setting that does not exist or is out of range; the message names key, value and range."""
