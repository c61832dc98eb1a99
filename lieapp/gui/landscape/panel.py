"""The left panel of the Landscape workbench: which landscape, from where, by which optimisers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFileDialog,
    QGridLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from lieapp.alignment.choices import Choice
from lieapp.gui.application.actions import ActionSet
from lieapp.gui.landscape.session import LandscapeChoices, evaluations_for
from lieapp.gui.widgets.forms import FieldEditor
from lieapp.gui.widgets.marking import mark
from lieapp.gui.widgets.section import Section
from lieapp.gui.widgets.words import with_minus
from lieapp.gui.workbench.scene_panel import ScenePanel
from lieapp.gui.workbench.settings_panel import ChoiceBox
from lieapp.landscapes.catalog import LANDSCAPES, SURFACES, Landscape, Surface, formula_surface
from lieapp.landscapes.formula import FormulaError, parse_formula
from lieapp.optimizers.fields import FieldSpec

__all__ = ["LandscapePanel"]

_MORE = "more…"
_RANDOM_START = "Random, a little way from where the landscape is stationary, by the seed."


def _choice(entry: Landscape) -> Choice:
    return Choice(entry.name, entry.title.replace(" ...", "…"), entry.teaches)


class LandscapePanel(ScenePanel):
    """Everything that decides the next run on a landscape, and the buttons that start one or a race.

    Parameters
    ----------
    actions : ActionSet
    """

    kind = "landscape"

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(actions, "Settings of the landscape", parent)
        self._choices: LandscapeChoices = LandscapeChoices()
        self._build_landscape()
        self._build_start()
        self._lay_out([self._landscape_part, self._start_part, self._race_part, self._optimizer_part])
        self.show_choices(self._choices)

    # -- building -------------------------------------------------------------------------------------------------

    def _build_landscape(self) -> None:
        self._landscape_part, layout = self._part("LANDSCAPE")
        self.landscape = ChoiceBox([_choice(entry) for entry in LANDSCAPES.values() if entry.first], "Landscape")
        self.landscape.addItem("More surfaces…", _MORE)
        self.landscape.setItemData(
            self.landscape.count() - 1, "Add the other surfaces to this list", Qt.ItemDataRole.ToolTipRole
        )
        self.formula = QLineEdit()
        self.formula.setObjectName("setting.formula")
        self.formula.setAccessibleName("Formula in x and y")
        self.formula.setToolTip(
            "A function of x and y, such as x^2 - y^2 + y^4 or sin(3*x)*cos(y) + exp(-x^2); Enter shows it"
        )
        self.formula.setPlaceholderText("x^2 - y^2 + y^4")
        self.formula_error = QLabel()
        self.formula_error.setObjectName("fieldError")
        self.formula_error.setWordWrap(True)
        self.formula_error.setAccessibleName("What is wrong with the formula")
        self.formula_error.hide()
        self.text_file = QLineEdit()
        self.text_file.setPlaceholderText("bundled text")
        self.text_file.setAccessibleName("Text that the network learns")
        self.text_file.setToolTip("A text file in UTF-8; the bundled one if empty")
        self.text_row, browse = self._with_browser(self.text_file, "Choose a text file", "Choose a text file")
        browse.clicked.connect(self._browse)
        self.line = self._caption("What this landscape shows")
        for widget in (self.landscape, self.formula, self.formula_error, self.text_row, self.line):
            layout.addWidget(widget)
        self.landscape.chosen.connect(self._choose_landscape)
        self.formula.textEdited.connect(self._check_formula)
        self.formula.editingFinished.connect(self._take_formula)
        self.text_file.editingFinished.connect(lambda: self._set(text=self.text_file.text().strip() or None))

    def _build_start(self) -> None:
        self._start_part, layout = self._part("START")
        self.start = tuple(
            self._number(FieldSpec(name, name, "float", 0.0, help=f"Where runs start: {name}. Or click the picture."))
            for name in ("x", "y")
        )
        self.point_row = QWidget()
        self.point_row.setObjectName("plain")
        points = QGridLayout(self.point_row)
        points.setContentsMargins(0, 0, 0, 0)
        for editor in self.start:
            self._number_row(points, editor)
        self.start_line = self._caption("Where runs start")
        self.start_line.setText(_RANDOM_START)
        layout.addWidget(self.point_row)
        layout.addWidget(self.start_line)
        self.evaluations = self._number(
            FieldSpec("evaluations", "evaluations", "float", 300.0, minimum=1.0, maximum=1e7, scale="log",
                      help="Budget of a run, and of every entrant of a race, in gradients computed.")
        )  # fmt: skip
        self.offset = self._number(
            FieldSpec("offset", "offset", "float", None, minimum=0.0, exclusive_minimum=True, maximum=1e3, scale="log",
                      optional=True, help="Distance of a random start from the saddle.")
        )  # fmt: skip
        rows = QGridLayout()
        self._number_row(rows, self.evaluations)
        for grid in (points, rows):
            self._line_up(grid)
        layout.addLayout(rows)
        self.start_more = Section("Seed and offset", "What decides random starts and random probes")
        grid = self._grid(self.start_more)
        self._number_row(grid, self.seed)
        self._number_row(grid, self.offset)
        if isinstance(self.offset.editor, QLineEdit):
            self.offset.editor.setPlaceholderText("auto")
        layout.addWidget(self.start_more)

    # -- showing --------------------------------------------------------------------------------------------------

    def show_choices(self, choices: LandscapeChoices) -> None:
        """Show choices without reporting them back; the form of the optimiser is set by `set_settings_class`."""
        self._showing = True
        self._choices = choices
        entry = LANDSCAPES[choices.landscape]
        if self.landscape.findData(choices.landscape) < 0:
            self._add_more()
        self.landscape.show_value(choices.landscape)
        if self.formula.text().strip() != choices.formula and not self.formula.hasFocus():
            self.formula.setText(choices.formula)
        if self.text_file.text() != (choices.text or ""):
            self.text_file.setText(choices.text or "")
        self._show_optimizer_name(choices.optimizer)
        self.evaluations.set_recommended(evaluations_for(choices.landscape))
        for editor, value in ((self.evaluations, choices.evaluations), (self.offset, choices.offset)):
            if value is None:
                editor.clear()
            else:
                editor.set_override(value)
        self._show_number(self.seed, choices.seed)
        self._show_start(choices, entry)
        self._show_landscape(entry)
        self._showing = False

    def _show_start(self, choices: LandscapeChoices, entry: Landscape) -> None:
        planar = entry.is_planar
        self.point_row.setVisible(planar)
        self.start_line.setVisible(not planar)
        self.offset.setEnabled(entry.starts_beside_saddle)
        if not planar:
            network = entry.dimension is None
            self.start_line.setText("Random weights, by the seed." if network else _RANDOM_START)
            return
        self._show_astray(choices)
        own = self._surface(choices).start
        for number, editor in enumerate(self.start):
            editor.set_recommended(float(f"{own[number]:.6g}"))
            if choices.start is None or choices.start[number] == own[number]:
                if editor.overridden:
                    editor.clear()
            else:
                editor.set_override(float(f"{choices.start[number]:.6g}"))

    def _show_astray(self, choices: LandscapeChoices) -> None:
        """Say so where runs on a surface would start beside the picture."""
        surface = self._surface(choices)
        (x0, x1), (y0, y1) = surface.domain
        x, y = choices.start or surface.start
        shown = f"x from {x0:g} to {x1:g} and y from {y0:g} to {y1:g}"
        self.start_line.setText(f"Beside the picture, which shows {with_minus(shown)}.")
        self.start_line.setVisible(not (x0 <= x <= x1 and y0 <= y <= y1))

    @staticmethod
    def _surface(choices: LandscapeChoices) -> Surface:
        if choices.landscape in SURFACES:
            return SURFACES[choices.landscape]
        return formula_surface(choices.formula)

    def _show_landscape(self, entry: Landscape) -> None:
        typed = entry.name == "formula"
        self.formula.setVisible(typed)
        self.formula_error.setVisible(typed and bool(self.formula_error.text()))
        self.text_row.setVisible(entry.name.startswith("transformer"))
        shape = SURFACES.get(entry.name)
        formula = "" if shape is None or shape.formula == shape.title else f"f = {shape.formula}\n"
        self.line.setText(f"{formula}{entry.teaches}")

    def errors(self) -> dict[str, str]:
        found = super().errors()
        if self._choices.landscape == "formula" and self.formula_error.text():
            found["formula"] = self.formula_error.text().rstrip(".")
        return found

    # -- reporting ------------------------------------------------------------------------------------------------

    def _editors(self) -> Sequence[FieldEditor]:
        return (*self.start, self.evaluations, self.seed, self.offset)

    def _collect(self) -> None:
        if self._showing:
            return
        changes: dict[str, Any] = {"overrides": self.form.overrides()}
        if not self.seed.error:
            changes["seed"] = self.seed.value()
        for name, editor in (("evaluations", self.evaluations), ("offset", self.offset)):
            if not editor.error:
                changes[name] = editor.value() if editor.overridden else None
        if LANDSCAPES[self._choices.landscape].is_planar and not any(editor.error for editor in self.start):
            given = any(editor.overridden for editor in self.start)
            changes["start"] = tuple(float(editor.value()) for editor in self.start) if given else None
        self._set(**changes)
        if LANDSCAPES[self._choices.landscape].is_planar:
            self._show_astray(self._choices)

    def _choose_landscape(self, name: str) -> None:
        if name == _MORE:
            self._add_more()
            self.landscape.show_value(self._choices.landscape)
            self.landscape.showPopup()
            return
        self._set(landscape=name, start=None, offset=None, evaluations=None)
        self.show_choices(self._choices)
        if name == "formula":
            self._check_formula()
            self.formula.setFocus(Qt.FocusReason.OtherFocusReason)
            self.formula.selectAll()

    def _add_more(self) -> None:
        """Put the other surfaces into the list, in the place of the entry that offers them."""
        index = self.landscape.findData(_MORE)
        if index < 0:
            return
        self.landscape.removeItem(index)
        self.landscape.insertSeparator(self.landscape.count())
        for entry in LANDSCAPES.values():
            if not entry.first:
                self.landscape.add_choice(_choice(entry))

    def _check_formula(self) -> bool:
        """Say what is wrong with the formula, if anything; return whether it can be read."""
        try:
            parse_formula(self.formula.text())
        except FormulaError as error:
            text = str(error)
            self.formula_error.setText(text[:1].upper() + text[1:])
        else:
            self.formula_error.setText("")
        wrong = bool(self.formula_error.text())
        self.formula_error.setVisible(wrong and self._choices.landscape == "formula")
        mark(self.formula, "invalid", wrong)
        return not wrong

    def _take_formula(self) -> None:
        if self._choices.landscape == "formula" and self._check_formula():
            text = self.formula.text().strip()
            if text != self._choices.formula:
                self._set(formula=text, start=None)
                self.show_choices(self._choices)

    def _browse(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Text to learn", "", "Text (*.txt *.md);;All files (*)")
        if name:
            self.text_file.setText(name)
            self._set(text=name)
