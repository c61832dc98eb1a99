"""The left panel of the Align workbench: two structures, the pairs, what is fitted, by which optimiser."""

from __future__ import annotations

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
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from lieapp.alignment.choices import (
    ATOMS,
    OBJECTIVES,
    PAIRINGS,
    PARAMETRISATIONS,
    PIVOTS,
    STARTS,
    WEIGHTS,
    Choice,
)
from lieapp.gui.actions import ActionSet
from lieapp.gui.align_session import SLOTS, AlignChoices, SlotName
from lieapp.gui.forms import LABEL_WIDTH, FieldEditor, Section, SettingsForm
from lieapp.gui.slot_card import SlotCard
from lieapp.gui.theme import scaled
from lieapp.optimizers.fields import FieldSpec
from lieapp.optimizers.names import TORCH_CLASSES, title_of
from lieapp.optimizers.settings import SETTINGS
from lieapp.scene.colors import MOBILE, TARGET

__all__ = ["AlignPanel", "ChoiceBox", "panel_width"]

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
                self.addItem(choice.title, choice.value)
                self.setItemData(self.count() - 1, choice.help, Qt.ItemDataRole.ToolTipRole)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(6)
        self.activated.connect(lambda index: self.chosen.emit(self.itemData(index)))
        self.currentIndexChanged.connect(self._describe)
        self._describe()

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


