"""The pieces of the Cryo-EM workbench by themselves: slider, pictures, axis, contours, newest work."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QGridLayout, QWidget

from lieapp.gui.cryoem.maps import _extent
from lieapp.gui.cryoem.shell_plot import ShellCurve, ShellPlot, resolution_text, resolution_ticks
from lieapp.gui.pictures.headings import paint_heading
from lieapp.gui.pictures.picture_grid import Column, Picture, PictureGrid, color_table, grey_levels
from lieapp.gui.viewer.contour_maker import ContourMaker, ContourRequest
from lieapp.gui.widgets.value_slider import ValueSlider
from lieapp.gui.work.latest_work import LatestWork
from lieapp.gui.work.worker import Task

TIMEOUT = 30_000


def test_a_slider_settles_once_after_keys_and_shows_values_between(qtbot) -> None:
    page = QWidget()
    slider = ValueSlider("SNR", (0.1, 1.0, 10.0), lambda value: f"{value:g}", "tip")
    slider.add_to(QGridLayout(page))
    qtbot.addWidget(page)
    page.show()
    moved: list[float] = []
    settled: list[float] = []
    slider.moved.connect(moved.append)
    slider.settled.connect(settled.append)
    slider.show_value(3.0)  # not one of its values: the words say it nevertheless
    assert slider.text.text() == "3" and slider.chosen == 1.0 and moved == []
    QTest.keyClick(slider, Qt.Key.Key_Right)
    QTest.keyClick(slider, Qt.Key.Key_Left)
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert moved == [10.0, 1.0, 10.0] and slider.text.text() == "10"
    qtbot.waitUntil(lambda: settled == [10.0], timeout=TIMEOUT)
    QTest.keyClick(slider, Qt.Key.Key_Left)
    QTest.keyClick(slider, Qt.Key.Key_Right)
    qtbot.wait(700)
    assert settled == [10.0], "where it was before, nothing is to be done"


def test_pictures_share_their_zoom_and_tell_their_values(qtbot) -> None:
    grid = PictureGrid("pictures", ("first", "second"))
    qtbot.addWidget(grid)
    grid.resize(420, 420)
    grid.show()
    values = np.arange(64, dtype=np.float64).reshape(8, 8)
    picture = Picture(values, grey_levels(values))
    grid.show_columns([Column("one", [picture, picture]), Column("two", [picture])])
    said: list[str] = []
    grid.pointed.connect(said.append)
    cell = grid.cell(1, 0)
    place = QPointF(cell.left() + 2.5 * cell.width() / 8, cell.bottom() - 1.5 * cell.height() / 8)
    assert grid.pixel_at(place) == (1, 0, 1, 2), "the first row is lowest"
    QTest.mouseMove(grid, place.toPoint())
    qtbot.waitUntil(lambda: bool(said) and said[-1].endswith("10"), timeout=TIMEOUT)
    image = grid.grab().toImage()
    assert image.pixelColor(grid.cell(0, 1).bottomLeft().toPoint() + QPointF(4, -4).toPoint()).lightness() < 20
    QTest.keyClick(grid, Qt.Key.Key_Plus)
    assert grid._zoom > 1.0 and grid.pixel_at(place) != (1, 0, 0, 0)
    grid.show_everything()
    assert grid._zoom == 1.0 and grid.pixel_at(place) == (1, 0, 1, 2)
    assert grid.pixel_at(QPointF(grid.cell(1, 1).center())) is None


def test_a_single_row_takes_as_many_lines_as_make_it_largest(qtbot) -> None:
    grid = PictureGrid("pictures", ("",))
    qtbot.addWidget(grid)
    picture = Picture(np.zeros((4, 4)), (0.0, 1.0))
    grid.show_columns([Column(str(k), [picture]) for k in range(4)])
    grid.resize(500, 560)
    assert grid.cell(2, 0).left() == grid.cell(0, 0).left() and grid.cell(2, 0).top() > grid.cell(0, 0).bottom()
    grid.resize(900, 300)
    assert grid.cell(3, 0).top() == grid.cell(0, 0).top()


def test_difference_colours_are_white_in_the_middle() -> None:
    colors = color_table("difference").astype(int)
    assert colors[127:129].min() > 240 and colors[0, 2] > colors[0, 0] and colors[-1, 0] > colors[-1, 2]
    lightness = color_table("heat").astype(float) @ (0.299, 0.587, 0.114)
    assert (np.diff(lightness) > 0).all()


def test_an_axis_of_resolutions_has_round_distances(qtbot) -> None:
    ticks = resolution_ticks(0.0, 0.08, 0.008)
    assert [resolution_text(tick) for tick in ticks[:3]] == ["15", "20", "25"] or ticks[0] <= 0.08
    assert all(a - b >= 0.008 - 1e-12 for a, b in itertools.pairwise(ticks))
    assert all(float(resolution_text(tick)) == round(1.0 / tick, 6) for tick in ticks)
    assert resolution_text(0.0) == "∞" and resolution_ticks(0.0, 0.0, 1.0) == []
    plot = ShellPlot("plot", "error", logarithmic=True, floor=1e-3)
    qtbot.addWidget(plot)
    plot.resize(400, 300)
    plot.show()
    values = np.array([np.nan, 1.0, 0.1, 1e-5])
    plot.show_curves([ShellCurve("a", "a", values, "#D55E00")], 0.01)
    x, y = plot._items["a"].getData()
    assert x.tolist() == [0.01, 0.02, 0.03] and np.allclose(y, [0.0, -1.0, -3.0]), "floored"
    plot.show_curves([], 0.01, "nothing here")
    assert plot._items == {} and plot.caption.words == "nothing here"


def test_the_newest_contours_win(qtbot) -> None:
    maker = ContourMaker()
    line = np.arange(12) - 6.0
    ball = (4.0 - np.sqrt(line[:, None, None] ** 2 + line[:, None] ** 2 + line**2)).astype(np.float32)
    go, read = threading.Event(), []

    def values(number: int) -> np.ndarray:
        go.wait(20)
        read.append(number)
        return ball

    for number in range(5):
        ready = maker.ask([ContourRequest(number, lambda number=number: values(number), 0.5, 2.0)])
        assert not ready
    go.set()
    qtbot.waitUntil(lambda: not maker.busy and maker.get(4) is not None, timeout=TIMEOUT)
    assert read == [0, 4], "those in between were never made"
    contour = maker.get(4)
    assert contour is not None
    radius = np.linalg.norm(contour.vertices, axis=1)
    assert np.allclose(radius, 7.0, atol=0.5), "3.5 pixels of 2 Å about the origin"
    assert maker.ask([ContourRequest(4, lambda: values(9), 0.5, 2.0)]), "it is there already"
    maker.close()


def test_the_newest_work_wins_and_failures_are_told(qtbot) -> None:
    work = LatestWork("lieapp-test")
    go, done, failed = threading.Event(), [], []
    work.done.connect(done.append)
    work.failed.connect(failed.append)
    work.ask(0, lambda task: (go.wait(20), 0)[1])
    for number in range(1, 5):
        work.ask(number, lambda task, number=number: number)
    work.ask(4, lambda task: 99)
    go.set()
    qtbot.waitUntil(lambda: not work.busy, timeout=TIMEOUT)
    assert done[0] == 0 and len(done) == 2 and work.key == 4

    def fail(task: Task) -> int:
        raise ValueError("no")

    work.ask(5, fail)
    qtbot.waitUntil(lambda: bool(failed), timeout=TIMEOUT)
    work.ask(6, lambda task: 6)
    qtbot.waitUntil(lambda: done[-1] == 6, timeout=TIMEOUT)
    work.close()


def test_work_that_comes_too_late_is_forgotten(qtbot) -> None:
    work, go, done = LatestWork("lieapp-test"), threading.Event(), []
    work.done.connect(done.append)
    work.answer("at once", 0)
    work.answer("at once", 99)
    assert done == [0] and work.key == "at once" and not work.busy

    def slow(task: Task) -> int:
        go.wait(20)
        return 1

    work.ask("slow", slow)
    assert work.busy
    work.ask("at once", lambda task: 99)  # it is what is there
    assert not work.busy
    work.ask("slow", slow)
    work.ask("next", lambda task: 2)
    work.drop()
    work.ask("last", lambda task: 3)
    go.set()
    qtbot.waitUntil(lambda: not work.busy, timeout=TIMEOUT)
    assert done == [0, 3] and work.key == "last"
    work.ask("slow", slow)
    work.answer("nothing", None)
    work.ask("after", lambda task: 4)
    qtbot.waitUntil(lambda: not work.busy, timeout=TIMEOUT)
    assert done == [0, 3, None, 4]
    work.close()


def test_a_label_that_does_not_fit_is_short(qtbot) -> None:
    plot = ShellPlot("Fourier shell correlation", "Fourier shell correlation", short="FSC")
    qtbot.addWidget(plot)
    plot.resize(400, 500)
    plot.show()
    assert plot.left_axis.labelText == "Fourier shell correlation"
    plot.resize(400, 160)
    qtbot.waitUntil(lambda: plot.left_axis.labelText == "FSC")


def test_headings_over_pictures_have_a_plate(qtbot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    picture = QImage(200, 60, QImage.Format.Format_RGB32)
    picture.fill(QColor("#009E73"))
    painter = QPainter(picture)
    paint_heading(painter, widget, QRectF(10, 5, 180, 50), "Row sum", "epoch 9.6", "#009E73", back=QColor("#FFFFFF"))
    painter.end()
    metrics = QFontMetricsF(widget.font())
    # Behind title, line and note alike; nothing beyond the words.
    for y in (6, 5 + metrics.height() * 0.9, 5 + metrics.height() * 1.6):
        assert picture.pixelColor(7, round(y)) == QColor("#FFFFFF")
    assert picture.pixelColor(195, 30) == QColor("#009E73")


def test_the_view_of_maps_holds_what_lies_above_the_level() -> None:
    values = np.zeros((20, 20, 20), dtype=np.float32)
    values[10, 10, 2:19] = 1.0
    assert _extent(values, 0.5) == pytest.approx(0.8, abs=0.02)
    assert _extent(values, 2.0) == 0.0
