"""What all workbenches have in common: settings, a picture, plots and runs side by side, and the bar that replays."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QFrame, QSplitter, QVBoxLayout, QWidget

from lieapp.gui.application.actions import ActionSet
from lieapp.gui.plots.card import PlotCard
from lieapp.gui.runs.controller import RunController
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.widgets.abstract import AbstractQt
from lieapp.gui.widgets.tab_row import TabPages
from lieapp.gui.work.refresh_turns import RefreshTurns
from lieapp.gui.workbench.bar import RunBar
from lieapp.gui.workbench.runs_panel import RunsPanel
from lieapp.gui.workbench.settings_panel import SettingsPanel, panel_width
from lieapp.optimizers.names import normalised
from lieapp.optimizers.settings import SETTINGS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from lieapp.gui.plots.plots import ProgressPlots

__all__ = ["RunWorkbench"]

_BUSY = "Something else is being computed: wait for its end, or stop it."
_NOBODY = "Nobody has entered the race yet: choose an optimiser, then Add to race."
_RUNS_SECONDS = 0.2  # numbers that change 30 times a second cannot be read
_STOP_DELAY_MILLISECONDS = 250  # "Stop" on the main button would only flicker for a run of 50 ms


class RunWorkbench(QWidget, metaclass=AbstractQt):
    """A workbench, joined to the controller of its runs.

    Parameters
    ----------
    controller : RunController
    actions : ActionSet
    name : str
        For screen readers.

    Attributes
    ----------
    controller : RunController
    panel : SettingsPanel
    plots : ProgressPlots
    runs : RunsPanel
    run_bar : RunBar
    tabs : TabPages
        Of the right column.
    turns : RefreshTurns
        Of the views that draw what grows.
    active : bool
        Whether the actions of the window are this workbench's.

    Signals
    -------
    settings_class_wanted(str)
        The form of an optimiser that only torch can describe is needed; answer with `show_optimizer`.
    other_optimizer_wanted()
    """

    settings_class_wanted = Signal(str)
    other_optimizer_wanted = Signal()

    controller: RunController
    panel: SettingsPanel
    plots: ProgressPlots
    runs: RunsPanel
    run_bar: RunBar

    def __init__(self, controller: RunController, actions: ActionSet, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.active = True
        self.controller = controller
        self._actions = actions
        self.turns = RefreshTurns(self)
        self._shown_position: tuple[object, ...] = ()
        self._settings_classes: dict[str, type[BaseModel]] = dict(SETTINGS)
        self._shown_form: tuple[Any, ...] = ()
        self.tabs = TabPages("Plots")

    # -- layout ---------------------------------------------------------------------------------------------------

    def _lay_out_parts(
        self,
        picture: Sequence[QWidget],
        under: Sequence[QWidget],
        *,
        margin: int = 1,
        above: Sequence[QWidget] = (),
        below: Sequence[QWidget] = (),
    ) -> None:
        """Put panel, picture and plots side by side, over the run bar; the tab of the progress is the first.

        Parameters
        ----------
        picture : sequence of QWidget
            In the card in the middle; the first of them takes the room there is.
        under : sequence of QWidget
            Beneath that card.
        margin : int, optional
            Of that card, in pixels.
        above, below : sequence of QWidget, optional
            Over the columns, and between them and the run bar.
        """
        centre = QWidget()
        middle = QVBoxLayout(centre)
        middle.setContentsMargins(0, 0, 0, 0)
        middle.setSpacing(8)
        middle.addWidget(_card(picture, margin), 1)
        for widget in under:
            middle.addWidget(widget)
        self.tabs.add("Progress", "What the runs did, over their cost", self.plots)
        self.right = QSplitter(Qt.Orientation.Vertical)
        self.right.setHandleWidth(8)
        self.right.addWidget(_card([self.tabs], 4))
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
        for widget in above:
            layout.addWidget(widget)
        layout.addWidget(self.columns, 1)
        for widget in below:
            layout.addWidget(widget)
        layout.addWidget(self.run_bar)

    def reset_layout(self) -> None:
        """Give all panels their first size."""
        for widget in (self.panel, self.right):
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

    def _connect_runs(self) -> None:
        controller = self.controller
        self.turns.add(self.plots)
        self.turns.add(self.runs, shortest=_RUNS_SECONDS)
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
        self.plots.visibility_changed.connect(lambda entry: self._show_runs())
        self.plots.legend_action.toggled.connect(lambda on: self._actions.set_checked("plot_legend", on))
        self._take_plots(self)
        self.tabs.page_made.connect(self._take_plots)
        self.runs.selected.connect(controller.select)
        self.runs.deleted.connect(controller.remove)
        self.runs.visibility_changed.connect(lambda entry: self._show_runs())
        self.runs.apply_settings.connect(controller.apply_settings)
        self.runs.copy_command.connect(self.copy_command)
        self.runs.copy_python.connect(self.copy_python)
        self.run_bar.scrubbed.connect(controller.show_frame)
        self.run_bar.speed_chosen.connect(controller.set_speed)

    def _take_plots(self, page: QWidget) -> None:
        """Let the plots of a page have one size with all others."""
        for card in [*([page] if isinstance(page, PlotCard) else []), *page.findChildren(PlotCard)]:
            card.set_presentation(self.plots.presentation)
            card.presentation_changed.connect(self.set_plots_large)

    def set_plots_large(self, on: bool) -> None:
        """Draw the plots to be seen from the last row, or as part of the window."""
        for card in self.findChildren(PlotCard):
            card.set_presentation(on)
        self._actions.set_checked("plots_large", on)

    def copy_plot(self) -> None:
        """Put a picture of the plot that is shown on the clipboard."""
        page = self.tabs.stack.currentWidget()
        picture = page.picture() if isinstance(page, PlotCard) else page.grab()
        QGuiApplication.clipboard().setPixmap(picture)

    def set_active(self, on: bool) -> None:
        """Take the window's actions, or leave them to another workbench."""
        self.active = on
        if on:
            self._show_states()

    def shut_down(self) -> None:
        """End what the views have begun; call it before the window goes."""

    def _take_choices(self, choices: Any) -> None:
        self.controller.set_choices(choices)

    def _choose_optimizer(self, name: str) -> None:
        choices = self.controller.choices
        if normalised(name) in self._settings_classes:
            self.controller.set_choices(replace(choices, optimizer=name, overrides={}))
            self.panel.show_choices(self.controller.choices)
            self._show_form()
        else:
            self.settings_class_wanted.emit(name)

    def show_optimizer(self, name: str, model: type[BaseModel]) -> None:
        """Choose an optimiser whose settings had to be asked for."""
        self._settings_classes[normalised(name)] = model
        self._choose_optimizer(name)

    def copy_command(self, entry: RunEntry) -> None:
        """Copy the command line that repeats a run."""
        QGuiApplication.clipboard().setText(self.controller.command_of(entry))

    def copy_python(self, entry: RunEntry) -> None:
        """Copy the Python code that repeats a run."""
        QGuiApplication.clipboard().setText(self.controller.python_of(entry))

    # -- what a workbench knows about its problem -----------------------------------------------------------------

    @abstractmethod
    def _recommended(self) -> Mapping[str, Any]:
        """Return the recommended settings of the chosen optimiser, by dotted key."""

    def _comparable_runs(self) -> Sequence[RunEntry]:
        """Return the runs whose curves may stand in one plot."""
        return self.controller.runs

    def _parameter_unit(self) -> str:
        """Return the unit of lengths in parameter space."""
        return ""

    def _held_states(self) -> set[str]:
        """Return the states that hold; see `lieapp.gui.application.actions.STATES`."""
        states = self.controller.states()
        if self.controller.playback.playing:
            states.add("escape")
        return states

    def _reasons(self) -> dict[str, str]:
        """Return why states do not hold, where that is not plain to see."""
        controller = self.controller
        if controller.active is None and not controller.computing.free:
            return dict.fromkeys(("start", "step", "race"), _BUSY)
        if controller.active is None and not controller.entrants:
            return {"race": _NOBODY}
        return {}

    @abstractmethod
    def fit_view(self) -> None:
        """Show all of what the picture shows."""

    def _resting_place(self) -> QWidget:
        """Return what has the keyboard while no field of the panels is being filled in."""
        return self.plots.plot

    # -- showing --------------------------------------------------------------------------------------------------

    def _show_form(self) -> None:
        """Show the form of the chosen optimiser with what is recommended for the chosen problem."""
        choices = self.controller.choices
        model = self._settings_classes.get(normalised(choices.optimizer))
        if model is None:
            return
        unit, values = self._parameter_unit(), self._recommended()
        key = (choices.optimizer, unit)
        if key == self._shown_form:
            self.panel.form.set_recommended(values)
            return
        self._shown_form = key
        self.panel.set_settings_class(model, values, choices.overrides, parameter_unit=unit)

    def _show_choices(self) -> None:
        choices = self.controller.choices
        if normalised(choices.optimizer) not in self._settings_classes:
            self.settings_class_wanted.emit(choices.optimizer)
            return
        if choices is not self.panel.choices:  # else they came from there, and may still be typed
            self.panel.show_choices(choices)
        if dict(choices.overrides) != self.panel.form.overrides() or self._shown_form[:1] != (choices.optimizer,):
            self._shown_form = ()
        self._show_form()

    def _show_runs(self) -> None:
        self.runs.set_runs(self.controller.runs, self.controller.current)
        self.runs.refresh()
        self.plots.set_runs(self._comparable_runs())
        self._show_position()

    def _progress(self) -> None:
        self._update_position()
        self.turns.tick()

    def _show_frame(self) -> None:
        self._update_position()

    def _update_position(self) -> None:
        """Show the position unless it is shown already: one tick may tell of it twice."""
        controller = self.controller
        current = controller.current
        position = current, controller.frame, controller.frames, current is None or current.finished
        if position != self._shown_position:
            self._shown_position = position
            self._show_position()

    def _show_position(self) -> None:
        controller = self.controller
        current, frames = controller.current, controller.frames
        note, cost = "", None
        if current is not None and frames:
            cost = current.value("evaluations", controller.frame)
            if current.finished and controller.frame == current.best:
                note = "last" if current.last_is_result else "best"
        self.run_bar.show_position(controller.frame, frames, cost, note)
        growing = controller.running and controller.playback.playing
        self.plots.set_cursor(current if frames else None, controller.frame, later=growing)

    def _show_states(self) -> None:
        if self.active:
            self._actions.set_states(self._held_states(), self._reasons())
        self.runs.refresh()
        running = self.controller.running
        if running and self.panel.main_button.text() != "Stop":
            QTimer.singleShot(_STOP_DELAY_MILLISECONDS, self, self._show_main_button)
        elif not running:
            self._show_main_button()
        self.run_bar.show_running(
            running=running, paused=self.controller.paused, playing=self.controller.playback.playing
        )

    def _show_main_button(self) -> None:
        self.panel.show_running(self.controller.running, possible=self._main_is_possible())

    def _main_is_possible(self) -> bool:
        return "start" in self.controller.states()

    def _show_entrants(self) -> None:
        self.panel.show_entrants([entrant.name for entrant in self.controller.entrants])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        # A click beside everything takes the keyboard out of a text field, so that single keys work again.
        self._resting_place().setFocus(Qt.FocusReason.MouseFocusReason)
        super().mousePressEvent(event)


def _card(widgets: Sequence[QWidget], margin: int) -> QFrame:
    """Return widgets one below the other in a card; the first of them takes the room there is."""
    card = QFrame()
    card.setObjectName("card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(0)
    for index, widget in enumerate(widgets):
        layout.addWidget(widget, 0 if index else 1)
    return card
