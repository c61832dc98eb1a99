"""Single keys as shortcuts, without taking them from whoever needs them.

A shortcut of the window such as Space or the comma is looked up before the key reaches the focused widget. Text
fields take printable keys back by themselves; buttons, boxes and lists do not. `wants_key` tells when the window should
leave the key to them: Space to a widget that was reached by the keyboard, so that everything stays usable without a
mouse, while a click on a button leaves Space to pause the run. Widgets that move a cursor of their own name the keys
for it in ``own_keys``.

An event filter of the application would do the same, but it would be called for every event of every widget, and each
call waits for a busy compute thread.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QAbstractSlider, QComboBox, QWidget

__all__ = ["wants_key"]

_MOVES = frozenset((Qt.Key.Key_Home, Qt.Key.Key_End))
_PLAIN = Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier


def wants_key(widget: QWidget | None, event: QKeyEvent, *, reached_by_keyboard: bool) -> bool:
    """Return whether a key belongs to the focused widget rather than to a shortcut.

    Parameters
    ----------
    widget : QWidget or None
        The one that has the focus.
    event : QKeyEvent
    reached_by_keyboard : bool
        Whether it got the focus by Tab, not by a click.
    """
    if widget is None or event.modifiers() & ~_PLAIN:
        return False
    if isinstance(widget, QAbstractItemView):
        return True
    key = Qt.Key(event.key())
    if key in getattr(widget, "own_keys", ()):
        return True
    if isinstance(widget, (QAbstractButton, QComboBox)):
        return key == Qt.Key.Key_Space and reached_by_keyboard
    return isinstance(widget, QAbstractSlider) and key in _MOVES
