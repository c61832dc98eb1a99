"""Formulas in x and y that a person types: read by a small parser, evaluated with exact derivatives. No torch.

Nothing that is typed is ever executed: the text is read letter by letter into a list of arithmetic operations, and only
those are carried out. The grammar::

    sum     = product { ("+" | "-") product }
    product = signed { ("*" | "/") signed }
    signed  = { "+" | "-" } power
    power   = value [ ("^" | "**") signed ]          to the right first: 2^3^2 is 2^9; -x^2 is -(x^2)
    value   = number | "x" | "y" | "pi" | "e" | function "(" sum ")" | "(" sum ")"

Typeset signs (``x² − y²``, ``·``) are read as well.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from lieapp.landscapes import jets
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.jets import Jet

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "Formula", "FormulaError", "parse_formula"]

MAX_LENGTH = 2000
"""Most characters of a formula."""

MAX_DEPTH = 40
"""Most levels of parentheses, functions, signs and powers inside one another."""

_CONSTANTS = {"pi": math.pi, "e": math.e}
_SUPERSCRIPTS = {sign: str(digit) for digit, sign in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_SIGNS = {"−": "-", "–": "-", "·": "*", "×": "*", "÷": "/"}
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|.)",
    re.DOTALL,
)
_MOST_NUMBERS = 1000


class FormulaError(LandscapeError):
    """A formula that cannot be read; the message begins with the column, counted from 1.

    Attributes
    ----------
    column : int
    """

    def __init__(self, column: int, message: str) -> None:
        super().__init__(f"column {column}: {message}")
        self.column = column


class _Operation(NamedTuple):
    """One step of the list: a kind, the places of its operands in the list, and a number or a function's name."""

    kind: str
    operands: tuple[int, ...] = ()
    value: float | str = 0.0


@dataclass(frozen=True)
class Formula:
    """A function of x and y.

    Attributes
    ----------
    text : str
        As it was typed.
    operations : tuple
        What to carry out, in order; the last one is the result.
    """

    text: str
    operations: tuple[_Operation, ...]

    def value(self, x: Any, y: Any) -> Any:
        """Return the value; x and y are numbers, numpy arrays, or torch tensors (which may be differentiated)."""
        return _shaped(self._evaluate(x, y, 0)[:1], x, y)[0]

    def gradient(self, x: Any, y: Any) -> tuple[Any, Any, Any]:
        """Return value and first derivatives ``f, f_x, f_y``, shaped like x and y."""
        f, fx, fy = _shaped(self._evaluate(x, y, 1)[:3], x, y)
        return f, fx, fy

    def derivatives(self, x: Any, y: Any) -> tuple[Any, Any, Any, Any, Any, Any]:
        """Return value, first and second derivatives ``f, f_x, f_y, f_xx, f_xy, f_yy``, shaped like x and y."""
        f, fx, fy, xx, xy, yy = _shaped(self._evaluate(x, y, 2), x, y)
        return f, fx, fy, xx, xy, yy

    def _evaluate(self, x: Any, y: Any, order: int) -> Jet:
        # Plain floats raise where arrays give inf and nan; a run judges those.
        x = np.float64(x) if isinstance(x, (int, float)) else x
        y = np.float64(y) if isinstance(y, (int, float)) else y
        with np.errstate(all="ignore"):
            done: list[Jet] = []
            for kind, operands, value in self.operations:
                done.append(_carry_out(kind, [done[place] for place in operands], value, x, y, order))
            return done[-1]


def _shaped(parts: Sequence[Any], x: Any, y: Any) -> list[Any]:
    """Return parts of a jet as wide as x and y; what is zero everywhere is None in a jet."""
    with np.errstate(all="ignore"):
        nothing = 0.0 * (x + y)
        return [nothing + (0.0 if part is None else part) for part in parts]


def _carry_out(kind: str, operands: Sequence[Jet], value: float | str, x: Any, y: Any, order: int) -> Jet:
    second = order > 1
    if kind == "multiply":
        return jets.multiply(operands[0], operands[1], second)
    if kind == "add":
        return jets.add(operands[0], operands[1])
    if kind == "power":
        return jets.power(operands[0], operands[1], second)
    if kind == "apply":
        return jets.apply(str(value), operands[0], second)
    if kind == "negate":
        return jets.negate(operands[0])
    if kind == "divide":
        return jets.divide(operands[0], operands[1], second)
    if kind == "number":
        return jets.constant(float(value))
    return jets.variable(x if kind == "x" else y, kind, order)


@lru_cache(maxsize=256)
def parse_formula(text: str) -> Formula:
    """Read a formula.

    Parameters
    ----------
    text : str
        Numbers, x, y, pi, e, ``+ - * / ^ **``, parentheses, and sin cos tan exp log sqrt abs sinh cosh tanh.

    Returns
    -------
    Formula

    Raises
    ------
    FormulaError
        Naming the column and what was expected there.
    """
    return _Parser(text).formula()


class _Token(NamedTuple):
    kind: str  # number, name, sign or end
    text: str
    column: int


