"""What the left panels of all workbenches have in common: parts, rows, the optimiser's form, the buttons that run."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import BaseModel
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lieapp.alignment.choices import Choice
from lieapp.gui.application.actions import ActionSet
from lieapp.gui.widgets.abstract import AbstractQt
from lieapp.gui.widgets.action_button import ActionButton
from lieapp.gui.widgets.forms import LABEL_WIDTH, FieldEditor, SettingsForm
from lieapp.gui.widgets.icons import set_icon
from lieapp.gui.widgets.scrolling import scrolled
from lieapp.gui.widgets.section import Section
from lieapp.gui.widgets.theme import scaled
from lieapp.gui.widgets.words import folded
from lieapp.optimizers.fields import FieldSpec
from lieapp.optimizers.names import TORCH_CLASSES, title_of
from lieapp.optimizers.settings import settings_for

__all__ = ["ChoiceBox", "SettingsPanel", "panel_width"]

WIDTH = 264
"""Width in pixels for letters of 12 pixels, see `panel_width`."""
_OTHER = "other…"


def panel_width() -> int:
    """Return the width of the panel in pixels; about a quarter of it are margins, which do not grow with letters."""
    return WIDTH + round(0.75 * (scaled(WIDTH) - WIDTH))


class ChoiceBox(QComboBox):
    """A combo box over words with titles and tooltips.

    Signals
    -------
    chosen(str)
        The user picked a word; not emitted by `show_value`.
    """

    chosen = Signal(str)

    def __init__(self, choices: Sequence[Choice], name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self._name = name
        for choice in choices:
            if choice.available:
                self.add_choice(choice)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))
        self.currentIndexChanged.connect(self._describe)
        self._describe()

    def add_choice(self, choice: Choice) -> None:
        """Add a word at the end."""
        self.addItem(choice.title, choice.value)
        self.setItemData(self.count() - 1, folded(choice.help), Qt.ItemDataRole.ToolTipRole)

    def show_value(self, value: str) -> None:
        """Show a word; one that is not in the list is added."""
        index = self.findData(value)
        if index < 0:
            self.addItem(value, value)
            index = self.count() - 1
        self.setCurrentIndex(index)

    @property
    def value(self) -> str:
        """The word shown."""
        return str(self.currentData())

    def _describe(self) -> None:
        help_text = self.itemData(self.currentIndex(), Qt.ItemDataRole.ToolTipRole) or ""
        self.setToolTip(f"{self._name}: {self.currentText()}\n{help_text}".strip())


class SettingsPanel(QFrame, metaclass=AbstractQt):
    """Everything that decides the next run, and the button that starts it.

    Parameters
    ----------
    actions : ActionSet
    name : str
        For screen readers.
    main : str
        Word on the main button.

    Signals
    -------
    choices_changed(object)
        The user changed something; fields with errors keep their last value.
    optimizer_chosen(str)
        The user picked an optimiser; the owner answers with `set_settings_class`.
    other_optimizer_wanted()
        The user wants to name a class.
    """

    choices_changed = Signal(object)
    optimizer_chosen = Signal(str)
    other_optimizer_wanted = Signal()

    kind = "align"
    """Kind of the jobs, which decides what optimisers there are."""
    main_action = "align"
    """Id of the action behind the main button."""
    side_actions: tuple[str, ...] = ("add_to_race", "race")
    """Ids of the actions behind the buttons under it."""

    def __init__(self, actions: ActionSet, name: str, main: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName(name)
        self._actions = actions
        self._main = main
        self._showing = False
        self._choices: Any = None
        self.steps = self._number(
            FieldSpec("steps", "steps", "int", 1000, minimum=1, maximum=10**7, scale="log", help="Most steps of a run.")
        )
        self.seed = self._number(
            FieldSpec("seed", "seed", "int", 0, minimum=0, help="Seed of random starts and random probes.")
        )
        self._build_optimizer()

    # -- building -------------------------------------------------------------------------------------------------

    def _lay_out(self, parts: Sequence[QWidget]) -> None:
        inside = QWidget()
        inside.setObjectName("plain")
        column = QVBoxLayout(inside)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(10)
        for part in parts:
            column.addWidget(part)
        column.addStretch(1)
        self.scroll_area = scrolled(inside)
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.scroll_area, 1)
        layout.addLayout(self._build_buttons())
        self.setMinimumWidth(panel_width())

    @staticmethod
    def _part(title: str) -> tuple[QWidget, QVBoxLayout]:
        part = QWidget()
        part.setObjectName("plain")
        layout = QVBoxLayout(part)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        heading = QLabel(title)
        heading.setObjectName("sectionTitle")
        layout.addWidget(heading)
        return part, layout

    @staticmethod
    def _row(grid: QGridLayout, text: str, editor: QWidget) -> QLabel:
        label = QLabel(text)
        label.setObjectName("fieldLabel")
        label.setBuddy(editor)
        row = grid.rowCount()
        grid.addWidget(label, row, 0)
        grid.addWidget(editor, row, 1)
        grid.setColumnStretch(1, 1)
        return label

    @staticmethod
    def _grid(section: Section) -> QGridLayout:
        grid = QGridLayout(section.body)
        grid.setContentsMargins(12, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnMinimumWidth(0, scaled(LABEL_WIDTH) - 12)
        return grid

    @staticmethod
    def _line_up(grid: QGridLayout) -> None:
        """Let the fields of a grid begin where those of the optimiser's form do."""
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnMinimumWidth(0, scaled(LABEL_WIDTH))

    @staticmethod
    def _caption(name: str) -> QLabel:
        """Return a line of small words, by its name for screen readers."""
        line = QLabel()
        line.setObjectName("caption")
        line.setWordWrap(True)
        line.setAccessibleName(name)
        return line

    @staticmethod
    def _with_browser(editor: QWidget, tip: str, name: str) -> tuple[QWidget, QToolButton]:
        """Put a button that opens files beside what names one; return both as a row, and the button."""
        browse = QToolButton()
        set_icon(browse, "folder-open")
        browse.setToolTip(tip)
        browse.setAccessibleName(name)
        row = QWidget()
        row.setObjectName("plain")
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(editor, 1)
        layout.addWidget(browse)
        return row, browse

    def _number(self, spec: FieldSpec) -> FieldEditor:
        editor = FieldEditor(spec, spec.name)
        editor.set_recommended(spec.default)
        editor.changed.connect(self._collect)
        return editor

    def _number_row(self, grid: QGridLayout, editor: FieldEditor) -> None:
        self._row(grid, editor.spec.title, editor).setBuddy(editor.editor)

    def _build_optimizer(self) -> None:
        self._optimizer_part, layout = self._part("OPTIMISER")
        named = [Choice(name, model.title, model.summary) for name, model in settings_for(self.kind).items()]
        self.optimizer = ChoiceBox(named, "Optimiser")
        self.optimizer.insertSeparator(self.optimizer.count())
        for name, title in TORCH_CLASSES.items():
            self.optimizer.add_choice(Choice(name, title, f"torch.optim.{title}, its form made from its signature"))
        self.optimizer.addItem("Other class…", _OTHER)
        self.form = SettingsForm()
        layout.addWidget(self.optimizer)
        layout.addWidget(self.form)
        self.optimizer.chosen.connect(self._choose_optimizer)
        self.form.changed.connect(self._collect)

    def _build_buttons(self) -> QVBoxLayout:
        self.main_button = QPushButton(self._main)
        self.main_button.setObjectName("primary")
        self.main_button.setToolTip(self._actions[self.main_action].toolTip())
        self.main_button.setAccessibleName(self._main)
        self.main_button.setAutoDefault(True)
        self.main_button.clicked.connect(self._press_main)
        buttons = QVBoxLayout()
        buttons.setContentsMargins(10, 8, 10, 10)
        buttons.setSpacing(6)
        buttons.addWidget(self.main_button)
        row = QHBoxLayout()
        row.setSpacing(6)
        self.race_buttons: dict[str, ActionButton] = {}
        for identifier in self.side_actions:
            button = ActionButton(self._actions[identifier])
            self.race_buttons[identifier] = button
            row.addWidget(button, 1)
        buttons.addLayout(row)
        return buttons

    def _set(self, **changes: Any) -> None:
        """Change what the user chose, and tell; while choices are being shown, nothing was chosen."""
        if self._showing:
            return
        new = replace(self._choices, **changes)
        if new != self._choices:
            self._choices = new
            self.choices_changed.emit(new)

    # -- showing --------------------------------------------------------------------------------------------------

    @property
    def choices(self) -> Any:
        """The choices that are shown."""
        return self._choices

    @abstractmethod
    def show_choices(self, choices: Any) -> None:
        """Show choices without reporting them back; the form of the optimiser is set by `set_settings_class`."""

    def set_settings_class(
        self,
        model: type[BaseModel],
        recommended: Mapping[str, Any],
        overrides: Mapping[str, Any],
        *,
        parameter_unit: str = "",
    ) -> None:
        """Show the form of the chosen optimiser."""
        self._showing = True
        self.form.set_model(model, parameter_unit)
        self.form.set_recommended(recommended)
        self.form.set_overrides(overrides)
        self._showing = False
        self._collect()

    def show_running(self, running: bool, *, possible: bool) -> None:
        """Turn the main button into Stop while a run goes on."""
        self.main_button.setText("Stop" if running else self._main)
        self.main_button.setAccessibleName(self.main_button.text())
        self.main_button.setToolTip(self._actions["stop" if running else self.main_action].toolTip())
        # The button keeps the focus: one that is disabled for a moment would lose it.
        self.main_button.setEnabled(running or possible or self._actions["stop"].isEnabled())

    def show_entrants(self, names: Sequence[str]) -> None:
        """Show how many entrants wait for the race."""
        listed = "\n".join(names)
        self.race_buttons["race"].set_words(
            f"Race ({len(names)})" if names else "Race", f"{self._actions['race'].toolTip()}\n{listed}".strip()
        )

    def errors(self) -> dict[str, str]:
        """Return what is wrong in the fields, by the name of the field."""
        found = dict(self.form.errors())
        for editor in self._editors():
            if editor.error:
                found[editor.spec.title] = editor.error
        return found

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _editors(self) -> Sequence[FieldEditor]:
        """Return the fields besides those of the form."""
        return self.steps, self.seed

    @staticmethod
    def _show_number(editor: FieldEditor, value: Any) -> None:
        if value == editor.spec.default:
            editor.clear()
        else:
            editor.set_override(value)

    def _show_optimizer_name(self, name: str) -> None:
        if self.optimizer.findData(name) < 0:
            self.optimizer.insertItem(self.optimizer.count() - 1, title_of(name), name)
        self.optimizer.show_value(name)

    def _press_main(self) -> None:
        running = self._actions["stop"].isEnabled()
        self._actions["stop" if running else self.main_action].trigger()

    def _collect(self) -> None:
        """Take over what the fields hold; panels do so in their own choices."""

    def _choose_optimizer(self, name: str) -> None:
        if name == _OTHER:
            self._show_optimizer_name(self._optimizer_name())
            self.other_optimizer_wanted.emit()
        else:
            self.optimizer_chosen.emit(name)

    @abstractmethod
    def _optimizer_name(self) -> str:
        """Return the name of the chosen optimiser."""
