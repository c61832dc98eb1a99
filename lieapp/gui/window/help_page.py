"""The help page of a workbench, as the installation carries it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget

from lieapp.paths import resource

__all__ = ["HelpDialog"]


class HelpDialog(QDialog):
    """Show a page of ``resources/help``.

    Parameters
    ----------
    page : str
        Name of the page without its suffix, such as ``"align"``.
    parent : QWidget, optional

    Raises
    ------
    ResourceError
        If there is no such page.
    """

    def __init__(self, page: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Help")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QTextBrowser()
        self.text.setAccessibleName("Help page")
        self.text.setToolTip("Select and copy as in any text")
        self.text.setOpenExternalLinks(True)
        self.text.document().setDocumentMargin(16)
        self.text.setMarkdown(resource(f"help/{page}.md").read_text(encoding="utf-8"))
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.text, 1)
        layout.addWidget(buttons)
        self.resize(720, 640)
