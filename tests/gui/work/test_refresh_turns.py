"""Views take turns, as often as their cost allows; a label does not lay out the window; layers know where they are."""

from __future__ import annotations

import time

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QWidget

from lieapp.engine.recording import Recording
from lieapp.gui.landscape.paths import PathLayer
from lieapp.gui.landscape.track import Track
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.quiet_label import QuietLabel
from lieapp.gui.work.refresh_turns import RefreshTurns


class View:
    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds, self.visible = seconds, True
        self.times: list[float] = []

    def isVisible(self) -> bool:
        return self.visible

    def refresh(self) -> None:
        self.times.append(time.perf_counter())
        time.sleep(self.seconds)


def test_one_view_draws_at_each_tick(qtbot) -> None:
    turns = RefreshTurns()
    first, second = View(), View()
    turns.add(first, 0.5)
    turns.add(second, 0.5)
    turns.tick()
    assert len(first.times) + len(second.times) == 1
    turns.tick()  # the first has not been painted yet
    assert len(first.times) + len(second.times) == 1
    qtbot.wait(5)
    turns.tick()
    assert len(first.times) == len(second.times) == 1


def test_what_costs_much_draws_seldom(qtbot) -> None:
    turns = RefreshTurns()
    heavy, light, unseen = View(0.02), View(), View()
    unseen.visible = False
    for view in (heavy, light, unseen):
        turns.add(view, 0.2)
    end = time.perf_counter() + 0.6
    while time.perf_counter() < end:
        turns.tick()
        qtbot.wait(2)
    assert unseen.times == [] and len(light.times) > len(heavy.times) >= 2
    assert np.diff(heavy.times).min() >= 0.099  # 20 ms are a fifth of that


def test_a_slow_view_is_not_forgotten(qtbot) -> None:
    turns = RefreshTurns()
    slow = View(0.06)
    turns.add(slow, 0.01)
    turns.tick()
    qtbot.wait(550)
    turns.tick()
    assert len(slow.times) == 2


class Requests(QObject):
    """Counts how often a widget is laid out."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def test_a_quiet_label_asks_for_room_only_when_it_needs_more(qtbot) -> None:
    window = QWidget()
    label = QuietLabel("step 88 of 100")
    row = QHBoxLayout(window)
    row.addWidget(label)
    qtbot.addWidget(window)
    window.resize(300, 40)
    window.show()
    qtbot.waitExposed(window)
    qtbot.wait(20)  # it is laid out once or twice while it is shown
    requests = Requests()
    window.installEventFilter(requests)
    width = label.sizeHint().width()
    for number in (2, 3, 4):
        label.setText(f"step {number} of 100")
        qtbot.wait(1)
    assert requests.count == 0 and label.sizeHint().width() == width and label.text() == "step 4 of 100"
    label.setText("step 100 of 100, and far more words than there were before")
    qtbot.waitUntil(lambda: requests.count > 0, timeout=1000)
    assert label.sizeHint().width() > width
    label.resize(60, 20)
    assert label.toolTip() == label.text()


def entry_of(points: np.ndarray) -> RunEntry:
    recording = Recording()
    for number, point in enumerate(points):
        recording.append({"evaluations": float(number), "loss": 1.0}, {"point": point})
    return RunEntry("a", "run", None, None, recording, "#0072B2")


@pytest.fixture
def plot(qtbot) -> pg.PlotWidget:
    widget = pg.PlotWidget(background="w")
    qtbot.addWidget(widget)
    widget.resize(400, 300)
    widget.setRange(xRange=(0.0, 1.0), yRange=(0.0, 1.0), padding=0.0)
    widget.show()
    qtbot.waitExposed(widget)
    return widget


def test_a_layer_is_where_the_axes_say(plot: pg.PlotWidget) -> None:
    box = plot.getPlotItem().getViewBox()
    layer = PathLayer(box)
    places = np.array([[0.0, 0.0], [0.25, 0.7], [1.0, 1.0]])

    def expected() -> list[tuple[float, float]]:
        found = [box.mapFromView(pg.Point(x, y)) for x, y in places]
        return [(place.x(), place.y()) for place in found]

    assert layer.pixels(places) == pytest.approx(np.array(expected()), abs=1e-6)
    plot.setRange(xRange=(-2.0, 3.0), yRange=(0.5, 0.75), padding=0.0)
    assert layer.pixels(places) == pytest.approx(np.array(expected()), abs=1e-6)
    plot.resize(520, 260)
    assert layer.boundingRect() == box.rect()
    assert layer.pixels(places) == pytest.approx(np.array(expected()), abs=1e-6)


def picture(plot: pg.PlotWidget) -> np.ndarray:
    image = plot.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[..., :3].astype(int)


def test_a_path_that_grew_looks_like_one_drawn_at_once(plot: pg.PlotWidget, qtbot) -> None:
    turn = np.linspace(0.0, 6.0, 400)
    points = np.stack([0.5 + 0.08 * turn * np.cos(turn) * 0.9, 0.5 + 0.08 * turn * np.sin(turn) * 0.9], axis=1)
    entry = entry_of(points[:5])
    box = plot.getPlotItem().getViewBox()
    layer, track = PathLayer(box), Track(entry)
    for count in range(5, 400, 79):
        for number in range(len(entry.recording), count):
            entry.recording.append({"evaluations": float(number), "loss": 1.0}, {"point": points[number]})
        assert track.update()
        layer.show_tracks((track,), track)
        qtbot.wait(20)
    grown = picture(plot)
    layer.show_tracks((), None)
    qtbot.wait(20)
    empty = picture(plot)
    layer.show_tracks((track,), None)
    qtbot.wait(20)
    anew = picture(plot)
    assert (np.abs(grown - empty).max(axis=2) > 60).sum() > 300
    # Pixels at the seam of two pieces may differ by the rounding of their smooth edges.
    assert (np.abs(grown - anew).max(axis=2) > 40).sum() <= 8


def test_a_run_that_stands_still_paints_nothing(plot: pg.PlotWidget, qtbot) -> None:
    entry = entry_of(np.full((200, 2), 0.5))
    layer, track = PathLayer(plot.getPlotItem().getViewBox()), Track(entry)
    track.update()
    layer.show_tracks((track,), None)
    for number in range(200, 210):
        entry.recording.append({"evaluations": float(number), "loss": 1.0}, {"point": np.array([0.5, 0.5 + 1e-9])})
    assert track.update()
    line = layer._lines[track]
    assert line.extend(layer).isNull()
