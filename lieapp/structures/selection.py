"""Residues named by text, as the author of the file numbers them.

The language, the same in forms, on the command line and in Python::

    union        = intersection { ("or" | "," | " ") intersection }
    intersection = negation { "and" negation }
    negation     = "not" negation | primary
    primary      = "(" union ")" | "all" | "core" | comparison | [ chain ":" ] ranges | chain [ ":" ]
    ranges       = range { "," range }
    range        = number [ code ] [ "-" number [ code ] ]
    comparison   = ( "plddt" | "b" ) ( ">=" | "<=" | ">" | "<" | "=" | "!=" ) value

``A`` is a chain, ``_`` the chain with a blank id, ``A:1-29,60-121`` two ranges of chain A, ``1-29`` these numbers in
every chain, ``A:50A`` the residue with number 50 and insertion code A. Chain ids are case-sensitive; one that looks
like a number or a word of the language is quoted: ``'1'``, ``'all'``.

A bare number names the residue without insertion code. A range runs from its first to its last residue in the order
50, 50A, 50B, 51, so that ``50-52`` holds 50A but not 52A. A comma or a space between places means "or"; between
places and comparisons it could mean either, therefore ``and`` or ``or`` must be written there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from lieapp.structures._selection_tokens import PlaceRange, Token, show_chain, show_key, tokenize
from lieapp.structures.errors import StructureError
from lieapp.structures.structure import Structure

__all__ = ["format_selection", "residue_b_factors", "select_residues"]

Mask: TypeAlias = NDArray[np.bool_]

_COMPARE: dict[str, Callable[[NDArray[np.float64], float], Mask]] = {
    ">=": np.greater_equal,
    "<=": np.less_equal,
    ">": np.greater,
    "<": np.less,
    "=": np.equal,
    "!=": np.not_equal,
}


def select_residues(structure: Structure, text: str, *, core: Mask | None = None) -> Mask:
    """Return the residues that a text names.

    Parameters
    ----------
    structure : Structure
    text : str
        A selection such as ``"A:1-29,60-121"`` or ``"A and plddt>=70"``; the module describes the language.
    core : ndarray, shape=(residues,), dtype=bool, optional
        What the word ``core`` means: the residues of the rigid core found by a superposition.

    Returns
    -------
    mask : ndarray, shape=(residues,), dtype=bool
        True for the residues named, waters and ligands included. At least one is True.

    Raises
    ------
    StructureError
        If the text is not understood (the message names the character and what was expected), if a chain or a
        range in it does not exist, or if nothing is selected.
    """
    if core is not None and core.shape != (len(structure.residues),):
        raise ValueError(f"core has shape {core.shape}; expected ({len(structure.residues)},)")
    mask = _Parser(structure, text, core).parse()
    if not mask.any():
        raise StructureError(
            f"Selection {text!r} matches no residue of {structure.name}, which has {_extent(structure)}."
        )
    return mask


def format_selection(structure: Structure, mask: Mask) -> str:
    """Return the shortest plain text that selects given residues: the inverse of `select_residues`.

    Residues that share chain, number and insertion code (heterogeneity at one position) cannot be told apart by a
    text; they are selected together.

    Parameters
    ----------
    structure : Structure
    mask : ndarray, shape=(residues,), dtype=bool

    Raises
    ------
    StructureError
        If no residue is selected: no text says that.
    """
    residues = structure.residues
    if mask.shape != (len(residues),):
        raise ValueError(f"mask has shape {mask.shape}; expected ({len(residues)},)")
    if not mask.any():
        raise StructureError(f"No residue of {structure.name} is selected.")
    if mask.all():
        return "all"
    places = []
    for chain in structure.chains:
        members = np.flatnonzero(residues.chain == chain)
        selected = mask[members]
        if selected.all():
            places.append(show_chain(chain))
        elif selected.any():
            wanted: dict[tuple[int, str], bool] = {}
            for index in members.tolist():
                key = (int(residues.number[index]), str(residues.insertion_code[index]))
                wanted[key] = wanted.get(key, False) or bool(mask[index])
            places.append(f"{show_chain(chain)}:{_runs(wanted)}")
    return " ".join(places) if any("," in place for place in places) else ",".join(places)


def residue_b_factors(structure: Structure) -> NDArray[np.float64]:
    """Return one B-factor (or pLDDT) a residue: the guide atom's, else the mean over the residue's atoms.

    Returns
    -------
    values : ndarray, shape=(residues,), dtype=float64
        In Å², or 0 to 100 for pLDDT.
    """
    residues = structure.residues
    b_factor = np.asarray(structure.atoms.b_factor, dtype=np.float64)
    counts = np.diff(residues.first_atom)
    sums = np.bincount(structure.atoms.residue, weights=b_factor, minlength=len(residues))
    values = sums / np.maximum(counts, 1)
    guided = residues.guide_atom >= 0
    values[guided] = b_factor[residues.guide_atom[guided]]
    return values


def _runs(wanted: dict[tuple[int, str], bool]) -> str:
    """Join the wanted keys into ranges that hold no unwanted key."""
    runs: list[tuple[tuple[int, str], tuple[int, str]]] = []
    open_run = False
    for key in sorted(wanted):
        if not wanted[key]:
            open_run = False
        elif open_run:
            runs[-1] = (runs[-1][0], key)
        else:
            runs.append((key, key))
            open_run = True
    return ",".join(show_key(a) if a == b else f"{show_key(a)}-{show_key(b)}" for a, b in runs)


def _extent(structure: Structure) -> str:
    """Return the chains and their numbers in words, such as ``"chains A (1-214), B (1-214)"``."""
    parts = []
    for chain in structure.chains[:12]:
        parts.append(f"{chain or '_'} ({_number_extent(structure, structure.residues.chain == chain)})")
    more = len(structure.chains) - 12
    if more > 0:
        parts.append(f"and {more} more")
    return ("chain " if len(structure.chains) == 1 else "chains ") + ", ".join(parts)


def _number_extent(structure: Structure, members: Mask) -> str:
    """Return the first and last number of some residues; of the polymer where there is one, without its waters."""
    polymer = members & (structure.residues.guide_atom >= 0)
    numbers = structure.residues.number[polymer if polymer.any() else members]
    low, high = int(numbers.min()), int(numbers.max())
    return str(low) if low == high else f"{low} to {high}" if low < 0 else f"{low}-{high}"


class _Parser:
    """Recursive descent over the tokens; every rule returns a mask and whether it named places only."""

    def __init__(self, structure: Structure, text: str, core: Mask | None) -> None:
        self.structure = structure
        self.residues = structure.residues
        self.text = text
        self.core = core
        self.tokens = tokenize(text)
        self.position = 0

    def parse(self) -> Mask:
        if self.token.kind == "end":
            raise StructureError("The selection is empty; write 'all' for every residue.")
        mask, _ = self.union()
        if self.token.kind != "end":
            raise self.unexpected("'and', 'or', ',' or the end")
        return mask

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def take(self) -> Token:
        token = self.token
        self.position += 1
        return token

    def fail(self, token: Token, reason: str) -> StructureError:
        return StructureError(f"Selection {self.text!r}, character {token.place + 1}: {reason}.")

    def unexpected(self, expected: str) -> StructureError:
        found = "it ends here" if self.token.kind == "end" else f"{self.token.text!r} was not expected"
        return self.fail(self.token, f"{found}; expected {expected}")

    def union(self) -> tuple[Mask, bool]:
        mask, places = self.intersection()
        while self.token.kind not in ("end", ")"):
            token = self.token
            explicit = token.kind == "or"
            if explicit or token.kind == ",":
                self.take()
            other, other_places = self.intersection()
            if not explicit and not (places and other_places):
                reason = "a space or comma could mean 'and' or 'or' here; write which"
                raise self.fail(token, reason)
            mask = mask | other
            places = places and other_places
        return mask, places

    def intersection(self) -> tuple[Mask, bool]:
        mask, places = self.negation()
        while self.token.kind == "and":
            self.take()
            other, _ = self.negation()
            mask, places = mask & other, False
        return mask, places

    def negation(self) -> tuple[Mask, bool]:
        if self.token.kind == "not":
            self.take()
            mask, _ = self.negation()
            return ~mask, False
        return self.primary()

    def primary(self) -> tuple[Mask, bool]:
        token = self.token
        if token.kind == "(":
            self.take()
            mask, places = self.union()
            if self.token.kind != ")":
                raise self.unexpected("')'")
            self.take()
            return mask, places
        if token.kind == "all":
            self.take()
            return np.ones(len(self.residues), dtype=bool), True
        if token.kind == "core":
            self.take()
            if self.core is None:
                raise self.fail(token, "the core is not known here; superpose first")
            return self.core.copy(), False
        if token.kind == "compare":
            self.take()
            return self.comparison(token), False
        if token.kind == "chain":
            self.take()
            chain = self.chain(token)
            if self.token.kind != ":":
                return chain, True
            self.take()
            return (self.ranges(chain, token) if self.token.kind == "range" else chain), True
        if token.kind == "range":
            return self.ranges(np.ones(len(self.residues), dtype=bool), None), True
        raise self.unexpected("a chain such as A, a range such as A:1-29, 'all', 'core', 'plddt>=70' or '('")

    def comparison(self, token: Token) -> Mask:
        quantity, operator, value = token.comparison
        values = residue_b_factors(self.structure)
        if quantity == "plddt":
            guided = self.residues.guide_atom >= 0
            if guided.any() and values[guided].max() > 100.0:
                reason = f"{self.structure.name} holds B-factors up to {values[guided].max():.1f}, not pLDDT; write 'b'"
                raise self.fail(token, reason)
        return _COMPARE[operator](values, value)

    def chain(self, token: Token) -> Mask:
        mask = np.asarray(self.residues.chain == token.chain)
        if not mask.any():
            reason = f"{self.structure.name} has no chain {token.chain or '_'!r}; it has {_extent(self.structure)}"
            if token.text.lower() in ("and", "or", "not", "all", "core"):
                reason += f" (the word {token.text.lower()!r} is written in small letters)"
            raise self.fail(token, reason)
        return mask

    def ranges(self, within: Mask, chain: Token | None) -> Mask:
        mask = self.range(self.take(), within, chain)
        # A comma goes on with the ranges of this chain only while numbers follow.
        while self.token.kind == "," and self.tokens[self.position + 1].kind == "range":
            self.take()
            mask |= self.range(self.take(), within, chain)
        return mask

    def range(self, token: Token, within: Mask, chain: Token | None) -> Mask:
        first, last = token.range
        if first > last:
            raise self.fail(token, f"the range {token.text!r} runs backwards")
        mask = within & _in_range(self.residues.number, self.residues.insertion_code, (first, last))
        if not mask.any():
            where = f"chain {chain.chain or '_'}" if chain is not None else self.structure.name
            numbers = _number_extent(self.structure, within)
            raise self.fail(token, f"{where} has no residue {token.text}; its numbers are {numbers}")
        return mask


def _in_range(number: NDArray[np.int64], code: NDArray[np.str_], ends: PlaceRange) -> Mask:
    (low, low_code), (high, high_code) = ends
    after = (number > low) | ((number == low) & (code >= low_code))
    before = (number < high) | ((number == high) & (code <= high_code))
    return np.asarray(after & before)
