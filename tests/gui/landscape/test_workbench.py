"""The Landscape workbench as a user drives it, with real runs."""

from __future__ import annotations

import csv
import json
import math
import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QImage, QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QLineEdit, QWidget

from lieapp.cli import main
from lieapp.gui.application.messages import Message
from lieapp.gui.landscape.exports import LandscapeExports
from lieapp.gui.landscape.session import LandscapeChoices
from lieapp.gui.landscape.workbench import LandscapeWorkbench
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.window.help_page import HelpDialog
from lieapp.gui.window.main_window import MainWindow
from lieapp.landscapes.catalog import SURFACES
from tests.gui.test_access import INTERACTIVE, audit

TIMEOUT = 60_000


@pytest.fixture
def bench(window: MainWindow, qtbot) -> LandscapeWorkbench:
    """The workbench as it opens, with its picture."""
    window.actions_["workbench_landscape"].trigger()
    made = window.landscape
    assert made is not None
    qtbot.waitUntil(lambda: made.plot.picture is not None, timeout=TIMEOUT)
    return made


@pytest.fixture
def race(bench: LandscapeWorkbench, qtbot) -> Callable[[], dict[str, RunEntry]]:
    """Press the main button, wait for the end, and return the runs by the names of their entrants."""

    def run() -> dict[str, RunEntry]:
        before = len(bench.controller.runs)
        bench.panel.main_button.click()
        ended(bench, qtbot, before)
        return dict(zip(bench.panel.entrants.names, bench.controller.runs[before:], strict=True))

    return run


def ended(bench: LandscapeWorkbench, qtbot, before: int) -> None:
    controller = bench.controller
    qtbot.waitUntil(lambda: not controller.running and len(controller.runs) > before, timeout=TIMEOUT)
    controller.skip()


def choose(bench: LandscapeWorkbench, name: str) -> None:
    """Choose a landscape as a click on the list does."""
    bench.panel.landscape.show_value(name)
    bench.panel.landscape.chosen.emit(name)


def pixel_of(bench: LandscapeWorkbench, x: float, y: float) -> QPoint:
    box = bench.plot.plot.getPlotItem().getViewBox()
    place = bench.plot.plot.mapFromScene(box.mapViewToScene(QPointF(x, y)))
    return QPoint(place.x(), place.y())


def test_it_opens_with_four_entrants_beside_the_ridge(bench: LandscapeWorkbench, window: MainWindow) -> None:
    assert bench.panel.entrants.names == ("SGD", "DEO project", "DEO escape", "Adam")
    assert bench.controller.start() == (0.5, 0.0001)
    assert bench.panel.main_button.text() == "Race" and bench.panel.main_button.isEnabled()
    assert {item.kind for item in bench.plot.points} == {"minimum", "saddle"}
    assert (bench.plot.start.pos().x(), bench.plot.start.pos().y()) == (0.5, 0.0001)
    assert window.focusWidget() is bench.panel.main_button
    assert bench.plot.picture is not None and np.isfinite(bench.plot.picture.shades).all()


def test_the_race_says_what_happened(bench: LandscapeWorkbench, race: Callable[[], dict[str, RunEntry]]) -> None:
    runs = race()
    assert set(runs) == {"SGD", "DEO project", "DEO escape", "Adam"}
    assert runs["DEO escape"].metric_value() == pytest.approx(-0.25, abs=1e-6)
    assert abs(runs["DEO project"].metric_value() or 1.0) < 1e-6  # it stays at the saddle
    lines = {(run.color, run.dash) for run in runs.values()}
    assert len(lines) == 4
    caption = bench.strip.caption.text()
    assert "DEO project did not leave the saddle" in caption and "1.1660" in caption
    assert set(bench.plot.tracks) == {run.id for run in runs.values()}
    for run in runs.values():
        track = bench.plot.tracks[run.id]
        points = np.stack([run.recording.state(frame)["point"] for frame in range(run.frames)])
        assert np.array_equal(track.coordinates, points[track.frames])


