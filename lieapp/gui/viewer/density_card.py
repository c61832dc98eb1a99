"""The card of an open map: its histogram with the level, and how its contour is drawn."""

from __future__ import annotations

import math
from functools import partial

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPixmap
from PySide6.QtWidgets import (
    QColorDialog,
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QSlider,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lieapp.gui.viewer.density_desk import DensityDesk
from lieapp.gui.viewer.level_histogram import LevelHistogram
from lieapp.gui.widgets.elided_label import ElidedLabel
from lieapp.gui.widgets.icons import set_icon
from lieapp.gui.widgets.marking import mark
from lieapp.gui.widgets.theme import scaled, theme
from lieapp.scene.density import DENSITY_COLOR, DENSITY_STYLES

__all__ = ["DensityCard"]

_COLORS = {
    "Steel blue": DENSITY_COLOR,
    "Grey": "#9AA2AD",
    "Orange": "#E69F00",
    "Green": "#009E73",
    "Purple": "#CC79A7",
    "Yellow": "#D9C93F",
}
_STYLE_NAMES = {"surface": "Surface", "mesh": "Mesh"}


class DensityCard(QFrame):
    """Shows and changes what a `DensityDesk` holds; hidden while no map is open.

    Parameters
    ----------
    desk : DensityDesk
    """

    def __init__(self, desk: DensityDesk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName("Density map")
        self._desk = desk
        self.title = ElidedLabel()
        self.title.setAccessibleName("Name of the map")
        self.facts = ElidedLabel()
        self.facts.setObjectName("caption")
        self.facts.setAccessibleName("Size of the map")
        self.pixel_size = self._field("Pixel size in Å", "The file does not say how far apart its points are, in Å")
        self._pixel_row = QWidget()
        self.histogram = LevelHistogram()
        self.level = self._field("Level of the contour", "Value on the surface; Enter shows it")
        self.sigma = self._field("Level in standard deviations", "Standard deviations above the mean; Enter shows it")
        self.style_choice = QComboBox()
        self.style_choice.setAccessibleName("Style of the contour")
        self.style_choice.setToolTip("A closed sheet, or lines in the planes of the grid")
        for style in DENSITY_STYLES:
            self.style_choice.addItem(_STYLE_NAMES[style], style)
        self.color = QToolButton()
        self.color.setAccessibleName("Colour of the contour")
        self.color.setToolTip("Colour of the contour")
        self.color.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.color.setObjectName("slotMenu")
        self.color.setIconSize(QSize(16, 16))
        self.color.setMenu(self._color_menu())
        self.opacity = QSlider(Qt.Orientation.Horizontal)
        self.opacity.setRange(10, 100)
        self.opacity.setFixedWidth(scaled(72))
        self.opacity.setAccessibleName("Opacity of the contour")
        self.opacity.setToolTip("Opacity of the contour")
        self.eye = self._button("eye", "Hide or show the contour", "Show the contour")
        self.eye.setCheckable(True)
        self.close_button = self._button("x", "Close the map", "Close the map")
        self._lay_out()
        self._connect()
        self._show_map()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.title)
        head.addWidget(self.facts, 1)
        head.addWidget(self.style_choice)
        head.addWidget(self.color)
        head.addWidget(self.opacity)
        head.addWidget(self.eye)
        head.addWidget(self.close_button)
        asking = QHBoxLayout(self._pixel_row)
        asking.setContentsMargins(0, 0, 0, 0)
        asking.setSpacing(6)
        self._pixel_note = ElidedLabel()
        self._pixel_note.set_full_text("The file gives no pixel size: 1 Å is assumed.")
        asking.addWidget(self._pixel_note, 1)
        asking.addWidget(self.pixel_size)
        asking.addWidget(QLabel("Å a pixel"))
        fields = QGridLayout()
        fields.setSpacing(4)
        for row, (text, widget) in enumerate((("level", self.level), ("σ", self.sigma))):
            label = QLabel(text)
            label.setObjectName("fieldLabel")
            label.setBuddy(widget)
            fields.addWidget(label, row, 0, Qt.AlignmentFlag.AlignRight)
            fields.addWidget(widget, row, 1)
        body = QHBoxLayout()
        body.setSpacing(8)
        body.addWidget(self.histogram, 1)
        body.addLayout(fields)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 6, 8, 6)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self._pixel_row)
        layout.addLayout(body)

    def _connect(self) -> None:
        desk = self._desk
        desk.changed.connect(self._show_map)
        desk.level_changed.connect(self._show_level)
        desk.look_changed.connect(self._show_look)
        desk.contoured.connect(self._show_triangles)
        self.histogram.level_moved.connect(lambda level: desk.set_level(level, moving=True))
        self.histogram.level_released.connect(desk.set_level)
        self.level.editingFinished.connect(self._take_level)
        self.sigma.editingFinished.connect(self._take_sigma)
        self.pixel_size.editingFinished.connect(self._take_pixel_size)
        self.style_choice.activated.connect(lambda index: desk.set_look(style=self.style_choice.itemData(index)))
        self.opacity.valueChanged.connect(lambda value: desk.set_look(opacity=value / 100))
        self.eye.toggled.connect(lambda on: desk.set_look(visible=on))
        self.close_button.clicked.connect(desk.close_map)
        theme().changed.connect(self._show_look)

    # -- showing --------------------------------------------------------------------------------------------------

    def _show_map(self) -> None:
        desk = self._desk
        density, statistics = desk.density, desk.statistics
        self.setVisible(density is not None)
        if density is None or statistics is None:
            return
        self.title.set_full_text(density.name)
        sizes = density.pixel_size_angstrom
        self._facts = " × ".join(str(count) for count in reversed(density.values.shape))
        if sizes is not None:
            same = max(sizes) - min(sizes) < 1e-3 * max(sizes)
            self._facts += " · " + (f"{sizes[0]:.4g}" if same else " × ".join(f"{size:.4g}" for size in sizes))
            self._facts += " Å a pixel"
        self.facts.set_full_text(self._facts)
        asked = sizes is None
        self._pixel_row.setVisible(asked)
        if asked:
            self.pixel_size.clear()
            self.pixel_size.setPlaceholderText("1")
        for widget in (self.histogram, self.level, self.sigma):
            widget.setEnabled(not statistics.constant)
        self.histogram.set_histogram(statistics.minimum, statistics.maximum, statistics.counts)
        self._show_level()
        self._show_look()

    def _show_triangles(self, triangles: int) -> None:
        nothing = "" if triangles else " · nothing above this level"
        self.facts.set_full_text(self._facts + nothing)

    def _show_level(self) -> None:
        desk = self._desk
        self.histogram.set_level(desk.level)
        _show(self.level, f"{desk.level:.4g}")
        if desk.statistics is not None:
            _show(self.sigma, f"{desk.statistics.sigma(desk.level):.2f}")

    def _show_look(self) -> None:
        desk = self._desk
        self.histogram.set_color(desk.color)
        self.color.setIcon(_swatch(desk.color))
        self.style_choice.setCurrentIndex(self.style_choice.findData(desk.style))
        self.opacity.blockSignals(True)
        self.opacity.setValue(round(100 * desk.opacity))
        self.opacity.blockSignals(False)
        self.opacity.setToolTip(f"Opacity {100 * desk.opacity:.0f} %")
        self.eye.blockSignals(True)
        self.eye.setChecked(desk.visible)
        self.eye.blockSignals(False)
        set_icon(self.eye, "eye" if desk.visible else "eye-off")

    # -- taking ---------------------------------------------------------------------------------------------------

    def _take_level(self) -> None:
        value = _number(self.level)
        if value is not None and self.level.isModified():
            self._desk.set_level(value)

    def _take_sigma(self) -> None:
        value, statistics = _number(self.sigma), self._desk.statistics
        if value is not None and statistics is not None and self.sigma.isModified():
            self._desk.set_level(statistics.level(value))

    def _take_pixel_size(self) -> None:
        value = _number(self.pixel_size, positive=True)
        if value is not None and self.pixel_size.isModified():
            self._desk.set_pixel_size(value)

    def _ask_color(self) -> None:
        chosen = QColorDialog.getColor(QColor(self._desk.color), self, "Colour of the contour")
        if chosen.isValid():
            self._desk.set_look(color=chosen.name())

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _color_menu(self) -> QMenu:
        menu = QMenu(self)
        for name, color in _COLORS.items():
            menu.addAction(_swatch(color), name, partial(self._desk.set_look, color=color))
        menu.addSeparator()
        menu.addAction("Other…", self._ask_color)
        return menu

    def _button(self, icon: str, tip: str, name: str) -> QToolButton:
        button = QToolButton()
        button.setIconSize(QSize(16, 16))
        button.setToolTip(tip)
        button.setAccessibleName(name)
        set_icon(button, icon)
        return button

    def _field(self, name: str, tip: str) -> QLineEdit:
        field = QLineEdit()
        field.setFixedWidth(scaled(96))
        field.setAccessibleName(name)
        field.setToolTip(tip)
        field.setAlignment(Qt.AlignmentFlag.AlignRight)
        field.textEdited.connect(lambda: mark(field, "invalid", False))
        return field


def _swatch(color: str) -> QIcon:
    picture = QPixmap(16, 16)
    picture.fill(QColor(color))
    return QIcon(picture)


def _show(field: QLineEdit, text: str) -> None:
    """Show a number; setting the text also forgets that something was typed."""
    if field.text() != text or field.isModified():
        field.setText(text)
    mark(field, "invalid", False)


def _number(field: QLineEdit, *, positive: bool = False) -> float | None:
    """Return the number in a field, or mark it and return None."""
    text = field.text().strip().replace(",", ".").replace("−", "-")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    valid = math.isfinite(value) and (value > 0 or not positive)
    mark(field, "invalid", not valid)
    return value if valid else None