class AlignPanel(QFrame):
    """Everything that decides the next run, and the button that starts it.

    Parameters
    ----------
    actions : ActionSet

    Signals
    -------
    choices_changed(AlignChoices)
        The user changed something; fields with errors keep their last value.
    optimizer_chosen(str)
        The user picked an optimiser; the owner answers with `set_settings_class`.
    other_optimizer_wanted()
        The user wants to name a class.
    """

    choices_changed = Signal(object)
    optimizer_chosen = Signal(str)
    other_optimizer_wanted = Signal()

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName("Settings of the alignment")
        self._actions = actions
        self._choices = AlignChoices()
        self._showing = False
        self.slots: dict[SlotName, SlotCard] = {
            "mobile": SlotCard("MOVES", MOBILE),
            "target": SlotCard("STAYS", TARGET),
        }
        self._build_pairs()
        self._build_fit()
        self._build_optimizer()
        inside = QWidget()
        inside.setObjectName("plain")
        column = QVBoxLayout(inside)
        column.setContentsMargins(10, 8, 10, 8)
        column.setSpacing(10)
        for name in SLOTS:
            column.addWidget(self.slots[name])
        for part in (self._pairs_part, self._fit_part, self._optimizer_part):
            column.addWidget(part)
        column.addStretch(1)
        self.scroll_area = QScrollArea()
        self.scroll_area.setWidget(inside)
        self.scroll_area.setWidgetResizable(True)
        self.scroll_area.setFrameShape(QFrame.Shape.NoFrame)
        self.scroll_area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scroll_area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.scroll_area, 1)
        layout.addLayout(self._build_buttons())
        self.setMinimumWidth(panel_width())
        self.show_choices(self._choices)

    # -- building -------------------------------------------------------------------------------------------------

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

    def _build_pairs(self) -> None:
        self._pairs_part, layout = self._part("PAIRS")
        self.pairing = ChoiceBox(PAIRINGS, "How residues are paired")
        self.pairs_line = QLabel()
        self.pairs_line.setObjectName("caption")
        self.pairs_line.setWordWrap(True)
        self.pairs_line.setAccessibleName("What was paired")
        layout.addWidget(self.pairing)
        layout.addWidget(self.pairs_line)
        self.selections = Section("Atoms and selections", "Which atoms are paired, which pairs fit and which count")
        grid = self._grid(self.selections)
        self.atoms = ChoiceBox(ATOMS, "Atoms")
        self.fit = self._selection("Residues that drive the fit")
        self.report = self._selection("Residues over which scores are reported")
        self.weights = ChoiceBox(WEIGHTS, "Weights")
        for text, editor in (
            ("atoms", self.atoms),
            ("fit", self.fit),
            ("report", self.report),
            ("weights", self.weights),
        ):
            self._row(grid, text, editor)
        layout.addWidget(self.selections)
        self.pairing.chosen.connect(lambda value: self._set(pairing=value))
        self.atoms.chosen.connect(lambda value: self._set(atoms=value))
        self.weights.chosen.connect(lambda value: self._set(weights=value))
        self.fit.editingFinished.connect(lambda: self._set(fit=self.fit.text().strip() or "all"))
        self.report.editingFinished.connect(lambda: self._set(report=self.report.text().strip() or "all"))

    @staticmethod
    def _selection(name: str) -> QLineEdit:
        edit = QLineEdit()
        edit.setPlaceholderText("all")
        edit.setAccessibleName(name)
        edit.setToolTip(f"{name}: all, A, A:1-29,60-121, plddt>=70, b<30 or core, joined by and, or, not")
        return edit

    def _build_fit(self) -> None:
        self._fit_part, layout = self._part("FIT BY")
        self.objective = ChoiceBox(OBJECTIVES, "Objective")
        self.parametrisation = ChoiceBox(PARAMETRISATIONS, "Parametrisation")
        self.start = ChoiceBox([choice for choice in STARTS if choice.value != "given"], "Start")
        layout.addWidget(self.objective)
        rows = QGridLayout()
        rows.setHorizontalSpacing(8)
        rows.setVerticalSpacing(4)
        self._row(rows, "motion", self.parametrisation).setFixedWidth(scaled(LABEL_WIDTH))
        self._row(rows, "start", self.start).setFixedWidth(scaled(LABEL_WIDTH))
        layout.addLayout(rows)
        self.fit_more = Section("Pivot, scale and limits", "Pivot, scale of the objective, seed and most steps")
        grid = self._grid(self.fit_more)
        self.pivot = ChoiceBox(PIVOTS, "Pivot")
        self._row(grid, "pivot", self.pivot)
        self._scale_holder = QWidget()
        self._scale_holder.setObjectName("plain")
        holder = QVBoxLayout(self._scale_holder)
        holder.setContentsMargins(0, 0, 0, 0)
        self.scale: FieldEditor | None = None
        self._scale_label = self._row(grid, "scale", self._scale_holder)
        self.steps = FieldEditor(
            FieldSpec(
                "steps", "steps", "int", 1000, minimum=1, maximum=10**7, scale="log", help="Most steps of a run."
            ),
            "steps",
        )
        self.seed = FieldEditor(
            FieldSpec("seed", "seed", "int", 0, minimum=0, help="Seed of random starts and random probes."), "seed"
        )
        for editor in (self.steps, self.seed):
            editor.set_recommended(editor.spec.default)
            self._row(grid, editor.spec.title, editor).setBuddy(editor.editor)
            editor.changed.connect(self._collect)
        layout.addWidget(self.fit_more)
        self.objective.chosen.connect(self._choose_objective)
        self.parametrisation.chosen.connect(lambda value: self._set(parametrisation=value))
        self.pivot.chosen.connect(lambda value: self._set(pivot=value))
        self.start.chosen.connect(lambda value: self._set(start=value))

    def _build_optimizer(self) -> None:
        self._optimizer_part, layout = self._part("OPTIMISER")
        named = [Choice(name, model.title, model.summary) for name, model in SETTINGS.items()]
        self.optimizer = ChoiceBox(named, "Optimiser")
        self.optimizer.insertSeparator(self.optimizer.count())
        for name, title in TORCH_CLASSES.items():
            self.optimizer.addItem(title, name)
            self.optimizer.setItemData(
                self.optimizer.count() - 1,
                f"torch.optim.{title}, its form made from its signature",
                Qt.ItemDataRole.ToolTipRole,
            )
        self.optimizer.addItem("Other class…", _OTHER)
        self.form = SettingsForm()
        layout.addWidget(self.optimizer)
        layout.addWidget(self.form)
        self.optimizer.chosen.connect(self._choose_optimizer)
        self.form.changed.connect(self._collect)

    def _build_buttons(self) -> QVBoxLayout:
        self.align_button = QPushButton("Align")
        self.align_button.setObjectName("primary")
        self.align_button.setToolTip(self._actions["align"].toolTip())
        self.align_button.setAccessibleName("Align")
        self.align_button.setAutoDefault(True)
        self.align_button.clicked.connect(self._press_align)
        buttons = QVBoxLayout()
        buttons.setContentsMargins(10, 8, 10, 10)
        buttons.setSpacing(6)
        buttons.addWidget(self.align_button)
        row = QHBoxLayout()
        row.setSpacing(6)
        self.race_buttons: dict[str, QPushButton] = {}
        for identifier in ("add_to_race", "race"):
            action = self._actions[identifier]
            button = QPushButton(action.iconText())
            button.setToolTip(action.toolTip())
            button.setAccessibleName(action.iconText())
            button.clicked.connect(lambda _checked=False, action=action: action.trigger())
            button.setEnabled(action.isEnabled())
            action.enabledChanged.connect(button.setEnabled)
            self.race_buttons[identifier] = button
            row.addWidget(button, 1)
        buttons.addLayout(row)
        return buttons

    # -- showing --------------------------------------------------------------------------------------------------

    def show_choices(self, choices: AlignChoices) -> None:
        """Show choices without reporting them back; the form of the optimiser is set by `set_settings_class`."""
        self._showing = True
        self._choices = choices
        self.pairing.show_value(choices.pairing)
        self.atoms.show_value(choices.atoms)
        self.weights.show_value(choices.weights)
        for edit, text in ((self.fit, choices.fit), (self.report, choices.report)):
            edit.setText("" if text == "all" else text)
        self.objective.show_value(choices.objective)
        self.parametrisation.show_value(choices.parametrisation)
        self.pivot.show_value(choices.pivot)
        if choices.start == "given" and self.start.findData("given") < 0:
            self.start.addItem("by hand", "given")
        elif choices.start != "given" and (index := self.start.findData("given")) >= 0:
            self.start.removeItem(index)
        self.start.show_value(choices.start)
        self._show_optimizer_name(choices.optimizer)
        for editor, value in ((self.steps, choices.steps), (self.seed, choices.seed)):
            if value == editor.spec.default:
                editor.clear()
            else:
                editor.set_override(value)
        self._show_scale()
        self._showing = False

    def set_settings_class(
        self,
        model: type[BaseModel],
        recommended: Mapping[str, Any],
        overrides: Mapping[str, Any],
        *,
        parameter_unit: str,
    ) -> None:
        """Show the form of the chosen optimiser."""
        self._showing = True
        self.form.set_model(model, parameter_unit)
        self.form.set_recommended(recommended)
        self.form.set_overrides(overrides)
        self._showing = False
        self._collect()

    def show_pairs(self, line: str, *, count: int | None, problem: bool = False) -> None:
        """Show what was paired, or why nothing was."""
        title = next(choice.title for choice in PAIRINGS if choice.value == self._choices.pairing)
        index = self.pairing.findData(self._choices.pairing)
        for choice in PAIRINGS:
            if choice.available:
                self.pairing.setItemText(self.pairing.findData(choice.value), choice.title.capitalize())
        if count is not None and index >= 0:
            self.pairing.setItemText(index, f"{title.capitalize()}: {count} pairs")
        self.pairs_line.setText(line)
        self.pairs_line.setToolTip(line)
        name = "fieldError" if problem else "caption"
        if self.pairs_line.objectName() != name:
            self.pairs_line.setObjectName(name)
            self.pairs_line.style().unpolish(self.pairs_line)
            self.pairs_line.style().polish(self.pairs_line)

    def show_running(self, running: bool, *, possible: bool) -> None:
        """Turn the main button into Stop while a run goes on."""
        self.align_button.setText("Stop" if running else "Align")
        self.align_button.setAccessibleName(self.align_button.text())
        self.align_button.setToolTip(self._actions["stop" if running else "align"].toolTip())
        # The button keeps the focus: one that is disabled for a moment would lose it.
        self.align_button.setEnabled(running or possible or self._actions["stop"].isEnabled())

    def show_entrants(self, names: Sequence[str]) -> None:
        """Show how many entrants wait for the race."""
        button = self.race_buttons["race"]
        button.setText(f"Race ({len(names)})" if names else "Race")
        listed = "\n".join(names)
        button.setToolTip(f"{self._actions['race'].toolTip()}\n{listed}".strip())

    def errors(self) -> dict[str, str]:
        """Return what is wrong in the fields, by the name of the field."""
        found = dict(self.form.errors())
        for editor in (self.steps, self.seed, self.scale):
            if editor is not None and editor.error:
                found[editor.spec.title] = editor.error
        return found

    # -- reporting ------------------------------------------------------------------------------------------------

    def _press_align(self) -> None:
        running = self._actions["stop"].isEnabled()
        self._actions["stop" if running else "align"].trigger()

    def _set(self, **changes: Any) -> None:
        if self._showing:
            return
        new = replace(self._choices, **changes)
        if new.start != "given":
            new = replace(new, start_pose=None)
        if new != self._choices:
            self._choices = new
            self.choices_changed.emit(new)

    def _collect(self) -> None:
        if self._showing:
            return
        changes: dict[str, Any] = {"overrides": self.form.overrides()}
        for name, editor in (("steps", self.steps), ("seed", self.seed)):
            if not editor.error:
                changes[name] = editor.value()
        if self.scale is not None and not self.scale.error:
            changes["objective_scale"] = self.scale.value() if self.scale.overridden else None
        self._set(**changes)

    def _choose_objective(self, value: str) -> None:
        self._set(objective=value, objective_scale=None)
        self._show_scale()

    def _choose_optimizer(self, name: str) -> None:
        if name == _OTHER:
            self._show_optimizer_name(self._choices.optimizer)
            self.other_optimizer_wanted.emit()
        else:
            self.optimizer_chosen.emit(name)

    def _show_optimizer_name(self, name: str) -> None:
        if self.optimizer.findData(name) < 0:
            self.optimizer.insertItem(self.optimizer.count() - 1, title_of(name), name)
        self.optimizer.show_value(name)

    def _show_scale(self) -> None:
        objective = next(choice for choice in OBJECTIVES if choice.value == self._choices.objective)
        layout = self._scale_holder.layout()
        assert layout is not None
        if self.scale is not None:
            layout.removeWidget(self.scale)
            self.scale.hide()
            self.scale.deleteLater()
            self.scale = None
        shown = bool(objective.scale_title)
        self._scale_holder.setVisible(shown)
        self._scale_label.setVisible(shown)
        if not shown:
            return
        spec = FieldSpec(
            "objective_scale",
            objective.scale_title,
            "float",
            objective.scale_default,
            minimum=objective.scale_minimum,
            maximum=objective.scale_maximum,
            scale="log",
            unit=objective.scale_unit,
            help=objective.scale_help,
            optional=True,
        )
        self.scale = FieldEditor(spec, "objective_scale")
        self._scale_label.setText(f"{objective.scale_title}, {objective.scale_unit}".rstrip(", "))
        self._scale_label.setBuddy(self.scale.editor)
        layout.addWidget(self.scale)
        self.scale.set_recommended(objective.scale_default)
        if self._choices.objective_scale is not None:
            self.scale.set_override(self._choices.objective_scale)
        if objective.scale_default is None and isinstance(self.scale.editor, QLineEdit):
            self.scale.editor.setPlaceholderText("auto  from the length")
        self.scale.changed.connect(self._collect)
