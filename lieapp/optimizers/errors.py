"""The error of this floor."""

from lieapp.errors import LieAppError

__all__ = ["OptimizerError", "exit_words"]


class OptimizerError(LieAppError):
    """An optimiser or a setting that does not exist or is out of range; the message names key, value and range."""


def exit_words(error: BaseException) -> str:
    """Say that something called ``sys.exit``; empty for every other exception."""
    if not isinstance(error, SystemExit):
        return ""
    return f"called sys.exit({'' if error.code is None else repr(error.code)})"
