"""How the window looks: two sets of tokens, one style sheet made from them, light or dark like the system."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, QSize, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from lieapp.gui.widgets.icons import render_icon, set_icon_colors

__all__ = ["DARK", "LIGHT", "Mode", "Theme", "Tokens", "contrast", "held_style", "scaled", "style_sheet", "theme"]

Mode = Literal["system", "light", "dark"]


@dataclass(frozen=True)
class Tokens:
    """Colours by what they are for, as ``#RRGGBB``.

    Attributes
    ----------
    name : str
    window, card, field, border : str
        Background of the window, of cards, of fields in which one types, and their one-pixel lines.
    text, muted, disabled : str
        Text; text of second rank (at least 4.5 : 1 on window and card); what cannot be used now.
    accent, accent_fill, accent_hover, accent_pressed, on_accent : str
        The one accent: as text or line; as the fill of the main button and its states; text on that fill.
    hover, pressed, selected : str
        Backgrounds of quiet buttons and rows.
    error, warning, success : str
        Text and lines of messages.
    error_back, warning_back, success_back, info_back : str
        Backgrounds of messages.
    """

    name: str
    window: str
    card: str
    field: str
    border: str
    text: str
    muted: str
    disabled: str
    accent: str
    accent_fill: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    hover: str
    pressed: str
    selected: str
    error: str
    warning: str
    success: str
    error_back: str
    warning_back: str
    success_back: str
    info_back: str


LIGHT = Tokens(
    name="light",
    window="#F4F6F8",
    card="#FFFFFF",
    field="#FFFFFF",
    border="#DDE1E6",
    text="#1B2430",
    muted="#5B6675",
    disabled="#A5ADB8",
    accent="#0B6BCB",
    accent_fill="#0B6BCB",
    accent_hover="#085DB3",
    accent_pressed="#064E97",
    on_accent="#FFFFFF",
    hover="#EDF0F3",
    pressed="#E1E6EB",
    selected="#E6F0FB",
    error="#B3261E",
    warning="#8A5300",
    success="#1B6E3C",
    error_back="#FDECEA",
    warning_back="#FFF4E0",
    success_back="#E8F5EC",
    info_back="#E6F0FB",
)

DARK = Tokens(
    name="dark",
    window="#131517",
    card="#1B1D21",
    field="#24272C",
    border="#363A41",
    text="#E7EBF0",
    muted="#A0AAB8",
    disabled="#5F6977",
    accent="#6CB1F5",
    accent_fill="#1968BC",
    accent_hover="#2375CC",
    accent_pressed="#145599",
    on_accent="#FFFFFF",
    hover="#272D37",
    pressed="#303744",
    selected="#20344B",
    error="#FF9B93",
    warning="#F2BE6A",
    success="#7FD39B",
    error_back="#3A2022",
    warning_back="#36290F",
    success_back="#1B3325",
    info_back="#1D2E42",
)


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours after WCAG 2, from 1 to 21."""

    def luminance(color: str) -> float:
        channels = [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def palette_of(tokens: Tokens) -> QPalette:
    """Return the palette that Fusion and the plots draw with."""
    palette = QPalette()
    role = QPalette.ColorRole
    for group, text in (
        (QPalette.ColorGroup.Active, tokens.text),
        (QPalette.ColorGroup.Inactive, tokens.text),
        (QPalette.ColorGroup.Disabled, tokens.disabled),
    ):
        for which, color in (
            (role.Window, tokens.window),
            (role.WindowText, text),
            (role.Base, tokens.card),
            (role.AlternateBase, tokens.hover),
            (role.Text, text),
            (role.PlaceholderText, tokens.muted),
            (role.Button, tokens.card),
            (role.ButtonText, text),
            (role.BrightText, tokens.error),
            (role.Highlight, tokens.accent),
            (role.HighlightedText, tokens.on_accent if tokens.name == "light" else tokens.window),
            (role.Link, tokens.accent),
            (role.ToolTipBase, tokens.card),
            (role.ToolTipText, tokens.text),
            (role.Mid, tokens.border),
            (role.Light, tokens.hover),
            (role.Midlight, tokens.hover),
            (role.Dark, tokens.border),
            (role.Shadow, tokens.border),
        ):
            palette.setColor(group, which, QColor(color))
    return palette


def scaled(pixels: int) -> int:
    """Return a width that holds words, for the font that the user chose: as it is for letters of 12 pixels."""
    return max(pixels, round(pixels * QFontInfo(QApplication.font()).pixelSize() / 12))


def style_sheet(tokens: Tokens, pictures: dict[str, str], points: float = 9.0) -> str:
    """Return the style sheet of the application.

    Parameters
    ----------
    tokens : Tokens
    pictures : dict
        Paths of the small pictures that style sheets can only name: ``"down"``, ``"up"``, ``"check"``.
    points : float, optional
        Size of the system font; all other sizes follow it.
    """
    t = tokens
    small, smallest = max(points - 1.0, min(points, 9.0)), max(points - 2.0, min(points, 8.0))
    large, larger, huge = points + 2.0, points + 3.0, points + 6.0
    return f"""
QWidget {{ color: {t.text}; placeholder-text-color: {t.muted}; }}
QMainWindow, QDialog, QMessageBox {{ background: {t.window}; }}
QToolTip {{ background: {t.card}; color: {t.text}; border: 1px solid {t.border}; padding: 4px 6px; }}
QLabel {{ background: transparent; }}
QLabel:disabled {{ color: {t.disabled}; }}
QLabel#readout {{ background: {t.card}; border: 1px solid {t.border}; border-radius: 4px; padding: 3px 8px; }}
QLabel#caption, QLabel#fieldLabel, QLabel#unit {{ color: {t.muted}; }}
QLabel#caption {{ font-size: {small:g}pt; }}
QLabel#sectionTitle {{ color: {t.muted}; font-size: {smallest:g}pt; font-weight: 600; }}
QLabel#slotName {{ font-size: {large:.3g}pt; font-weight: 600; }}
QLabel#figure {{ font-size: {huge:.3g}pt; font-weight: 600; }}
QLabel#fieldError {{ color: {t.error}; font-size: {small:g}pt; }}
QLabel#device {{ border: 1px solid {t.border}; border-radius: 6px; background: {t.card}; color: {t.muted};
    padding: 0 12px; min-height: 26px; font-size: {small:g}pt; }}
QWidget#plain {{ background: transparent; }}
QFrame#card, QWidget#card {{ background: {t.card}; border: 1px solid {t.border}; border-radius: 6px; }}
QFrame#card[drop="true"] {{ border: 2px solid {t.accent}; }}
QFrame#slot {{ border: 1px solid transparent; border-radius: 4px; }}
QFrame#slot[drop="true"] {{ border: 1px dashed {t.accent}; background: {t.selected}; }}
QFrame#runRow {{ border-radius: 4px; }}
QFrame#runRow:hover {{ background: {t.hover}; }}
QFrame#runRow[current="true"] {{ background: {t.selected}; }}
QFrame#runRow:focus {{ border: 1px solid {t.accent}; }}
QFrame#line {{ background: {t.border}; border: none; max-width: 1px; min-width: 1px; }}
QFrame#message {{ border: 1px solid {t.border}; border-radius: 6px; background: {t.info_back}; }}
QFrame#message[level="error"] {{ background: {t.error_back}; border-color: {t.error}; }}
QFrame#message[level="warning"] {{ background: {t.warning_back}; border-color: {t.warning}; }}
QFrame#message[level="success"] {{ background: {t.success_back}; border-color: {t.success}; }}

QMenuBar {{ background: {t.window}; padding: 2px 6px; }}
QMenuBar::item {{ background: transparent; padding: 4px 8px; border-radius: 4px; }}
QMenuBar::item:selected {{ background: {t.hover}; }}
QMenu {{ background: {t.card}; border: 1px solid {t.border}; padding: 4px; }}
QMenu::item {{ padding: 5px 28px 5px 28px; border-radius: 4px; }}
QMenu::item:selected {{ background: {t.selected}; }}
QMenu::item:disabled {{ color: {t.disabled}; }}
QMenu::separator {{ height: 1px; background: {t.border}; margin: 4px 8px; }}
QMenu::icon {{ padding-left: 8px; }}
QMenu::indicator {{ width: 14px; height: 14px; padding-left: 8px; }}
QMenu::indicator:checked {{ image: url({pictures["check"]}); }}

QPushButton {{ background: {t.card}; border: 1px solid {t.border}; border-radius: 4px; padding: 0 10px;
    min-height: 26px; }}
QPushButton:hover {{ background: {t.hover}; }}
QPushButton:pressed, QPushButton:checked {{ background: {t.pressed}; }}
QPushButton:focus {{ border-color: {t.accent}; }}
QPushButton:disabled {{ color: {t.disabled}; background: transparent; }}
QPushButton#primary {{ background: {t.accent_fill}; color: {t.on_accent}; border: 1px solid {t.accent_fill};
    font-size: {larger:.3g}pt; font-weight: 600; min-height: 34px; }}
QPushButton#primary:hover {{ background: {t.accent_hover}; border-color: {t.accent_hover}; }}
QPushButton#primary:pressed {{ background: {t.accent_pressed}; }}
QPushButton#primary:focus {{ border: 2px solid {t.text}; }}
QPushButton#primary:disabled {{ background: {t.pressed}; border-color: {t.pressed}; color: {t.disabled}; }}
QPushButton#link {{ background: transparent; border: none; color: {t.accent}; padding: 0 4px; text-align: left; }}
QPushButton#link:hover {{ text-decoration: underline; }}
QPushButton#link:focus {{ border: 1px solid {t.accent}; }}
QToolButton {{ background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 3px; }}
QToolButton:hover {{ background: {t.hover}; }}
QToolButton:pressed, QToolButton:checked {{ background: {t.pressed}; }}
QToolButton:focus {{ border-color: {t.accent}; }}
QToolButton:disabled {{ color: {t.disabled}; }}
QToolButton#barButton {{ padding: 4px 10px; }}
QToolButton#slotMenu {{ padding: 2px; }}
QToolButton#barButton::menu-indicator, QToolButton#slotMenu::menu-indicator {{ image: none; }}
QToolButton#more {{ color: {t.muted}; padding: 2px 4px 2px 0; }}
QToolButton#more:checked {{ background: transparent; }}
QDialogButtonBox {{ dialogbuttonbox-buttons-have-icons: 0; }}
QToolButton#row {{ padding: 2px; }}
QToolButton#tab {{ border: none; border-bottom: 2px solid transparent; border-radius: 0; padding: 6px 14px;
    color: {t.muted}; background: transparent; }}
QToolButton#tab[crowded="true"] {{ padding: 6px 1px; }}
QToolButton#tab:hover:enabled {{ color: {t.text}; }}
QToolButton#tab:checked {{ color: {t.accent}; border-bottom-color: {t.accent}; font-weight: 600; }}
QToolButton#tab:focus {{ background: {t.hover}; }}
QToolButton#tab:disabled {{ color: {t.disabled}; }}

QLineEdit, QSpinBox, QComboBox, QPlainTextEdit {{ background: {t.field}; border: 1px solid {t.border};
    border-radius: 4px; min-height: 26px; padding: 0 8px; selection-background-color: {t.accent_fill};
    selection-color: {t.on_accent}; }}
QPlainTextEdit {{ padding: 4px; }}
QLineEdit:focus, QSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus {{ border-color: {t.accent}; }}
QLineEdit[invalid="true"] {{ border-color: {t.error}; }}
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled {{ color: {t.disabled}; background: {t.window};
    placeholder-text-color: {t.disabled}; }}
QSpinBox::up-button, QSpinBox::down-button {{ border: none; background: transparent; width: 20px; }}
QSpinBox::up-arrow {{ image: url({pictures["up"]}); width: 12px; height: 12px; }}
QSpinBox::down-arrow {{ image: url({pictures["down"]}); width: 12px; height: 12px; }}
QComboBox {{ padding-right: 0; }}
QComboBox::drop-down {{ border: none; width: 20px; }}
QComboBox::down-arrow {{ image: url({pictures["down"]}); width: 12px; height: 12px; }}
QComboBox QAbstractItemView {{ background: {t.card}; border: 1px solid {t.border}; padding: 4px; outline: none;
    selection-background-color: {t.selected}; selection-color: {t.text}; }}
QComboBox QAbstractItemView::item {{ min-height: 24px; padding: 0 6px; }}
QComboBox QAbstractItemView::item:selected {{ background: {t.selected}; color: {t.text}; }}
QCheckBox {{ spacing: 6px; background: transparent; }}
QCheckBox::indicator {{ width: 14px; height: 14px; border: 1px solid {t.muted}; border-radius: 3px;
    background: {t.field}; }}
QCheckBox::indicator:checked {{ background: {t.selected}; border-color: {t.accent}; image: url({pictures["check"]}); }}
QCheckBox:focus {{ color: {t.accent}; }}

QSlider {{ min-height: 24px; background: transparent; }}
QSlider::groove:horizontal {{ height: 4px; background: {t.border}; border-radius: 2px; }}
QSlider::sub-page:horizontal {{ background: {t.accent_fill}; border-radius: 2px; }}
QSlider::handle:horizontal {{ width: 12px; height: 12px; margin: -6px 0; border-radius: 8px;
    border: 2px solid {t.accent_fill}; background: {t.card}; }}
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus {{ background: {t.selected}; }}
QSlider::handle:horizontal:disabled {{ border-color: {t.border}; }}
QSlider::sub-page:horizontal:disabled {{ background: {t.border}; }}
QProgressBar {{ border: none; background: {t.border}; border-radius: 2px; max-height: 4px; }}
QProgressBar::chunk {{ background: {t.accent_fill}; border-radius: 2px; }}
QScrollArea, QScrollArea > QWidget > QWidget#plain {{ background: transparent; border: none; }}
QScrollBar:vertical {{ background: transparent; width: 8px; margin: 0; }}
QScrollBar::handle:vertical {{ background: {t.border}; border-radius: 4px; min-height: 24px; }}
QScrollBar::handle:vertical:hover {{ background: {t.disabled}; }}
QScrollBar:horizontal {{ background: transparent; height: 8px; margin: 0; }}
QScrollBar::handle:horizontal {{ background: {t.border}; border-radius: 4px; min-width: 24px; }}
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page {{ background: none;
    border: none; width: 0; height: 0; }}
QSplitter::handle {{ background: transparent; }}
QSplitter::handle:hover {{ background: {t.border}; }}
QTableWidget {{ background: {t.card}; border: 1px solid {t.border}; gridline-color: {t.border}; }}
QHeaderView::section {{ background: {t.window}; border: none; padding: 4px 8px; color: {t.muted}; }}
"""


class Theme(QObject):
    """The look of the application; one per process, see `theme`.

    Signals
    -------
    changed()
        The tokens are others now; palette and style sheet are already set.
    """

    changed = Signal()

    def __init__(self, app: QApplication) -> None:
        super().__init__(app)
        self._mode: Mode = "system"
        self._tokens: Tokens | None = None
        self._points = 0.0
        self._sheet = ""
        # Style sheets can only name pictures by path, and these take the colour of the theme.
        self._pictures = QTemporaryDir()
        app.setStyle("Fusion")
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._apply)
        app.fontChanged.connect(self._apply)
        self._apply()

    @property
    def mode(self) -> Mode:
        """What was chosen: like the system, or one of the two."""
        return self._mode

    @property
    def tokens(self) -> Tokens:
        """The colours in use."""
        return self._tokens or LIGHT

    def set_mode(self, mode: Mode) -> None:
        """Follow the system, or stay light or dark."""
        self._mode = mode
        self._apply()

    def _apply(self) -> None:
        dark = self._mode == "dark"
        if self._mode == "system":
            dark = QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        tokens = DARK if dark else LIGHT
        points = QFontInfo(QApplication.font()).pointSizeF()
        if tokens is self._tokens and points == self._points:
            return
        self._tokens, self._points = tokens, points
        set_icon_colors(tokens.text, tokens.disabled)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.setPalette(palette_of(tokens))
        self._sheet = style_sheet(tokens, self._write_pictures(tokens), points)
        if not _holding:
            self.show_sheet()
        self.changed.emit()

    def show_sheet(self) -> None:
        """Give the style sheet to the application, unless it has it already."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        if app.styleSheet() != self._sheet:
            app.setStyleSheet(self._sheet)

    def _write_pictures(self, tokens: Tokens) -> dict[str, str]:
        folder = Path(self._pictures.path())
        paths = {}
        for key, (name, color) in {
            "down": ("chevron-down", tokens.muted),
            "up": ("chevron-up", tokens.muted),
            "check": ("check", tokens.accent),
        }.items():
            path = folder / f"{key}-{tokens.name}.png"
            for ratio, suffix in ((1, ""), (2, "@2x")):
                target = path.with_name(path.stem + suffix + ".png")
                render_icon(name, color, QSize(14, 14), ratio).save(str(target))
            paths[key] = path.as_posix()
        return paths


_theme: Theme | None = None
_holding = 0


@contextmanager
def held_style() -> Iterator[None]:
    """Let widgets be made before they are styled.

    Qt styles a widget anew whenever it gets another parent, which takes longer than making the window does.
    """
    global _holding
    _holding += 1
    try:
        yield
    finally:
        _holding -= 1
        if not _holding:
            theme().show_sheet()


def theme() -> Theme:
    """Return the application's theme; made, and applied, at the first call after QApplication exists."""
    global _theme
    if _theme is None:
        app = QApplication.instance()
        if not isinstance(app, QApplication):
            raise RuntimeError("theme() needs a QApplication")
        _theme = Theme(app)
    return _theme
