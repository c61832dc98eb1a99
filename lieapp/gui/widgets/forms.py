"""Forms made from the field specs of settings: the same specs that the command line and the documentation read.

Numbers are typed into line edits and parsed by the spec itself, so that ``1e-8`` and ``3e-5`` stay what they are. A
field that the user has not touched is empty and shows ``auto`` with the recommended value; typing overrides it, the
small arrow beside it gives it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lieapp.gui.widgets.icons import set_icon
from lieapp.gui.widgets.marking import mark
from lieapp.gui.widgets.section import Section
from lieapp.gui.widgets.theme import scaled
from lieapp.gui.widgets.words import folded, with_minus
from lieapp.optimizers.fields import FieldSpec, allowed_text, describe, parse_value, show_value

__all__ = ["LABEL_WIDTH", "FieldEditor", "SettingsForm", "readable_value"]


LABEL_WIDTH = 84
"""Width of the labels, the same in all forms of a panel, so that their fields line up."""

_WORDS = {"lr": "learning rate"}
"""What a label says where the field's own name is short for the command line."""


def readable_value(value: Any, unit: str = "") -> str:
    """Return a value as a form shows it: ``0.9, 0.999``, ``1e-08``, ``1 Å``, ``off``."""
    if isinstance(value, bool):
        return "on" if value else "off"
    text = show_value(value).replace(",", ", ")
    return f"{text} {unit}".rstrip()


class _NumberEdit(QLineEdit):
    """A line edit in which Up and Down step a number by its own size."""

    stepped = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.stepped.emit(1 if event.key() == Qt.Key.Key_Up else -1)
        else:
            super().keyPressEvent(event)


