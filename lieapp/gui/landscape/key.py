"""The keys to a landscape: which colour is which value, and what the signs on it mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from lieapp.gui.landscape.items import SIGN_SIZE, draw_sign, sign_font
from lieapp.gui.pictures.slice_key import SliceKey
from lieapp.gui.plots.look import fitted_font, least_legible
from lieapp.scene.colors import CURVATURE_DOWN, CURVATURE_UP

__all__ = ["LandscapeKey", "PointKey"]

_WORDS = {"minimum": "minimum", "saddle": "saddle", "maximum": "maximum", "degenerate": "undecided"}
_MARGIN, _SIGN, _GAP = 6.0, 24.0, 12.0  # pixels: before a row, from a sign to its word, after a word


class _Entry(NamedTuple):
    """A sign, by kind and index, or the colour of a stroke; and what it stands for."""

    sign: tuple[str, int] | str
    text: str


class LandscapeKey(SliceKey):
    """Which colour is which value, also where shades are no proportional scale."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._values: tuple[float, ...] = ()

    def set_scale(self, low: float, high: float, values: Sequence[float], shades: Sequence[float], title: str) -> None:
        """Show a range of values with marks at contour lines, given with their shades from 0 to 1."""
        self._values = tuple(values)
        self.set_values(0.0, 1.0, tuple(shades), title, maximised=False)
        self.setAccessibleName("Colour key of the landscape")
        self.setAccessibleDescription(f"{title} from {low:.4g} to {high:.4g}; dark is low, which is better")
        self.setToolTip(f"{title}: dark is low; marks are the contour lines,\nabove the last everything looks the same")

    def texts(self) -> list[tuple[float, str]]:
        return [
            (shade, f"{value:.4g}".replace("-", "−")) for shade, value in zip(self._levels, self._values, strict=True)
        ]


class PointKey(QWidget):
    """Names the signs of stationary points and the colours of the dimer."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Key of the signs")
        self._kinds: tuple[tuple[str, int], ...] = ()
        self._dimer = False

    def set_kinds(self, kinds: Sequence[tuple[str, int]], *, dimer: bool) -> None:
        """Show the signs of these kinds and indices, and the colours of the dimer if one is drawn."""
        if (tuple(kinds), dimer) == (self._kinds, self._dimer):
            return
        self._kinds, self._dimer = tuple(kinds), dimer
        words = [f"{_WORDS[kind]} (index {index})" for kind, index in self._kinds]
        self.setAccessibleDescription(", ".join(words))
        self.setToolTip(
            "Stationary points, with the number of directions that lead down from them.\n"
            "Arrows are dimers: red where the landscape curves down along them, blue where it curves up."
        )
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(60, self.heightForWidth(max(self.width(), 60)))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, _line_height(self.font()))

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        font = self._fitted(width)
        return max(len(self._rows(font, width)), 1) * _line_height(font)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        font = self._fitted(self.width())
        metrics = QFontMetricsF(font)
        muted = self.palette().color(QPalette.ColorRole.PlaceholderText)
        height = _line_height(font)
        for number, row in enumerate(self._rows(font, self.width())):
            left, top = _MARGIN, number * height
            for entry in row:
                middle = QPointF(left + SIGN_SIZE, top + 0.5 * height)
                if isinstance(entry.sign, str):
                    painter.setPen(pg.mkPen(entry.sign, width=2.5, cap=Qt.PenCapStyle.FlatCap))
                    painter.drawLine(QPointF(left, middle.y()), QPointF(left + 2 * SIGN_SIZE, middle.y()))
                else:
                    draw_sign(painter, middle, *entry.sign, sign_font(self.font()))
                painter.setFont(font)
                painter.setPen(muted)
                place = QRectF(left + _SIGN, top, metrics.horizontalAdvance(entry.text) + 2, height)
                painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, entry.text)
                left += _width_of(entry, metrics)
        painter.end()

    # -- pieces ---------------------------------------------------------------------------------------------------

    @property
    def entries(self) -> list[_Entry]:
        """What is named."""
        found = [_Entry((kind, index), _WORDS[kind]) for kind, index in self._kinds]
        if self._dimer:
            found += [_Entry(CURVATURE_DOWN, "dimer, C < 0"), _Entry(CURVATURE_UP, "C > 0")]
        return found

    def _fitted(self, width: float) -> QFont:
        """Return the largest font with which all is in one row, or the smallest that can be read."""
        font = QFont(self.font())
        font.setPointSizeF(max(font.pointSizeF() - 1.0, 6.0))
        return fitted_font(font, least_legible(font), lambda tried: len(self._rows(tried, width)) < 2)

    def _rows(self, font: QFont, width: float) -> list[list[_Entry]]:
        metrics = QFontMetricsF(font)
        rows: list[list[_Entry]] = []
        left = 0.0
        for entry in self.entries:
            wide = _width_of(entry, metrics)
            if not rows or left + wide - _GAP > width:
                rows.append([])
                left = _MARGIN
            rows[-1].append(entry)
            left += wide
        return rows


def _width_of(entry: _Entry, metrics: QFontMetricsF) -> float:
    return _SIGN + metrics.horizontalAdvance(entry.text) + _GAP


def _line_height(font: QFont) -> int:
    return max(int(QFontMetricsF(font).height()), 22) + 2
