"""The progress plot shows what was recorded."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from lieapp.alignment.quantities import ALIGN_QUANTITIES
from lieapp.engine.outcome import Outcome
from lieapp.engine.quantity import ABSCISSAE
from lieapp.engine.recording import Recording
from lieapp.gui.plots.curve import curve_pen, readable_color
from lieapp.gui.plots.legend import calmest_place
from lieapp.gui.plots.plots import ProgressPlots
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.theme import DARK, LIGHT, contrast, theme
from lieapp.scene.colors import OPTIMIZER_COLORS
from tests.gui.pointing import leave, move_mouse, pixel
from tests.gui.run_steps import make_entries


@pytest.fixture
def entries() -> list[RunEntry]:
    return make_entries()


@pytest.fixture
def plots(qtbot: QtBot) -> ProgressPlots:
    theme().set_mode("light")
    made = ProgressPlots(ALIGN_QUANTITIES)
    qtbot.addWidget(made)
    made.resize(390, 360)
    made.show()
    qtbot.waitExposed(made)
    return made


def curve_of(plots: ProgressPlots, run: RunEntry) -> tuple[np.ndarray, np.ndarray]:
    series = plots._curves[run.id].series
    return series.x, series.y


def grown(entry: RunEntry, frames: int) -> RunEntry:
    """Return an entry whose recording holds only the first frames and goes on."""
    recording = Recording({})
    copied = RunEntry("growing", entry.title, entry.job, entry.inputs, recording, entry.color, entry.dash)
    grow(copied, entry, frames)
    return copied


def grow(entry: RunEntry, source: RunEntry, frames: int) -> None:
    whole = source.recording
    for frame in range(len(entry.recording), frames):
        entry.recording.append({name: whole.column(name)[frame] for name in whole.columns}, whole.state(frame))


@pytest.mark.parametrize("abscissa", range(len(ABSCISSAE)))
@pytest.mark.parametrize("quantity", range(len(ALIGN_QUANTITIES)))
def test_curves_are_the_recorded_columns(
    plots: ProgressPlots, entries: list[RunEntry], quantity: int, abscissa: int
) -> None:
    plots.set_runs(entries)
    plots.quantity.setCurrentIndex(quantity)
    plots.abscissa.setCurrentIndex(abscissa)
    shown, over = ALIGN_QUANTITIES[quantity], ABSCISSAE[abscissa]
    assert plots.logarithmic.isChecked() == shown.logarithmic
    for run in entries:
        x, y = curve_of(plots, run)
        np.testing.assert_array_equal(x, run.recording.column(over.column))
        column = run.recording.column(shown.column)
        expected = np.log10(np.maximum(column, shown.floor)) if shown.logarithmic else column
        np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_the_axes_say_what_they_show(plots: ProgressPlots) -> None:
    left, bottom = plots.plot.getAxis("left"), plots.plot.getAxis("bottom")
    assert left.labelText == "gap to the best possible (Å)"
    assert bottom.labelText == "evaluations (gradients computed)"
    plots.set_unit("gap", "")
    assert left.labelText == "gap to the best possible"
    plots.resize(390, 220)
    QApplication.processEvents()
    assert left.labelText == "gap"
    plots.quantity.setCurrentIndex(1)
    assert left.labelText == "RMSD (Å)"


def test_everything_is_in_view_and_stays_while_the_cursor_moves(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    QApplication.processEvents()
    (left, right), (low, high) = plots.plot.viewRange()
    costs = np.concatenate([run.recording.column("evaluations") for run in entries])
    gaps = np.log10(np.maximum(np.concatenate([run.recording.column("gap") for run in entries]), 1e-6))
    assert left <= costs.min()
    assert right >= costs.max()
    assert low <= gaps.min()
    assert high >= gaps.max()
    before = plots.plot.viewRange()
    for frame in range(0, entries[0].frames, 5):
        plots.set_cursor(entries[0], frame)
        QApplication.processEvents()
    assert plots.plot.viewRange() == before


def test_hidden_runs_leave_the_range_to_the_others(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    QApplication.processEvents()
    entries[0].visible = entries[2].visible = False
    plots.refresh()
    QApplication.processEvents()
    assert plots.plot.viewRange()[0][1] < 1.2 * entries[1].recording.column("evaluations")[-1]


def test_lines_are_thin_while_running_and_thick_when_finished(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    run = grown(entries[1], 5)
    plots.set_runs([run])
    curve = plots._curves[run.id]
    assert curve.opts["pen"].widthF() == 1.0
    grow(run, entries[1], 12)
    plots.refresh()
    assert len(curve_of(plots, run)[0]) == 12
    run.recording.finish(Outcome(kind="limit", message="Stopped at the limit."))
    plots.refresh()
    assert curve.opts["pen"].widthF() == 2.0


def test_dashes_are_as_long_on_thin_lines() -> None:
    thin, thick = (curve_pen("#0072B2", (5.0, 3.0), width) for width in (1.0, 2.0))
    assert [length * 1.0 for length in thin.dashPattern()] == [length * 2.0 for length in thick.dashPattern()]
    assert curve_pen("#0072B2", (), 2.0).style() == Qt.PenStyle.SolidLine


def test_a_curve_that_did_not_change_is_not_drawn_again(
    plots: ProgressPlots, entries: list[RunEntry], monkeypatch: pytest.MonkeyPatch
) -> None:
    plots.set_runs(entries)
    drawn: list[object] = []
    for curve in plots._curves.values():
        monkeypatch.setattr(curve, "setData", lambda *args, **kwargs: drawn.append(args))
    plots.refresh()
    plots.set_cursor(entries[0], 3)
    assert drawn == []


def test_long_runs_are_thinned_to_the_pixels(plots: ProgressPlots, entries: list[RunEntry], qtbot: QtBot) -> None:
    """Every peak is kept."""
    run = grown(entries[0], 1)
    row, state = {name: run.recording.column(name)[0] for name in run.recording.columns}, run.recording.state(0)
    for step in range(1, 20_000):
        gap = 1.0 if step != 12_345 else 50.0
        run.recording.append({**row, "step": step, "evaluations": step, "gap": gap}, state)
    plots.set_runs([run])
    curve = plots._curves[run.id]
    qtbot.waitUntil(lambda: len(curve.getData()[0]) < 1500, timeout=2000)
    assert curve.getData()[1].max() == pytest.approx(np.log10(50.0))
    assert curve.opts["pen"].widthF() == 1.0


def test_what_is_not_finite_leaves_a_gap(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    run = grown(entries[0], 4)
    row = {name: run.recording.column(name)[3] for name in run.recording.columns}
    run.recording.append({**row, "evaluations": 4.0, "gap": float("inf")}, run.recording.state(3))
    run.recording.append({**row, "evaluations": 5.0, "gap": float("nan")}, run.recording.state(3))
    plots.set_runs([run])
    QApplication.processEvents()
    assert np.isnan(curve_of(plots, run)[1][-2:]).all()
    assert np.isfinite(plots.plot.viewRange()).all()


def test_the_cursor_is_on_the_cost_of_the_frame_and_can_be_put(
    plots: ProgressPlots, entries: list[RunEntry], qtbot: QtBot
) -> None:
    plots.set_runs(entries)
    plots.set_cursor(entries[0], 10)
    assert plots.cursor_line.isVisible()
    assert plots.cursor_line.value() == entries[0].recording.column("evaluations")[10]
    QApplication.processEvents()
    with qtbot.waitSignal(plots.cursor_moved, timeout=2000) as moved:
        qtbot.mouseClick(plots.plot.viewport(), Qt.MouseButton.LeftButton, pos=pixel(plots, 25.0, -2.0))
    cost = entries[0].recording.column("evaluations")[moved.args[0]]
    (left, right), _ = plots.plot.viewRange()
    assert abs(cost - 25.0) <= 0.02 * (right - left)
    plots.set_cursor(None, 0)
    assert not plots.cursor_line.isVisible()


def test_the_current_run_lies_above_the_others(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    plots.set_cursor(entries[1], 0)
    heights = {run.id: plots._curves[run.id].zValue() for run in entries}
    assert max(heights, key=heights.__getitem__) == entries[1].id


def test_a_double_click_shows_everything_again(plots: ProgressPlots, entries: list[RunEntry], qtbot: QtBot) -> None:
    plots.set_runs(entries)
    QApplication.processEvents()
    before = plots.plot.viewRange()
    plots.plot.setRange(xRange=(3, 5), yRange=(-1, 0), padding=0)
    middle = plots.plot.viewport().rect().center()
    qtbot.mouseClick(plots.plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseDClick(plots.plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    qtbot.waitUntil(lambda: np.allclose(plots.plot.viewRange(), before, atol=0.5), timeout=2000)


def test_the_curve_under_the_mouse_is_named(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    QApplication.processEvents()
    run = entries[0]
    x, y = curve_of(plots, run)
    place = pixel(plots, float(x[20]), float(y[20]))
    found = plots.near(QPointF(place))
    assert found is not None
    assert found[0] is run
    assert abs(found[1] - 20) <= 3
    assert plots.near(QPointF(pixel(plots, float(x[-1]) * 0.9, float(y[0])))) is None


def test_the_crosshair_tells_the_values_of_all_visible_curves(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    QApplication.processEvents()
    ends = [run.recording.column("evaluations")[-1] for run in entries]
    place = float(min(ends)) - 2.0
    mouse = pixel(plots, place, -3.0)
    move_mouse(plots.plot.viewport(), mouse)
    shown = plots.crosshair
    assert shown.isVisible()
    place = plots.view_box.mapSceneToView(plots.plot.mapToScene(mouse)).x()
    assert shown.heading == f"evaluations {round(place)}"
    assert [reading.name for reading in shown.readings] == [run.title for run in entries]
    for run, reading in zip(entries, shown.readings, strict=True):
        costs = run.recording.column("evaluations")
        gap = run.recording.column("gap")[np.argmin(np.abs(costs - place))]
        assert reading.value == ("≤ 1e-6 Å" if gap <= 1e-6 else f"{gap:.4g} Å")
    entries[1].visible = False
    plots.refresh()
    move_mouse(plots.plot.viewport(), mouse + QPoint(1, 0))
    assert [reading.name for reading in shown.readings] == [entries[0].title, entries[2].title]
    leave(plots.plot.viewport())
    assert not shown.isVisible() and shown.readings == ()


def test_the_crosshair_follows_scale_quantity_and_abscissa(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    run = entries[0]
    plots.set_runs([run])
    plots.quantity.setCurrentIndex(1)
    plots.abscissa.setCurrentIndex(2)
    rmsd, seconds = run.recording.column("rmsd"), run.recording.column("seconds")
    for log in (False, True):
        plots.logarithmic.setChecked(log)
        QApplication.processEvents()
        y = np.log10(rmsd[20]) if log else rmsd[20]
        move_mouse(plots.plot.viewport(), pixel(plots, seconds[20], float(y)))
        (reading,) = plots.crosshair.readings
        assert reading.near and reading.place is not None
        spread = np.ptp(rmsd[17:24]) + 1e-3
        assert float(reading.value.removesuffix(" Å")) == pytest.approx(rmsd[20], abs=spread)
        assert plots.crosshair.heading.startswith("seconds 0.")
        assert not plots.crosshair.box.contains(reading.place.toPoint())


def test_the_crosshair_goes_while_the_plot_is_dragged(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    QApplication.processEvents()
    mouse = pixel(plots, 5.0, -1.0)
    move_mouse(plots.plot.viewport(), mouse)
    assert plots.crosshair.isVisible()
    move_mouse(plots.plot.viewport(), mouse + QPoint(9, 9), Qt.MouseButton.LeftButton)
    assert not plots.crosshair.isVisible()


def test_the_crosshair_shows_what_comes_under_a_mouse_that_rests(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    run = grown(entries[0], 10)
    plots.set_runs([run])
    plots.plot.setRange(xRange=(0, 40), yRange=(-6, 2))
    QApplication.processEvents()
    move_mouse(plots.plot.viewport(), pixel(plots, 30.0, 0.0))
    assert not plots.crosshair.isVisible()
    grow(run, entries[0], 50)
    plots.refresh()
    assert plots.crosshair.isVisible()


def test_the_legend_hides_and_shows_runs(plots: ProgressPlots, entries: list[RunEntry], qtbot: QtBot) -> None:
    plots.set_runs(entries[:1])
    assert not plots.legend.isVisible()  # nothing to tell apart
    plots.set_runs(entries)
    assert plots.legend.isVisible()
    entry = plots.legend._entries[entries[1].id]
    assert entry.text() == entries[1].title and entries[1].title in entry.accessibleName()
    with qtbot.waitSignal(plots.visibility_changed) as told:
        qtbot.mouseClick(entry, Qt.MouseButton.LeftButton)
    assert told.args == [entries[1]]
    assert not entries[1].visible and not plots._curves[entries[1].id].isVisible()
    assert entry.accessibleName().endswith("hidden")
    entries[1].visible = True  # by the eye of the Runs panel
    plots.refresh()
    assert entry.isChecked() and plots._curves[entries[1].id].isVisible()
    plots.legend_action.setChecked(False)
    assert not plots.legend.isVisible()


def test_the_legend_stands_where_the_curves_are_not(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.resize(600, 450)
    plots.set_runs(entries[:2])
    QApplication.processEvents()
    plots._place_legend()
    covered = plots.legend.geometry()
    assert plots.area.contains(covered)
    places = plots._places_on_curves()
    assert not any(covered.contains(round(x), round(y)) for x, y in places[np.isfinite(places).all(axis=1)])


def test_the_calmest_place_is_kept_until_another_is_much_calmer() -> None:
    area, size = QRect(0, 0, 400, 300), QSize(100, 60)
    top_right = calmest_place(area, size, np.empty((0, 2)))
    assert (top_right.x(), top_right.y()) == (area.right() - 6 - 100, 6)
    few = np.array([[350.0, 30.0]])
    assert calmest_place(area, size, few) != top_right
    assert calmest_place(area, size, few, now=top_right) != top_right
    everywhere = np.stack(np.meshgrid(np.arange(0, 400, 5.0), np.arange(0, 300, 5.0)), -1).reshape(-1, 2)
    assert calmest_place(area, size, everywhere, now=QPoint(150, 100)) == QPoint(150, 100)


def test_a_dragged_legend_stays_there_and_a_drag_hides_nothing(
    plots: ProgressPlots, entries: list[RunEntry], qtbot: QtBot
) -> None:
    plots.set_runs(entries)
    QApplication.processEvents()
    entry = plots.legend._entries[entries[0].id]
    before, grip = plots.legend.pos(), QPoint(10, 5)
    qtbot.mousePress(entry, Qt.MouseButton.LeftButton, pos=grip)
    for step in (10, 20, 40):
        move_mouse(entry, entry.mapFromGlobal(plots.plot.viewport().mapToGlobal(
            before + entry.pos() + grip + QPoint(-step, step))), Qt.MouseButton.LeftButton)  # fmt: skip
    qtbot.mouseRelease(entry, Qt.MouseButton.LeftButton, pos=grip)
    moved = plots.legend.pos()
    assert moved == before + QPoint(-40, 40)
    assert entries[0].visible
    plots._place_legend()
    assert (plots.legend.pos() - moved).manhattanLength() <= 2
    qtbot.mouseDClick(plots.legend, Qt.MouseButton.LeftButton, pos=QPoint(1, 1))
    plots._place_legend()
    assert (plots.legend.pos() - moved).manhattanLength() > 2


def test_many_runs_leave_room_for_the_curves(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    many = []
    for index in range(30):
        run = RunEntry(f"r{index}", f"run {index}", entries[0].job, entries[0].inputs, entries[0].recording,
                       entries[0].color)  # fmt: skip
        many.append(run)
    plots.set_runs(many)
    QApplication.processEvents()
    plots._place_legend()
    assert plots.legend.height() <= plots.area.height()
    shown = [run for run in many if plots.legend._entries[run.id].isVisible()]
    assert shown == many[-len(shown) :] and 3 <= len(shown) < 30


def test_a_legend_that_would_hide_the_curves_is_not_shown(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    assert plots.legend.isVisible()
    plots.resize(220, 200)
    QApplication.processEvents()
    assert not plots.legend.isVisible()
    plots.resize(390, 360)
    QApplication.processEvents()
    assert plots.legend.isVisible()


def test_the_range_follows_until_a_zoom_by_hand_and_again_on_request(
    plots: ProgressPlots, entries: list[RunEntry], qtbot: QtBot
) -> None:
    run = grown(entries[0], 10)
    plots.set_runs([run])
    QApplication.processEvents()
    assert plots.following and not plots.follow_button.isVisible()
    grow(run, entries[0], 30)
    plots.refresh()
    qtbot.waitUntil(lambda: plots.plot.viewRange()[0][1] >= 29)
    plots.view_box.scaleBy((0.5, 0.5))  # what the wheel does
    plots.view_box.sigRangeChangedManually.emit([True, True])
    assert not plots.following and plots.follow_button.isVisible()
    before = plots.plot.viewRange()
    grow(run, entries[0], 60)
    plots.refresh()
    QApplication.processEvents()
    assert plots.plot.viewRange() == before
    qtbot.mouseClick(plots.follow_button, Qt.MouseButton.LeftButton)
    assert plots.following and not plots.follow_button.isVisible()
    qtbot.waitUntil(lambda: plots.plot.viewRange()[0][1] >= 59)


def test_presentation_size_is_thick_large_light_and_thinned(
    plots: ProgressPlots, entries: list[RunEntry], qtbot: QtBot
) -> None:
    plots.set_runs(entries)
    theme().set_mode("dark")
    curve = plots._curves[entries[0].id]
    with qtbot.waitSignal(plots.presentation_changed) as told:
        plots.presentation_action.trigger()
    assert told.args == [True] and plots.presentation
    QApplication.processEvents()
    assert curve.opts["pen"].widthF() == 3.0 * plots.devicePixelRatioF()
    assert plots.left_axis.style["tickFont"].pointSizeF() >= 17
    assert contrast(curve.opts["pen"].color().name(), LIGHT.card) >= 3
    image = plots.plot.grab().toImage()
    assert image.pixelColor(image.width() - 3, 3).name().upper() == LIGHT.card
    plots.set_presentation(False)
    assert curve.opts["pen"].widthF() == 2.0 * plots.devicePixelRatioF()
    image = plots.plot.grab().toImage()
    assert image.pixelColor(image.width() - 3, 3).name().upper() == DARK.card
    theme().set_mode("light")


def test_the_picture_is_the_plot_without_what_the_mouse_does(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    plots.plot.setRange(xRange=(0, 40), yRange=(-6, 2))
    QApplication.processEvents()
    move_mouse(plots.plot.viewport(), pixel(plots, 5.0, 0.0))
    pens = [plots._curves[run.id].opts["pen"] for run in entries]
    plots.copy_action.trigger()
    image = QApplication.clipboard().image()
    assert (image.width(), image.height()) == (2 * plots.plot.width(), 2 * plots.plot.height())
    assert not plots.crosshair.isVisible()
    # The screen is as it was.
    assert [plots._curves[run.id].opts["pen"] for run in entries] == pens
    assert plots.follow_button.isVisible()


def test_the_menu_offers_what_the_plot_can(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    menu = plots.context_menu()
    titles = [action.text().replace("&", "") for action in menu.actions()]
    assert titles == ["Show everything", "Legend", "Presentation size", "Copy picture"]
    menu.close()


def test_the_reference_is_shown_with_the_rmsd_only(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    kabsch = entries[0].inputs.kabsch.rmsd
    plots.set_reference("rmsd", kabsch, f"Kabsch {kabsch:.2f} Å")
    assert not plots.reference.isVisible()
    plots.quantity.setCurrentIndex(1)
    assert plots.reference.isVisible()
    assert plots.reference.value() == kabsch
    plots.logarithmic.setChecked(True)
    assert plots.reference.value() == pytest.approx(np.log10(kabsch))
    plots.set_reference("rmsd", None)
    assert not plots.reference.isVisible()


def test_runs_that_are_gone_leave_no_curve(plots: ProgressPlots, entries: list[RunEntry]) -> None:
    plots.set_runs(entries)
    plots.set_runs(entries[:1])
    assert set(plots._curves) == {entries[0].id}
    plots.set_runs([])
    assert plots._curves == {}


@pytest.mark.parametrize("mode", ("light", "dark"))
def test_the_colours_follow_the_theme(plots: ProgressPlots, entries: list[RunEntry], mode: str) -> None:
    plots.set_runs(entries)
    theme().set_mode(mode)  # type: ignore[arg-type]
    QApplication.processEvents()
    tokens = theme().tokens
    image = plots.plot.grab().toImage()
    assert image.pixelColor(image.width() - 3, 3).name().upper() == tokens.card
    for run in entries:
        pen = plots._curves[run.id].opts["pen"]
        assert contrast(pen.color().name(), tokens.card) >= 3
    theme().set_mode("light")


@pytest.mark.parametrize("tokens", (LIGHT, DARK), ids=lambda tokens: tokens.name)
@pytest.mark.parametrize("color", sorted(set(OPTIMIZER_COLORS.values())))
def test_lines_stand_out_in_both_themes(color: str, tokens: object) -> None:
    card = tokens.card  # type: ignore[attr-defined]
    shown = readable_color(color, card)
    assert contrast(shown, card) >= 3
    if contrast(color, card) >= 3:
        assert shown == color
