"""The legend in a plot: which line is which run, and which of them are shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QSizePolicy, QVBoxLayout, QWidget

from lieapp.gui.plots.curve import readable_color, sample_pen
from lieapp.gui.plots.look import fitted_font, least_legible
from lieapp.gui.runs.entry import RunEntry

__all__ = ["PlotLegend", "calmest_place"]

_SAMPLE = 26
_SPACE = 6
_GRID = 7  # places looked at, across and down
_MARGIN = 6  # from the border of the plot, in pixels
_LARGEST_AREA = 0.35  # of the plot
_LARGEST_SHARE = 0.7  # of the height of the plot
_WIDEST_SHARE, _HIGHEST_SHARE = 0.6, 0.5  # of the plot, for letters larger than those of the window


def calmest_place(area: QRect, size: QSize, points: NDArray[np.float64], now: QPoint | None = None) -> QPoint:
    """Return where in a plot a legend covers fewest points of the curves.

    Parameters
    ----------
    area : QRect
        Where curves are drawn, in pixels.
    size : QSize
        Of the legend.
    points : ndarray, shape=(points, 2)
        Places on the curves, in pixels.
    now : QPoint, optional
        Where it is; it stays there unless it would cover less than half as much elsewhere.

    Returns
    -------
    QPoint
        Its top left corner.
    """
    left, right = area.left() + _MARGIN, area.right() - _MARGIN - size.width()
    top, bottom = area.top() + _MARGIN, area.bottom() - _MARGIN - size.height()
    steps = np.linspace(0.0, 1.0, _GRID)
    # Curves that fall leave the top right free; otherwise rather at a border than amid the curves.
    shares = [(x, y) for x in steps for y in steps]
    shares.sort(key=lambda share: (min(share[0], 1 - share[0], share[1], 1 - share[1]), 1 - share[0] + share[1]))
    places = [(round(left + x * (right - left)), round(top + y * (bottom - top))) for x, y in shares]

    def covered(x: int, y: int) -> int:
        near = (
            (points[:, 0] > x - _SPACE)
            & (points[:, 0] < x + size.width() + _SPACE)
            & (points[:, 1] > y - _SPACE)
            & (points[:, 1] < y + size.height() + _SPACE)
        )
        return int(np.count_nonzero(near))

    counts = [covered(x, y) for x, y in places]
    best = int(np.argmin(counts))
    if now is not None and covered(now.x(), now.y()) <= 2 * counts[best]:
        return now
    return QPoint(*places[best])


class _Entry(QAbstractButton):
    """A sample of the line, and the name; pressed in while the run is shown."""

    def __init__(self, run: RunEntry, legend: PlotLegend) -> None:
        super().__init__(legend)
        self.run, self._legend = run, legend
        self._written: tuple[str, bool] | None = None
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.refresh()

    def refresh(self) -> None:
        title, shown = self.run.title, self.run.visible
        if (title, shown) != self._written:
            self._written = title, shown
            self.setText(title)
            self.blockSignals(True)
            self.setChecked(shown)
            self.blockSignals(False)
            self.setToolTip(f"{'Hide' if shown else 'Show'} {title}")
            self.setAccessibleName(f"{title}, {'shown' if shown else 'hidden'}")
            self.update()

    def sizeHint(self) -> QSize:
        metrics = QFontMetricsF(self._legend.text_font)
        width = self._legend.sample + _SPACE + metrics.horizontalAdvance(self.text()) + 2
        return QSize(round(width), round(metrics.height() + 2))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        palette = self._legend.colors
        role = QPalette.ColorRole
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        base = palette.color(role.Base).name()
        shown = self.isChecked()
        color = readable_color(self.run.color, base) if shown else palette.color(role.PlaceholderText).name()
        if not shown:
            painter.setOpacity(0.6)
        middle = round(self.height() / 2)
        pen = sample_pen(color, self.run.dash, self._legend.line_width, self._legend.sample)
        pen.setCosmetic(False)
        painter.setPen(pen)
        painter.drawLine(QPoint(0, middle), QPoint(self._legend.sample, middle))
        font = QFont(self._legend.text_font)
        # Not by its colour alone.
        font.setStrikeOut(not shown)
        painter.setFont(font)
        painter.setPen(palette.color(role.Text if shown else role.PlaceholderText))
        place = self.rect().adjusted(self._legend.sample + _SPACE, 0, 0, 0)
        painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.setOpacity(1.0)
        if self.hasFocus() or self.underMouse():
            painter.setPen(QPen(palette.color(role.Highlight if self.hasFocus() else role.Mid), 1.0))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3.0, 3.0)

    # A drag that begins on an entry moves the legend.
    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._legend.begin_drag(event)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._legend.drag(event):
            self.setDown(False)
        else:
            super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._legend.end_drag():
            self.setDown(False)
        else:
            super().mouseReleaseEvent(event)


class PlotLegend(QFrame):
    """Names of the runs in the plot; a click hides or shows one, a drag moves it all.

    Parameters
    ----------
    parent : QWidget
        Viewport of the plot.

    Attributes
    ----------
    text_font : QFont
    colors : QPalette
    line_width : float
        Of the samples, in pixels.

    Signals
    -------
    toggled(RunEntry)
        The user hid or showed a run; its `visible` is already the new one.
    """

    toggled = Signal(object)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName("Legend")
        self.text_font, self.colors, self.line_width = QFont(), QPalette(), 2.0
        self._font = QFont()
        self._entries: dict[str, _Entry] = {}
        self._wanted = True
        self._by_hand: QPointF | None = None  # middle of the legend in shares of the plot, once it was dragged
        self._grip: QPoint | None = None
        self._dragging = False
        self._placed = False
        self._area = QRect()
        self._left_out = 0
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(_SPACE, 4, _SPACE, 4)
        self._layout.setSpacing(0)
        self.hide()

    @property
    def wanted(self) -> bool:
        """Whether it is shown when there are runs to tell apart."""
        return self._wanted

    @property
    def sample(self) -> int:
        """Length of the sample of a line, in pixels."""
        return round(_SAMPLE * max(self.line_width / 2.0, 1.0))

    def set_wanted(self, on: bool) -> None:
        """Show it when there are two runs or more, or never."""
        self._wanted = on
        self._show_what_fits()

    def set_look(self, palette: QPalette, font: QFont, line_width: float) -> None:
        """Paint with these colours, this font and lines of this width in pixels."""
        self._font, self.colors, self.line_width = QFont(font), QPalette(palette), line_width
        self._show_what_fits()
        self.update()

    def set_runs(self, runs: Sequence[RunEntry]) -> None:
        """List these runs."""
        keep = {run.id for run in runs}
        for identifier in [identifier for identifier in self._entries if identifier not in keep]:
            entry = self._entries.pop(identifier)
            self._layout.removeWidget(entry)
            entry.setParent(None)
            entry.deleteLater()
        for position, run in enumerate(runs):
            if run.id not in self._entries:
                entry = self._entries[run.id] = _Entry(run, self)
                entry.toggled.connect(lambda on, run=run: self._toggle(run, on))
                self._layout.insertWidget(position, entry)
        self._show_what_fits()

    def refresh(self) -> None:
        """Write which runs are shown by now."""
        for entry in self._entries.values():
            entry.refresh()

    def place(self, area: QRect, points: Callable[[], NDArray[np.float64]]) -> None:
        """Stand where the curves are not, or where the user has put it.

        Parameters
        ----------
        area : QRect
            Where curves are drawn, in pixels of the viewport.
        points : callable() -> ndarray, shape=(points, 2)
            Places on the curves, in pixels; asked for when needed.
        """
        changed, self._area = area != self._area, area
        if changed:
            self._show_what_fits()
        if self.isHidden() or self._dragging:
            return
        if self._by_hand is not None:
            self._move_within(QPointF(area.left() + self._by_hand.x() * area.width() - self.width() / 2,
                                      area.top() + self._by_hand.y() * area.height() - self.height() / 2))  # fmt: skip
        else:
            self.move(calmest_place(area, self.size(), points(), self.pos() if self._placed and not changed else None))
            self._placed = True

    # -- dragging -------------------------------------------------------------------------------------------------

    def begin_drag(self, event: QMouseEvent) -> None:
        """Remember where the mouse holds it."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.globalPosition().toPoint() - self.pos()

    def drag(self, event: QMouseEvent) -> bool:
        """Follow the mouse; return whether it has gone far enough to be a drag."""
        if self._grip is None:
            return False
        place = event.globalPosition().toPoint() - self._grip
        if not self._dragging and (place - self.pos()).manhattanLength() < 8:
            return False
        self._dragging = True
        self._move_within(QPointF(place))
        return True

    def end_drag(self) -> bool:
        """Stay here from now on; return whether there was a drag."""
        was, self._grip, self._dragging = self._dragging, None, False
        if was and self._area.isValid():
            middle = QRectF(self.geometry()).center() - QPointF(self._area.topLeft())
            self._by_hand = QPointF(middle.x() / self._area.width(), middle.y() / self._area.height())
        return was

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.begin_drag(event)
        event.accept()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.drag(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self.end_drag()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Let it find its place again."""
        self._by_hand = None
        self._placed = False
        event.accept()

    # -- pieces ---------------------------------------------------------------------------------------------------

    @property
    def _rest(self) -> str:
        return f"and {self._left_out} earlier"

    def _fits(self, font: QFont) -> bool:
        metrics = QFontMetricsF(font)
        widest = max((metrics.horizontalAdvance(entry.text()) for entry in self._entries.values()), default=0.0)
        return (
            self.sample + 3 * _SPACE + widest <= _WIDEST_SHARE * self._area.width()
            and metrics.height() * len(self._entries) + 8 <= _HIGHEST_SHARE * self._area.height()
        )

    def _toggle(self, run: RunEntry, on: bool) -> None:
        run.visible = on
        self.refresh()
        self.toggled.emit(run)

    def _move_within(self, place: QPointF) -> None:
        area = self._area
        x = max(min(round(place.x()), area.right() - self.width()), area.left())
        y = max(min(round(place.y()), area.bottom() - self.height()), area.top())
        self.move(x, y)

    def _show_what_fits(self) -> None:
        entries = list(self._entries.values())
        self.text_font = fitted_font(self._font, least_legible(self.font()), self._fits)
        for entry in entries:
            entry.updateGeometry()
        line = QFontMetricsF(self.text_font).height() + 2
        room = int((_LARGEST_SHARE * self._area.height() - 8) // line) if self._area.isValid() else len(entries)
        # The youngest runs are compared now; how many are left out is written below them.
        fits = len(entries) if room >= len(entries) else max(room - 1, 0)
        self._left_out = len(entries) - fits
        for index, entry in enumerate(entries):
            entry.setVisible(index >= self._left_out)
        extra = round(line) if self._left_out else 0
        self._layout.setContentsMargins(_SPACE, 4, _SPACE, 4 + extra)
        self._layout.activate()
        size = self._layout.sizeHint()
        if self._left_out:
            words = QFontMetricsF(self.text_font).horizontalAdvance(self._rest)
            size.setWidth(max(size.width(), math.ceil(words) + 2 * _SPACE))
        # In a small plot it would be all that is seen; the runs are named beside the plot as well.
        small = not self._area.isValid() or size.width() * size.height() <= _LARGEST_AREA * (
            self._area.width() * self._area.height()
        )
        self.setVisible(self._wanted and len(entries) > 1 and fits > 0 and small)
        if not self.isHidden():
            self.resize(size)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        role = QPalette.ColorRole
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        back = QColor(self.colors.color(role.Base))
        back.setAlpha(225)
        painter.setBrush(back)
        painter.setPen(QPen(self.colors.color(role.Mid), 1.0))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4.0, 4.0)
        if self._left_out:
            painter.setFont(self.text_font)
            painter.setPen(self.colors.color(role.PlaceholderText))
            place = self.rect().adjusted(_SPACE, 0, -_SPACE, -4)
            painter.drawText(place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom,
                             self._rest)  # fmt: skip
