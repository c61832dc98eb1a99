"""Asks how large a picture of the 3-D view should be."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QCheckBox, QComboBox, QDialog, QDialogButtonBox, QFormLayout, QWidget

__all__ = ["PictureDialog", "picture_sizes"]

_FIXED = (("1280 × 720", 1280, 720), ("1920 × 1080", 1920, 1080), ("3840 × 2160 (4K)", 3840, 2160))
_LONGEST = 3840


def picture_sizes(view: QSize) -> list[tuple[str, tuple[int, int]]]:
    """Return sizes to choose from: as on the screen, two and four times that up to 4K, and those of screens."""
    width, height = view.width(), view.height()
    sizes = [(f"as shown, {width} × {height}", (width, height))]
    for factor in (2, 4):
        if factor * max(width, height) <= _LONGEST:
            sizes.append((f"{factor} times, {factor * width} × {factor * height}", (factor * width, factor * height)))
    return sizes + [(text, (wide, high)) for text, wide, high in _FIXED]


class PictureDialog(QDialog):
    """Size and background of a picture.

    Parameters
    ----------
    view : QSize
        Of the 3-D view.
    """

    def __init__(self, view: QSize, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Picture of the view")
        self.size_choice = QComboBox()
        self.size_choice.setAccessibleName("Size")
        self.size_choice.setToolTip("Width and height in pixels")
        for text, size in picture_sizes(view):
            self.size_choice.addItem(text, size)
        self.transparent = QCheckBox("transparent background")
        self.transparent.setToolTip("Leave out the background, for slides and posters")
        self.transparent.setAccessibleName("Transparent background")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout = QFormLayout(self)
        layout.addRow("Size", self.size_choice)
        layout.addRow("", self.transparent)
        layout.addRow(buttons)

    @property
    def chosen(self) -> tuple[tuple[int, int], bool]:
        """Size in pixels, and whether the background is left out."""
        width, height = self.size_choice.currentData()
        return (int(width), int(height)), self.transparent.isChecked()
