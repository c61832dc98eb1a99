"""Both sequences under each other, coloured by the distance of the pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QFontDatabase,
    QFontMetricsF,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QSizePolicy, QToolTip, QWidget

from lieapp.gui.align.selection_model import ResidueAt, SelectionModel
from lieapp.gui.align.sequence_columns import SequenceColumns, align_columns
from lieapp.gui.align.session import SLOTS, SlotName
from lieapp.scene.colors import deviation_colors
from lieapp.structures.structure import Structure

__all__ = ["SequencePanel"]

_PAD = 6
_EVERY = 10
_PAGE = 10
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -_PAGE, Qt.Key.Key_PageDown: _PAGE}
# Letters are white where the lightness of the colour behind them is below this.
_DARK_BELOW = 0.55


class SequencePanel(QAbstractScrollArea):
    """The alignment that the pairs imply: what moves above, what stays below; a view of the selection model.

    Arrow keys go along, Shift with them extends the selection, Up and Down change the sequence.

    Parameters
    ----------
    model : SelectionModel

    Signals
    -------
    centre_wanted(ResidueAt)
        A residue was double-clicked.
    """

    centre_wanted = Signal(object)

    own_keys = frozenset((Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_Space))
    """Keys of shortcuts that this widget wants for itself while it has the focus."""

    def __init__(self, model: SelectionModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.columns: SequenceColumns | None = None
        self._names: dict[SlotName, str] = dict.fromkeys(SLOTS, "")
        self._column_of: dict[SlotName, NDArray[np.int64]] = {}
        self._colors: NDArray[np.uint8] = np.empty((0, 4), dtype=np.uint8)
        self._white: NDArray[np.bool_] = np.empty(0, dtype=bool)
        self._row: SlotName = "mobile"
        self._own_hover = self._fresh = False
        self.setAccessibleName("Sequences of both structures")
        self.setAccessibleDescription(
            "Pairs stand under each other. Arrow keys go along, Shift extends the selection, Escape clears it."
        )
        self.setFrameShape(QAbstractScrollArea.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.horizontalScrollBar().setAccessibleName("Along the sequences")
        self.viewport().setMouseTracking(True)
        self.viewport().setAccessibleName(self.accessibleName())
        self._measure()
        model.inputs_changed.connect(self._take_inputs)
        model.deviations_changed.connect(self._take_deviations)
        model.hovered_changed.connect(self._show_hovered)
        model.selection_changed.connect(self.viewport().update)

    # -- measures -------------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPointSizeF(self.font().pointSizeF())
        advance = QFontMetricsF(font).horizontalAdvance("W")
        self.cell = float(round(advance + 3))
        # One call then draws a whole row of letters, each in the middle of its cell.
        font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, self.cell - advance)
        self._font, self._inset = font, (self.cell - advance) / 2
        self._letter_height = round(QFontMetricsF(font).height() + 2)
        small = QFont(self.font())
        small.setPointSizeF(max(small.pointSizeF() - 1.5, 6.5))
        self._small = small
        self._number_height = round(QFontMetricsF(small).height())
        widest = max((self.fontMetrics().horizontalAdvance(name) for name in self._names.values()), default=0)
        self._left = min(widest + 2, 160) + 2 * _PAD
        height = 2 * self._letter_height + 2 * self._number_height + 4
        self.setFixedHeight(height + self.horizontalScrollBar().sizeHint().height())
        self._limit_scrolling()

    def _limit_scrolling(self) -> None:
        bar = self.horizontalScrollBar()
        seen = max(self.viewport().width() - self._left, 1)
        count = 0 if self.columns is None else len(self.columns)
        bar.setRange(0, max(int(count * self.cell) + _PAD - seen, 0))
        bar.setPageStep(seen)
        bar.setSingleStep(int(self.cell))

    def _rows_top(self) -> int:
        return self._number_height + 2

    def left_of(self, column: int) -> float:
        """Return where a column begins, in pixels of the viewport."""
        return self._left + column * self.cell - self.horizontalScrollBar().value()

    def column_at(self, x: float) -> int:
        """Return the column at a horizontal position of the viewport, -1 beside all."""
        if self.columns is None or x < self._left:
            return -1
        column = int((x - self._left + self.horizontalScrollBar().value()) // self.cell)
        return column if column < len(self.columns) else -1

    def residue_at(self, place: QPointF) -> ResidueAt | None:
        """Return the residue at a place of the viewport; over a gap the one that faces it."""
        column = self.column_at(place.x())
        middle = self._rows_top() + self._letter_height
        return self._residue(column, "mobile" if place.y() < middle else "target")

    def _residue(self, column: int, row: SlotName) -> ResidueAt | None:
        if self.columns is None or not 0 <= column < len(self.columns):
            return None
        found: dict[SlotName, int] = {
            "mobile": int(self.columns.mobile[column]),
            "target": int(self.columns.target[column]),
        }
        other: SlotName = "target" if row == "mobile" else "mobile"
        for slot in (row, other):
            if found[slot] >= 0:
                return ResidueAt(slot, found[slot])
        return None

    def column_of(self, at: ResidueAt | None) -> int:
        """Return the column of a residue, -1 for none."""
        if at is None or at.slot not in self._column_of:
            return -1
        return int(self._column_of[at.slot][at.residue])

    # -- following the model --------------------------------------------------------------------------------------

    def _take_inputs(self) -> None:
        """Forget the old columns; the new ones are made when they are seen."""
        self.columns, self._column_of, self._fresh = None, {}, False
        if self.isVisible():
            self._make_columns()
        self.viewport().update()

    def _make_columns(self) -> None:
        if self._fresh:
            return
        self._fresh = True
        inputs = self._model.inputs
        self.columns, self._column_of = None, {}
        self._names = dict.fromkeys(SLOTS, "")
        if inputs is not None:
            columns = self.columns = align_columns(inputs)
            for slot, structure, residues in (
                ("mobile", inputs.mobile, columns.mobile),
                ("target", inputs.target, columns.target),
            ):
                place = np.full(len(structure.residues), -1, dtype=np.int64)
                place[residues[residues >= 0]] = np.flatnonzero(residues >= 0)
                self._column_of[slot] = place  # type: ignore[index]
                self._names[slot] = structure.name  # type: ignore[index]
        self._take_deviations()
        self._measure()

    def _take_deviations(self) -> None:
        """Colour the columns anew, if they are seen; unpaired ones have no colour."""
        if not self.isVisible():
            return
        columns, inputs = self.columns, self._model.inputs
        count = 0 if columns is None else len(columns)
        self._colors = np.zeros((count, 4), dtype=np.uint8)
        self._white = np.zeros(count, dtype=bool)
        values = self._model.deviations
        if columns is not None and inputs is not None and len(values) == len(inputs.pairing):
            paired = columns.pair >= 0
            distances = inputs.residue_deviations(values)[columns.mobile[paired]]
            rgba = deviation_colors(distances)
            self._colors[paired] = np.round(255 * rgba)
            self._white[paired] = rgba[:, :3] @ (0.299, 0.587, 0.114) < _DARK_BELOW
        self.viewport().update()

    def _show_hovered(self) -> None:
        if not self._own_hover and self.isVisible():
            self.show_column(self.column_of(self._model.hovered))
        self.viewport().update()

    def show_column(self, column: int) -> None:
        """Scroll until a column is seen, and something of what is beside it."""
        if column < 0:
            return
        seen = self.viewport().width() - self._left
        begin = column * self.cell
        margin = min(5 * self.cell, max(seen - self.cell, 0) / 2)
        bar = self.horizontalScrollBar()
        if begin - bar.value() < margin:
            bar.setValue(int(begin - margin))
        elif begin + self.cell - bar.value() > seen - margin:
            bar.setValue(int(begin + self.cell + margin - seen))

    # -- painting -------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        palette = self.palette()
        columns = self.columns
        if columns is None or not len(columns):
            painter.setPen(palette.color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, "sequences of the pair")
            return
        width = self.viewport().width()
        first = max(self.column_at(self._left), 0)
        last = min(first + int((width - self._left) / self.cell) + 2, len(columns))
        painter.setClipRect(QRect(self._left, 0, width - self._left, self.viewport().height()))
        self._paint_letters(painter, columns, first, last)
        self._paint_numbers(painter, first, last)
        self._paint_marks(painter, first, last)
        painter.setClipping(False)
        self._paint_names(painter)

    def _paint_letters(self, painter: QPainter, columns: SequenceColumns, first: int, last: int) -> None:
        painter.setFont(self._font)
        ink = self.palette().color(QPalette.ColorRole.Text)
        muted = self.palette().color(QPalette.ColorRole.PlaceholderText)
        top, height = self._rows_top(), self._letter_height
        left = self.left_of(first)
        band = np.ascontiguousarray(self._colors[first:last])
        image = QImage(band.tobytes(), last - first, 1, 4 * (last - first), QImage.Format.Format_RGBA8888)
        painter.drawImage(QRectF(left, top, (last - first) * self.cell, 2 * height), image)
        colored = self._colors[first:last, 3] > 0
        white = self._white[first:last]
        inks = ((white, QColor("#FFFFFF")), (colored & ~white, QColor("#1B2430")), (~colored, muted))
        ascent = QFontMetricsF(self._font).ascent() + 1
        for row, letters in enumerate((columns.mobile_letters, columns.target_letters)):
            baseline = top + row * height + ascent
            for mask, color in inks:
                if mask.any():
                    text = "".join(
                        letter if on else " " for letter, on in zip(letters[first:last], mask.tolist(), strict=True)
                    )
                    painter.setPen(color)
                    painter.drawText(QPointF(left + self._inset, baseline), text)
        painter.setPen(QPen(ink, 0))

    def _paint_numbers(self, painter: QPainter, first: int, last: int) -> None:
        assert self.columns is not None
        painter.setFont(self._small)
        painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
        top = self._rows_top()
        wide = 6 * self.cell
        for slot, residues, y in (
            ("mobile", self.columns.mobile, 0),
            ("target", self.columns.target, top + 2 * self._letter_height),
        ):
            numbers = self._structure(slot).residues.number  # type: ignore[arg-type]
            # A number may begin left of what is seen.
            for column in range(max(first - 3, 0), min(last + 3, len(residues))):
                residue = residues[column]
                if residue >= 0 and numbers[residue] % _EVERY == 0:
                    box = QRectF(self.left_of(column) + self.cell / 2 - wide / 2, y, wide, self._number_height)
                    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(int(numbers[residue])))

    def _paint_marks(self, painter: QPainter, first: int, last: int) -> None:
        """Frame what is selected, and outline the column under the pointer."""
        assert self.columns is not None
        model = self._model
        top, height = self._rows_top(), 2 * self._letter_height
        chosen = np.zeros(last - first, dtype=bool)
        for slot, residues in (("mobile", self.columns.mobile), ("target", self.columns.target)):
            part = residues[first:last]
            chosen |= (part >= 0) & model.selected(slot)[np.maximum(part, 0)]  # type: ignore[arg-type]
        edges = np.flatnonzero(np.diff(np.concatenate(([0], chosen.astype(np.int8), [0]))))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 2))
        for begin, end in edges.reshape(-1, 2).tolist():
            x = self.left_of(first + begin)
            painter.drawRect(QRectF(x, top - 1, (end - begin) * self.cell, height + 2))
        column = self.column_of(model.hovered)
        if first <= column < last:
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Text), 1))
            painter.drawRect(QRectF(self.left_of(column) - 0.5, top - 2, self.cell, height + 3))
            if self.hasFocus():
                row = 0 if self._row == "mobile" else self._letter_height
                painter.drawRect(QRectF(self.left_of(column) + 1.5, top + row + 1, self.cell - 4, height / 2 - 3))

    def _paint_names(self, painter: QPainter) -> None:
        painter.setFont(self.font())
        painter.setPen(self.palette().color(QPalette.ColorRole.Text))
        top, height = self._rows_top(), self._letter_height
        for row, slot in enumerate(SLOTS):
            box = QRect(_PAD, top + row * height, self._left - 2 * _PAD, height)
            text = self.fontMetrics().elidedText(self._names[slot], Qt.TextElideMode.ElideRight, box.width())
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def _structure(self, slot: SlotName) -> Structure:
        structure = self._model.structure(slot)
        assert structure is not None
        return structure

    # -- hands ----------------------------------------------------------------------------------------------------

    def _hover(self, at: ResidueAt | None) -> None:
        self._own_hover = True
        self._model.hover(at)
        self._own_hover = False

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self.residue_at(event.position())
        self._hover(at)
        if event.buttons() & Qt.MouseButton.LeftButton and at is not None:
            self._model.click(at, extend=True)
            self.show_column(self.column_of(at))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        at = self.residue_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton:
            self._row = at.slot if at is not None else self._row
            self._model.click(at, extend=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        at = self.residue_at(event.position())
        if at is not None and event.button() == Qt.MouseButton.LeftButton:
            self.centre_wanted.emit(at)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(None)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        delta = event.angleDelta()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - round((delta.x() or delta.y()) / 120 * 6 * self.cell))
        event.accept()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.contextMenuPolicy() == Qt.ContextMenuPolicy.CustomContextMenu:
            self.customContextMenuRequested.emit(event.pos())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, columns = Qt.Key(event.key()), self.columns
        if columns is None or not len(columns):
            super().keyPressEvent(event)
            return
        here = self.column_of(self._model.hovered)
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if key in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._model.click(self._model.hovered, extend=shift)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._row = "mobile" if key == Qt.Key.Key_Up else "target"
            self._go_to(max(here, 0), extend=False)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go_to(0 if key == Qt.Key.Key_Home else len(columns) - 1, extend=shift)
        elif key in _STEPS:
            step = _STEPS[key]
            start = max(self.column_at(self._left), 0) - step if here < 0 else here
            column = start + step
            if self._residue(min(max(column, 0), len(columns) - 1), self._row) is None:
                column += 1 if step > 0 else -1  # the gap between two chains
            self._go_to(column, extend=shift)
        else:
            super().keyPressEvent(event)

    def _go_to(self, column: int, *, extend: bool) -> None:
        assert self.columns is not None
        at = self._residue(min(max(column, 0), len(self.columns) - 1), self._row)
        if at is None:
            return
        if extend:
            if not self._model.any_selected:
                self._model.click(self._model.hovered)
            self._model.click(at, extend=True)
        self._hover(at)
        self.show_column(self.column_of(at))
        self.viewport().update()

    # -- others ---------------------------------------------------------------------------------------------------

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            at = self.residue_at(QPointF(event.pos()))
            text = "" if at is None else self._model.describe_residue(at)
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        # Names stay where they are, so nothing can be shifted.
        self.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        # Only now is the font known that the style gives.
        self._make_columns()
        self._take_deviations()
        self._measure()
        self.show_column(self.column_of(self._model.hovered))
        super().showEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._limit_scrolling()
        super().resizeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        # Events come already while the base class is being made.
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "_small"):
            self._measure()
        super().changeEvent(event)
