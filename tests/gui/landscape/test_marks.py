"""What lies on the picture of a landscape: signs, the start, planes; and what its keys say in large letters."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtWidgets import QWidget

from lieapp.gui.landscape.items import NUMBERED, sign_scales
from lieapp.gui.landscape.key import PointKey
from lieapp.gui.landscape.workbench import LandscapeWorkbench
from lieapp.gui.pictures.slice_key import evenly_apart
from lieapp.gui.plots.legend import PlotLegend
from lieapp.gui.window.main_window import MainWindow
from tests.gui.landscape.test_workbench import bench, choose, ended, pixel_of, race  # noqa: F401

TIMEOUT = 60_000
PLANES = ("strict-saddle-100", "so3-alignment", "matrix-factorisation", "deep-linear")


def drawn(bench: LandscapeWorkbench, name: str, qtbot) -> None:  # noqa: F811
    choose(bench, name)
    qtbot.waitUntil(lambda: bench.plot.picture is not None, timeout=TIMEOUT)


@pytest.mark.parametrize("name", PLANES)
def test_a_plane_fills_the_view_and_shows_its_start(bench: LandscapeWorkbench, qtbot, name: str) -> None:  # noqa: F811
    drawn(bench, name, qtbot)
    plot, surface = bench.plot, bench.plot.backdrop.surface
    assert surface is not None
    (x0, x1), (y0, y1) = plot.view_box.viewRange()
    x, y = np.meshgrid(np.linspace(x0, x1, 40), np.linspace(y0, y1, 40))
    assert np.isfinite(surface.value(x, y)).all()
    assert plot.start_ring.isVisible() and plot.start_label.isVisible() and not plot.start.isVisible()
    assert (plot.start_ring.pos().x(), plot.start_ring.pos().y()) == surface.start
    assert "Click" not in bench.strip.caption.text() and "seed" in bench.strip.caption.text()


def test_where_runs_start_on_a_plane_is_where_their_paths_begin(bench: LandscapeWorkbench, qtbot) -> None:  # noqa: F811
    drawn(bench, "so3-alignment", qtbot)
    bench.panel.evaluations.set_override(30.0)
    bench.panel.main_button.click()
    ended(bench, qtbot, 0)
    start = bench.plot.start_ring.pos()
    for track in bench.plot.tracks.values():
        assert track.coordinates[0] == pytest.approx((start.x(), start.y()), abs=1e-9)
    assert not bench.plot.start_label.isVisible()


def test_the_word_at_the_start_stays_in_the_picture(bench: LandscapeWorkbench) -> None:  # noqa: F811
    plot = bench.plot
    (x0, x1), (y0, y1) = plot.view_box.viewRange()
    font = QFont(plot.font())
    font.setPointSizeF(24.0)
    plot.start_label.set_font(font)
    for x in (x0, 0.5 * (x0 + x1), x1):
        for y in (y0, 0.5 * (y0 + y1), y1):
            bench.controller.set_start((x, y))
            rect = plot.start_label.rect
            inside = plot.start_label.boundingRect().adjusted(-1.0, -1.0, 1.0, 1.0)
            assert inside.left() <= rect.left() and rect.right() <= inside.right()
            assert inside.top() <= rect.top()


def test_the_index_of_a_point_that_runs_have_reached_stays_readable(
    bench: LandscapeWorkbench, race, qtbot  # noqa: F811
) -> None:  # fmt: skip
    runs = race()
    bench.controller.select(runs["DEO escape"])
    bench.controller.show_best()
    reached = [spot for spot in bench.plot.marks.spots if spot.sign is not None]
    assert {(spot.sign.item.kind, spot.sign.item.index) for spot in reached} >= {("minimum", 0), ("saddle", 1)}
    for spot in reached:
        # Around the sign, which is painted over it.
        assert 0.5 * spot.size > spot.sign.item.boundingRect().width() / 3.0
    image = bench.plot.plot.grab().toImage()
    minimum = reached[-1].sign.item.pos()
    place = pixel_of(bench, minimum.x(), minimum.y())
    colors = {image.pixelColor(place.x() + dx, place.y() + dy).name() for dx in range(-4, 5) for dy in range(-5, 6)}
    assert "#ffffff" in colors and min(sum(bytes.fromhex(color[1:])) for color in colors) < 250  # ink on white
    bench.controller.show_frame(0)
    assert all(spot.sign is None for spot in bench.plot.marks.spots)
    bench.controller.show_best()
    choose(bench, "himmelblau")
    bench.plot.plot.grab()
    assert bench.plot.marks.spots == ()  # nothing of the runs that are hidden now stays


def test_the_word_at_the_start_keeps_clear_of_signs(bench: LandscapeWorkbench) -> None:  # noqa: F811
    plot = bench.plot
    font = QFont(plot.font())
    font.setPointSizeF(18.0)
    plot.start_label.set_font(font)
    for x in (0.02, 0.1, 0.2, 0.3):
        bench.controller.set_start((x, -0.1))
        for item in plot.points:
            place = plot.marks.pixels(np.array([[item.pos().x(), item.pos().y()]]))[0]
            assert not plot.start_label.rect.contains(QPointF(*place.tolist()))


def test_axes_of_planes_have_labels_that_fit(bench: LandscapeWorkbench, window: MainWindow, qtbot) -> None:  # noqa: F811
    drawn(bench, "strict-saddle-100", qtbot)
    for size in ((1000, 640), (1600, 1000)):
        window.resize(*size)
        qtbot.wait(50)
        for side, room in (("bottom", bench.plot.view_box.width()), ("left", bench.plot.view_box.height())):
            text = bench.plot.plot.getAxis(side).labelText
            assert "curvature" in text and QFontMetricsF(bench.plot.font()).horizontalAdvance(text) <= room
        area = bench.plot.plot.mapFromScene(bench.plot.view_box.sceneBoundingRect()).boundingRect()
        top, bottom = bench.plot.key._margins  # the bar beside the picture is as high as it
        assert abs(top - area.top()) <= 1 and abs(bench.plot.plot.height() - bottom - area.bottom()) <= 2
    assert bench.plot.plot.getAxis("bottom").labelText.endswith("at the start")


def test_signs_shrink_only_where_they_are_crowded() -> None:
    places = np.array([[0.0, 0.0], [9.0, 0.0], [100.0, 0.0], [116.0, 0.0], [300.0, 0.0]])
    assert sign_scales(places).tolist() == [0.5, 0.5, 0.75, 0.75, 1.0]
    assert sign_scales(places[:1]).tolist() == [1.0] and sign_scales(places[:0]).shape == (0,)


def test_signs_of_ackley_grow_where_one_looks_closer(bench: LandscapeWorkbench, qtbot) -> None:  # noqa: F811
    drawn(bench, "ackley", qtbot)
    scales = [item.scale_drawn for item in bench.plot.points]
    assert min(scales) < NUMBERED < max(scales)
    crowded = min(bench.plot.points, key=lambda item: item.scale_drawn).pos()
    x, y = crowded.x(), crowded.y()
    bench.plot.plot.setRange(xRange=(x - 0.2, x + 0.2), yRange=(y - 0.2, y + 0.2), padding=0.0)
    assert all(item.scale_drawn == 1.0 for item in bench.plot.points)


@pytest.mark.parametrize("points", (9.0, 13.0, 18.0, 24.0))
def test_the_key_names_every_sign_in_letters_of_any_size(qtbot, points: float) -> None:
    key = PointKey()
    qtbot.addWidget(key)
    font = QFont(key.font())
    font.setPointSizeF(points)
    key.setFont(font)
    key.set_kinds([("minimum", 0), ("saddle", 1), ("maximum", 2)], dimer=True)
    for width in (300, 420, 700):
        fitted = key._fitted(width)
        rows = key._rows(fitted, width)
        assert [entry.text for row in rows for entry in row] == [
            "minimum", "saddle", "maximum", "dimer, C < 0", "C > 0",
        ]  # fmt: skip
        metrics = QFontMetricsF(fitted)
        for row in rows:
            assert sum(24.0 + metrics.horizontalAdvance(entry.text) + 12.0 for entry in row) - 6.0 <= width
        assert key.heightForWidth(width) >= len(rows) * metrics.height()
    assert len(key._rows(key._fitted(2000), 2000)) == 1


def test_numbers_beside_a_bar_are_thinned_evenly() -> None:
    places = [200.0, 185.0, 168.0, 150.0, 140.0, 121.0, 99.0, 70.0, 41.0, 4.0]
    for least in (5.0, 12.0, 20.0, 40.0, 90.0, 400.0):
        chosen = list(evenly_apart(places, least, 8.0))
        assert chosen and all(places[row] >= 8.0 for row in chosen)
        assert len({b - a for a, b in pairwise(chosen)}) <= 1
        assert all(places[a] - places[b] >= least for a, b in pairwise(chosen))
    assert list(evenly_apart(places, 5.0, 8.0)) == list(range(9))
    assert list(evenly_apart([], 5.0, 8.0)) == []


def test_the_legend_is_as_wide_as_what_it_says_of_those_left_out(bench: LandscapeWorkbench, race, qtbot) -> None:  # noqa: F811
    race()
    legend: PlotLegend = bench.plots.legend
    area = legend._area
    font = QFont(legend._font)
    font.setPointSizeF(18.0)
    legend.set_look(legend.colors, font, 2.0)
    area.setHeight(90)
    area.setWidth(400)
    legend.place(area, lambda: np.empty((0, 2)))
    legend._show_what_fits()
    assert legend._left_out > 0 and legend._rest == f"and {legend._left_out} earlier"
    assert QFontMetricsF(legend.text_font).horizontalAdvance(legend._rest) + 8 <= legend.width()


def test_an_empty_plot_has_no_numbers_and_gets_them_with_the_first_run(
    bench: LandscapeWorkbench, race, qtbot  # noqa: F811
) -> None:  # fmt: skip
    axes = (bench.plots.left_axis, bench.plots.bottom_axis)
    assert all(axis.blank for axis in axes)
    width = axes[0].width()
    race()
    assert not any(axis.blank for axis in axes)
    assert abs(axes[0].width() - width) < 40  # room for numbers was there before
    for page in range(1, 5):
        bench.tabs.show_page(page)
    assert bench.studies.spectrum.left_axis.blank and not bench.growth.left_axis.blank


def test_disabled_actions_say_why(bench: LandscapeWorkbench, window: MainWindow, qtbot) -> None:  # noqa: F811
    actions = window.actions_
    bench.tabs.show_page(3)
    turn = bench.controller.computing.turn
    turn.set_holder(bench)  # as a study does
    assert not actions["race"].isEnabled() and "Something else is being computed" in actions["race"].toolTip()
    assert "Something else is being computed" in actions["align"].statusTip()
    assert "Something else is being computed" in bench.panel.main_button.toolTip()
    turn.set_holder(None)
    assert actions["race"].isEnabled() and "computed" not in actions["race"].toolTip()
    actions["clear_race"].trigger()
    assert "Nobody has entered the race yet" in actions["race"].toolTip()
    drawn(bench, "strict-saddle-100", qtbot)
    bench.panel.evaluations.set_override(10.0)
    actions["align"].trigger()
    ended(bench, qtbot, 0)
    button: QWidget = bench.run_bar.text_buttons["branch"]
    assert not button.isEnabled() and "random, by the seed" in button.toolTip()
    assert "random, by the seed" in actions["branch"].statusTip()
    choose(bench, "saddle")
    assert "random, by the seed" not in actions["branch"].statusTip()
