"""Marks that the style sheet shows, such as that of a field with an error."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

__all__ = ["mark"]


def mark(widget: QWidget, name: str, on: bool) -> bool:
    """Set a property that the style sheet asks for, or take it back; return whether that changes anything."""
    if bool(widget.property(name)) == on:
        return False
    widget.setProperty(name, on)
    # Qt looks at properties only when a widget is styled.
    widget.style().unpolish(widget)
    widget.style().polish(widget)
    return True
