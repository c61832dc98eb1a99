"""How words are set: minus signs of numbers, and tool tips that are not wider than people read."""

from __future__ import annotations

import re
import textwrap

__all__ = ["folded", "with_minus"]

_LETTERS = 80
_HYPHEN_OF_NUMBER = re.compile(r"(?<![\w.)\]-])-(?=\.?\d)")


def folded(text: str, letters: int = _LETTERS) -> str:
    """Return words with line breaks: Qt draws a plain tool tip in one line, however long it is.

    Parameters
    ----------
    text : str
        Breaks that it has are kept.
    letters : int, optional
        In a line at most.
    """
    wrapper = textwrap.TextWrapper(letters, break_long_words=False, break_on_hyphens=False)
    return "\n".join(wrapper.fill(line) for line in text.split("\n"))


def with_minus(text: str) -> str:
    """Return words in which negative numbers have a minus sign, not a hyphen; exponents stay as they are.

    Parameters
    ----------
    text : str
        ``"DEO-2: -0.25 (1e-8)"`` becomes ``"DEO-2: −0.25 (1e-8)"``.
    """
    return _HYPHEN_OF_NUMBER.sub("\N{MINUS SIGN}", text)
