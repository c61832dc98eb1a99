"""The maps of all visible runs as contours side by side: one camera, one level."""

from __future__ import annotations

import time
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap, QRegion, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from lieapp.cryoem.preview import Preview
from lieapp.gui.cryoem.controller import CryoemController
from lieapp.gui.cryoem.frame_view import SeenView
from lieapp.gui.cryoem.views import EMPTY, SliceView, frame_note, map_of, preview_columns, shown_runs
from lieapp.gui.pictures.headings import heading_height, paint_heading
from lieapp.gui.pictures.picture_grid import PictureGrid
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.viewer.contour_maker import ContourMaker, ContourRequest
from lieapp.gui.viewer.level_histogram import LevelHistogram
from lieapp.gui.viewer.viewer import MoleculeViewer
from lieapp.gui.widgets.theme import scaled, theme
from lieapp.gui.work.identity import identity
from lieapp.scene.colors import BACKGROUND_DARK, BACKGROUND_LIGHT
from lieapp.scene.map_grid import MapGridScene

if TYPE_CHECKING:
    from lieapp.cryoem.map_statistics import MapStatistics

__all__ = ["MapViewer", "MapsView"]

TRUTH_COLOR = "#8E959E"
_FIRST_IMAGES, _FIRST_BESIDE = 11, 8  # images that are seen before a run: alone, or beside the map simulated
_FIRST_LETTERS = 64  # width that a map and images beside it need
_FIRST_SIGMA = 3.5  # higher first levels would leave blurred maps empty
_NOTE_ABOVE = 3.5  # headings: in smaller tiles the second line would cover the map
_PLATE = 228  # opacity of 255: words keep their contrast on contours of any colour
_PAINT_SHARE = 4.0  # times that the latest paint took, between two frames of a replay
_COARSE_FROM = 48  # box
_FILLED = 0.76  # share of half the box within which particles lie, at least
_NEARLY_ALL = 0.995
_EXTENT_POINTS = 64  # along an edge, from which the radius is taken: the window waits for it


@dataclass(frozen=True, eq=False)
class _Shown:
    """One map: its key, heading and run (None for the truth)."""

    key: Hashable
    title: str
    note: str
    color: str
    dash: tuple[float, ...]
    run: RunEntry | None


