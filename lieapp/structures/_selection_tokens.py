"""The words of the selection language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from lieapp.structures.errors import StructureError

__all__ = ["PlaceRange", "ResidueKey", "Token", "show_chain", "show_key", "tokenize"]

ResidueKey: TypeAlias = tuple[int, str]
PlaceRange: TypeAlias = tuple[ResidueKey, ResidueKey]

KEYWORDS = frozenset({"all", "core", "and", "or", "not"})

# Dashes and comparison signs as word processors and papers print them; one character for one, so that places stay.
_LOOKALIKES = str.maketrans({"–": "-", "—": "-", "−": "-", "‑": "-", "“": '"', "”": '"', "‘": "'", "’": "'"})

_PATTERN = re.compile(
    r"""
      (?P<space>\s+)
    | (?P<quantity>plddt|b)\s*(?P<operator>>=|<=|==|!=|>|<|=|≥|≤)\s*(?P<value>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)
    | (?P<quoted>'[^']*'|"[^"]*")
    | (?P<labelled>\w[\w.'*-]*)(?=\s*:)
    | (?P<low>-?\d+)(?P<low_code>[A-Za-z]?)(?:(?:-|\s+-\s+)(?P<high>-?\d+)(?P<high_code>[A-Za-z]?))?(?![\w-])
    | (?P<word>[^\W\d][\w.'*-]*)
    | (?P<sign>[():,])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PLAIN_CHAIN = re.compile(r"[^\W\d][\w.*-]*\Z")
_OPERATORS = {"==": "=", "≥": ">=", "≤": "<="}


@dataclass(frozen=True)
class Token:
    """One word.

    Attributes
    ----------
    kind : str
        ``"all"``, ``"core"``, ``"and"``, ``"or"``, ``"not"``, ``"("``, ``")"``, ``":"``, ``","``, ``"chain"``,
        ``"range"``, ``"compare"`` or ``"end"``.
    text : str
        The word as written.
    place : int
        Its first character in the text, from 0.
    """

    kind: str
    text: str
    place: int
    chain: str = ""
    range: PlaceRange = ((0, ""), (0, ""))
    comparison: tuple[str, str, float] = ("b", ">", 0.0)


def tokenize(text: str) -> list[Token]:
    """Split a selection into words; the last one is of kind ``"end"``.

    Raises
    ------
    StructureError
        At a character that begins no word.
    """
    plain = text.translate(_LOOKALIKES)
    tokens: list[Token] = []
    place = 0
    while place < len(plain):
        match = _PATTERN.match(plain, place)
        if match is None:
            word = re.split(r"[\s(),]", text[place:])[0]
            reason = f"{word!r} is not understood"
            if plain[place] in "'\"":
                reason = "the quotation mark is not closed"
            expected = "a chain, a residue number, a comparison such as plddt>=70, 'and', 'or', 'not' or a parenthesis"
            raise StructureError(f"Selection {text!r}, character {place + 1}: {reason}; expected {expected}.")
        if match.lastgroup != "space":
            tokens.append(_token(match, place))
        place = match.end()
    tokens.append(Token("end", "", len(text)))
    return tokens


def show_chain(chain: str) -> str:
    """Return a chain id as it is written in a selection: ``"_"`` for blank, quoted where it would be misread."""
    if not chain:
        return "_"
    if _PLAIN_CHAIN.match(chain) and chain not in KEYWORDS and chain != "_":
        return chain
    return f'"{chain}"' if "'" in chain else f"'{chain}'"


def show_key(key: ResidueKey) -> str:
    """Return a residue number with its insertion code, such as ``"50A"``."""
    return f"{key[0]}{key[1]}"


def _token(match: re.Match[str], place: int) -> Token:
    text = match.group()
    if match["quantity"]:
        operator = _OPERATORS.get(match["operator"], match["operator"])
        return Token("compare", text, place, comparison=(match["quantity"].lower(), operator, float(match["value"])))
    if match["quoted"]:
        return Token("chain", text, place, chain=text[1:-1])
    if match["low"]:
        low = (int(match["low"]), match["low_code"])
        high = (int(match["high"]), match["high_code"]) if match["high"] else low
        return Token("range", text, place, range=(low, high))
    if match["sign"]:
        return Token(text, text, place)
    if match["word"] and text in KEYWORDS:
        return Token(text, text, place)
    return Token("chain", text, place, chain="" if text == "_" else text)
