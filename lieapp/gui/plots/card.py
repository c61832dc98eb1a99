"""What all curve plots of the window share: axes, crosshair, following, presentation size, their menu and picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, Qt, Signal
from PySide6.QtGui import QAction, QContextMenuEvent, QGuiApplication, QHelpEvent, QMouseEvent, QPixmap, QShowEvent
from PySide6.QtWidgets import QGraphicsItem, QMenu, QToolButton, QToolTip, QWidget

from lieapp.gui.plots.axes import PlainAxis, style_plot
from lieapp.gui.plots.crosshair import Crosshair
from lieapp.gui.plots.look import PRESENTATION, SCREEN, PlotLook
from lieapp.gui.widgets.icons import set_icon

__all__ = ["PlotCard"]

HINT = "Wheel zooms, drag pans, double-click shows everything again."
_PICTURE_RATIO = 2.0


class PlotCard(QWidget):
    """A widget around one plot.

    Subclasses lay out `plot`, answer `point_at` and `clear_pointing`, and extend `restyle`.

    Parameters
    ----------
    name : str
        What the plot shows, for screen readers.

    Attributes
    ----------
    plot : PlotWidget
    left_axis, bottom_axis : PlainAxis
    look : PlotLook
    crosshair : Crosshair
    follow_button : QToolButton
        Shown in the plot after it was zoomed or moved by hand.

    Signals
    -------
    presentation_changed(bool)
        The user asked for presentation size, or for that of the window.
    """

    presentation_changed = Signal(bool)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.look: PlotLook = SCREEN
        self.left_axis, self.bottom_axis = PlainAxis("left"), PlainAxis("bottom")
        # Its menus would be made even if they were never shown.
        self.plot = pg.PlotWidget(axisItems={"left": self.left_axis, "bottom": self.bottom_axis}, enableMenu=False)
        self.plot.setAccessibleName(name)
        self.plot.viewport().setAccessibleName(name)
        self.plot.hideButtons()
        # Less than this would push the axes out of their card.
        self.plot.setMinimumSize(200, 140)
        self.view_box.setMouseMode(pg.ViewBox.PanMode)
        self.crosshair = Crosshair(self.plot.viewport())
        self.follow_button = self._make_follow_button()
        self._has_data = False
        self._picture_ratio: float | None = None
        self._mouse: QPoint | None = None
        self._stale = False
        self.presentation_action = self._make_action(
            "&Presentation size", "Thick lines, large letters and a light background, for the last row", checkable=True
        )
        self.presentation_action.toggled.connect(self._choose_presentation)
        self.copy_action = self._make_action("&Copy picture", "Copy the plot as it is shown")
        self.copy_action.triggered.connect(self.copy_picture)
        self.follow_action = self._make_action("&Show everything", "Show all of the curves, and follow them")
        self.follow_action.triggered.connect(self.follow)
        self.plot.viewport().installEventFilter(self)
        self.plot.scene().sigMouseClicked.connect(self._open_menu)
        self.view_box.sigStateChanged.connect(self._show_following)
        self.view_box.sigRangeChangedManually.connect(self._show_following)
        self.view_box.sigResized.connect(self._show_following)

    # -- for subclasses -------------------------------------------------------------------------------------------

    def point_at(self, mouse: QPointF) -> None:
        """Show what is under the mouse, a place in pixels of the plot within `area`; by itself a plot shows nothing."""

    def clear_pointing(self) -> None:
        """Take away what `point_at` showed."""
        self.crosshair.clear()

    def restyle(self) -> None:
        """Give the plot the colours and the font of its look."""
        style_plot(self.plot, self.look.palette(self), self.look.font(self))
        self.crosshair.set_look(self.look.palette(self), self.look.font(self))

    def menu_actions(self) -> list[QAction]:
        """Return the entries of the context menu; those that were added to the widget follow them."""
        return [self.follow_action, self.presentation_action, self.copy_action]

    @property
    def ratio(self) -> float:
        """Device pixels in a pixel of the plot; curves are drawn with pens that count in device pixels."""
        return self._picture_ratio or self.devicePixelRatioF()

    # -- looks ----------------------------------------------------------------------------------------------------

    @property
    def view_box(self) -> pg.ViewBox:
        """Where curves are drawn."""
        return self.plot.getPlotItem().getViewBox()

    @property
    def area(self) -> QRect:
        """Where curves are drawn, in pixels of the plot."""
        return self.plot.mapFromScene(self.view_box.sceneBoundingRect()).boundingRect()

    @property
    def presentation(self) -> bool:
        """Whether the plot is drawn to be seen from the last row."""
        return self.look is PRESENTATION

    def set_presentation(self, on: bool) -> None:
        """Draw the plot to be seen from the last row, or as part of the window."""
        if on != self.presentation:
            self.look = PRESENTATION if on else SCREEN
            self.presentation_action.blockSignals(True)
            self.presentation_action.setChecked(on)
            self.presentation_action.blockSignals(False)
            self.restyle()

    def picture(self, ratio: float = _PICTURE_RATIO) -> QPixmap:
        """Return the plot as it is shown, without crosshair and buttons.

        Parameters
        ----------
        ratio : float, optional
            Pixels of the picture for each of the window's, in each direction.
        """
        self._clear()
        button = self.follow_button.isVisible()
        self.follow_button.hide()
        # What is kept for the screen would only be enlarged.
        items = [item for item in self.plot.scene().items() if item.cacheMode() != QGraphicsItem.CacheMode.NoCache]
        for item in items:
            item.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        self._picture_ratio = ratio
        self.restyle()
        pixmap = QPixmap(self.plot.size() * ratio)
        pixmap.setDevicePixelRatio(ratio)
        # The view's own `render` would draw the scene without what lies over it.
        QWidget.render(self.plot, pixmap, QPoint())
        self._picture_ratio = None
        self.restyle()
        for item in items:
            item.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        self.follow_button.setVisible(button)
        return pixmap

    def copy_picture(self) -> None:
        """Put the picture of the plot on the clipboard."""
        QGuiApplication.clipboard().setPixmap(self.picture())

    # -- following ------------------------------------------------------------------------------------------------

    @property
    def following(self) -> bool:
        """Whether the ranges follow the curves; they stay where they are after a zoom by hand."""
        return all(bool(each) for each in self.view_box.autoRangeEnabled())

    def follow(self) -> None:
        """Show everything, and follow what comes."""
        if self._has_data:
            self.view_box.enableAutoRange()
            self._show_following()

    def set_has_data(self, has: bool) -> None:
        """Tell whether there is anything to follow."""
        self._has_data = has
        # Numbers along the axes of an empty plot would be of nothing.
        for axis in (self.left_axis, self.bottom_axis):
            axis.set_blank(not has)
        self._show_following()

    def _show_following(self, *_: object) -> None:
        self.follow_button.setVisible(self._has_data and not self.following)
        if not self.follow_button.isHidden():
            area, size = self.area, self.follow_button.sizeHint()
            self.follow_button.setGeometry(area.left() + 4, area.top() + 4, size.width(), size.height())

    # -- mouse and keys -------------------------------------------------------------------------------------------

    def refresh_pointing(self) -> None:
        """Show what is under the mouse by now: the curves have changed."""
        if self._mouse is not None:
            self._point(self._mouse)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind == QEvent.Type.MouseMove and isinstance(event, QMouseEvent):
            # What is dragged moves under the crosshair.
            if event.buttons() == Qt.MouseButton.NoButton:
                self._point(event.position().toPoint())
            else:
                self._clear()
        elif kind in (QEvent.Type.Leave, QEvent.Type.Hide, QEvent.Type.Wheel, QEvent.Type.Resize):
            self._clear()
        elif kind == QEvent.Type.MouseButtonDblClick:
            self.follow()
        elif kind == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            # Over curves the crosshair says more, and both would cover each other.
            if not self._has_data:
                QToolTip.showText(event.globalPos(), HINT, self.plot)
            return True
        return super().eventFilter(watched, event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        # By the keyboard; a right press of the mouse may begin a zoom, its click is told by the plot.
        if event.reason() != QContextMenuEvent.Reason.Mouse:
            self.context_menu().popup(self.plot.mapToGlobal(self.plot.rect().center()))

    def context_menu(self) -> QMenu:
        """Return a new menu of what can be done to the plot."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addActions(self.menu_actions())
        others = self.actions()
        if others:
            menu.addSeparator()
            menu.addActions(others)
        return menu

    def changeEvent(self, event: QEvent) -> None:
        kinds = (QEvent.Type.PaletteChange, QEvent.Type.StyleChange, QEvent.Type.FontChange)
        # Events come already while the widget is being made.
        if event.type() in kinds and getattr(self, "_ready", False):
            # Qt tells it many times while a window is being put together, and nobody sees it yet.
            self._stale = not self.isVisible()
            if not self._stale:
                self.restyle()
        super().changeEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._stale = False
            self.restyle()

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _point(self, mouse: QPoint) -> None:
        if self.area.contains(mouse):
            self._mouse = mouse
            self.point_at(QPointF(mouse))
        else:
            self._clear()

    def _clear(self) -> None:
        self._mouse = None
        self.clear_pointing()

    def _choose_presentation(self, on: bool) -> None:
        self.set_presentation(on)
        self.presentation_changed.emit(on)

    def _open_menu(self, event: Any) -> None:
        if event.button() == Qt.MouseButton.RightButton:
            self.context_menu().popup(event.screenPos().toPoint())

    def _make_action(self, title: str, tip: str, *, checkable: bool = False) -> QAction:
        action = QAction(title, self)
        action.setToolTip(tip)
        action.setStatusTip(tip)
        action.setCheckable(checkable)
        return action

    def _make_follow_button(self) -> QToolButton:
        button = QToolButton(self.plot.viewport())
        button.setAccessibleName("Show everything")
        button.setToolTip("Show everything and follow the curves (double-click)")
        set_icon(button, "scan")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(self.follow)
        button.hide()
        return button

    def _place_of(self, x: float, y: float) -> QPointF | None:
        """Return where a value is drawn, in pixels of the plot, or None if it is out of sight."""
        if not np.isfinite(y):
            return None
        place = QPointF(self.plot.mapFromScene(self.view_box.mapViewToScene(QPointF(x, y))))
        return place if self.area.adjusted(-1, -1, 1, 1).contains(place.toPoint()) else None
