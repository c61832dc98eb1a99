"""The left panel of the Cryo-EM workbench: which images, by which methods, how long."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QGridLayout, QWidget

from lieapp.alignment.choices import Choice
from lieapp.cryoem.choices import PRECONDITIONERS, STARTS
from lieapp.cryoem.phantoms import PHANTOMS
from lieapp.gui.application.actions import ActionSet
from lieapp.gui.cryoem.session import PRECONDITIONER_TITLES, CryoemChoices, ParticleFacts
from lieapp.gui.runs.session import Entry
from lieapp.gui.widgets.forms import FieldEditor
from lieapp.gui.widgets.section import Section
from lieapp.gui.widgets.value_slider import ValueSlider
from lieapp.gui.workbench.scene_panel import ScenePanel
from lieapp.gui.workbench.settings_panel import ChoiceBox
from lieapp.optimizers.fields import FieldSpec

if TYPE_CHECKING:
    from lieapp.scene.lines import Dash

__all__ = ["CryoemPanel"]

_IMAGES = (100, 200, 300, 500, 700, 1000, 1500, 2000, 3000, 5000)
_SNRS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 100.0)
_DEFOCUS = tuple(0.5 + 0.25 * k for k in range(15))
_DEFOCUS_SPREAD = 0.4  # lowest over highest
_PREFERRED = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
_KIND_WORDS = {"structure": "Atomic structure", "map": "Map", "particles": "Particles"}


class CryoemPanel(ScenePanel):
    """Everything that decides the next reconstruction, and the buttons that start one or a race.

    Parameters
    ----------
    actions : ActionSet

    Signals
    -------
    source_chosen(str, str)
        Kind and path of what the images come from.
    open_wanted()
        A file is to be chosen.
    slider_settled()
        The user let go of a slider: the race should run on what it chose.
    """

    source_chosen = Signal(str, str)
    open_wanted = Signal()
    slider_settled = Signal()

    kind = "cryoem"

    def __init__(self, actions: ActionSet, parent: QWidget | None = None) -> None:
        super().__init__(actions, "Settings of the reconstruction", parent)
        self._choices: CryoemChoices = CryoemChoices()
        self._facts: ParticleFacts | None = None
        self._files: list[tuple[str, str]] = []
        self._build_images()
        self._build_method()
        self._lay_out([self._images_part, self._race_part, self._method_part, self._optimizer_part, self._length_part])
        self.show_choices(self._choices)

    # -- building -------------------------------------------------------------------------------------------------

    def _build_images(self) -> None:
        self._images_part, layout = self._part("IMAGES")
        self.source = ChoiceBox([], "Source of the images")
        self.source.chosen.connect(self._choose_source)
        tip = "Open a map, an atomic structure, or particles (.star, .cs)"
        row, browse = self._with_browser(self.source, tip, "Open images or what they are made from")
        browse.clicked.connect(self.open_wanted)
        self.line = self._caption("What the images are of")
        layout.addWidget(row)
        layout.addWidget(self.line)
        self.box = self._number(
            FieldSpec("box", "box", "int", 32, minimum=16, maximum=256, unit="px",
                      help="Pixels along an edge; particles are cropped to it in Fourier space. The run takes eight "
                           "times as long for twice the box.")
        )  # fmt: skip
        boxes = QGridLayout()
        self._number_row(boxes, self.box)
        self._line_up(boxes)
        layout.addLayout(boxes)
        layout.addLayout(self._build_simulation())

    def _build_simulation(self) -> QGridLayout:
        """Return what decides simulated images: sliders that race again when they are let go."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        again = "On release the race runs again, at box 32."
        self.images = ValueSlider("images", _IMAGES, lambda value: f"{value:.0f}", f"Number of images. {again}")
        self.snr = ValueSlider("SNR", _SNRS, lambda value: f"{value:g}",
                               f"Variance of signal over that of noise in a pixel. {again}")  # fmt: skip
        self.preferred = ValueSlider("one side", _PREFERRED, lambda value: f"{100 * value:.0f} %",
                                     f"Share of the particles that lie on one side. {again}")  # fmt: skip
        self.ctf = QCheckBox("CTF")
        self.ctf.setToolTip("Simulate the contrast transfer function of a microscope, or use what the particles say")
        self.ctf.setAccessibleName("Contrast transfer function")
        self.defocus = ValueSlider(
            "defocus", _DEFOCUS, lambda value: f"≤ {value:.2f} µm",
            f"Highest defocus; the lowest is {_DEFOCUS_SPREAD:g} of it. {again}",
        )  # fmt: skip
        for slider in (self.images, self.snr, self.preferred):
            slider.add_to(grid)
        grid.addWidget(self.ctf, grid.rowCount(), 0, 1, 3)
        self.defocus.add_to(grid)
        for slider, take in (
            (self.images, lambda value: self._set(images=int(value))),
            (self.snr, lambda value: self._set(snr=value)),
            (self.preferred, self._take_preferred),
            (self.defocus, self._take_defocus),
        ):
            slider.settled.connect(take)
            slider.settled.connect(lambda value: self.slider_settled.emit())
        self.ctf.clicked.connect(self._take_ctf)
        return grid

    def _build_method(self) -> None:
        self._method_part, layout = self._part("PRECONDITIONER")
        self.preconditioner = ChoiceBox(
            [Choice(name, PRECONDITIONER_TITLES[name], text) for name, text in PRECONDITIONERS.items()],
            "Preconditioner",
        )
        self.preconditioner.chosen.connect(lambda name: self._set(preconditioner=name))
        layout.addWidget(self.preconditioner)
        self._length_part, layout = self._part("LENGTH")
        self.epochs = self._number(
            FieldSpec("epochs", "epochs", "float", 10.0, minimum=0.1, maximum=1000.0, scale="log",
                      help="Passes over all images. In a race all entrants get the evaluations of these epochs.")
        )  # fmt: skip
        self.batch = self._number(
            FieldSpec("batch", "batch", "int", 100, minimum=1, maximum=100000, scale="log",
                      help="Images of a batch; one batch is one step.")
        )  # fmt: skip
        rows = QGridLayout()
        for editor in (self.epochs, self.batch):
            self._number_row(rows, editor)
        self._line_up(rows)
        layout.addLayout(rows)
        self.more = Section("Start, prior, half maps", "Where runs begin, what damps noise, and two halves")
        grid = self._grid(self.more)
        self.start = ChoiceBox([Choice(name, name, text) for name, text in STARTS.items()], "First map")
        self.prior = ChoiceBox(
            [
                Choice("none", "none", "Plain least squares: what is hardly seen is amplified."),
                Choice("wiener", "Wiener", "Damp what is hardly seen, by the correlation of half maps."),
            ],
            "Prior",
        )
        self.half_sets = QCheckBox("half maps")
        self.half_sets.setToolTip("Reconstruct two half sets side by side and correlate them; twice the work a step")
        self._row(grid, "start", self.start)
        self._row(grid, "prior", self.prior)
        grid.addWidget(self.half_sets, grid.rowCount(), 1)
        self._number_row(grid, self.seed)
        self.start.chosen.connect(lambda name: self._set(start=name))
        self.prior.chosen.connect(lambda name: self._set(prior=name))
        self.half_sets.clicked.connect(lambda on: self._set(half_sets=on))
        layout.addWidget(self.more)

    # -- showing --------------------------------------------------------------------------------------------------

    def show_files(self, files: Sequence[tuple[str, str]]) -> None:
        """Offer these files, kind and path each, beside the bundled phantoms."""
        self._files = list(dict.fromkeys(files))
        self.show_choices(self._choices)

    def show_facts(self, facts: ParticleFacts | None) -> None:
        """Take over what is known of the particles."""
        self._facts = facts

    def show_choices(self, choices: CryoemChoices) -> None:
        """Show choices without reporting them back; the form of the optimiser is set by `set_settings_class`."""
        self._showing = True
        self._choices = choices
        self._show_sources()
        self._show_number(self.box, choices.box)
        self.images.show_value(choices.images)
        self.snr.show_value(choices.snr)
        self.preferred.show_value(choices.view_fraction if choices.views == "preferred" else 0.0)
        self.defocus.show_value(choices.defocus_angstrom[1] / 1e4)
        self.ctf.setChecked(choices.ctf)
        for slider in (self.snr, self.preferred):
            slider.set_row_visible(choices.simulated)
        self.defocus.set_row_visible(choices.simulated and choices.ctf)
        facts = self._facts if choices.source == "particles" else None
        self.ctf.setEnabled(choices.simulated or (facts is not None and facts.ctf))
        self.preconditioner.show_value(choices.preconditioner)
        self._method_part.setVisible(choices.optimizer == "preconditioned-sgd")
        self._show_optimizer_name(choices.optimizer)
        self._show_number(self.epochs, choices.epochs)
        self._show_number(self.batch, choices.batch)
        self._show_number(self.seed, choices.seed)
        self.start.show_value(choices.start)
        self.prior.show_value(choices.prior)
        self.half_sets.setChecked(choices.half_sets)
        self.line.setText(self._describe(choices, facts))
        self._showing = False

    def _show_sources(self) -> None:
        choices = self._choices
        entries = [("phantom", name) for name in PHANTOMS] + self._files
        if choices.path and (choices.source, choices.path) not in entries:
            entries.append((choices.source, choices.path))
        keys = [f"{kind}:{path}" for kind, path in entries]
        if keys != [self.source.itemData(index) for index in range(self.source.count())]:
            self.source.clear()
            for key, (kind, path) in zip(keys, entries, strict=True):
                title = f"Phantom: {path}" if kind == "phantom" else Path(path).name
                tip = PHANTOMS[path][0] if kind == "phantom" else f"{_KIND_WORDS[kind]}: {path}"
                self.source.add_choice(Choice(key, title, tip))
        self.source.setCurrentIndex(entries.index((choices.source, choices.path)) if choices.path else -1)

    @staticmethod
    def _describe(choices: CryoemChoices, facts: ParticleFacts | None) -> str:
        if choices.source == "phantom":
            return f"{PHANTOMS[choices.phantom][0]}, simulated."
        if facts is not None:
            ctf = "with CTF" if facts.ctf else "without CTF"
            pixel = facts.pixel_size_angstrom or 1.0
            words = f"{facts.images} particles of {facts.box} pixels of {pixel:.3g} Å, {ctf}."
            if choices.box < facts.box:
                words += f" Cropped to {choices.box} pixels of {pixel * facts.box / choices.box:.3g} Å."
            return words
        return f"{_KIND_WORDS[choices.source]}; its images are simulated."

    def list_entrants(self, entrants: Sequence[Entry], lines: Sequence[tuple[str, Dash]]) -> None:
        super().list_entrants(entrants, lines)
        self._order_soon()

    def set_settings_class(
        self,
        model: type[BaseModel],
        recommended: Mapping[str, Any],
        overrides: Mapping[str, Any],
        *,
        parameter_unit: str = "",
    ) -> None:
        super().set_settings_class(model, recommended, overrides, parameter_unit=parameter_unit)
        self._order_soon()

    def _order_soon(self) -> None:
        """Let the Tab key go from top to bottom again, once what was made has its place."""
        QTimer.singleShot(0, self, self._order_tabs)

    def _order_tabs(self) -> None:
        inside = self.scroll_area.widget()
        assert inside is not None
        origin = inside.mapToGlobal(QPoint())
        fields = [
            each
            for each in inside.findChildren(QWidget)
            if each.isVisible() and each.focusPolicy() & Qt.FocusPolicy.TabFocus
        ]
        places = {each: each.mapToGlobal(QPoint()) - origin for each in fields}
        fields.sort(key=lambda each: (places[each].y(), places[each].x()))
        for first, second in itertools.pairwise([*fields, self.main_button]):
            QWidget.setTabOrder(first, second)

    # -- reporting ------------------------------------------------------------------------------------------------

    def _editors(self) -> Sequence[FieldEditor]:
        return self.box, self.epochs, self.batch, self.seed

    def _collect(self) -> None:
        if self._showing:
            return
        changes: dict[str, Any] = {"overrides": self.form.overrides()}
        for name, editor in (("box", self.box), ("epochs", self.epochs), ("batch", self.batch), ("seed", self.seed)):
            if not editor.error:
                changes[name] = editor.value()
        self._set(**changes)

    def _choose_source(self, key: str) -> None:
        kind, _, path = key.partition(":")
        self.source_chosen.emit(kind, path)

    def _take_preferred(self, share: float) -> None:
        self._set(views="preferred" if share > 0.0 else "uniform", view_fraction=share if share > 0.0 else 0.9)

    def _take_defocus(self, micrometre: float) -> None:
        self._set(defocus_angstrom=(1e4 * _DEFOCUS_SPREAD * micrometre, 1e4 * micrometre))

    def _take_ctf(self, on: bool) -> None:
        self._set(ctf=on)
        self.defocus.set_row_visible(on and self._choices.simulated)
