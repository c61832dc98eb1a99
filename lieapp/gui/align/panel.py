"""The left panel of the Align workbench: two structures, the pairs, what is fitted, by which optimiser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from lieapp.alignment.choices import ATOMS, OBJECTIVES, PAIRINGS, PARAMETRISATIONS, PIVOTS, STARTS, WEIGHTS
from lieapp.gui.align.session import SLOTS, AlignChoices, SlotName
from lieapp.gui.align.slot_card import SlotCard
from lieapp.gui.application.actions import ActionSet
from lieapp.gui.widgets.forms import LABEL_WIDTH, FieldEditor
from lieapp.gui.widgets.section import Section
from lieapp.gui.widgets.theme import scaled
from lieapp.gui.workbench.settings_panel import ChoiceBox, SettingsPanel
from lieapp.optimizers.fields import FieldSpec
from lieapp.scene.colors import MOBILE, TARGET

__all__ = ["AlignPanel"]


class AlignPanel(SettingsPanel):
    """Everything that decides the next alignment, and the button that starts it.

    Parameters
    ----------
    actions : ActionSet
    """

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(actions, "Settings of the alignment", "Align", parent)
        self._choices = AlignChoices()
        self.slots: dict[SlotName, SlotCard] = {
            "mobile": SlotCard("MOVES", MOBILE),
            "target": SlotCard("STAYS", TARGET),
        }
        self._build_pairs()
        self._build_fit()
        parts = (self._pairs_part, self._fit_part, self._optimizer_part)
        self._lay_out([*(self.slots[name] for name in SLOTS), *parts])
        self.show_choices(self._choices)

    # -- building -------------------------------------------------------------------------------------------------

    def _build_pairs(self) -> None:
        self._pairs_part, layout = self._part("PAIRS")
        self.pairing = ChoiceBox(PAIRINGS, "How residues are paired")
        self.pairs_line = self._caption("What was paired")
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
        for editor in (self.steps, self.seed):
            self._number_row(grid, editor)
        layout.addWidget(self.fit_more)
        self.objective.chosen.connect(self._choose_objective)
        self.parametrisation.chosen.connect(lambda value: self._set(parametrisation=value))
        self.pivot.chosen.connect(lambda value: self._set(pivot=value))
        self.start.chosen.connect(lambda value: self._set(start=value))

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
            self._show_number(editor, value)
        self._show_scale()
        self._showing = False

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

    def _editors(self) -> Sequence[FieldEditor]:
        return (self.steps, self.seed) if self.scale is None else (self.steps, self.seed, self.scale)

    # -- reporting ------------------------------------------------------------------------------------------------

    def _set(self, **changes: Any) -> None:
        if changes.get("start", self._choices.start) != "given":
            changes["start_pose"] = None
        super()._set(**changes)

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

    def _optimizer_name(self) -> str:
        return self._choices.optimizer

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
