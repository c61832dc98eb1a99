"""The row under the menu bar: tabs of the workbenches, tools for files, Export, and the device."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QToolButton, QWidget

from lieapp.gui.application.actions import ActionSet
from lieapp.gui.widgets.icons import set_icon
from lieapp.gui.widgets.tab_row import TabRow
from lieapp.gui.widgets.theme import scaled

__all__ = ["WORKBENCHES", "WindowHeader"]

WORKBENCHES = {
    "align": ("Align", "Superpose two structures (1)"),
    "landscape": ("Landscape", "See what curvature does to optimisers, on surfaces with known saddle points (2)"),
    "cryoem": ("Cryo-EM", "See what preconditioning does to the reconstruction of a map from particle images (3)"),
}
"""Title and tooltip of the tabs, by the names of the workbenches."""


class WindowHeader(QWidget):
    """Tabs and tools.

    Parameters
    ----------
    actions : ActionSet

    Attributes
    ----------
    tabs : TabRow
    fetch_field : QLineEdit
    export_button : QToolButton
    device : QLabel
    """

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self._actions = actions
        self.tabs = TabRow("Workbenches")
        for title, tip in WORKBENCHES.values():
            self.tabs.add(title, tip)
        self.fetch_field = _make_fetch_field()
        self.file_tools = [_tool(actions["open"]), self.fetch_field, _tool(actions["swap"])]
        self.export_button = _make_export_button()
        self.device = QLabel("starting…")
        self.device.setObjectName("device")
        self.device.setAccessibleName("Device")
        self.device.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(8)
        layout.addWidget(self.tabs)
        layout.addStretch(1)
        for widget in self.file_tools:
            layout.addWidget(widget)
        layout.setStretchFactor(self.fetch_field, 100)
        layout.addWidget(self.export_button)
        layout.addWidget(self.device)
        self.show_workbench("align")

    def show_workbench(self, name: str) -> None:
        """Mark the tab of a workbench and show the tools that it has a use for."""
        self.tabs.choose(list(WORKBENCHES).index(name))
        for widget in self.file_tools:
            widget.setVisible(name == "align")
        self.export_button.setMenu(self._actions.menu("export", self.export_button))


def _make_fetch_field() -> QLineEdit:
    field = QLineEdit()
    field.setPlaceholderText("Fetch 4AKE, AF-P69441…")
    field.setAccessibleName("Identifiers of entries to fetch")
    field.setToolTip(
        "One or two identifiers, then Enter: 4AKE 1AKE, pdb_00004ake, AF-P69441-F1. Of two the first moves."
    )
    field.setMinimumWidth(scaled(72))
    field.setMaximumWidth(scaled(186))
    field.setClearButtonEnabled(True)
    return field


def _make_export_button() -> QToolButton:
    # A button with a menu: it is enabled where any of its entries could be.
    button = _bar_button("Export")
    button.setToolTip("Write what the selected run found")
    set_icon(button, "upload")
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    return button


def _tool(action: QAction) -> QToolButton:
    button = _bar_button(action.iconText())
    button.setDefaultAction(action)
    button.setText(action.iconText())
    return button


def _bar_button(text: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("barButton")
    button.setText(text)
    button.setAccessibleName(text)
    button.setIconSize(QSize(16, 16))
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    return button
