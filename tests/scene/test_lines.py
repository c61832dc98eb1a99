"""Lines of runs: an optimiser keeps its colour, a second run of it a tint, and no two are the same."""

from __future__ import annotations

import colorsys

import pytest

from lieapp.scene.colors import OPTIMIZER_COLORS, optimizer_color, optimizer_dash
from lieapp.scene.lines import Dash, free_line, tint


def hue(color: str) -> float:
    return colorsys.rgb_to_hls(*(int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)))[0]


@pytest.mark.parametrize("color", OPTIMIZER_COLORS.values())
def test_tints_differ_and_keep_the_hue(color: str) -> None:
    tints = [tint(color, number) for number in range(4)]
    assert tints[0] == color
    assert len(set(tints)) == 4
    if color != "#666666":
        assert [hue(each) for each in tints] == pytest.approx([hue(color)] * 4, abs=0.02)


def test_lines_are_distinct_and_stay_in_their_colour_for_long() -> None:
    lines: list[tuple[str, Dash]] = []
    for _ in range(40):
        lines.append(free_line("deo", lines))
    assert lines[0] == (optimizer_color("deo"), optimizer_dash("deo"))
    assert len(set(lines)) == 40
    assert {color for color, _ in lines[:9]} <= {tint(optimizer_color("deo"), number) for number in range(4)}
    assert lines[1][0] != lines[0][0]
    assert lines[1][1] != lines[0][1]
