"""The dialogs of the Help menu, and the one that asks for identifiers."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QInputDialog,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from lieapp import __version__
from lieapp.gui.application.actions import shortcut_rows

__all__ = ["AboutDialog", "ShortcutsDialog", "ask_text", "versions"]


class ShortcutsDialog(QDialog):
    """Every key, from the table of actions."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        rows = shortcut_rows()
        self.table = QTableWidget(len(rows), 3)
        self.table.setAccessibleName("Keyboard shortcuts")
        self.table.setToolTip("Every action that has a key")
        self.table.setHorizontalHeaderLabels(["Menu", "Action", "Keys"])
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        for row, cells in enumerate(rows):
            for column, text in enumerate(cells):
                self.table.setItem(row, column, QTableWidgetItem(text))
        header = self.table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        mouse = QLabel(
            "Mouse in the view: drag turns, right-drag or Shift-drag moves, wheel or pinch zooms, "
            "double-click centres. "
            "Arrow keys turn, + and − zoom."
        )
        mouse.setWordWrap(True)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table, 1)
        layout.addWidget(mouse)
        layout.addWidget(buttons)
        self.resize(560, 560)


def versions(device: str, renderer: str) -> str:
    """Return versions, device and renderer as lines."""
    lines = [f"LieApp {__version__}", f"Python {platform.python_version()}, Qt {qVersion()}, {platform.platform()}"]
    for package in ("torch", "numpy", "vispy", "pyqtgraph", "gemmi"):
        try:
            lines.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            lines.append(f"{package} is not installed")
    return "\n".join([*lines, f"Device: {device}", f"Renderer: {renderer}"])


class AboutDialog(QDialog):
    """What this is, and what it runs on."""

    def __init__(self, device: str, renderer: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About LieApp")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        text = QLabel(
            "<b>LieApp</b><br>Optimisation problems of structural biology, live, beside the truth they should "
            "reach.<br>"
            "BSD 3-Clause licence. Icons: Lucide, ISC licence."
        )
        text.setWordWrap(True)
        self.details = QLabel(versions(device, renderer))
        self.details.setObjectName("caption")
        self.details.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.details.setAccessibleName("Versions")
        self.details.setToolTip("Versions, device and renderer")
        copy = QPushButton("Copy")
        copy.setToolTip("Copy the versions, for a report")
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self.details.text()))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.addButton(copy, QDialogButtonBox.ButtonRole.ActionRole)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setSpacing(12)
        layout.addWidget(text)
        layout.addWidget(self.details)
        layout.addWidget(buttons)


def ask_text(parent: QWidget, title: str, question: str, text: str = "") -> str:
    """Ask for one line; return an empty text if the user gave up."""
    answer, accepted = QInputDialog.getText(parent, title, question, text=text)
    return answer.strip() if accepted else ""
