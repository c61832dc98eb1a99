"""Icons: the SVG files of resources/icons, drawn in the colours of the theme."""

from __future__ import annotations

import weakref
from functools import cache
from typing import Protocol

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from lieapp.paths import resource

__all__ = ["icon", "render_icon", "set_icon", "set_icon_colors"]

# Sizes in use, and one from which screens of high density are served; more would be drawn at every start.
_SIZES = (14, 16, 20, 40)
_colors = {"normal": "#1B2430", "disabled": "#A5ADB8"}


class _HasIcon(Protocol):
    def setIcon(self, icon: QIcon) -> None: ...


# What wears an icon of the theme, so that it can be redrawn when the theme changes.
_wearers: weakref.WeakKeyDictionary[_HasIcon, tuple[str, str | None, bool]] = weakref.WeakKeyDictionary()


@cache
def _source(name: str) -> str:
    return resource(f"icons/{name}.svg").read_text(encoding="utf-8")


def render_icon(name: str, color: str, size: QSize, ratio: float = 1.0, *, filled: bool = False) -> QPixmap:
    """Draw one icon.

    Parameters
    ----------
    name : str
        Name of the SVG file without its suffix.
    color : str
        ``#RRGGBB``.
    size : QSize
        In device-independent pixels.
    ratio : float, optional
        Device pixels per device-independent pixel.
    filled : bool, optional
        Fill the outlines, for symbols such as play and stop.

    Returns
    -------
    QPixmap
    """
    source = _source(name).replace("currentColor", color)
    if filled:
        source = source.replace('fill="none"', f'fill="{color}"')
    renderer = QSvgRenderer(QByteArray(source.encode()))
    pixmap = QPixmap(round(size.width() * ratio), round(size.height() * ratio))
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, pixmap.width(), pixmap.height()))
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap


@cache
def _icon(name: str, color: str, disabled: str, filled: bool) -> QIcon:
    result = QIcon()
    for edge in _SIZES:
        size = QSize(edge, edge)
        result.addPixmap(render_icon(name, color, size, filled=filled), QIcon.Mode.Normal)
        result.addPixmap(render_icon(name, disabled, size, filled=filled), QIcon.Mode.Disabled)
    return result


def icon(name: str, color: str | None = None, *, filled: bool = False) -> QIcon:
    """Return an icon in the colours of the theme.

    Parameters
    ----------
    name : str
        Name of the SVG file without its suffix.
    color : str, optional
        ``#RRGGBB`` instead of the theme's text colour.
    filled : bool, optional
        Fill the outlines.

    Raises
    ------
    ResourceError
        If there is no such icon.
    """
    return _icon(name, color or _colors["normal"], _colors["disabled"], filled)


def set_icon(wearer: _HasIcon, name: str, color: str | None = None, *, filled: bool = False) -> None:
    """Give a button or an action an icon that follows the theme."""
    _wearers[wearer] = (name, color, filled)
    wearer.setIcon(icon(name, color, filled=filled))


def set_icon_colors(normal: str, disabled: str) -> None:
    """Draw all icons anew in these colours; called by the theme."""
    _colors.update(normal=normal, disabled=disabled)
    for wearer, (name, color, filled) in list(_wearers.items()):
        try:
            wearer.setIcon(icon(name, color, filled=filled))
        except RuntimeError:  # the C++ object is gone, the Python one not yet
            _wearers.pop(wearer, None)
