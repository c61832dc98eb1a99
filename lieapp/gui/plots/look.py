"""How plots are drawn: as part of the window, or at the size for a lecture hall."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QFont, QPalette
from PySide6.QtWidgets import QWidget

from lieapp.gui.widgets.theme import LIGHT, palette_of

__all__ = ["PRESENTATION", "SCREEN", "PlotLook", "fitted_font", "least_legible"]


@dataclass(frozen=True)
class PlotLook:
    """Sizes and colours of a plot.

    Attributes
    ----------
    line, running_line : float
        Widths of the curves of finished and of growing runs, in pixels.
    pixels : int
        Width of what becomes one piece of a curve, in pixels.
    least_points : float
        Smallest size of the font, in points; 0 for that of the window.
    light : bool
        Whether the background is light in a dark window too.
    """

    line: float
    running_line: float
    pixels: int = 1
    least_points: float = 0.0
    light: bool = False

    def palette(self, widget: QWidget) -> QPalette:
        """Return the colours of a plot in this widget."""
        return palette_of(LIGHT) if self.light else widget.palette()

    def font(self, widget: QWidget) -> QFont:
        """Return the font of a plot in this widget."""
        font = QFont(widget.font())
        font.setPointSizeF(max(font.pointSizeF(), self.least_points))
        return font


def least_legible(font: QFont) -> float:
    """Return the size in points down to which letters may shrink where there is no room."""
    points = font.pointSizeF()
    return max(0.75 * points, min(points, 8.0))


def fitted_font(font: QFont, least_points: float, fits: Callable[[QFont], bool]) -> QFont:
    """Return the largest font, from the given size down, with which something fits.

    Parameters
    ----------
    font : QFont
    least_points : float
        Size below which nobody could read it: it is taken even if it does not fit.
    fits : callable(QFont) -> bool
    """
    tried = QFont(font)
    while tried.pointSizeF() > least_points and not fits(tried):
        tried.setPointSizeF(max(tried.pointSizeF() - 1.0, least_points))
    return tried


SCREEN = PlotLook(line=2.0, running_line=1.0)
"""As part of the window."""

PRESENTATION = PlotLook(line=3.0, running_line=3.0, pixels=4, least_points=18.0, light=True)
"""Seen from the last row."""
