"""The Align workbench: panel, view, result, plots, runs, ribbon and run bar, joined to the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QWidget

from lieapp.alignment.quantities import ALIGN_QUANTITIES
from lieapp.errors import LieAppError
from lieapp.gui.align.controller import AlignController
from lieapp.gui.align.deviation_plot import DeviationPlot
from lieapp.gui.align.linked_views import LinkedViews
from lieapp.gui.align.panel import AlignPanel
from lieapp.gui.align.pose_view import PoseView
from lieapp.gui.align.readout import Readout
from lieapp.gui.align.result_strip import ResultStrip
from lieapp.gui.align.selection_model import SelectionModel
from lieapp.gui.align.sequence_card import SequenceCard
from lieapp.gui.align.session import SLOTS, AlignChoices
from lieapp.gui.application.actions import ActionSet
from lieapp.gui.plots.plots import ProgressPlots
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.viewer.density_card import DensityCard
from lieapp.gui.viewer.density_desk import DensityDesk
from lieapp.gui.viewer.viewer import MoleculeViewer
from lieapp.gui.widgets.icons import set_icon
from lieapp.gui.widgets.theme import theme
from lieapp.gui.work.worker import Worker
from lieapp.gui.workbench.bar import RunBar
from lieapp.gui.workbench.runs_panel import RunsPanel
from lieapp.gui.workbench.workbench import RunWorkbench

if TYPE_CHECKING:
    from lieapp.gui.align.slice_plot import SlicePlot

__all__ = ["AlignWorkbench", "FirstSteps"]


class FirstSteps(QFrame):
    """The strip of the first start: what this is, what to do; closed once and for all.

    Signals
    -------
    fetch_wanted(), dismissed()
    """

    fetch_wanted = Signal()
    dismissed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("message")
        self.setAccessibleName("First steps")
        text = QLabel(
            "This pair is bundled: an open and a closed form of one protein. Press <b>Align</b> and watch the gap to "
            "the best possible fall, then drag the time bar, or drop your own two files."
        )
        text.setWordWrap(True)
        fetch = QPushButton("Fetch 4AKE and 1AKE")
        fetch.setToolTip("Fetch the real open and closed adenylate kinase from the Protein Data Bank")
        fetch.clicked.connect(self.fetch_wanted)
        close = QToolButton()
        close.setToolTip("Do not show this again (it is under Help)")
        close.setAccessibleName("Close the first steps")
        set_icon(close, "x")
        close.clicked.connect(self.dismissed)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 6, 4)
        layout.addWidget(text, 1)
        layout.addWidget(fetch)
        layout.addWidget(close)


class AlignWorkbench(RunWorkbench):
    """Everything under the tab Align.

    Parameters
    ----------
    controller : AlignController
    actions : ActionSet
    files : Worker
        Where slices of the loss are computed, beside the reading of files.
    """

    controller: AlignController
    panel: AlignPanel

    def __init__(
        self, controller: AlignController, actions: ActionSet, files: Worker, parent: QWidget | None = None
    ) -> None:
        super().__init__(controller, actions, "Align workbench", parent)
        self.panel = AlignPanel(actions)
        self.viewer = MoleculeViewer(dark=theme().tokens.name == "dark", late=True)
        controller.desk.geometry.budgets = (self.viewer.scene.draft_triangles, self.viewer.scene.triangles)
        self.density = DensityDesk(self.viewer, parent=self)
        self.density_card = DensityCard(self.density)
        self.strip = ResultStrip()
        self.plots = ProgressPlots(ALIGN_QUANTITIES)
        self.deviation = DeviationPlot()
        self.runs = RunsPanel()
        self.slice: SlicePlot | None = None
        self._files = files
        self.selection = SelectionModel(self)
        self.sequences = SequenceCard(self.selection, actions["sequences"])
        self.ribbon = self.sequences.ribbon
        self.readout = Readout(self.selection, self.viewer)
        self.run_bar = RunBar(actions, "Align", "start pose")
        self.first_steps = FirstSteps()
        self.view = PoseView(controller, self.viewer, self.strip, self.deviation, self.ribbon, self.selection, self)
        self.linked = LinkedViews(
            self.selection,
            self.viewer,
            self.deviation,
            self.sequences,
            lambda: actions["sequences"].setChecked(True),
            self,
        )
        self._lay_out()
        self._connect()
        self._show_form()
        self._show_states()

    # -- layout ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        self._lay_out_parts(
            [self.viewer], [self.density_card, self.strip], above=[self.first_steps], below=[self.sequences]
        )
        self.tabs.add("Deviation", "Distance of every pair at the pose shown", self.deviation)
        # The first screen does without.
        self.tabs.add("Slice", "The loss over a plane of poses, with the paths of the runs", self._make_slice)

    def reset_layout(self) -> None:
        """Give all panels their first size."""
        self.sequences.show()
        super().reset_layout()

    # -- wiring ---------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
        self._connect_runs()
        controller, desk = self.controller, self.controller.desk
        for name in SLOTS:
            card = self.panel.slots[name]
            card.set_menu(self._actions.menu(f"slot:{name}", card))
            card.files_dropped.connect(
                lambda paths, name=name: desk.open_files(paths, name if len(paths) == 1 else None, by_name=True)
            )
            card.chains_chosen.connect(lambda chains, name=name: desk.choose_chains(name, chains))
            card.model_chosen.connect(lambda number, name=name: desk.choose_model(name, number))
        desk.busy.connect(lambda name, text: self.panel.slots[name].show_busy(text))
        desk.slots_changed.connect(self._show_slots)
        desk.slots_changed.connect(self.view.refresh)
        desk.pairs_changed.connect(self._show_pairs)
        desk.map_wanted.connect(self.density.open)
        self.density.changed.connect(self._show_states)
        self.strip.fit_core_clicked.connect(self._actions["fit_core"].trigger)
        self.viewer.pose_dragged.connect(self.view.show_hand_pose)
        self.viewer.pose_released.connect(controller.set_hand_pose)
        self.viewer.failed.connect(lambda text: self._show_states())
        self.selection.selection_changed.connect(self._show_states)
        theme().changed.connect(self._restyle)

    def _take_choices(self, choices: AlignChoices) -> None:
        before = self.controller.session.choices
        self.controller.set_choices(choices)
        if (before.objective, before.parametrisation, before.pivot) != (
            choices.objective,
            choices.parametrisation,
            choices.pivot,
        ):
            self._show_form()

    # -- showing --------------------------------------------------------------------------------------------------

    def fit_view(self) -> None:
        self.viewer.fit()

    def _resting_place(self) -> QWidget:
        return self.viewer

    def _recommended(self) -> Mapping[str, Any]:
        from lieapp.alignment.recommended import recommended

        choices = self.controller.session.choices
        return recommended(choices.optimizer, choices.objective, choices.parametrisation, choices.pivot)

    def _parameter_unit(self) -> str:
        return "Å" if self.controller.session.choices.pivot == "centroid" else ""

    def _show_choices(self) -> None:
        super()._show_choices()
        self._show_pairs()

    def _show_slots(self) -> None:
        for name in SLOTS:
            self.panel.slots[name].show_slot(self.controller.session.slots.get(name))
        self._show_paired_chains()

    def _show_paired_chains(self) -> None:
        inputs = self.controller.session.inputs
        if inputs is not None:
            chains = inputs.pairing.chains
            self.panel.slots["mobile"].show_paired_chains(tuple(dict.fromkeys(m.mobile_chain for m in chains)))
            self.panel.slots["target"].show_paired_chains(tuple(dict.fromkeys(m.target_chain for m in chains)))

    def _show_pairs(self) -> None:
        session = self.controller.session
        inputs = session.inputs
        if inputs is not None:
            pairing = inputs.pairing
            self.panel.show_pairs(pairing.description, count=len(pairing))
            self._show_paired_chains()
        elif session.problem:
            self.panel.show_pairs(session.problem, count=None, problem=True)
        elif self.controller.desk.pairing:
            self.panel.show_pairs("pairing…", count=None)
        else:
            self.panel.show_pairs("Two structures are needed.", count=None)
        self._show_slice_inputs()
        self._show_states()

    def _show_runs(self) -> None:
        session = self.controller.session
        current = session.current
        unit = gap_unit(current if current is not None else (session.runs[-1] if session.runs else None))
        self.plots.set_unit("gap", unit)
        super()._show_runs()
        if self.slice is not None:
            self.slice.set_runs(session.runs)
        self._show_slice_inputs()
        inputs = self.controller.inputs
        if inputs is not None:
            self.plots.set_reference("rmsd", inputs.kabsch.rmsd, f"Kabsch {inputs.kabsch.rmsd:.2f} Å")
        else:
            self.plots.set_reference("rmsd", None)

    def _show_frame(self) -> None:
        super()._show_frame()
        self.view.refresh()

    def _show_position(self) -> None:
        super()._show_position()
        if self.slice is not None:
            current = self.controller.session.current
            self.slice.set_cursor(current if self.controller.frames else None, self.controller.frame)

    def _make_slice(self) -> SlicePlot:
        from lieapp.gui.align.slice_plot import SlicePlot

        self.slice = SlicePlot(self._files)
        self.slice.cursor_moved.connect(self.controller.show_frame)
        self.turns.add(self.slice)
        self.slice.set_runs(self.controller.session.runs)
        self._show_slice_inputs()
        self._show_position()
        return self.slice

    def _show_slice_inputs(self) -> None:
        """Slice the objective of the selected run, else of the choices."""
        if self.slice is None:
            return
        session, inputs = self.controller.session, self.controller.inputs
        job = session.current.job if session.current is not None else None
        if job is None and inputs is not None:
            try:
                job = session.job()
            except (ValueError, LieAppError):
                inputs = None
        self.slice.set_inputs(inputs, job)

    def _held_states(self) -> set[str]:
        states = super()._held_states()
        if self.selection.any_selected:
            states |= {"selection", "escape"}
        if self.density.density is not None:
            states.add("pose")
        return states

    def shut_down(self) -> None:
        """End the threads of the maps and give the canvas back; call it before the window goes."""
        self.density.shut_down()
        self.viewer.shut_down()

    def _restyle(self) -> None:
        self.viewer.set_dark(theme().tokens.name == "dark")


def gap_unit(entry: RunEntry | None) -> str:
    """Return the unit of a run's gap: Å where the objective is a distance, none for scores."""
    if entry is None:
        return "Å"
    return entry.metric.unit