def test_exactly_on_the_ridge_only_escape_leaves(bench: LandscapeWorkbench, qtbot) -> None:
    bench.strip.buttons["preset_ridge"].click()
    ended(bench, qtbot, 0)
    losses = {run.title: run.metric_value() for run in bench.controller.runs}
    assert losses.pop("DEO escape") == pytest.approx(-0.25, abs=1e-6)
    assert all(abs(loss or 0.0) < 1e-6 for loss in losses.values())
    assert bench.panel.start[1].value() == 0.0


def test_the_dimer_is_drawn_where_it_is(bench: LandscapeWorkbench, race: Callable[[], dict[str, RunEntry]]) -> None:
    run = race()["DEO project"]
    bench.controller.select(run)
    bench.controller.show_frame(run.frames - 1)
    item = bench.plot.marks.dimers[run.id]
    assert item.isVisible() and item.curvature == pytest.approx(-2.0, rel=0.01)
    assert abs(item._direction.y()) == pytest.approx(1.0, abs=0.01)  # up and down, as the way from the ridge
    assert "C −2" in item.text
    bench.controller.show_frame(0)
    assert not item.isVisible()  # before its first step it has none
    owners = {entry.title for entry in bench.controller.runs if entry.id in bench.plot.marks.dimers}
    assert owners == {"DEO project", "DEO escape"}


def test_scrubbing_and_branching(bench: LandscapeWorkbench, window: MainWindow, qtbot,
                                 race: Callable[[], dict[str, RunEntry]]) -> None:  # fmt: skip
    first = race()["Adam"]
    controller = bench.controller
    controller.select(first)
    bench.run_bar.slider.setValue(7)
    assert controller.frame == 7 and "step 7 of" in bench.run_bar.where.text()
    assert bench.plots.cursor_line.value() == first.value("evaluations", 7)
    point = controller.point()
    assert point is not None and np.array_equal(point, first.recording.state(7)["point"])
    window.actions_["branch"].trigger()
    ended(bench, qtbot, 4)
    branch = controller.current
    assert branch is not None and branch.job.start == tuple(point)
    assert branch.recording.state(0)["point"] == pytest.approx(point)


def test_a_click_sets_the_start(bench: LandscapeWorkbench) -> None:
    QTest.mouseClick(bench.plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=pixel_of(bench, -0.6, 0.4))
    start = bench.controller.start()
    assert start is not None and start == pytest.approx((-0.6, 0.4), abs=0.02)
    assert bench.panel.start[0].value() == pytest.approx(start[0], rel=1e-5)
    assert bench.controller.session.job().start == start
    bench.panel.start[0].editor.setText("0.25")
    assert bench.controller.start() == pytest.approx((0.25, start[1]), rel=1e-5)
    assert bench.plot.start.pos().x() == 0.25


def test_the_pointer_reads_values(bench: LandscapeWorkbench) -> None:
    bench.plot._hover(bench.plot.plot.mapToScene(pixel_of(bench, 0.5, 0.5)))
    words = bench.plot.readout.text().split()
    assert words[::2] == ["x", "y", "f"]
    x, y, value = map(float, words[1::2])
    assert (x, y) == pytest.approx((0.5, 0.5), abs=0.02)
    assert value == pytest.approx(x**2 - y**2 + y**4, abs=1e-3)


def test_another_landscape_takes_its_own_start_and_hides_the_runs(
    bench: LandscapeWorkbench, race: Callable[[], dict[str, RunEntry]]
) -> None:
    earlier = race()
    choose(bench, "himmelblau")
    assert bench.controller.start() == SURFACES["himmelblau"].start
    assert not any(run.visible for run in earlier.values()) and bench.plot.tracks == {}
    assert {item.kind for item in bench.plot.points} == {"minimum", "saddle", "maximum"}
    later = race()
    assert all(run.job.landscape == "himmelblau" for run in later.values())
    assert later["DEO escape"].metric_value() == pytest.approx(0.0, abs=1e-6)
    bench.controller.select(earlier["Adam"])
    assert bench.controller.scene[0] == "saddle" and bench.plot.backdrop.surface is not None
    assert bench.plot.backdrop.surface.domain == SURFACES["saddle"].domain


