"""Columns of pictures under headings, at equal grey levels; zooming or moving one zooms or moves all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from lieapp.gui.pictures.headings import heading_height, paint_heading, small_font

__all__ = ["Column", "Picture", "PictureGrid", "color_table", "grey_levels"]

Values = NDArray[np.floating]
Colors = Literal["grey", "difference", "heat"]

_GAP = 6
_STOPS: dict[Colors, tuple[str, ...]] = {
    "grey": ("#000000", "#FFFFFF"),
    "difference": ("#2166AC", "#F7F7F7", "#B2182B"),
    # Cividis at equal steps: even in lightness, and the same for the colour-blind.
    "heat": ("#00204D", "#31446B", "#666970", "#958F78", "#CAB969", "#FFEA46"),
}
_MOST_ZOOM = 16.0


@dataclass(frozen=True, eq=False)
class Picture:
    """One picture.

    Attributes
    ----------
    values : ndarray, shape=(rows, columns)
        The first row is drawn lowest.
    levels : tuple of float
        Values that have the first and the last colour.
    colors : {"grey", "difference", "heat"}
    """

    values: Values
    levels: tuple[float, float]
    colors: Colors = "grey"


@dataclass(frozen=True, eq=False)
class Column:
    """A column of pictures.

    Attributes
    ----------
    title, note : str
        The heading and what stands under it.
    pictures : sequence of Picture
        From top to bottom.
    color : str or None
        Of the line before the title; None for no line.
    dash : tuple of float
    """

    title: str
    pictures: Sequence[Picture]
    note: str = ""
    color: str | None = None
    dash: tuple[float, ...] = ()


def grey_levels(values: Values) -> tuple[float, float]:
    """Return the values that are black and white: all but the outermost half per cent lies between."""
    finite = np.asarray(values)[np.isfinite(values)]
    if not len(finite):
        return 0.0, 1.0
    low, high = (float(each) for each in np.quantile(finite, (0.005, 0.995)))
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def color_table(colors: Colors) -> NDArray[np.uint8]:
    """Return 256 colours, shape=(256, 3)."""
    inks = [QColor(stop) for stop in _STOPS[colors]]
    stops = np.array([(ink.red(), ink.green(), ink.blue()) for ink in inks], dtype=np.float64)
    places = np.linspace(0.0, len(stops) - 1.0, 256)
    channels = [np.interp(places, np.arange(len(stops)), stops[:, k]) for k in range(3)]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


class PictureGrid(QWidget):
    """Pictures side by side.

    Parameters
    ----------
    name : str
        For screen readers.
    rows : sequence of str
        What stands at the left of each row.

    Attributes
    ----------
    words : callable(int, int, int) -> str
        Words for a pixel: row of the grid, row and column of the picture.

    Signals
    -------
    pointed(str)
        What is under the mouse; empty when it has left.
    """

    pointed = Signal(str)

    def __init__(self, name: str, rows: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = tuple(rows)
        self.words: Callable[[int, int, int], str] = lambda row, line, column: f"row {line}, column {column}"
        self._columns: list[Column] = []
        self._images: list[list[QImage]] = []
        self._empty = ""
        self._zoom, self._center = 1.0, QPointF(0.5, 0.5)
        self._grabbed: QPointF | None = None
        self._tables: dict[Colors, list[int]] = {}
        self.setAccessibleName(name)
        self.setAccessibleDescription("Wheel, plus and minus zoom; drag and arrow keys move all pictures together.")
        self.setToolTip("Wheel zooms, drag moves all pictures together; double-click shows all of them again")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setMinimumSize(200, 120)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(640, 480)

    # -- what is shown --------------------------------------------------------------------------------------------

    @property
    def columns(self) -> Sequence[Column]:
        """What is shown."""
        return self._columns

    def show_columns(self, columns: Sequence[Column], empty: str = "") -> None:
        """Show columns, or a sentence where there are none."""
        self._columns, self._empty = list(columns), empty
        self._images = [[self._image(picture) for picture in column.pictures] for column in columns]
        titles = ", ".join(f"{column.title} {column.note}".strip() for column in columns)
        self.setAccessibleDescription(f"{titles}. Wheel, plus and minus zoom; drag and arrow keys move.")
        self.update()

    def show_everything(self) -> None:
        """Show all of every picture."""
        self._zoom, self._center = 1.0, QPointF(0.5, 0.5)
        self.update()

    def _image(self, picture: Picture) -> QImage:
        low, high = picture.levels
        share = (np.asarray(picture.values, dtype=np.float64)[::-1] - low) / max(high - low, 1e-30)
        bytes_ = np.ascontiguousarray(np.clip(np.nan_to_num(255.0 * share), 0, 255).astype(np.uint8))
        rows, columns = bytes_.shape
        image = QImage(bytes_.tobytes(), columns, rows, columns, QImage.Format.Format_Indexed8)
        if picture.colors not in self._tables:
            self._tables[picture.colors] = [QColor(*map(int, row)).rgb() for row in color_table(picture.colors)]
        image.setColorTable(self._tables[picture.colors])
        return image.convertToFormat(QImage.Format.Format_RGB32)  # a copy: the bytes go

    # -- places ---------------------------------------------------------------------------------------------------

    def _across(self) -> int:
        """Return how many columns stand side by side: all, but a single row of pictures may take several lines."""
        count = max(len(self._columns), 1)
        if len(self.rows) != 1:
            return count
        return max(range(1, count + 1), key=lambda across: (round(self._edge(across)), -across))

    def _margins(self) -> tuple[float, float]:
        """Return the room for the words at the left, and for headings."""
        left = QFontMetricsF(small_font(self)).height() + 4 if any(self.rows) else 0.0
        return left, heading_height(self) + 4

    def _edge(self, across: int) -> float:
        left, head = self._margins()
        lines = -(-max(len(self._columns), 1) // across)
        rows = max(len(self.rows), 1)
        width = (self.width() - left - _GAP * (across + 1)) / across
        height = (self.height() / lines - head - _GAP * rows) / rows
        return max(min(width, height), 8.0)

    def cell(self, column: int, row: int) -> QRectF:
        """Return where a picture is drawn."""
        across = self._across()
        edge, (left, head) = self._edge(across), self._margins()
        x = left + (self.width() - left - across * edge - (across - 1) * _GAP) / 2
        line = head + max(len(self.rows), 1) * (edge + _GAP)
        top = column // across * line + head
        return QRectF(x + column % across * (edge + _GAP), top + row * (edge + _GAP), edge, edge)

    def _source(self, image: QImage) -> QRectF:
        width, height = image.width() / self._zoom, image.height() / self._zoom
        return QRectF(
            self._center.x() * image.width() - width / 2, self._center.y() * image.height() - height / 2, width, height
        )

    def pixel_at(self, place: QPointF) -> tuple[int, int, int, int] | None:
        """Return column and row of the grid, and row and column of the picture, at a place; None beside them."""
        for column in range(len(self._columns)):
            for row, image in enumerate(self._images[column]):
                cell = self.cell(column, row)
                if cell.contains(place):
                    source = self._source(image)
                    x = source.left() + (place.x() - cell.left()) / cell.width() * source.width()
                    y = source.top() + (place.y() - cell.top()) / cell.height() * source.height()
                    return column, row, image.height() - 1 - int(y), int(x)
        return None

    # -- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        palette = self.palette()
        muted = palette.color(QPalette.ColorRole.PlaceholderText)
        painter.fillRect(self.rect(), palette.color(QPalette.ColorRole.Base))
        if not self._columns:
            painter.setPen(muted)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 0, -24, 0), flags, self._empty)
            return
        for number, (column, images) in enumerate(zip(self._columns, self._images, strict=True)):
            cell = self.cell(number, 0)
            height = heading_height(self)
            place = QRectF(cell.left(), cell.top() - 4 - height, cell.width(), height)
            paint_heading(painter, self, place, column.title, column.note, column.color, column.dash)
            for row, image in enumerate(images):
                cell = self.cell(number, row)
                # Few large pixels are shown as they are; small ones blend.
                painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
                painter.drawImage(cell, image, self._source(image))
                painter.setPen(QPen(palette.color(QPalette.ColorRole.Mid), 1))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRect(cell)
        painter.setFont(small_font(self))
        painter.setPen(muted)
        for row, words in enumerate(self.rows):
            if words:
                cell = self.cell(0, row)
                painter.save()
                painter.translate(cell.left() - 4, cell.center().y())
                painter.rotate(-90)
                box = QRectF(-cell.height() / 2, -40, cell.height(), 40)
                flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignBottom
                painter.drawText(box, flags, self._fitting(words, cell.height()))
                painter.restore()
        if self.hasFocus():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _fitting(self, words: str, room: float) -> str:
        """Return the words of a row, or the first of them, as far as they fit."""
        metrics = QFontMetricsF(small_font(self))
        if metrics.horizontalAdvance(words) > room:
            words = words.split(",")[0]
        return metrics.elidedText(words, Qt.TextElideMode.ElideRight, room)

    # -- hands ----------------------------------------------------------------------------------------------------

    def _zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        before = self._zoom
        self._zoom = min(max(self._zoom * factor, 1.0), _MOST_ZOOM)
        if at is not None:
            # What is under the mouse stays there.
            self._center += (at - QPointF(0.5, 0.5)) * (1.0 / before - 1.0 / self._zoom)
        self._keep_inside()

    def _keep_inside(self) -> None:
        half = 0.5 / self._zoom
        self._center = QPointF(
            min(max(self._center.x(), half), 1.0 - half), min(max(self._center.y(), half), 1.0 - half)
        )
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        at = None
        found = self.pixel_at(event.position())
        if found is not None:
            cell = self.cell(found[0], found[1])
            at = QPointF(
                (event.position().x() - cell.left()) / cell.width(), (event.position().y() - cell.top()) / cell.height()
            )
        self._zoom_by(1.2 ** (event.angleDelta().y() / 120.0), at)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grabbed = event.position()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grabbed is not None and self._columns:
            edge = self.cell(0, 0).width() * self._zoom
            moved = event.position() - self._grabbed
            self._center -= QPointF(moved.x() / edge, moved.y() / edge)
            self._grabbed = event.position()
            self._keep_inside()
        found = self.pixel_at(event.position())
        self.pointed.emit("" if found is None else self._describe(*found))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grabbed = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.show_everything()

    def leaveEvent(self, event: QEvent) -> None:
        self.pointed.emit("")
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        moves = {keys.Key_Left: (-1, 0), keys.Key_Right: (1, 0), keys.Key_Up: (0, -1), keys.Key_Down: (0, 1)}
        key = Qt.Key(event.key())
        if key in (keys.Key_Plus, keys.Key_Equal, keys.Key_Minus):
            self._zoom_by(1.2 if key != keys.Key_Minus else 1 / 1.2)
        elif key in moves:
            x, y = moves[key]
            self._center += QPointF(x, y) * (0.1 / self._zoom)
            self._keep_inside()
        else:
            super().keyPressEvent(event)

    def _describe(self, column: int, row: int, line: int, place: int) -> str:
        values = self._columns[column].pictures[row].values
        if not (0 <= line < values.shape[0] and 0 <= place < values.shape[1]):
            return ""
        return f"{self._columns[column].title}: {self.words(row, line, place)} {values[line, place]:.4g}"
