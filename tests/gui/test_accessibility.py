"""What `test_access` does not cover: every widget that takes the keyboard, actions, large letters, colours.

The window is audited whole, with its menus, all sections open and a run in every list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFont, QFontMetricsF
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QApplication,
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)

from lieapp.gui.application.actions import ACTIONS
from lieapp.gui.application.messages import Message, MessageCenter
from lieapp.gui.application.preferences import Preferences
from lieapp.gui.widgets.theme import DARK, LIGHT, Tokens, contrast, theme
from lieapp.gui.window.main_window import MainWindow

Finish = Callable[[MainWindow], None]
LARGE_POINTS = 18.0


@pytest.fixture
def full(paired: MainWindow, finish: Finish) -> MainWindow:
    """The window with everything open and a run listed."""
    paired.controller.run()
    finish(paired)
    paired.controller.skip()
    panel = paired.workbench.panel
    for section in (panel.selections, panel.fit_more, panel.form.more):
        section.set_open(True)
    paired.messages.post(Message("Something to be read.", "error", "details"))
    QApplication.processEvents()
    return paired


def describe(widget: QWidget) -> str:
    chain = []
    parent: QWidget | None = widget
    while parent is not None and len(chain) < 4:
        chain.append(type(parent).__name__ + (f"#{parent.objectName()}" if parent.objectName() else ""))
        parent = parent.parentWidget()
    return " in ".join(chain)


def made_by_qt(widget: QWidget) -> bool:
    """Parts that Qt makes inside its own widgets and names itself."""
    parent = widget.parentWidget()
    inside = isinstance(parent, (QLineEdit, QComboBox))
    popup = isinstance(widget, QAbstractItemView) and parent is not None and isinstance(parent.parent(), QComboBox)
    return inside or popup or widget.objectName().startswith("qt_") or widget.windowType() == Qt.WindowType.Popup


def name_of(widget: QWidget, root: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    buddies = [label.text() for label in root.findChildren(QLabel) if label.buddy() is widget]
    return widget.accessibleName() or text or next(iter(buddies), "")


def test_whatever_takes_the_keyboard_has_a_name_and_controls_have_a_tooltip(full: MainWindow) -> None:
    faults = []
    central = full.centralWidget()
    for widget in central.findChildren(QWidget):
        if widget.focusPolicy() == Qt.FocusPolicy.NoFocus or made_by_qt(widget):
            continue
        if not name_of(widget, central):
            faults.append(f"no name: {describe(widget)}")
        if isinstance(widget, (QAbstractButton, QLineEdit, QComboBox)) and not widget.toolTip():
            faults.append(f"no tooltip: {name_of(widget, central)} {describe(widget)}")
    assert not faults, "\n".join(faults)


def test_actions_in_menus_have_text_tip_and_a_key_of_their_own(full: MainWindow) -> None:
    owned = {id(full.actions_[identifier]) for identifier in ACTIONS}
    keys: dict[str, str] = {}
    actions = [action for action in full.findChildren(QAction) if action.menu() is None and not action.isSeparator()]
    assert len(actions) >= len(ACTIONS)
    for action in actions:
        if id(action) not in owned:
            continue
        assert action.text().strip(), action
        assert action.statusTip().strip(), action.text()
        assert action.toolTip().strip(), action.text()
        for sequence in action.shortcuts():
            key = sequence.toString()
            assert key not in keys, f"{key}: {action.text()} and {keys[key]}"
            keys[key] = action.text()


def test_the_keyboard_is_seen(full: MainWindow) -> None:
    """The style sheet draws a focused control in another way than an unfocused one."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    sheet = app.styleSheet()
    for widget in (
        full.workbench.panel.main_button,
        full.workbench.panel.pairing,
        full.workbench.run_bar.play_button,
        full.workbench.run_bar.slider,
        full.workbench.plots.logarithmic,
        full.fetch_field,
    ):
        # Activation of windows cannot be relied on without a window manager: the style is asked directly.
        kinds = [base.__name__ for base in type(widget).__mro__]
        assert any(f"{kind}:focus" in sheet or f"{kind}::handle:horizontal:focus" in sheet for kind in kinds), kinds


