"""Everything can be reached, named and read: keyboard, screen readers, small screens."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QSlider,
    QToolButton,
    QWidget,
)

from lieapp.gui.align.session import SLOTS
from lieapp.gui.window.dialogs import AboutDialog, ShortcutsDialog
from lieapp.gui.window.main_window import MainWindow

Finish = Callable[[MainWindow], None]
INTERACTIVE = (QAbstractButton, QComboBox, QLineEdit, QSlider)


def named(widget: QWidget) -> bool:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return bool(widget.accessibleName() or text)


def audit(root: QWidget) -> list[str]:
    faults = []
    for widget in root.findChildren(QWidget):
        # Parts that Qt makes itself, such as the clear button of a text field, take their names from Qt.
        if not isinstance(widget, INTERACTIVE) or widget.objectName().startswith("qt_"):
            continue
        if isinstance(widget.parent(), (QLineEdit, QComboBox)) or type(widget).__name__ == "QLineEditIconButton":
            continue
        if not named(widget):
            faults.append(f"no name: {widget} in {widget.parent()}")
        if not widget.toolTip():
            faults.append(f"no tooltip: {widget} {widget.accessibleName()}")
    return faults


def test_every_control_has_a_name_and_a_tooltip(paired: MainWindow, finish: Finish) -> None:
    paired.workbench.panel.main_button.click()
    finish(paired)
    panel = paired.workbench.panel
    for section in (panel.selections, panel.fit_more, panel.form.more):
        section.set_open(True)
    assert audit(paired.centralWidget()) == []


def test_dialogs_too(window: MainWindow, qtbot) -> None:
    for dialog in (ShortcutsDialog(window), AboutDialog("CPU", "none", window)):
        dialog.show()
        assert [fault for fault in audit(dialog) if "no name" in fault] == []
        dialog.close()


def test_every_control_is_on_the_tab_chain(paired: MainWindow) -> None:
    chain = set()
    widget = paired.nextInFocusChain()
    while widget is not paired:
        chain.add(widget)
        widget = widget.nextInFocusChain()
    controls = {
        widget
        for widget in paired.workbench.findChildren(QWidget)
        if isinstance(widget, INTERACTIVE) and widget.isVisible() and widget.isEnabled()
    }
    unreachable = {
        widget for widget in controls if widget not in chain or not widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    assert {w.accessibleName() or str(w) for w in unreachable if not isinstance(w.parent(), QLineEdit)} == set()


def test_the_tab_order_goes_down_the_panel(paired: MainWindow) -> None:
    panel = paired.workbench.panel
    order: list[QWidget] = [panel.slots[name].chain for name in SLOTS]
    order += [panel.pairing, panel.objective, panel.parametrisation, panel.start, panel.optimizer, panel.main_button]
    chain, widget = [], paired.nextInFocusChain()
    while widget is not paired:
        chain.append(widget)
        widget = widget.nextInFocusChain()
    places = [chain.index(widget) for widget in order]
    assert places == sorted(places)


@pytest.mark.parametrize("size", ((1280, 720), (1440, 900), (1920, 1080)), ids=lambda size: f"{size[0]}x{size[1]}")
def test_nothing_is_clipped(paired: MainWindow, finish: Finish, qtbot, size: tuple[int, int]) -> None:
    paired.setMaximumSize(*size)
    paired.resize(*size)
    paired.workbench.reset_layout()
    paired.workbench.panel.main_button.click()
    finish(paired)
    paired.controller.skip()
    QApplication.processEvents()
    assert (paired.width(), paired.height()) == size
    inside = QRect(QPoint(0, 0), paired.size())
    faults = []
    for widget in paired.centralWidget().findChildren(QWidget):
        if not widget.isVisible() or widget.visibleRegion().isEmpty():
            continue
        icon_only = (
            isinstance(widget, QToolButton) and widget.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly
        ) and not widget.icon().isNull()
        if isinstance(widget, (QPushButton, QToolButton)) and widget.text() and not icon_only:
            needed = widget.fontMetrics().horizontalAdvance(widget.text().replace("&", ""))
            if needed > widget.width():
                faults.append(f"{widget.text()!r} needs {needed} of {widget.width()}")
        if isinstance(widget, QLabel) and widget.text() and not widget.wordWrap() and not widget.text().startswith("<"):
            needed = widget.fontMetrics().horizontalAdvance(widget.text())
            elided = (
                "…" in widget.text() or widget.sizePolicy().horizontalPolicy() == widget.sizePolicy().Policy.Ignored
            )
            if needed > widget.width() + 1 and not elided:
                faults.append(f"{widget.text()!r} needs {needed} of {widget.width()}")
        if isinstance(widget, QComboBox):
            needed = widget.fontMetrics().horizontalAdvance(widget.currentText()) + 28
            if needed > widget.width() + 2:
                faults.append(f"{widget.accessibleName()}: {widget.currentText()!r} needs {needed} of {widget.width()}")
        if widget.parent() is paired.centralWidget():
            assert inside.contains(QRect(widget.mapTo(paired, QPoint(0, 0)), widget.size())), widget
    assert faults == []
    viewer = paired.workbench.viewer
    assert viewer.width() >= (620 if size[0] == 1280 else 740)
    assert viewer.height() >= (400 if size[1] == 720 else 500)


def test_help_page_opens_and_tells_what_the_words_mean(window: MainWindow) -> None:
    from lieapp.gui.window.help_page import HelpDialog

    window.actions_["help"].trigger()
    page = window.findChild(HelpDialog)
    assert page is not None
    text = page.text.toPlainText()
    for word in ("evaluation", "gap", "core", "TM-score", "x' = R x + t", "A:1-29,60-121"):
        assert word in text
    page.close()
