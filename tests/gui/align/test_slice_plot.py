"""The slice tab: what is drawn is what was computed and recorded."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtWidgets import QComboBox

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.inputs import AlignInputs, load_inputs
from lieapp.alignment.rigid import rotation_exp
from lieapp.alignment.scores import rmsd_at
from lieapp.alignment.slice import AXIS_NAMES
from lieapp.alignment.spec import AlignJob
from lieapp.engine.recording import Recording
from lieapp.gui.align.slice_chooser import PlaneChoice
from lieapp.gui.align.slice_plot import SlicePlot
from lieapp.gui.pictures.contours import contour_lines, nice_levels
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.theme import theme
from lieapp.gui.work.worker import Worker
from lieapp.paths import resource

TIMEOUT = 20_000


@pytest.fixture(scope="module")
def pair() -> tuple[AlignJob, AlignInputs]:
    job = job_from_options(*(str(resource(f"examples/hinge_{form}.pdb")) for form in ("open", "closed")))
    return job, load_inputs(job)


@pytest.fixture
def worker() -> Iterator[Worker]:
    made = Worker("lieapp-slice")
    yield made
    assert made.close()


@pytest.fixture
def plot(qtbot, worker: Worker) -> SlicePlot:
    theme().set_mode("light")
    made = SlicePlot(worker)
    qtbot.addWidget(made)
    made.resize(400, 380)
    made.show()
    qtbot.waitExposed(made)
    return made


def grow(entry: RunEntry, frames: int, *, bend: float = 0.0) -> None:
    """Append frames that turn evenly to the best pose, along a straight path or a bent one."""
    inputs = entry.inputs
    start = np.array([0.4, 1.3, 0.2])
    mobile, target = inputs.fit_weights @ inputs.fit_mobile, inputs.fit_weights @ inputs.fit_target
    for index in range(len(entry.recording), len(entry.recording) + frames):
        left = 0.95**index
        turn = left * start + bend * math.sin(math.pi * left) * np.array([1.0, 0.0, 0.3])
        rotation = rotation_exp(turn) @ inputs.kabsch.rotation
        translation = target - rotation @ mobile
        rmsd = rmsd_at(inputs.fit_mobile, inputs.fit_target, rotation, translation, inputs.fit_weights)
        row = {"step": index, "loss": rmsd**2, "gradient_norm": left, "evaluations": 2.0 * index, "rmsd": rmsd}
        entry.recording.append(row, {"rotation": rotation[None], "translation": translation[None]})


def entry_of(pair: tuple[AlignJob, AlignInputs], name: str = "a", frames: int = 60, *, bend: float = 0.0) -> RunEntry:
    job, inputs = pair
    dash = () if name == "a" else (5.0, 3.0)
    entry = RunEntry(name, f"Run {name}", job, inputs, Recording({}), "#0072B2", dash)
    grow(entry, frames, bend=bend)
    return entry


def shown(qtbot, plot: SlicePlot) -> None:
    qtbot.waitUntil(lambda: plot.slice is not None and not plot._work.busy, timeout=TIMEOUT)


def show(qtbot, plot: SlicePlot, pair: tuple[AlignJob, AlignInputs], *runs: RunEntry) -> None:
    job, inputs = pair
    plot.set_inputs(inputs, job)
    plot.set_runs(runs)
    plot.set_cursor(runs[0] if runs else None, 0)
    shown(qtbot, plot)


def test_a_slice_with_a_run(plot: SlicePlot, pair, qtbot) -> None:
    entry = entry_of(pair)
    show(qtbot, plot, pair, entry)
    found = plot.slice
    assert found is not None
    inputs = pair[1]
    assert found.values.min() == pytest.approx(inputs.kabsch.rmsd, abs=1e-9)
    # Row-major: the first row of the picture is the smallest ordinate.
    assert np.array_equal(plot.picture.image.image, found.values) and plot.picture.image.axisOrder == "row-major"
    box = plot.picture.image.mapRectToParent(plot.picture.image.boundingRect())
    cell = found.x[1] - found.x[0]
    assert (box.left(), box.right()) == pytest.approx((found.x[0] - cell / 2, found.x[-1] + cell / 2))
    track = plot.paths.tracks["a"]
    assert len(track.frames) == 60
    angle = math.degrees(float(np.linalg.norm([0.4, 1.3, 0.2])))
    assert track.coordinates[0] == pytest.approx([angle, 0.0], abs=1e-6)
    assert track.distances == pytest.approx(np.zeros(60), abs=1e-6)
    assert plot.plot.getAxis("bottom").labelText == "turn towards the start (°)"
    assert [item.sign for item in plot.marks.items].count("1") == 2  # both ends of the half turn
    assert f"min {inputs.kabsch.rmsd:.2f} Å" in plot.marks.items[0].label
    assert "in the plane" in plot.caption.text() and "Off this plane: saddle" in plot.caption.text()


def test_the_cursor_is_where_the_run_was(plot: SlicePlot, pair, qtbot) -> None:
    entry, other = entry_of(pair), entry_of(pair, "b", 20)
    show(qtbot, plot, pair, entry, other)
    plot.set_cursor(entry, 30)
    spots = {f"{spot.symbol()}{spot.size():g}": (spot.pos().x(), spot.pos().y()) for spot in plot.paths.spots.points()}
    assert spots["o13"] == pytest.approx(tuple(plot.paths.tracks["a"].coordinates[30]))
    assert spots["o9"] == pytest.approx(tuple(plot.paths.tracks["b"].coordinates[19]))  # it has ended
    assert f"RMSD {entry.value('rmsd', 30):.2f} Å" in plot.caption.text()
    assert entry.frame_at_cost(31.0) == 15


def test_clicking_a_path_moves_the_cursor(plot: SlicePlot, pair, qtbot) -> None:
    entry = entry_of(pair)
    show(qtbot, plot, pair, entry)
    box = plot.plot.getPlotItem().getViewBox()
    place = plot.plot.mapFromScene(box.mapViewToScene(QPointF(*plot.paths.tracks["a"].coordinates[7])))
    assert plot.near(QPointF(place)) == (plot.paths.tracks["a"], 7)
    with qtbot.waitSignal(plot.cursor_moved, timeout=TIMEOUT) as moved:
        qtbot.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert moved.args == [7]
    assert "at the point drawn for it" in plot.tip(QPointF(place))


def test_the_tip_gives_the_exact_value_and_nothing_beyond_the_rim(plot: SlicePlot, pair, qtbot) -> None:
    show(qtbot, plot, pair)
    found = plot.slice
    assert found is not None
    box = plot.plot.getPlotItem().getViewBox()
    place = QPointF(plot.plot.mapFromScene(box.mapViewToScene(QPointF(-70.0, 90.0))))
    there = box.mapSceneToView(plot.plot.mapToScene(place.toPoint()))
    value = float(found.plane.values([[there.x(), there.y()]])[0])
    assert plot.tip(place).startswith(f"RMSD {value:.2f} Å")
    beyond = QPointF(plot.plot.mapFromScene(box.mapViewToScene(QPointF(-170.0, 170.0))))
    assert "same rotations" in plot.tip(beyond)


def test_a_growing_run_is_followed(plot: SlicePlot, pair, qtbot) -> None:
    entry = entry_of(pair, frames=5, bend=0.3)
    show(qtbot, plot, pair, entry)
    whole = plot.paths.tracks["a"]
    for frames in (1, 30, 300):
        grow(entry, frames, bend=0.3)
        plot.refresh()
        assert plot.paths.tracks["a"] is whole and len(whole.frames) == entry.frames
    rotations = entry.recording.states("rotation").reshape(-1, 3, 3)
    afresh = whole.plane.project(rotations, entry.recording.states("translation").reshape(-1, 3))
    assert whole.coordinates == pytest.approx(afresh.coordinates)
    assert whole.distances == pytest.approx(afresh.distances)
    assert whole.distances.max() > 0.5  # a bent path leaves the plane


def test_hidden_and_foreign_runs_are_not_drawn(plot: SlicePlot, pair, qtbot) -> None:
    entry, other = entry_of(pair), entry_of(pair, "b")
    foreign = entry_of((pair[0], load_inputs(pair[0])), "c")
    show(qtbot, plot, pair, entry, other, foreign)
    assert set(plot.paths.tracks) == {"a", "b"}
    other.visible = False
    plot.set_runs([entry, other, foreign])
    assert set(plot.paths.tracks) == {"a"}
    plot.set_runs([])
    assert plot.paths.tracks == {} and len(plot.paths.ends.points()) == 0


def test_a_run_that_diverged_is_drawn_up_to_there(plot: SlicePlot, pair, qtbot) -> None:
    entry = entry_of(pair, frames=10)
    lost = {"rotation": np.full((1, 3, 3), np.nan), "translation": np.full((1, 3), np.nan)}
    row = {"step": 10, "loss": math.inf, "gradient_norm": math.inf, "evaluations": 20.0, "rmsd": math.inf}
    entry.recording.append(row, lost)
    show(qtbot, plot, pair, entry)
    for choice in (PlaneChoice("path"), PlaneChoice("axes", axes=("turn-x", "shift-y"))):
        plot.chooser.choose(choice)
        shown(qtbot, plot)
        plot.set_cursor(entry, 10)
        assert "not finite" in plot.caption.text()
        plot.set_cursor(entry, 9)
        assert "RMSD" in plot.caption.text()
    plot.grab()


def test_every_plane_can_be_chosen_and_is_kept(plot: SlicePlot, pair, qtbot) -> None:
    entry = entry_of(pair, bend=0.4)
    show(qtbot, plot, pair, entry)
    first = plot.slice
    titles = set()
    for index in range(plot.chooser.plane.count()):
        plot.chooser.plane.setCurrentIndex(index)
        shown(qtbot, plot)
        assert plot.slice is not None
        titles.add(plot.slice.plane.title)
    assert len(titles) == plot.chooser.plane.count() == 5
    assert plot.chooser.first.isVisible()
    assert [plot.chooser.first.itemData(k) for k in range(9)] == list(AXIS_NAMES)
    plot.chooser.first.setCurrentIndex(plot.chooser.first.findData("shift-x"))
    shown(qtbot, plot)
    assert plot.slice.plane.rim is None and not plot.rim.isVisible()
    plot.chooser.plane.setCurrentIndex(0)
    assert plot.slice is first  # at once, without the worker
    assert not plot.chooser.first.isVisible()


def test_other_objectives(plot: SlicePlot, pair, qtbot) -> None:
    job, inputs = pair
    show(qtbot, plot, pair)
    plot.set_inputs(inputs, job.changed(objective="tm"))
    shown(qtbot, plot)
    qtbot.waitUntil(lambda: plot.slice is not None and plot.slice.maximised, timeout=TIMEOUT)
    found = plot.slice
    assert found is not None
    best = inputs.reference(found.plane.surface.objective)
    assert found.values.max() == pytest.approx(best.value, abs=1e-9)
    assert {item.sign for item in plot.marks.items} == {"0", "K"}
    assert "TM-score" in plot.key.accessibleDescription() and "large" in plot.key.accessibleDescription()
    # Dark is the better end for either.
    darkest = plot.picture.image.lut.sum(axis=1).argmin()
    assert darkest == 255


def test_nothing_is_computed_while_the_tab_is_hidden(plot: SlicePlot, pair, qtbot, worker: Worker) -> None:
    plot.hide()
    plot.set_inputs(pair[1], pair[0])
    plot.set_runs([entry_of(pair)])
    assert worker.idle and plot.slice is None
    plot.show()
    shown(qtbot, plot)
    assert set(plot.paths.tracks) == {"a"}


def test_a_slice_that_is_not_wanted_any_more_does_not_come(plot: SlicePlot, pair, qtbot, worker: Worker) -> None:
    gate = threading.Event()
    worker.submit(lambda task: gate.wait(5.0), lambda result: None, lambda error: None)
    plot.set_inputs(pair[1], pair[0])
    assert plot._work.busy and plot.picture.image.opacity() < 1.0
    plot.set_inputs(None, None)
    gate.set()
    qtbot.waitUntil(lambda: worker.idle, timeout=TIMEOUT)
    assert plot.slice is None and not plot.progress.isVisible()


def test_a_failure_is_said(plot: SlicePlot, pair, qtbot, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise ValueError("no such plane")

    monkeypatch.setattr("lieapp.alignment.slice.compute_slice", fail)
    plot.set_inputs(pair[1], pair[0])
    qtbot.waitUntil(lambda: plot.caption.text() == "no such plane", timeout=TIMEOUT)
    assert plot.slice is None


def test_names_themes_and_sizes(plot: SlicePlot, pair, qtbot) -> None:
    show(qtbot, plot, pair, entry_of(pair))
    for box in plot.findChildren(QComboBox):
        assert box.accessibleName() and box.toolTip()
    assert plot.plot.accessibleName() and "saddle 1" in plot.plot.accessibleDescription()
    for mode, light in (("dark", False), ("light", True)):
        theme().set_mode(mode)  # type: ignore[arg-type]
        corner = plot.plot.grab().toImage().pixelColor(plot.plot.width() // 5, 12)
        assert (corner.lightness() > 128) == light
    for size in ((300, 260), (400, 380), (900, 700)):
        plot.resize(*size)
        qtbot.wait(1)
        view = plot.plot.getPlotItem().getViewBox().viewRect()
        assert min(abs(view.left()), view.right(), abs(view.top()), view.bottom()) >= 180.0


@pytest.mark.parametrize("size", [(330, 220), (400, 380), (900, 700)])
def test_no_label_covers_another(plot: SlicePlot, pair, qtbot, size: tuple[int, int]) -> None:
    plot.resize(*size)
    show(qtbot, plot, pair)
    qtbot.wait(1)
    box = plot.plot.getPlotItem().getViewBox()
    named = [item for item in (*plot.marks.items, plot.marks.start) if item.isVisible() and item.label]
    items = [item for item in named if item.side is not None]
    assert items[0] is plot.marks.items[0]  # the least value is always named
    assert size[0] < 400 or items == named
    rects = [item.label_rect().translated(box.mapViewToScene(item.pos())) for item in items]
    for number, rect in enumerate(rects):
        for other in rects[:number]:
            shared = rect & other
            assert shared.width() * shared.height() <= 0.15 * rect.width() * rect.height()


def test_the_bright_and_the_dark_are_where_they_belong(plot: SlicePlot, pair, qtbot) -> None:
    show(qtbot, plot, pair)
    for item in plot.marks.items:
        item.hide()
    image = plot.plot.grab().toImage()
    ratio = image.devicePixelRatio()
    box = plot.plot.getPlotItem().getViewBox()

    def lightness(x: float, y: float) -> int:
        place = plot.plot.mapFromScene(box.mapViewToScene(QPointF(x, y)))
        return image.pixelColor(int(place.x() * ratio), int(place.y() * ratio)).lightness()

    found = plot.slice
    assert found is not None
    places = np.array([[3.0, 3.0], [60.0, 40.0], [-100.0, 90.0], [40.0, 160.0]])
    places = places[np.argsort(found.plane.values(places))]
    values = [lightness(*place) for place in places]
    assert values[0] < 80 and values[0] < values[1] < values[-1] + 40


# -- contours -------------------------------------------------------------------------------------------------------


def test_contours_of_a_cone_are_circles() -> None:
    x, y = np.linspace(-2.0, 2.0, 81), np.linspace(-3.0, 3.0, 121)
    values = np.hypot(x, y[:, None])
    pieces = contour_lines(x, y, values, 1.2345)
    assert np.hypot(pieces[..., 0], pieces[..., 1]) == pytest.approx(np.full(pieces.shape[:2], 1.2345), abs=2e-3)
    length = np.linalg.norm(pieces[:, 1] - pieces[:, 0], axis=1).sum()
    assert length == pytest.approx(2.0 * math.pi * 1.2345, rel=2e-3)
    # A closed line: every end is met by another.
    ends = np.round(pieces.reshape(-1, 2), 9)
    _, counts = np.unique(ends, axis=0, return_counts=True)
    assert (counts == 2).all()


def test_contours_of_a_saddle_and_of_holes() -> None:
    x = y = np.linspace(-1.0, 1.0, 20)
    pieces = contour_lines(x, y, x * y[:, None], 0.1)
    assert pieces[..., 0] * pieces[..., 1] == pytest.approx(np.full(pieces.shape[:2], 0.1), abs=0.02)
    assert contour_lines(x, y, np.zeros((20, 20)), 0.0).shape == (0, 2, 2)
    values = np.add.outer(y, x)
    values[:10] = np.nan
    assert (contour_lines(x, y, values, 0.3)[..., 1] >= y[10]).all()
    checks = np.array([[0.0, 1.0], [1.0, 0.0]])
    assert len(contour_lines(np.arange(2.0), np.arange(2.0), checks, 0.4)) == 2


@pytest.mark.parametrize("low, high", [(7.13, 31.7), (0.067, 0.684), (0.0, 1e-9), (-3.0, 4.0), (100.0, 101.0)])
def test_levels_are_round_and_inside(low: float, high: float) -> None:
    levels = nice_levels(low, high)
    assert 5 <= len(levels) <= 13
    assert (levels > low).all() and (levels < high).all()
    step = levels[1] - levels[0]
    assert np.diff(levels) == pytest.approx(np.full(len(levels) - 1, step))
    mantissa = step / 10.0 ** math.floor(math.log10(step) + 1e-9)
    assert any(mantissa == pytest.approx(value) for value in (1.0, 2.0, 2.5, 5.0))
    assert len(nice_levels(1.0, 1.0)) == len(nice_levels(math.nan, 1.0)) == 0


def test_pictures_of_real_structures_stay_below_a_frame(plot: SlicePlot, pair, qtbot) -> None:
    """A cursor that moves 30 times a second costs little."""
    import time

    entry = entry_of(pair, frames=400)
    show(qtbot, plot, pair, entry)
    begin = time.thread_time()
    for frame in range(0, 400, 10):
        plot.set_cursor(entry, frame)
    assert (time.thread_time() - begin) / 40 < 0.033


def test_the_window_imports_it_without_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = "import sys, lieapp.gui.align.slice_plot, lieapp.alignment.slice; assert 'torch' not in sys.modules"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path.parent, check=False
    )
    assert done.returncode == 0, done.stderr