class _Parser:
    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise FormulaError(MAX_LENGTH + 1, f"a formula has at most {MAX_LENGTH} characters, this one {len(text)}")
        self._text = text
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0
        self._operations: list[_Operation] = []
        self._places: dict[_Operation, int] = {}

    def formula(self) -> Formula:
        result = self._sum()
        token = self._token
        if token.kind != "end":
            raise FormulaError(token.column, f"expected an operator or the end, not {token.text!r}{_hint(token)}")
        operations = self._operations[: result + 1]
        return Formula(self._text, tuple(operations))

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _take(self, *signs: str) -> str | None:
        token = self._token
        if token.kind == "sign" and token.text in signs:
            self._next += 1
            return token.text
        return None

    def _deeper(self, column: int) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise FormulaError(column, f"more than {MAX_DEPTH} levels inside one another")

    def _put(self, kind: str, *operands: int, value: float | str = 0.0) -> int:
        """Add an operation, once however often it occurs; of numbers alone, carry it out now."""
        known = [self._operations[place] for place in operands]
        if operands and all(operation.kind == "number" for operation in known):
            first, *others = (float(operation.value) for operation in known)
            with np.errstate(all="ignore"):  # one of numpy gives inf and nan where plain floats raise
                numbers = [jets.constant(np.float64(first)), *(jets.constant(number) for number in others)]
                jet = _carry_out(kind, numbers, value, None, None, 0)
            return self._put("number", value=float(jet.f))
        operation = _Operation(kind, operands, value)
        if operation not in self._places:
            self._places[operation] = len(self._operations)
            self._operations.append(operation)
        return self._places[operation]

    def _sum(self) -> int:
        left = self._product()
        while sign := self._take("+", "-"):
            right = self._product()
            left = self._put("add", left, right if sign == "+" else self._put("negate", right))
        return left

    def _product(self) -> int:
        left = self._signed()
        while sign := self._take("*", "/"):
            left = self._put("multiply" if sign == "*" else "divide", left, self._signed())
        return left

    def _signed(self) -> int:
        column = self._token.column
        sign = self._take("+", "-")
        if sign is None:
            return self._power()
        self._deeper(column)
        inner = self._signed()
        self._depth -= 1
        return self._put("negate", inner) if sign == "-" else inner

    def _power(self) -> int:
        base = self._value()
        column = self._token.column
        if self._take("^", "**") is None:
            return base
        self._deeper(column)
        exponent = self._signed()
        self._depth -= 1
        return self._put("power", base, exponent)

    def _value(self) -> int:
        token = self._token
        if token.kind == "number":
            self._next += 1
            return self._put("number", value=float(token.text))
        if token.kind == "name":
            return self._name(token)
        if self._take("("):
            return self._inside(token)
        what = "the end" if token.kind == "end" else repr(token.text)
        raise FormulaError(token.column, f"expected a number, x, y, a function or '(', not {what}")

    def _name(self, token: _Token) -> int:
        self._next += 1
        name = token.text.lower()
        if name in ("x", "y"):
            return self._put(name)
        if name in _CONSTANTS:
            return self._put("number", value=_CONSTANTS[name])
        if name not in jets.FUNCTIONS:
            known = ", ".join(("x", "y", *_CONSTANTS, *jets.FUNCTIONS))
            hint = "; write products with *, as in x*y" if set(name) <= set("xy0123456789") else ""
            raise FormulaError(token.column, f"expected one of {known}, not {token.text[:20]!r}{hint}")
        opening = self._token
        if self._take("(") is None:
            raise FormulaError(opening.column, f"expected '(' after {name}")
        return self._put("apply", self._inside(opening), value=name)

    def _inside(self, opening: _Token) -> int:
        self._deeper(opening.column)
        inner = self._sum()
        token = self._token
        if self._take(")") is None:
            what = "the end" if token.kind == "end" else repr(token.text)
            raise FormulaError(
                token.column, f"expected ')' to close the '(' of column {opening.column}, not {what}{_hint(token)}"
            )
        self._depth -= 1
        return inner


def _hint(token: _Token) -> str:
    if token.kind in ("number", "name") or token.text == "(":
        return "; write products with *, as in 2*x"
    return "; numbers have a point, not a comma" if token.text == "," else ""


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        if text[place] in _SUPERSCRIPTS:
            begin = place
            while place < len(text) and text[place] in _SUPERSCRIPTS:
                place += 1
            digits = "".join(_SUPERSCRIPTS[sign] for sign in text[begin:place])
            found += [_Token("sign", "^", begin + 1), _Token("number", digits, begin + 1)]
            continue
        match = _TOKEN.match(text, place)
        assert match is not None
        kind, word = str(match.lastgroup), match.group()
        # A number that is glued to a name is no product: 2x is a slip, 2e is not ours to guess.
        found.append(_Token(kind, _SIGNS.get(word, word), place + 1))
        if kind == "number" and not math.isfinite(float(word)):
            raise FormulaError(place + 1, f"the number {word[:20]} is too large")
        place = match.end()
    if not found:
        raise FormulaError(1, "expected a formula in x and y, such as x^2 - y^2 + y^4")
    if len(found) > _MOST_NUMBERS:
        raise FormulaError(found[_MOST_NUMBERS].column, f"more than {_MOST_NUMBERS} numbers, names and signs")
    return [*found, _Token("end", "", len(text) + 1)]