def test_more_surfaces_join_the_list(bench: LandscapeWorkbench) -> None:
    assert bench.panel.landscape.findData("leps") < 0
    bench.panel._add_more()
    assert bench.panel.landscape.findData("leps") > 0
    choose(bench, "leps")
    assert bench.controller.scene[0] == "leps" and bench.panel.landscape.value == "leps"


def test_a_formula_is_drawn_raced_and_its_errors_are_told(
    bench: LandscapeWorkbench, window: MainWindow, qtbot, messages: list[Message],
    race: Callable[[], dict[str, RunEntry]],
) -> None:  # fmt: skip
    choose(bench, "formula")
    field = bench.panel.formula
    assert field.isVisible()
    field.clear()
    QTest.keyClicks(field, "x^2 + sin(y *")
    assert "Column" in bench.panel.formula_error.text() and bench.panel.formula_error.isVisible()
    window.actions_["race"].trigger()
    qtbot.waitUntil(lambda: any("formula" in message.text for message in messages), timeout=TIMEOUT)
    assert not bench.controller.running
    field.clear()
    QTest.keyClicks(field, "(x^2-1)^2 + y^2")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert not bench.panel.formula_error.isVisible()
    assert sorted(item.index for item in bench.plot.points) == [0, 0, 1]
    runs = race()
    assert runs["SGD"].job.formula == "(x^2-1)^2 + y^2"
    assert runs["SGD"].metric_value() == pytest.approx(0.0, abs=1e-6)


def test_entrants_come_and_go(bench: LandscapeWorkbench, window: MainWindow,
                              race: Callable[[], dict[str, RunEntry]]) -> None:  # fmt: skip
    for name in ("SGD", "Adam", "DEO project"):
        bench.panel.entrants.removed.emit(name)
    bench.panel.optimizer.chosen.emit("saddle-free-newton")
    window.actions_["add_to_race"].trigger()
    assert bench.panel.entrants.names == ("DEO escape", "Saddle-free Newton")
    runs = race()
    assert set(runs) == set(bench.panel.entrants.names)
    window.actions_["clear_race"].trigger()
    assert bench.panel.entrants.empty.isVisible() and not bench.panel.main_button.isEnabled()


def test_recommended_settings_follow_the_landscape_and_typed_ones_stay(
    bench: LandscapeWorkbench, window: MainWindow, qtbot
) -> None:
    panel = bench.panel
    panel.optimizer.chosen.emit("sgd")
    rate = panel.form.editors["lr"]
    saddle = rate.value()
    choose(bench, "muller-brown")
    assert rate.value() < 0.01 * saddle
    rate.set_override(1e-4)
    window.actions_["align"].trigger()
    ended(bench, qtbot, 0)
    run = bench.controller.current
    assert run is not None and run.job.optimizer.overrides == {"lr": 1e-4}
    assert "lr 0.0001" in run.title
    bench.controller.set_choices(LandscapeChoices(optimizer="adam"))
    bench.controller.select(run)
    window.actions_["apply_settings"].trigger()
    choices = bench.controller.choices
    assert (choices.landscape, choices.optimizer, dict(choices.overrides)) == ("muller-brown", "sgd", {"lr": 1e-4})
    assert panel.form.overrides() == {"lr": 1e-4}


def test_a_sign_says_what_is_there_before_and_after_a_race(bench: LandscapeWorkbench, race, qtbot) -> None:
    plot = bench.plot

    def tip_at(x: float, y: float) -> str:
        return plot.tip(QPointF(plot.plot.mapFromScene(plot.view_box.mapViewToScene(QPointF(x, y)))))

    assert tip_at(0.0, -math.sqrt(0.5)).startswith("minimum") and "curvatures" in tip_at(0.0, 0.0)
    assert "choose where the next run starts" in tip_at(0.5, 0.9)
    race()
    assert tip_at(0.0, -math.sqrt(0.5)).startswith("minimum")
    assert "saddle" in tip_at(0.0, 0.0)


