"""The error of this floor, and the one way in which a failure to write is said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lieapp.errors import LieAppError

__all__ = ["ExportError", "writing"]


class ExportError(LieAppError):
    """Something could not be written; the message names the file."""


@contextmanager
def writing(path: Path, *, folder: bool = False) -> Iterator[None]:
    """Do something that writes a file or a folder.

    Parameters
    ----------
    path : Path
        The file, which is what a failure is about; of a folder, the file in it that failed.
    folder : bool, optional
        Whether it is a folder; it is made first.

    Raises
    ------
    ExportError
        Where the system refuses.
    """
    try:
        if folder:
            path.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        # What is written by way of another place is named as the user knows it.
        named = (error.filename or path) if folder else path
        raise ExportError(f"{named}: cannot be written ({error.strerror or error}).") from error
