"""Minus signs of numbers, and tool tips of a width that people read."""

from __future__ import annotations

import pytest

from lieapp.gui.widgets.words import folded, with_minus


@pytest.mark.parametrize(
    ("text", "shown"),
    (
        ("-0.25", "−0.25"),
        ("loss -1.00001e-08.", "loss −1.00001e-08."),
        ("from (-0.7785, 0.6653)", "from (−0.7785, 0.6653)"),
        ("x from -1.5 to 1.2", "x from −1.5 to 1.2"),
        ("-.5", "−.5"),
        ("Müller-Brown, 100-D, DEO-2, A:1-29,60-121", "Müller-Brown, 100-D, DEO-2, A:1-29,60-121"),
        ("x^2-3", "x^2-3"),
    ),
)
def test_negative_numbers_and_nothing_else_get_a_minus_sign(text: str, shown: str) -> None:
    assert with_minus(text) == shown


def test_tool_tips_are_folded_where_words_end() -> None:
    words = "A strict saddle between two minima: along y gradient descent grows by a constant factor each step."
    tip = folded(f"Landscape\n\n{words}", 40)
    lines = tip.split("\n")
    assert lines[:2] == ["Landscape", ""] and len(lines) == 5
    assert all(len(line) <= 40 for line in lines)
    assert " ".join(lines[2:]) == words
    assert folded("short") == "short" and folded("") == ""
