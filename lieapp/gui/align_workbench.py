"""The Align workbench: panel, view, result, plots, runs, ribbon and run bar, joined to the controller."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSplitter, QToolButton, QVBoxLayout, QWidget

from lieapp.errors import LieAppError
from lieapp.gui.actions import ActionSet
from lieapp.gui.align_controller import AlignController
from lieapp.gui.align_panel import AlignPanel, panel_width
from lieapp.gui.align_session import SLOTS, AlignChoices
from lieapp.gui.deviation_plot import DeviationPlot
from lieapp.gui.icons import set_icon
from lieapp.gui.linked_views import LinkedViews
from lieapp.gui.plot_quantities import ALIGN_QUANTITIES
from lieapp.gui.plots import ProgressPlots
from lieapp.gui.pose_view import PoseView
from lieapp.gui.readout import Readout
from lieapp.gui.result_strip import ResultStrip
from lieapp.gui.run_bar import RunBar
from lieapp.gui.run_entry import RunEntry
from lieapp.gui.runs_panel import RunsPanel
from lieapp.gui.selection_model import SelectionModel
from lieapp.gui.sequence_card import SequenceCard
from lieapp.gui.tab_row import TabPages
from lieapp.gui.theme import theme
from lieapp.gui.viewer import MoleculeViewer
from lieapp.gui.worker import Worker
from lieapp.optimizers.names import normalised
from lieapp.optimizers.settings import SETTINGS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lieapp.gui.slice_plot import SlicePlot

__all__ = ["AlignWorkbench", "FirstSteps"]

_RUNS_REFRESH = 6  # every so many ticks of the controller: numbers that change 30 times a second cannot be read


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


class AlignWorkbench(QWidget):
    """Everything under the tab Align.

    Parameters
    ----------
    controller : AlignController
    actions : ActionSet
    files : Worker
        Where slices of the loss are computed, beside the reading of files.

    Signals
    -------
    settings_class_wanted(str)
        The form of an optimiser that only torch can describe is needed; answer with `show_optimizer`.
    other_optimizer_wanted()
    """

    settings_class_wanted = Signal(str)
    other_optimizer_wanted = Signal()

    def __init__(
        self, controller: AlignController, actions: ActionSet, files: Worker, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Align workbench")
        self.controller = controller
        self._actions = actions
        self._ticks = 0
        self._settings_classes: dict[str, type[BaseModel]] = dict(SETTINGS)
        self._shown_form: tuple[Any, ...] = ()
        self.panel = AlignPanel(actions)
        self.viewer = MoleculeViewer(dark=theme().tokens.name == "dark", late=True)
        self.strip = ResultStrip()
        self.plots = ProgressPlots(ALIGN_QUANTITIES)
        self.deviation = DeviationPlot()
        self.runs = RunsPanel()
        self.slice: SlicePlot | None = None
        self._slice_page = QWidget()
        self._slice_page.setObjectName("plain")
        self._files = files
        self.selection = SelectionModel(self)
        self.sequences = SequenceCard(self.selection, actions["sequences"])
        self.ribbon = self.sequences.ribbon
        self.readout = Readout(self.selection, self.viewer)
        self.run_bar = RunBar(actions)
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
        # "Stop" on the main button would only flicker for a run of 50 ms.
        self._stop_delay = QTimer(self, singleShot=True, interval=250)
        self._stop_delay.timeout.connect(self._show_states)
        self._show_form()
        self._show_states()

    # -- layout ---------------------------------------------------------------------------------------------------

    def _lay_out(self) -> None:
        card = QFrame()
        card.setObjectName("card")
        inner = QVBoxLayout(card)
        inner.setContentsMargins(1, 1, 1, 1)
        inner.addWidget(self.viewer)
        centre = QWidget()
        middle = QVBoxLayout(centre)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(8)
        middle.addWidget(card, 1)
        middle.addWidget(self.strip)
        self.tabs = TabPages("Plots")
        self.tabs.add("Progress", "What the runs did, over their cost", self.plots)
        self.tabs.add("Deviation", "Distance of every pair at the pose shown", self.deviation)
        self.tabs.add("Slice", "The loss over a plane of poses, with the paths of the runs", self._slice_page)
        self.tabs.stack.currentChanged.connect(self._open_slice)
        plots_card = QFrame()
        plots_card.setObjectName("card")
        plots_layout = QVBoxLayout(plots_card)
        plots_layout.setContentsMargins(4, 4, 4, 4)
        plots_layout.addWidget(self.tabs)
        self.right = QSplitter(Qt.Orientation.Vertical)
        self.right.setHandleWidth(8)
        self.right.addWidget(plots_card)
        self.right.addWidget(self.runs)
        self.right.setChildrenCollapsible(False)
        self.columns = QSplitter(Qt.Orientation.Horizontal)
        self.columns.setHandleWidth(8)
        for index, widget in enumerate((self.panel, centre, self.right)):
            self.columns.addWidget(widget)
            self.columns.setStretchFactor(index, 1 if index == 1 else 0)
            self.columns.setCollapsible(index, index != 1)
        self.right.setMinimumWidth(300)
        centre.setMinimumWidth(420)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(self.first_steps)
        layout.addWidget(self.columns, 1)
        layout.addWidget(self.sequences)
        layout.addWidget(self.run_bar)

    def reset_layout(self) -> None:
        """Give all panels their first size."""
        for widget in (self.panel, self.right, self.sequences):
            widget.show()
        width = max(self.width() - 16, 1000)
        left = panel_width()
        right = 400 if width >= 1360 else max(330, int(0.27 * width))
        self.columns.setSizes([left, width - left - right - 16, right])
        height = max(self.height() - 120, 400)
        self.right.setSizes([int(0.6 * height), int(0.4 * height)])

    def save_layout(self) -> dict[str, QByteArray]:
        """Return the state of the splitters."""
        return {"columns": self.columns.saveState(), "right": self.right.saveState()}

    def restore_layout(self, states: Mapping[str, QByteArray | None]) -> bool:
        """Restore the state of the splitters; return whether there was one."""
        columns, right = states.get("columns"), states.get("right")
        if columns is None or right is None:
            return False
        return self.columns.restoreState(columns) and self.right.restoreState(right)

    # -- wiring ---------------------------------------------------------------------------------------------------

    def _connect(self) -> None:
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
        self.panel.choices_changed.connect(self._take_choices)
        self.panel.optimizer_chosen.connect(self._choose_optimizer)
        self.panel.other_optimizer_wanted.connect(self.other_optimizer_wanted)
        controller.choices_changed.connect(self._show_choices)
        controller.runs_changed.connect(self._show_runs)
        controller.progressed.connect(self._progress)
        controller.frame_changed.connect(self._show_frame)
        controller.states_changed.connect(self._show_states)
        controller.entrants_changed.connect(self._show_entrants)
        self.plots.cursor_moved.connect(controller.show_frame)
        self.runs.selected.connect(controller.select)
        self.runs.deleted.connect(controller.remove)
        self.runs.visibility_changed.connect(lambda entry: self._show_runs())
        self.runs.apply_settings.connect(controller.apply_settings)
        self.runs.copy_command.connect(copy_command)
        self.runs.copy_python.connect(copy_python)
        self.strip.fit_core_clicked.connect(self._actions["fit_core"].trigger)
        self.run_bar.scrubbed.connect(controller.show_frame)
        self.run_bar.speed_chosen.connect(controller.set_speed)
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

    def _choose_optimizer(self, name: str) -> None:
        from dataclasses import replace

        choices = self.controller.session.choices
        if normalised(name) in self._settings_classes:
            self.controller.set_choices(replace(choices, optimizer=name, overrides={}))
            self.panel.show_choices(self.controller.session.choices)
            self._show_form()
        else:
            self.settings_class_wanted.emit(name)

    def show_optimizer(self, name: str, model: type[BaseModel]) -> None:
        """Choose an optimiser whose settings had to be asked for."""
        self._settings_classes[normalised(name)] = model
        self._choose_optimizer(name)

    # -- showing --------------------------------------------------------------------------------------------------

    def _show_form(self) -> None:
        """Show the form of the chosen optimiser with what is recommended for the chosen problem."""
        from lieapp.alignment.recommended import recommended

        choices = self.controller.session.choices
        model = self._settings_classes.get(normalised(choices.optimizer))
        if model is None:
            return
        unit = "Å" if choices.pivot == "centroid" else ""
        values = recommended(choices.optimizer, choices.objective, choices.parametrisation, choices.pivot)
        key = (choices.optimizer, unit)
        if key == self._shown_form:
            self.panel.form.set_recommended(values)
            return
        self._shown_form = key
        self.panel.set_settings_class(model, values, choices.overrides, parameter_unit=unit)

    def _show_choices(self) -> None:
        choices = self.controller.session.choices
        if normalised(choices.optimizer) not in self._settings_classes:
            self.settings_class_wanted.emit(choices.optimizer)
            return
        self.panel.show_choices(choices)
        if dict(choices.overrides) != self.panel.form.overrides() or self._shown_form[:1] != (choices.optimizer,):
            self._shown_form = ()
        self._show_form()
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
        self.runs.set_runs(session.runs, current)
        self.runs.refresh()
        self.plots.set_runs(session.runs)
        if self.slice is not None:
            self.slice.set_runs(session.runs)
        self._show_slice_inputs()
        inputs = self.controller.inputs
        if inputs is not None:
            self.plots.set_reference("rmsd", inputs.kabsch.rmsd, f"Kabsch {inputs.kabsch.rmsd:.2f} Å")
        else:
            self.plots.set_reference("rmsd", None)
        self._show_position()

    def _progress(self) -> None:
        self._ticks += 1
        self.plots.refresh()
        if self.slice is not None:
            self.slice.refresh()
        if self._ticks % _RUNS_REFRESH == 0:
            self.runs.refresh()
        self._show_position()

    def _show_frame(self) -> None:
        self._show_position()
        self.view.refresh()

    def _show_position(self) -> None:
        controller = self.controller
        current = controller.session.current
        frames = controller.frames
        note = ""
        cost = None
        if current is not None and frames:
            cost = current.value("evaluations", controller.frame)
            if current.finished and controller.frame == current.recording.best:
                note = "best"
        self.run_bar.show_position(controller.frame, frames, cost, note)
        self.plots.set_cursor(current if frames else None, controller.frame)
        if self.slice is not None:
            self.slice.set_cursor(current if frames else None, controller.frame)

    def _open_slice(self) -> None:
        """Make the slice when its tab is opened for the first time: the first screen does without."""
        if self.slice is not None or self.tabs.stack.currentWidget() is not self._slice_page:
            return
        from lieapp.gui.slice_plot import SlicePlot

        self.slice = SlicePlot(self._files)
        self.slice.cursor_moved.connect(self.controller.show_frame)
        layout = QVBoxLayout(self._slice_page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.slice)
        self.slice.set_runs(self.controller.session.runs)
        self._show_slice_inputs()
        self._show_position()

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

    def _show_states(self) -> None:
        states = self.controller.states()
        if self.selection.any_selected:
            states |= {"selection", "escape"}
        if self.controller.playback.playing:
            states.add("escape")
        self._actions.set_states(states)
        self.runs.refresh()
        running = self.controller.running
        if running and not self._stop_delay.isActive() and self.panel.align_button.text() != "Stop":
            QTimer.singleShot(250, self, self._show_align_button)
        elif not running:
            self._show_align_button()
        self.run_bar.show_running(running=running, paused=self.controller.paused,
                                  playing=self.controller.playback.playing)  # fmt: skip

    def _show_align_button(self) -> None:
        self.panel.show_running(self.controller.running, possible="start" in self.controller.states())

    def _show_entrants(self) -> None:
        self.panel.show_entrants([entrant.name for entrant in self.controller.session.entrants])

    def _restyle(self) -> None:
        self.viewer.set_dark(theme().tokens.name == "dark")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # A click beside everything takes the keyboard out of a text field, so that single keys work again.
        self.viewer.setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)


def gap_unit(entry: RunEntry | None) -> str:
    """Return the unit of a run's gap: Å where the objective is a distance, none for scores."""
    if entry is None:
        return "Å"
    return entry.metric.unit


def copy_command(entry: RunEntry) -> None:
    """Copy the command line that repeats a run."""
    from lieapp.alignment.spec import to_command

    QGuiApplication.clipboard().setText(to_command(entry.job))


def copy_python(entry: RunEntry) -> None:
    """Copy the Python code that repeats a run."""
    from lieapp.alignment.spec import to_python

    QGuiApplication.clipboard().setText(to_python(entry.job))
