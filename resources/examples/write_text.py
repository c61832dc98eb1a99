"""Write the bundled text of the character transformer: ``python write_text.py`` makes ``character_text.txt`` beside it.

The text is made by this small grammar and belongs to the program: no author's work is in it. It is the notebook of an
imaginary laboratory, of about 150 kB, the same to the last byte wherever it is written. What there is to learn is of
several kinds: which letters follow one another in some three hundred words, that a sentence begins with a capital and
ends with a full stop, that verbs agree with their subjects, that numbers have units, that quotation marks are closed.
"""

from __future__ import annotations

import random
from pathlib import Path

PLACES = (
    "hill",
    "river",
    "valley",
    "harbour",
    "garden",
    "bridge",
    "forest",
    "meadow",
    "tower",
    "island",
    "mill",
    "shore",
)
PEOPLE = ("Ada", "Bruno", "Clara", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kira", "Lev", "Mira")
THINGS = (
    *("protein", "crystal", "lattice", "membrane", "particle", "mirror", "compass", "lantern", "pendulum", "machine"),
    *("gradient", "saddle", "valley floor", "mountain pass", "picture", "letter", "clock", "window", "map", "notebook"),
)
QUALITIES = (
    *("quiet", "bright", "narrow", "ancient", "patient", "curious", "hollow", "silver", "steep", "gentle", "cold"),
    *("broken", "careful", "distant", "empty", "golden", "heavy", "simple", "slow", "sudden", "warm"),
)
MOVES = (
    *(("turns", "turn"), ("falls", "fall"), ("rises", "rise"), ("waits", "wait"), ("drifts", "drift")),
    *(("settles", "settle"), ("slides", "slide"), ("trembles", "tremble"), ("returns", "return"), ("folds", "fold")),
)
ACTS = (
    *(("measures", "measure"), ("finds", "find"), ("follows", "follow"), ("draws", "draw"), ("counts", "count")),
    *(("remembers", "remember"), ("repairs", "repair"), ("watches", "watch"), ("carries", "carry"), ("turns", "turn")),
)
WAYS = ("slowly", "twice", "without a sound", "towards the minimum", "along the ridge", "by a small step", "once more")
WHEN = ("In the morning", "At noon", "Before the rain", "After the last step", "Every evening", "On the third day")
LINKS = ("but", "and", "while", "because", "so that", "although")
UNITS = ("steps", "degrees", "metres", "hours", "pages", "evaluations")
SAYINGS = (
    *("the way down is shorter than it looks", "a saddle is not a valley", "nothing moves without a slope"),
    *("we should measure it again", "the curvature has changed its sign", "there is always another path"),
    *("the numbers do not agree", "this one is lower than the last", "patience is also a method"),
)


class Notebook:
    """Sentences drawn with a generator of its own."""

    def __init__(self, seed: int) -> None:
        self._draw = random.Random(seed)

    def _one(self, words: tuple) -> object:
        return words[self._draw.randrange(len(words))]

    def _thing(self) -> tuple[str, int]:
        """Return a noun with its article, and 0 for singular, 1 for plural."""
        noun, plural = str(self._one(THINGS)), self._draw.random() < 0.25
        quality = f"{self._one(QUALITIES)} " if self._draw.random() < 0.6 else ""
        if plural:
            return f"the {quality}{noun}s", 1
        article = "a" if self._draw.random() < 0.4 else "the"
        if article == "a" and (quality or noun)[0] in "aeiou":
            article = "an"
        return f"{article} {quality}{noun}", 0

    def _clause(self) -> str:
        kind = self._draw.randrange(4)
        if kind == 0:
            subject, number = self._thing()
            return f"{subject} {self._one(MOVES)[number]} {self._one(WAYS)}"
        if kind == 1:
            return f"{self._one(PEOPLE)} {self._one(ACTS)[0]} {self._thing()[0]}"
        if kind == 2:
            subject, number = self._thing()
            return f"{subject} {self._one(MOVES)[number]} near the {self._one(PLACES)}"
        return f"{self._one(PEOPLE)} and {self._one(PEOPLE)} {self._one(ACTS)[1]} {self._thing()[0]}"

    def sentence(self) -> str:
        """Return one sentence."""
        kind = self._draw.randrange(6)
        if kind == 0:
            return f'{self._one(PEOPLE)} says, "{_capital(str(self._one(SAYINGS)))}."'
        if kind == 1:
            return f"{self._one(WHEN)}, {self._clause()}."
        if kind == 2:
            return f"{_capital(self._clause())} for {self._draw.randrange(2, 100)} {self._one(UNITS)}."
        if kind == 3:
            return f"{_capital(self._clause())}, {self._one(LINKS)} {self._clause()}."
        if kind == 4:
            return f'"{_capital(str(self._one(SAYINGS)))}," {self._one(PEOPLE)} answers.'
        return f"{_capital(self._clause())}."

    def page(self, number: int) -> str:
        """Return one entry: a heading and a few paragraphs."""
        paragraphs = [
            " ".join(self.sentence() for _ in range(self._draw.randrange(3, 7)))
            for _ in range(self._draw.randrange(2, 4))
        ]
        return "\n\n".join([f"Day {number}: {self._one(PLACES)} and {self._one(PLACES)}", *paragraphs])


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]


def write(path: Path, size: int = 150_000, seed: int = 7) -> None:
    """Write pages until there are ``size`` characters."""
    notebook, pages, length = Notebook(seed), [], 0
    while length < size:
        pages.append(notebook.page(len(pages) + 1))
        length += len(pages[-1]) + 2
    path.write_text("\n\n".join(pages) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(__file__).resolve().with_name("character_text.txt"))
