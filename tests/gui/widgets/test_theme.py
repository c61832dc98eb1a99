"""Contrast, light and dark, icons."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from lieapp.gui.application.actions import ACTIONS
from lieapp.gui.widgets.icons import icon, render_icon
from lieapp.gui.widgets.theme import DARK, LIGHT, Tokens, contrast, style_sheet, theme
from lieapp.paths import ResourceError, resource


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.478, abs=1e-3)  # the value WCAG tools give


@pytest.mark.parametrize("tokens", (LIGHT, DARK), ids=lambda tokens: tokens.name)
@pytest.mark.parametrize(
    ("text", "back"),
    (
        ("text", "window"),
        ("text", "card"),
        ("text", "field"),
        ("text", "hover"),
        ("text", "selected"),
        ("muted", "window"),
        ("muted", "card"),
        ("muted", "field"),
        ("accent", "card"),
        ("accent", "window"),
        ("on_accent", "accent_fill"),
        ("on_accent", "accent_hover"),
        ("error", "card"),
        ("text", "error_back"),
        ("text", "warning_back"),
        ("text", "success_back"),
        ("text", "info_back"),
    ),
)
def test_text_can_be_read(tokens: Tokens, text: str, back: str) -> None:
    assert contrast(getattr(tokens, text), getattr(tokens, back)) >= 4.5


@pytest.mark.parametrize("tokens", (LIGHT, DARK), ids=lambda tokens: tokens.name)
def test_every_color_of_the_style_sheet_is_a_token(tokens: Tokens) -> None:
    sheet = style_sheet(tokens, {"down": "a.png", "up": "b.png", "check": "c.png"})
    used = set(re.findall(r"#[0-9A-Fa-f]{6}\b", sheet))
    assert used <= {value for value in vars(tokens).values() if value.startswith("#")}
    assert sheet.count("{") == sheet.count("}")


def test_the_mode_changes_palette_and_icons(qtbot) -> None:
    look = theme()
    look.set_mode("light")
    light = icon("play").pixmap(16, 16).toImage()
    with qtbot.waitSignal(look.changed):
        look.set_mode("dark")
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    assert app.palette().color(QPalette.ColorRole.Window) == QColor(DARK.window)
    assert icon("play").pixmap(16, 16).toImage() != light
    look.set_mode("light")
    assert app.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.window)
    assert icon("play").pixmap(16, 16).toImage() == light


def test_every_action_icon_exists(qtbot) -> None:
    for spec in ACTIONS.values():
        if spec.icon:
            assert not icon(spec.icon).isNull(), spec.id


def test_icons_take_the_color_asked_for(qtbot) -> None:
    image = render_icon("square", "#FF0000", QSize(32, 32), filled=True).toImage()
    middle = image.pixelColor(16, 16)
    assert (middle.red(), middle.green(), middle.blue(), middle.alpha()) == (255, 0, 0, 255)
    assert image.pixelColor(0, 0).alpha() == 0


def test_an_unknown_icon_is_an_error(qtbot) -> None:
    with pytest.raises(ResourceError):
        icon("no-such-icon")


def test_the_icons_come_with_their_licence() -> None:
    assert "ISC License" in resource("icons/LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("mode", ("light", "dark"))
def test_muted_words_that_widgets_paint_are_as_legible_as_those_of_labels(qtbot, mode: str) -> None:
    theme().set_mode(mode)
    tokens = LIGHT if mode == "light" else DARK
    for widget, group, color in (
        (QWidget(), QPalette.ColorGroup.Active, tokens.muted),
        (QLineEdit(), QPalette.ColorGroup.Active, tokens.muted),
    ):
        qtbot.addWidget(widget)
        widget.ensurePolished()
        # A style sheet that colours text makes this half transparent unless told otherwise.
        assert widget.palette().color(group, QPalette.ColorRole.PlaceholderText) == QColor(color)
    field = QLineEdit()
    qtbot.addWidget(field)
    field.setEnabled(False)
    field.ensurePolished()
    assert field.palette().color(QPalette.ColorRole.PlaceholderText) == QColor(tokens.disabled)