def _extent(values: NDArray[np.float32], level: float) -> float:
    """Return the radius about the origin within which nearly all above a level lies, as a share of half the box."""
    box = len(values)
    step = max(1, box // _EXTENT_POINTS)
    line = (np.arange(0, box, step) - box // 2) ** 2
    radii = np.sqrt(line[:, None, None] + line[:, None] + line)[values[::step, ::step, ::step] > level]
    return float(np.quantile(radii, _NEARLY_ALL)) / (0.5 * box) if radii.size else 0.0


class MapViewer(MoleculeViewer):
    """The 3-D view of maps side by side."""

    scene_class = MapGridScene
    scene: MapGridScene

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, late=True)
        self.setAccessibleName("3-D view of the maps")
        self.setAccessibleDescription("Contours of the maps side by side. Arrow keys turn, plus and minus zoom.")


class _Captions(QWidget):
    """Headings over the tiles; the mouse goes through."""

    def __init__(self, viewer: MapViewer) -> None:
        super().__init__(viewer)
        self._viewer = viewer
        self.shown: list[_Shown] = []
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        viewer.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.resize(self._viewer.size())
        return super().eventFilter(watched, event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        back = QColor(BACKGROUND_DARK if theme().tokens.name == "dark" else BACKGROUND_LIGHT)
        back.setAlpha(_PLATE)
        size = (self.width(), self.height())
        for tile, shown in zip(self._viewer.scene.tiles(), self.shown, strict=False):
            left, top, width, height = tile.pixels(size)
            note = shown.note if height > _NOTE_ABOVE * heading_height(self) else ""
            place = QRectF(left + 8, top + 6, width - 16, heading_height(self))
            color = None if shown.run is None else shown.color
            paint_heading(painter, self, place, shown.title, note, color, shown.dash, back=back)


class MapsView(SeenView, QWidget):
    """Contours of the map of every visible run and of the truth, and the level that they share.

    Parameters
    ----------
    controller : CryoemController

    Signals
    -------
    pointed(str)
        What is under the mouse, where slices stand for the contours.
    """

    pointed = Signal(str)

    def __init__(self, controller: CryoemController, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self.viewer = MapViewer()
        self.viewer.set_key_visible(False)
        self.captions = _Captions(self.viewer)
        self.maker = ContourMaker(self)
        self.statistics: MapStatistics | None = None
        self.level = 0.0
        self._reference: tuple[object, ...] = ()
        self._shown: list[_Shown] = []
        self._drawn: list[Hashable] = []
        self._shown_at = 0.0
        self._empty = QLabel(EMPTY)
        self._empty.setObjectName("caption")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.first = PictureGrid("The first images, and the views of all", ("",))
        self.first.words = lambda row, line, column: f"x {column}, y {line} px,"
        self.first.hide()
        self._first_key: Hashable = None
        self.histogram = LevelHistogram()
        self.histogram.setAccessibleName("Histogram of the reference map with the level of all contours")
        self.sigma = QLineEdit()
        self.sigma.setFixedWidth(scaled(64))
        self.sigma.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.sigma.setAccessibleName("Level in standard deviations")
        self.sigma.setToolTip("Level of all contours in standard deviations of the reference map; Enter shows it")
        self.slices = SliceView(controller)
        self.slices.pointed.connect(self.pointed)
        self.first.pointed.connect(self.pointed)
        self.slices.hide()
        self._lay_out()
        self.viewer.failed.connect(lambda text: self._give_up())
        if self.viewer.banner_text:
            self._give_up()
        self.histogram.level_moved.connect(self.set_level)
        self.histogram.level_released.connect(self.set_level)
        self.sigma.editingFinished.connect(self._take_sigma)
        self.maker.made.connect(self._show_contours)
        self.maker.failed.connect(lambda error: controller.messages.report(error, "Contouring the maps"))
        theme().changed.connect(self._restyle)
        self._restyle()

    def _lay_out(self) -> None:
        self.stack = QStackedWidget()
        self.stack.addWidget(self._empty)
        self.stack.addWidget(self.viewer)
        upper = QHBoxLayout()
        upper.setContentsMargins(0, 0, 0, 0)
        upper.setSpacing(8)
        upper.addWidget(self.stack, 1)
        upper.addWidget(self.first, 1)
        word = QLabel("level")
        word.setObjectName("fieldLabel")
        word.setBuddy(self.sigma)
        self.level_row = QWidget()
        row = QHBoxLayout(self.level_row)
        row.setContentsMargins(8, 2, 8, 0)
        row.setSpacing(6)
        row.addWidget(self.histogram, 1)
        row.addWidget(word)
        row.addWidget(self.sigma)
        row.addWidget(QLabel("σ"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(upper, 1)
        layout.addWidget(self.slices, 3)
        layout.addWidget(self.level_row)
        self.level_row.hide()

    # -- what is shown --------------------------------------------------------------------------------------------

    def show_frames(self) -> None:
        """Ask for the contours of the frames at the cursor, unless they are shown already."""
        if self._too_early():
            return
        self._take_reference()
        baselines, preview = self._controller.baselines, self._controller.preview
        pairs = shown_runs(self._controller)
        shown: list[_Shown] = []
        requests: list[ContourRequest] = []
        truth = None if preview is None else preview.truth
        if preview is not None and truth is not None:
            pixel = preview.pixel_size_angstrom
            key: Hashable = (identity(preview), self.level, 1)
            shown.append(_Shown(key, "Truth", f"to be reconstructed, {pixel:.3g} Å a pixel", TRUTH_COLOR, (), None))
            requests.append(ContourRequest(key, lambda: truth, self.level, pixel))
        if baselines is not None:
            pixel = baselines.pixel_size_angstrom
            title = "One pass" if baselines.truth is None else "Truth"
            stride = self._stride(baselines.box)
            key = (identity(baselines), self.level, 1)
            shown.append(_Shown(key, title, f"{pixel:.3g} Å a pixel", TRUTH_COLOR, (), None))
            requests.append(ContourRequest(key, lambda: baselines.reference, self.level, pixel))
            for run, frame in pairs:
                kept = run.recording.kept(frame)
                key = (run.id, kept, self.level, stride)
                shown.append(_Shown(key, run.title, frame_note(run, frame), run.color, run.dash, run))
                requests.append(
                    ContourRequest(key, lambda run=run, kept=kept: map_of(run, kept), self.level, pixel, stride)  # type: ignore[misc]
                )
        self._shown = shown
        self._show_first(preview)
        if self.viewer.banner_text:
            self.slices.refresh()
            return
        self._empty.setText(self._controller.previews.problem(self._controller.scene) or EMPTY)
        self.stack.setVisible(bool(shown) or preview is None)
        self.stack.setCurrentWidget(self.viewer if shown else self._empty)
        self.level_row.setVisible(bool(shown))
        if not shown:
            return
        self.captions.shown = shown
        self.captions.update()
        if self.maker.ask(requests):
            self._show_contours()

    def show_everything(self) -> None:
        """Let every map fill its part of the view."""
        self.viewer.fit()

    def set_level(self, level: float) -> None:
        """Draw the contours of all maps at a level."""
        if level != self.level:
            self.level = level
            self._show_level()
            self.refresh()

    def picture(self) -> QPixmap:
        """Return the maps with their headings at twice the size of the view; null without OpenGL."""
        image = self.viewer.picture((2 * self.viewer.width(), 2 * self.viewer.height()))
        pixmap = QPixmap.fromImage(image)
        pixmap.setDevicePixelRatio(2.0)
        if not pixmap.isNull():
            self.captions.render(pixmap, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
        return pixmap

    def shut_down(self) -> None:
        """End the threads and give the canvas back."""
        self.maker.close()
        self.slices.shut_down()
        self.viewer.shut_down()

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _show_first(self, preview: Preview | None) -> None:
        """Show the first images before there are maps, beside the map that is simulated."""
        # In large letters there is room for one of both; the images have a page of their own.
        room = _FIRST_LETTERS * self.fontMetrics().averageCharWidth()
        narrow = preview is not None and preview.truth is not None and self.width() < room
        self.first.setVisible(preview is not None and not narrow)
        if preview is None:
            return
        count = _FIRST_IMAGES if preview.truth is None else _FIRST_BESIDE
        if (identity(preview), count) != self._first_key:
            self._first_key = (identity(preview), count)
            self.first.show_columns(preview_columns(preview, count))

    def _give_up(self) -> None:
        """Show slices where contours cannot be drawn; the banner says why."""
        self.captions.hide()
        self.level_row.hide()
        self.stack.setCurrentWidget(self.viewer)
        self.slices.show()
        self.slices.refresh()

    def _too_early(self) -> bool:
        """Whether the view should still rest: where a processor draws, what computes needs most of its time."""
        times = self.viewer.paint_times
        if not self._controller.playback.playing or not times:
            return False
        return time.perf_counter() - self._shown_at < _PAINT_SHARE * times[-1]

    def _stride(self, box: int) -> int:
        """Return of how many points of the grid one is taken: where a processor draws, few while frames pass."""
        hurried = self.viewer.opengl.software and self._controller.playback.playing
        return 2 if hurried and box >= _COARSE_FROM else 1

    def _take_reference(self) -> None:
        """Take the level and the extent from another reference map, where there is one."""
        source, shown = self._controller.source, self._controller.baselines or self._controller.preview
        statistics = self._controller.previews.statistics
        if source is not None and source.baselines is not None:
            statistics = source.statistics
        key = (identity(shown),)
        if key == self._reference or shown is None or statistics is None:
            return
        first = self.statistics is None
        sigma = None if first or self.statistics is None else self.statistics.sigma(self.level)
        self._reference = key
        self.statistics = statistics
        # Other images have other units; what was chosen in standard deviations stays.
        highest = self.statistics.level(_FIRST_SIGMA)
        self.level = min(self.statistics.initial_level, highest) if sigma is None else self.statistics.level(sigma)
        self.histogram.set_histogram(self.statistics.minimum, self.statistics.maximum, self.statistics.counts)
        reference = shown.truth if isinstance(shown, Preview) else shown.reference
        share = _FILLED if reference is None else max(_FILLED, _extent(reference, self.level))
        self.viewer.scene.set_extent(0.5 * share * shown.box * shown.pixel_size_angstrom)
        self._show_level()

    def _show_level(self) -> None:
        self.histogram.set_level(self.level)
        if self.statistics is not None and not self.sigma.hasFocus():
            self.sigma.setText(f"{self.statistics.sigma(self.level):.2f}")

    def _take_sigma(self) -> None:
        if self.statistics is None or not self.sigma.isModified():
            return
        try:
            sigma = float(self.sigma.text().replace(",", ".").replace("−", "-"))
        except ValueError:
            sigma = float("nan")
        if np.isfinite(sigma):
            self.sigma.setModified(False)
            self.set_level(self.statistics.level(sigma))
        self.sigma.setText(f"{self.statistics.sigma(self.level):.2f}")

    def _show_contours(self) -> None:
        """Show what has been made of what is wanted; the others keep the contour of the frame before."""
        scene = self.viewer.scene
        self._shown_at = time.perf_counter()
        if scene.count != len(self._shown):
            scene.set_count(len(self._shown))
            self._drawn = [None] * len(self._shown)
            scene.viewpoint = scene.fitting_viewpoint()
        dark = theme().tokens.name == "dark"
        for place, shown in enumerate(self._shown):
            contour = self.maker.get(shown.key)
            key = (shown.key, shown.color, dark)
            if contour is not None and self._drawn[place] != key:
                scene.set_contour(place, contour, shown.color)
                self._drawn[place] = key
        self.captions.raise_()
        self.captions.resize(self.viewer.size())
        self.captions.update()

    def _restyle(self) -> None:
        self.viewer.set_dark(theme().tokens.name == "dark")
        self.captions.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._controller.preview is not None:
            self.refresh()
