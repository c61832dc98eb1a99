"""The text that a character model learns: read, checked, and coded as numbers. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lieapp.landscapes.errors import LandscapeError
from lieapp.paths import resource

__all__ = ["BUNDLED_TEXT", "Text", "load_text"]

BUNDLED_TEXT = "examples/character_text.txt"
"""The text that is used unless another is named; written by ``resources/examples/write_text.py``."""

_SHORTEST = 2000
_LARGEST_BYTES = 64 * 2**20
_MOST_CHARACTERS = 1000
_TRAINING_SHARE = 0.9


@dataclass(frozen=True, eq=False)
class Text:
    """A text as numbers.

    Attributes
    ----------
    name : str
        Of the file.
    vocabulary : str
        Its characters, in order; the code of a character is its place.
    training, validation : ndarray, shape=(n,), dtype=int64
        Codes of the first nine tenths, and of the rest.
    """

    name: str
    vocabulary: str
    training: NDArray[np.int64]
    validation: NDArray[np.int64]

    def decode(self, codes: NDArray[np.int64]) -> str:
        """Return the characters of codes."""
        return "".join(self.vocabulary[code] for code in codes.tolist())


def load_text(path: str | None = None) -> Text:
    """Read a text.

    Parameters
    ----------
    path : str, optional
        A file in UTF-8; the bundled text by default.

    Raises
    ------
    LandscapeError
        If the file cannot be read, is no text, or is too short to learn from.
    """
    place = resource(BUNDLED_TEXT) if path is None else Path(path)
    try:
        if place.stat().st_size > _LARGEST_BYTES:
            raise LandscapeError(f"{place}: larger than {_LARGEST_BYTES // 2**20} MiB, take a part of it.")
        words = place.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LandscapeError(f"{place}: is no text in UTF-8 (byte {error.start}).") from None
    except OSError as error:
        raise LandscapeError(f"{place}: cannot be read ({error.strerror}).") from error
    if len(words) < _SHORTEST:
        raise LandscapeError(f"{place}: a text of at least {_SHORTEST} characters is needed, this has {len(words)}.")
    points, codes = np.unique(np.frombuffer(words.encode("utf-32-le"), dtype=np.uint32), return_inverse=True)
    if len(points) > _MOST_CHARACTERS:
        raise LandscapeError(f"{place}: {len(points)} different characters, more than the {_MOST_CHARACTERS} allowed.")
    codes = codes.astype(np.int64).reshape(-1)
    split = int(_TRAINING_SHARE * len(codes))
    return Text(place.name, "".join(chr(point) for point in points), codes[:split], codes[split:])
