"""The result strip always shows its three lines, at any width."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtGui import QFontMetricsF
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from lieapp.gui.align.result_strip import ResultStrip, StripContent
from lieapp.gui.widgets.theme import theme

ADK = StripContent(
    rmsd=7.1307,
    kabsch_rmsd=7.1307,
    pairs=214,
    core_rmsd=1.083,
    core_cutoff=2.0,
    core_pairs=112,
    tm_mobile=0.566,
    tm_target=0.566,
    mobile_length=214,
    target_length=214,
    angle_degrees=122.4,
    evaluations=102.0,
    pose="best pose",
)
MIDWAY = replace(ADK, rmsd=17.43, tm_target=0.549, target_length=221, pose="pose at step 134", evaluations=1340.0)


@pytest.fixture
def strip(qtbot: QtBot) -> ResultStrip:
    theme().set_mode("light")
    made = ResultStrip()
    qtbot.addWidget(made)
    made.resize(1000, 56)
    made.show()
    qtbot.waitExposed(made)
    return made


def texts(strip: ResultStrip) -> list[str]:
    figures = (strip.rmsd, strip.core, strip.tm, strip.rotation)
    return [f"{figure.number.text()} / {figure.caption.text()}" for figure in figures]


def clipped(strip: ResultStrip) -> list[str]:
    return [
        label.text()
        for label in strip.findChildren(QLabel)
        if label.isVisible() and QFontMetricsF(label.font()).horizontalAdvance(label.text()) > label.width() + 0.5
    ]


def test_all_words_where_there_is_room(strip: ResultStrip) -> None:
    strip.show_scores(ADK)
    assert texts(strip) == [
        "7.13 Å / all 214 pairs, equals Kabsch",
        "1.08 Å / core, 112 pairs below 2 Å",
        "0.566 / TM-score, both lengths 214",
        "122.4° / rotation, best pose, 102 evaluations",
    ]
    strip.show_scores(MIDWAY)
    assert texts(strip) == [
        "17.43 Å / all 214 pairs, Kabsch 7.13 Å",
        "1.08 Å / core, 112 pairs below 2 Å",
        "0.566 | 0.549 / TM-scores, lengths 214 | 221",
        "122.4° / rotation, pose at step 134, 1340 evaluations",
    ]


@pytest.mark.parametrize("content", (ADK, MIDWAY), ids=("best", "midway"))
@pytest.mark.parametrize("width", (520, 590, 640, 740, 900, 1200))
def test_nothing_is_cut_at_any_width(strip: ResultStrip, width: int, content: StripContent) -> None:
    strip.resize(width, 56)
    strip.show_scores(content)
    QApplication.processEvents()
    assert strip.width() == width
    assert clipped(strip) == []
    assert not any("…" in text for text in texts(strip))
    for figure in (strip.rmsd, strip.core, strip.tm):
        assert figure.isVisible()
    # What a number is can always be read beside it.
    assert "Kabsch" in strip.rmsd.caption.text()
    assert "core" in strip.core.caption.text()
    assert "TM" in strip.tm.caption.text()
    if width >= 590:
        assert strip.rotation.isVisible()


def test_the_whole_text_is_in_the_tooltip(strip: ResultStrip) -> None:
    strip.resize(520, 56)
    strip.show_scores(ADK)
    assert "all 214 pairs, equals Kabsch" in strip.rmsd.caption.toolTip()
    assert "both lengths 214" in strip.tm.number.toolTip()


def test_figures_stay_where_they_are_during_a_replay(strip: ResultStrip) -> None:
    strip.resize(1000, 56)
    places = []
    for step in (134, 8, 77, 3):
        pose = replace(MIDWAY, pose=f"pose at step {step}", evaluations=10.0 * step)
        strip.show_scores(pose)
        QApplication.processEvents()
        places.append([figure.x() for figure in (strip.rmsd, strip.core, strip.tm, strip.rotation)])
    assert all(place == places[0] for place in places)


def test_it_says_why_there_is_nothing(strip: ResultStrip) -> None:
    strip.show_scores(ADK)
    assert strip.fit_core.isEnabled()
    strip.clear("two structures are needed")
    assert texts(strip)[0] == "– / two structures are needed"
    assert not strip.fit_core.isEnabled()


def test_fit_core_is_told(strip: ResultStrip, qtbot: QtBot) -> None:
    strip.show_scores(ADK)
    with qtbot.waitSignal(strip.fit_core_clicked, timeout=1000):
        strip.fit_core.click()


def test_an_rmsd_above_the_smallest_is_never_called_equal(strip: ResultStrip) -> None:
    strip.show_scores(replace(ADK, rmsd=ADK.kabsch_rmsd + 2e-4))
    assert "equals" not in strip.rmsd.caption.text()
    assert "Kabsch 7.13" in strip.rmsd.caption.text()


def test_only_what_is_true_is_said(qtbot: QtBot) -> None:
    """A subset is not all pairs, less than Kabsch's of another fit does not equal it, and no core has no RMSD."""
    strip = ResultStrip()
    qtbot.addWidget(strip)
    strip.resize(1400, 70)
    strip.show_scores(replace(ADK, rmsd=6.5, pairs=112, total_pairs=214, core_rmsd=float("nan"), core_pairs=0))
    whole = strip.rmsd.caption.toolTip()
    assert "112 of 214 pairs, Kabsch 7.13 Å" in whole
    assert "equals" not in whole
    assert strip.core.number.text() == "–"
    assert "no core" in strip.core.caption.toolTip()
