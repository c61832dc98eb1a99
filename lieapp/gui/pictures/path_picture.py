"""A plane with the paths of runs on it: one plot, a shared cursor, and what the mouse does there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QShowEvent
from PySide6.QtWidgets import QToolTip, QWidget

from lieapp.gui.plots.axes import style_plot
from lieapp.gui.plots.paths import nearest_path
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.abstract import AbstractQt
from lieapp.gui.widgets.words import folded

__all__ = ["PathPicture", "RunPath"]

_NEAR_PIXELS = 10.0


class RunPath(Protocol):
    """The path of one run: ``coordinates`` of shape (kept, 2), at the frames ``frames`` of shape (kept,)."""

    run: RunEntry
    frames: NDArray[np.int64]
    coordinates: NDArray[np.float64]


P = TypeVar("P", bound=RunPath)


class PathPicture(QWidget, metaclass=AbstractQt):
    """A widget around one plot that shows a plane.

    Subclasses lay out `plot`, answer what is abstract, extend `restyle`, and call that at the end of their making.

    Parameters
    ----------
    name : str
        Of the widget, for screen readers.
    plot_name, plot_description : str
        Of the plot, for screen readers.
    axes : (AxisItem, AxisItem)
        At the bottom and at the left.
    smallest : (int, int)
        Least width and height of the plot in pixels.

    Attributes
    ----------
    plot : PlotWidget
    view_box : ViewBox
        Where paths are drawn.

    Signals
    -------
    cursor_moved(int)
        The user clicked on this frame of the current run.
    """

    cursor_moved = Signal(int)

    _dressed = False  # Qt tells of styles and fonts already while the widget is being made

    def __init__(
        self,
        name: str,
        plot_name: str,
        plot_description: str,
        axes: tuple[pg.AxisItem, pg.AxisItem],
        smallest: tuple[int, int],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._runs: list[RunEntry] = []
        self._cursor_run: RunEntry | None = None
        self._cursor_frame = 0
        self._stale = False
        bottom, left = axes
        # Its menus would be made even if they were never shown.
        self.plot = pg.PlotWidget(axisItems={"bottom": bottom, "left": left}, enableMenu=False)
        self.plot.setAccessibleName(plot_name)
        self.plot.viewport().setAccessibleName(plot_name)
        self.plot.setAccessibleDescription(plot_description)
        self.plot.hideButtons()
        self.plot.setAntialiasing(True)
        self.plot.setMinimumSize(*smallest)
        self.view_box: pg.ViewBox = self.plot.getPlotItem().getViewBox()
        self.plot.viewport().installEventFilter(self)
        self.plot.scene().sigMouseClicked.connect(self._click)

    # -- for subclasses -------------------------------------------------------------------------------------------

    @abstractmethod
    def refresh(self) -> None:
        """Draw what the recordings hold by now."""

    @abstractmethod
    def show_everything(self) -> None:
        """Show the whole plane."""

    @abstractmethod
    def tip(self, position: QPointF) -> str:
        """Return what is to be said about a place of the plot in pixels."""

    @abstractmethod
    def near(self, position: QPointF) -> tuple[RunPath, int] | None:
        """Return the path, and the row of the kept frame, drawn next to a place of the plot in pixels, or None."""

    def _click_beside(self, place: QPointF) -> None:
        """Answer a click at a place of the plane that is not on the path of the current run."""

    def restyle(self) -> None:
        """Give the plot the colours and the font of the window."""
        self._stale, self._dressed = False, True
        style_plot(self.plot, self.palette(), self.font())
        self.plot.showGrid(x=False, y=False)

    # -- mouse ----------------------------------------------------------------------------------------------------

    def _nearest(self, paths: Iterable[P], position: QPointF) -> tuple[P, int] | None:
        """Return which of these paths is `near`."""
        place = self.view_box.mapSceneToView(self.plot.mapToScene(position.toPoint()))
        return nearest_path(paths, (place.x(), place.y()), self.view_box.viewPixelSize(), _NEAR_PIXELS)

    def _click(self, event: Any) -> None:
        """Put the cursor on the frame that is clicked; a double click shows everything."""
        place = event.scenePos()
        if event.button() != Qt.MouseButton.LeftButton or not self.view_box.sceneBoundingRect().contains(place):
            return
        if event.double():
            self.show_everything()
            return
        found = self.near(QPointF(self.plot.mapFromScene(place)))
        if found is not None and found[0].run is self._cursor_run:
            self.cursor_moved.emit(int(found[0].frames[found[1]]))
        else:
            self._click_beside(self.view_box.mapSceneToView(place))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            text = self.tip(QPointF(event.pos()))
            if text:
                QToolTip.showText(event.globalPos(), folded(text), self.plot)
            else:
                QToolTip.hideText()
            return True
        return super().eventFilter(watched, event)

    # -- looks ----------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self.restyle()
        self.refresh()

    def changeEvent(self, event: QEvent) -> None:
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange)
        if event.type() in kinds and self._dressed:
            # Qt tells it many times while a window is being put together, and nobody sees it yet.
            self._stale = not self.isVisible()
            if not self._stale:
                self.restyle()
        super().changeEvent(event)