def turn(bench: LandscapeWorkbench, steps: int) -> None:
    """Turn the wheel away from oneself, beside the middle of the picture."""
    viewport = bench.plot.plot.viewport()
    place = QPointF(0.3 * viewport.width(), 0.7 * viewport.height())
    for _ in range(steps):
        event = QWheelEvent(
            place,
            viewport.mapToGlobal(place),
            QPoint(0, 0),
            QPoint(0, -120),
            Qt.MouseButton.NoButton,
            Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(viewport, event)


def test_the_wheel_never_leads_to_where_nothing_is_drawn(bench: LandscapeWorkbench, qtbot) -> None:
    def drawn() -> bool:
        picture = bench.plot.picture
        view = bench.plot.view_box.viewRange()
        return picture is not None and all(
            low <= a and b <= high for (low, high), (a, b) in zip(picture.area, view, strict=True)
        )

    turn(bench, 100)
    qtbot.waitUntil(drawn, timeout=TIMEOUT)
    picture = bench.plot.picture
    assert picture is not None and picture.shading.high > 10.0  # who sees more has colours for more
    (x0, x1), _ = bench.plot.view_box.viewRange()
    turn(bench, 30)
    a, b = bench.plot.view_box.viewRange()[0]
    assert 0.9 * (x1 - x0) < b - a <= x1 - x0  # it was as far away as one can be
    bench.fit_view()
    qtbot.waitUntil(lambda: bench.plot.picture is not picture, timeout=TIMEOUT)
    assert bench.plot.picture.shading.high < 2.0
    choose(bench, "strict-saddle-100")
    qtbot.waitUntil(lambda: bench.plot.picture is not None, timeout=TIMEOUT)
    turn(bench, 100)
    plane = bench.plot.backdrop.surface
    assert plane is not None and plane.extent is not None
    for (low, high), (a, b) in zip(plane.extent, bench.plot.view_box.viewRange(), strict=True):
        assert b - a <= (high - low) * 1.01


def test_many_dimensions_are_drawn_on_a_plane(bench: LandscapeWorkbench, qtbot) -> None:
    choose(bench, "strict-saddle-100")
    qtbot.waitUntil(lambda: bench.plot.picture is not None, timeout=TIMEOUT)
    assert "lowest curvature" in bench.plot.plot.getAxis("bottom").labelText
    bench.panel.evaluations.set_override(60.0)
    bench.panel.main_button.click()
    ended(bench, qtbot, 0)
    track = next(iter(bench.plot.tracks.values()))
    assert track.coordinates.shape == (len(track.frames), 2) and np.isfinite(track.coordinates).all()
    assert not bench.panel.point_row.isVisible() and "branch" not in bench.controller.states()


def test_a_network_shows_its_curves(bench: LandscapeWorkbench) -> None:
    choose(bench, "transformer-tiny")
    assert bench.pictures.currentWidget() is bench.curves and bench.curves.isVisible()
    assert bench.panel.text_row.isVisible()


def test_growth_beside_theory(bench: LandscapeWorkbench, race: Callable[[], dict[str, RunEntry]]) -> None:
    runs = race()
    bench.tabs.show_page(1)
    growth = bench.growth.growths[runs["SGD"].id]
    assert growth.observed == pytest.approx(growth.predicted, rel=1e-3)
    assert bench.growth.growths[runs["DEO project"].id].observed == pytest.approx(1.0, abs=1e-6)
    assert math.isnan(bench.growth.growths[runs["Adam"].id].predicted)
    assert f"SGD: × {growth.observed:.4f} a step, theory" in bench.growth.caption.text()


def test_one_job_computes_at_a_time(bench: LandscapeWorkbench, window: MainWindow, hinge: tuple[Path, Path],
                                    qtbot) -> None:  # fmt: skip
    window.controller.desk.open_pair(*hinge)
    qtbot.waitUntil(lambda: window.controller.session.inputs is not None, timeout=TIMEOUT)
    window.actions_["workbench_landscape"].trigger()
    window.actions_["step"].trigger()  # a run that waits after its first step
    qtbot.waitUntil(lambda: bench.controller.frames == 2, timeout=TIMEOUT)
    window.actions_["workbench_align"].trigger()
    assert bench.controller.running and not window.actions_["align"].isEnabled()
    assert not window.workbench.panel.main_button.isEnabled()
    assert not window.actions_["stop"].isEnabled()
    window.actions_["workbench_landscape"].trigger()
    window.actions_["stop"].trigger()
    qtbot.waitUntil(lambda: not bench.controller.running, timeout=TIMEOUT)
    window.actions_["workbench_align"].trigger()
    assert window.actions_["align"].isEnabled() and window.workbench.panel.main_button.isEnabled()


def test_actions_speak_of_the_workbench(bench: LandscapeWorkbench, window: MainWindow) -> None:
    actions = window.actions_
    assert actions["align"].iconText() == "Run" and not actions["fit_core"].isVisible()
    assert [button.text() for button in bench.panel.race_buttons.values()] == ["Run", "Add to race"]
    assert not any(widget.isVisible() for widget in window.header.file_tools)
    actions["workbench_align"].trigger()
    assert actions["align"].iconText() == "Align" and actions["fit_core"].isVisible()
    assert all(widget.isVisible() for widget in window.header.file_tools)


def test_copies_repeat_the_run(bench: LandscapeWorkbench, window: MainWindow,
                               race: Callable[[], dict[str, RunEntry]]) -> None:  # fmt: skip
    bench.controller.select(race()["DEO project"])
    window.actions_["copy_command"].trigger()
    command = QGuiApplication.clipboard().text()
    assert command.startswith("lieapp landscape saddle") and "mode=project" in command
    window.actions_["copy_python"].trigger()
    assert "lieapp.landscape(" in QGuiApplication.clipboard().text()


def test_exports_hold_what_was_run(
    bench: LandscapeWorkbench, window: MainWindow, qtbot, tmp_path: Path, messages: list[Message],
    race: Callable[[], dict[str, RunEntry]],
) -> None:  # fmt: skip
    runs = race()
    exports = window.exports["landscape"]
    for identifier, name in (("export_plot_csv", "race.csv"), ("export_plot_json", "race.json"),
                             ("export_trajectory", "run.csv"), ("export_figures", "figures")):  # fmt: skip
        exports.write(identifier, tmp_path / name)
        qtbot.waitUntil(lambda name=name: any(name in message.text for message in messages), timeout=TIMEOUT)
    with (tmp_path / "race.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(run.frames for run in runs.values())
    last = [row for row in rows if row["run"] == "SGD"][-1]
    assert float(last["loss"]) == runs["SGD"].recording.column("loss")[-1]
    reports = json.loads((tmp_path / "race.json").read_text(encoding="utf-8"))["runs"]
    assert [report["title"] for report in reports] == list(runs)
    assert {path.name for path in (tmp_path / "figures").glob("*.svg")} == {"path.svg", "progress.svg"}
    exports.write_picture(tmp_path / "view.png")
    assert (tmp_path / "view.png").stat().st_size > 20_000


@pytest.mark.parametrize("landscape", ["saddle", "strict-saddle-100"])
def test_a_movie_shows_the_race(
    bench: LandscapeWorkbench, window: MainWindow, qtbot, tmp_path: Path, messages: list[Message],
    race: Callable[[], dict[str, RunEntry]], monkeypatch: pytest.MonkeyPatch, landscape: str,
) -> None:  # fmt: skip
    action, strip = window.actions_["export_movie"], window.export_desk.strip
    assert action.isVisible() and not action.isEnabled()
    if landscape != "saddle":
        choose(bench, landscape)
    runs = race()
    qtbot.waitUntil(lambda: bench.plot.picture is not None, timeout=TIMEOUT)
    assert action.isEnabled() and action.toolTip().startswith("Write how the visible runs")
    path = tmp_path / "race"
    answers = [(str(path), "Folder of PNG files (*)")]
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: answers.pop())
    seen: list[int] = []
    strip.bar.valueChanged.connect(seen.append)
    action.trigger()
    assert not answers and strip.isVisible() and not action.isEnabled()
    assert "race" in strip.text.text()
    qtbot.waitUntil(lambda: bool(messages), timeout=2 * TIMEOUT)
    assert messages[0].level == "success", messages[0].report
    assert seen == sorted(seen) and seen[-1] == 100 and not strip.isVisible() and action.isEnabled()
    files = sorted(path.iterdir())
    first, last = (pixels_of(QImage(str(file))) for file in (files[0], files[-1]))
    assert first.shape == (720, 1280, 3)
    for run in runs.values():
        # In the curves each one is seen, whichever paths lie upon each other.
        color = np.array([int(run.color[place : place + 2], 16) for place in (1, 3, 5)])
        seen_pixels = [(np.abs(frame[24:620, 780:] - color).max(axis=-1) <= 12).sum() for frame in (first, last)]
        assert seen_pixels[1] > seen_pixels[0] + 20, run.title


def test_a_movie_can_be_cancelled(
    bench: LandscapeWorkbench, window: MainWindow, qtbot, tmp_path: Path, messages: list[Message],
    race: Callable[[], dict[str, RunEntry]],
) -> None:  # fmt: skip
    exports = window.exports["landscape"]
    assert isinstance(exports, LandscapeExports)
    exports.movie(tmp_path / "none.gif")
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert messages.pop().level == "warning"
    race()
    exports.movie(tmp_path / "race.gif")
    exports.movie(tmp_path / "other.gif")
    qtbot.waitUntil(lambda: bool(messages), timeout=TIMEOUT)
    assert "something else" in messages.pop().text.lower()
    window.export_desk.strip.button.click()
    assert not window.export_desk.strip.isVisible() and window.actions_["export_movie"].isEnabled()
    qtbot.waitUntil(lambda: window.writing.idle and bool(messages), timeout=TIMEOUT)
    assert [message.level for message in messages] == ["info"] and list(tmp_path.glob("*.gif")) == []


def pixels_of(image: QImage) -> np.ndarray:
    """Return red, green and blue, shape (height, width, 3)."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    rows = np.frombuffer(plain.constBits(), dtype=np.uint8).reshape(plain.height(), plain.bytesPerLine())
    return rows[:, : 3 * plain.width()].reshape(plain.height(), plain.width(), 3).astype(int)


def test_dark_and_large_letters_cut_nothing(bench: LandscapeWorkbench, window: MainWindow, qtbot) -> None:
    from lieapp.gui.widgets.theme import theme

    theme().set_mode("dark")
    assert bench.plot.plot.backgroundBrush().color().name() == theme().tokens.card.lower()
    for button in (bench.panel.main_button, *bench.strip.buttons.values(), *bench.panel.race_buttons.values()):
        assert button.sizeHint().width() <= button.width()
    theme().set_mode("light")


def test_every_control_has_a_name_a_tooltip_and_a_place_on_the_tab_chain(
    bench: LandscapeWorkbench, race: Callable[[], dict[str, RunEntry]]
) -> None:
    race()
    for section in (bench.panel.start_more, bench.panel.form.more):
        section.set_open(True)
    assert audit(bench) == []
    chain = set()
    widget = bench.window().nextInFocusChain()
    while widget is not bench.window():
        chain.add(widget)
        widget = widget.nextInFocusChain()
    controls = [w for w in bench.findChildren(QWidget) if isinstance(w, INTERACTIVE) and w.isVisible()]
    lost = [w for w in controls if w not in chain or not w.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert [w.accessibleName() or str(w) for w in lost if not isinstance(w.parent(), QLineEdit)] == []


def test_keys_go_between_the_workbenches_and_help_is_its_own(
    bench: LandscapeWorkbench, window: MainWindow, qtbot
) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=TIMEOUT)
    QTest.keyClick(bench.panel.main_button, Qt.Key.Key_1)
    assert window.workbenches.name == "align" and not bench.isVisible()
    QTest.keyClick(window.workbench.panel.main_button, Qt.Key.Key_2)
    assert window.workbenches.name == "landscape" and bench.isVisible()
    window.actions_["help"].trigger()
    (dialog,) = window.findChildren(HelpDialog)
    assert "Landscapes" in dialog.text.toPlainText()
    dialog.close()


def test_the_ring_can_be_dragged_and_the_wheel_looks_closer(bench: LandscapeWorkbench, qtbot) -> None:
    view = bench.plot.plot.viewport()
    start, end = pixel_of(bench, 0.5, 0.0001), pixel_of(bench, -0.3, 0.6)
    QTest.mouseMove(view, start)
    QTest.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    for step in range(1, 6):
        place = start + (end - start) * step / 5
        event = QMouseEvent(
            QMouseEvent.Type.MouseMove, QPointF(place), view.mapToGlobal(QPointF(place)), Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QGuiApplication.sendEvent(view, event)
        qtbot.wait(15)  # pyqtgraph looks at 100 moves a second
    QTest.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    assert bench.controller.start() == pytest.approx((-0.3, 0.6), abs=0.05)
    before = bench.plot.picture
    bench.plot.plot.setRange(xRange=(-0.05, 0.05), yRange=(-0.05, 0.05), padding=0.0)
    qtbot.waitUntil(lambda: bench.plot.picture is not before, timeout=TIMEOUT)
    assert bench.plot.picture is not None and len(bench.plot.picture.levels) > 13


def test_a_network_gives_way_to_a_surface(
    bench: LandscapeWorkbench, window: MainWindow, qtbot, messages: list[Message]
) -> None:
    choose(bench, "transformer-tiny")
    bench.panel.evaluations.set_override(3.0)
    window.actions_["align"].trigger()
    ended(bench, qtbot, 0)
    assert bench.pictures.currentWidget() is bench.curves and not messages
    choose(bench, "saddle")
    assert bench.pictures.currentWidget() is bench.plot and bench.plot.tracks == {}
    qtbot.waitUntil(lambda: bench.plot.picture is not None, timeout=TIMEOUT)
    assert not messages


@pytest.mark.parametrize(("formula", "points"), (("3", 0), ("0*x", 0), ("x^2", 0), ("x*y", 1)))
def test_plateaus_and_valleys_are_drawn_at_once(
    bench: LandscapeWorkbench, qtbot, messages: list[Message], formula: str, points: int
) -> None:
    choose(bench, "formula")
    bench.panel.formula.clear()
    QTest.keyClicks(bench.panel.formula, formula)
    QTest.keyClick(bench.panel.formula, Qt.Key.Key_Return)
    assert bench.controller.choices.formula == formula
    assert len(bench.plot.points) == points
    qtbot.waitUntil(lambda: bench.plot.picture is not None, timeout=TIMEOUT)
    assert not messages


def test_a_start_where_nothing_is_defined_is_told(
    bench: LandscapeWorkbench, race: Callable[[], dict[str, RunEntry]]
) -> None:
    choose(bench, "formula")
    bench.panel.formula.clear()
    QTest.keyClicks(bench.panel.formula, "log(x) + y^2")
    QTest.keyClick(bench.panel.formula, Qt.Key.Key_Return)
    bench.controller.set_start((-1.0, 0.5))
    runs = race()
    assert all(run.frames == 0 for run in runs.values())
    for name in runs:
        assert f"{name}: Diverged" in bench.strip.caption.text()
    bench.controller.set_start((1.0, 0.5))
    race()
    assert bench.strip.caption.text().startswith("log(x) + y^2 from (1, 0.5)")


def test_the_command_of_a_run_finds_the_same(
    bench: LandscapeWorkbench, race: Callable[[], dict[str, RunEntry]], capsys: pytest.CaptureFixture[str]
) -> None:
    runs = race()
    for run in (runs["Adam"], runs["DEO escape"]):
        words = shlex.split(bench.controller.command_of(run))
        assert main([*words[1:], "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        mine = run.report.to_dict()
        for report in (found, mine):
            del report["seconds"]
        assert {key: found[key] for key in mine} == mine
