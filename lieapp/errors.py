"""The root of every error that LieApp raises on purpose.

Each floor of the house derives one error type from `LieAppError`. Its message is one line that a user can act
on: which file, which line or atom, what was expected. The window shows it; the command line prints it and exits
with status 2.
"""

__all__ = ["LieAppError"]


class LieAppError(Exception):
    """A failure that the user can understand and act on."""