class FieldEditor(QWidget):
    """One setting: its editor, its error, and the way back to ``auto``.

    Parameters
    ----------
    spec : FieldSpec
        Not a group.
    path : str
        Dotted key of the setting inside the form.

    Signals
    -------
    changed()
        The override is another one, or became invalid or valid.
    """

    changed = Signal()

    def __init__(self, spec: FieldSpec, path: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.spec, self.path = spec, path
        self._recommended: Any = spec.default
        self._touched = False
        self.error = ""
        self.editor: QLineEdit | QComboBox | QCheckBox
        if spec.type == "bool":
            self.editor = QCheckBox("")
            self.editor.toggled.connect(self._edited)
        elif spec.type == "choice":
            self.editor = QComboBox()
            self.editor.addItems([*(["none"] if spec.optional else []), *spec.choices])
            self.editor.currentIndexChanged.connect(self._edited)
        else:
            self.editor = _NumberEdit()
            self.editor.textChanged.connect(self._edited)
            self.editor.stepped.connect(self._step)
        tip = f"{spec.help}\n{spec.name}: {allowed_text(spec)}".strip()
        self.editor.setObjectName(f"setting.{path}")
        name = _WORDS.get(spec.title, spec.title)
        self.editor.setAccessibleName(f"{name} ({spec.unit})" if spec.unit else name)
        self.editor.setAccessibleDescription(tip)
        self.editor.setToolTip(folded(tip))
        self.editor.setWhatsThis(tip)
        self.reset = QToolButton()
        set_icon(self.reset, "rotate-ccw")
        self.reset.setIconSize(QSize(12, 12))
        self.reset.setToolTip("Back to the recommended value")
        self.reset.setAccessibleName(f"Back to the recommended {spec.title}")
        self.reset.clicked.connect(self.clear)
        self.message = QLabel()
        self.message.setObjectName("fieldError")
        self.message.setWordWrap(True)
        self.message.hide()
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(self.editor, 1)
        row.addWidget(self.reset)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self.message)
        self._show_state()

    @property
    def overridden(self) -> bool:
        """Whether the user set a value."""
        if isinstance(self.editor, QLineEdit):
            return bool(self.editor.text().strip())
        return self._touched

    def value(self) -> Any:
        """Return the value in force: what the user set, else the recommended one.

        Raises
        ------
        ValueError
            If what was typed is not allowed.
        """
        if not self.overridden:
            return self._recommended
        if isinstance(self.editor, QLineEdit):
            return parse_value(self.spec, self.editor.text())
        if isinstance(self.editor, QCheckBox):
            return self.editor.isChecked()
        return parse_value(self.spec, self.editor.currentText())

    def set_recommended(self, value: Any) -> None:
        """Set the value that is used, and shown as ``auto``, while the user sets none."""
        self._recommended = value
        if not self.overridden:
            self._write(value)
        self._show_state()

    def set_override(self, value: Any) -> None:
        """Set a value as if the user had."""
        self._touched = True
        if isinstance(self.editor, QLineEdit):
            self.editor.setText(value if isinstance(value, str) else show_value(value).replace(",", ", "))
        else:
            self._write(value)
        self._show_state()
        self.changed.emit()

    def clear(self) -> None:
        """Go back to the recommended value."""
        self._touched = False
        if isinstance(self.editor, QLineEdit):
            self.editor.clear()
        self._write(self._recommended)
        self._show_state()
        self.changed.emit()

    def _write(self, value: Any) -> None:
        self.editor.blockSignals(True)
        if isinstance(self.editor, QLineEdit):
            shown = "" if value is None else f"  {with_minus(readable_value(value, self.spec.unit))}"
            self.editor.setPlaceholderText(f"auto{shown}")
        elif isinstance(self.editor, QCheckBox):
            self.editor.setChecked(bool(parse_value(self.spec, value)))
        else:
            self.editor.setCurrentText("none" if value is None else str(parse_value(self.spec, value)))
        self.editor.blockSignals(False)

    def _edited(self) -> None:
        self._touched = True
        self._show_state()
        self.changed.emit()

    def _step(self, direction: int) -> None:
        if self.spec.type not in ("float", "int"):
            return
        try:
            value = self.value()
        except ValueError:
            return
        if value is None:
            return
        factor = 2.0 if self.spec.scale == "log" else 1.1
        if self.spec.type == "int":
            new: float = value + direction * max(1, abs(value) // 10)
        elif value == 0:
            new = direction * (1e-4 if self.spec.scale == "log" else 0.1)
        else:
            new = value * factor**direction
        if self.spec.type == "float":
            new = float(f"{new:.6g}")
        try:
            self.set_override(parse_value(self.spec, new))
        except ValueError:
            return

    def _show_state(self) -> None:
        try:
            self.value()
        except ValueError as error:
            self.error = str(error)
        else:
            self.error = ""
        self.message.setText(self.error[:1].upper() + self.error[1:])
        self.message.setVisible(bool(self.error))
        self.reset.setVisible(self.overridden)
        mark(self.editor, "invalid", bool(self.error))


class SettingsForm(QWidget):
    """All settings of one model as rows; the advanced ones under "More".

    Signals
    -------
    changed()
        Some override is another one, or became valid or invalid.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("plain")
        self.editors: dict[str, FieldEditor] = {}
        self._labels: dict[str, QLabel] = {}
        self._groups: dict[str, tuple[FieldSpec, ...]] = {}
        self._rows = QWidget()
        self.more = Section("More", "Show the settings that rarely need a change")
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(4)
        self._layout.addWidget(self._rows)
        self._layout.addWidget(self.more)

    def set_model(self, model: type[BaseModel], parameter_unit: str = "") -> None:
        """Show the settings of a model, all of them at ``auto``.

        Parameters
        ----------
        model : type
            A settings class.
        parameter_unit : str, optional
            Unit of lengths in parameter space.
        """
        for editor in self.editors.values():
            editor.deleteLater()
        self.editors, self._labels, self._groups = {}, {}, {}
        fresh, hidden = QWidget(), QWidget()
        for part in (fresh, hidden):
            part.setObjectName("plain")
        basic, advanced = QGridLayout(fresh), QGridLayout(hidden)
        for grid, left in ((basic, 0), (advanced, 12)):
            grid.setContentsMargins(left, 0, 0, 0)
            grid.setHorizontalSpacing(8)
            grid.setVerticalSpacing(4)
            grid.setColumnStretch(1, 1)
            grid.setColumnMinimumWidth(0, scaled(LABEL_WIDTH) - left)
        specs = describe(model, parameter_unit=parameter_unit)
        self._add_rows(specs, "", basic, advanced, advanced=False)
        self._layout.replaceWidget(self._rows, fresh)
        self._rows.hide()
        self._rows.deleteLater()
        self._rows = fresh
        # A hidden parent must hold the rows from the start, or each would flash up as a window of its own.
        body_layout = self.more.body.layout()
        if body_layout is None:
            body_layout = QVBoxLayout(self.more.body)
            body_layout.setContentsMargins(0, 0, 0, 0)
        while (item := body_layout.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        body_layout.addWidget(hidden)
        self.more.setVisible(advanced.count() > 0)
        self._show_relevant()

    def set_recommended(self, values: Mapping[str, Any]) -> None:
        """Set the recommended values by dotted key; settings not named get their defaults."""
        for path, editor in self.editors.items():
            editor.set_recommended(values.get(path, editor.spec.default))
        self._show_relevant()

    def overrides(self) -> dict[str, Any]:
        """Return what the user set, by dotted key; fields that hold an error are left out."""
        return {
            path: editor.value()
            for path, editor in self.editors.items()
            if editor.overridden and not editor.error and self._relevant(path)
        }

    def set_overrides(self, values: Mapping[str, Any]) -> None:
        """Set values as if the user had typed them; all other settings go back to ``auto``."""
        for path, editor in self.editors.items():
            if path in values:
                editor.set_override(values[path])
            elif editor.overridden:
                editor.clear()

    def errors(self) -> dict[str, str]:
        """Return what is wrong, by dotted key."""
        return {path: editor.error for path, editor in self.editors.items() if editor.error and self._relevant(path)}

    def _add_rows(
        self, specs: tuple[FieldSpec, ...], prefix: str, basic: QGridLayout, more: QGridLayout, *, advanced: bool
    ) -> None:
        for spec in specs:
            path = f"{prefix}{spec.name}"
            if spec.type == "group":
                self._groups[path] = spec.children
                self._add_rows(spec.children, f"{path}.", basic, more, advanced=advanced or spec.advanced)
                continue
            editor = FieldEditor(spec, path)
            # A group's leading choice is named after the group: "schedule", not "kind".
            title = prefix.rstrip(".").rpartition(".")[2] if prefix and spec.name == "kind" else spec.title
            title = _WORDS.get(title, title)
            label = QLabel(title)
            label.setObjectName("fieldLabel")
            label.setBuddy(editor.editor)
            label.setToolTip(folded(spec.help))
            label.setWordWrap(True)
            grid = more if advanced or spec.advanced else basic
            row = grid.rowCount()
            grid.addWidget(label, row, 0, Qt.AlignmentFlag.AlignTop)
            label.setMinimumHeight(28)
            label.setFixedWidth(scaled(LABEL_WIDTH) - (12 if grid is more else 0))
            grid.addWidget(editor, row, 1)
            self.editors[path], self._labels[path] = editor, label
            editor.changed.connect(self._changed)

    def _changed(self) -> None:
        self._show_relevant()
        self.changed.emit()

    def _relevant(self, path: str) -> bool:
        condition = self.editors[path].spec.when
        if condition is None:
            return True
        sibling, words = condition
        prefix = path.rpartition(".")[0]
        other = self.editors.get(f"{prefix}.{sibling}" if prefix else sibling)
        if other is None or other.error:
            return True
        value = other.value()
        return (show_value(value) if isinstance(value, bool) else str(value)) in words

    def _show_relevant(self) -> None:
        for path, editor in self.editors.items():
            relevant = self._relevant(path)
            editor.setVisible(relevant)
            self._labels[path].setVisible(relevant)