@pytest.mark.parametrize("tokens", (LIGHT, DARK), ids=lambda tokens: tokens.name)
def test_text_can_be_read_on_everything_it_stands_on(tokens: Tokens) -> None:
    pairs = {
        "text": ("window", "card", "field", "hover", "pressed", "selected", "error_back", "warning_back",
                 "success_back", "info_back"),
        "muted": ("window", "card", "field", "hover", "selected"),
        "accent": ("window", "card"),
        "error": ("card", "error_back"),
        "warning": ("card", "warning_back"),
        "success": ("card", "success_back"),
        "on_accent": ("accent_fill", "accent_hover", "accent_pressed"),
    }  # fmt: skip
    faint = [
        f"{text} on {back}: {contrast(getattr(tokens, text), getattr(tokens, back)):.2f}"
        for text, backs in pairs.items()
        for back in backs
        if contrast(getattr(tokens, text), getattr(tokens, back)) < 4.5
    ]
    assert faint == []


@pytest.fixture
def large(qtbot, message_center: MessageCenter, preferences: Preferences) -> Iterator[MainWindow]:
    """A window of 1440x900 on a system whose letters have 18 points."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme().set_mode("light")
    before = app.font()
    font = QFont(before)
    font.setPointSizeF(LARGE_POINTS)
    app.setFont(font)
    window = MainWindow(message_center, preferences)
    window.resize(1440, 900)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close()
    window.deleteLater()
    app.setFont(before)
    QApplication.processEvents()


def cut(widget: QWidget) -> str:
    """Say what of a widget's text does not fit; empty if all does."""
    metrics = QFontMetricsF(widget.font())
    if isinstance(widget, QLabel):
        text = widget.text()
        if not text.strip() or text.startswith("<") or "<b>" in text:
            return ""
        if widget.wordWrap():
            needed = metrics.boundingRect(widget.contentsRect(), Qt.TextFlag.TextWordWrap, text).height()
            return f"{text!r} needs {needed:.0f} of {widget.height()} rows" if needed > widget.height() + 2 else ""
        if "…" in text:
            fits = metrics.horizontalAdvance(text) <= widget.width()
            return "" if widget.toolTip() or fits else f"{text!r} is cut and not in its tooltip"
        needed, room = metrics.horizontalAdvance(text), float(widget.contentsRect().width())
    elif isinstance(widget, (QPushButton, QToolButton, QCheckBox)):
        if isinstance(widget, QToolButton) and widget.toolButtonStyle() == Qt.ToolButtonStyle.ToolButtonIconOnly:
            return ""
        text = widget.text().replace("&", "")
        needed, room = metrics.horizontalAdvance(text), float(widget.width())
    elif isinstance(widget, QComboBox):
        text = widget.currentText()
        needed, room = metrics.horizontalAdvance(text) + 28, float(widget.width())
    else:
        return ""
    high = metrics.height() > widget.height() + 1
    return f"{text!r} needs {needed:.0f} of {room:.0f}" if needed > room + 2 or high else ""


def test_large_letters_are_not_cut(large: MainWindow, hinge, finish: Finish, qtbot) -> None:
    controller = large.controller
    controller.desk.open_pair(*hinge)
    qtbot.waitUntil(lambda: controller.session.inputs is not None, timeout=60_000)
    controller.run()
    finish(large)
    controller.skip()
    large.workbench.reset_layout()
    large.message_bar.show_message(Message("A message of some length that has to be read on any screen.", "warning"))
    qtbot.wait(50)
    assert large.width() == 1440
    faults = [
        f"{fault} ({describe(widget)})"
        for widget in large.centralWidget().findChildren(QWidget)
        if widget.isVisible() and not made_by_qt(widget) and not widget.visibleRegion().isEmpty()
        if (fault := cut(widget))
    ]
    assert not faults, "\n".join(faults)
    # Captions grow with the letters of the system.
    assert large.workbench.strip.rmsd.caption.font().pointSizeF() >= LARGE_POINTS - 2
    assert large.workbench.viewer.width() >= 320


def test_the_style_follows_the_font_of_the_system(qtbot) -> None:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme().set_mode("light")
    before, sheet = app.font(), app.styleSheet()
    font = QFont(before)
    font.setPointSizeF(LARGE_POINTS)
    app.setFont(font)
    assert app.styleSheet() != sheet
    assert f"{LARGE_POINTS - 1:g}pt" in app.styleSheet()
    app.setFont(before)
    assert app.styleSheet() == sheet
