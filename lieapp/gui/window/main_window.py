"""The main window: menu bar, workbench tabs, toolbar, messages, and the workbench."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QEvent, QPoint, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMainWindow, QVBoxLayout, QWidget

from lieapp.gui.align.controller import AlignController
from lieapp.gui.align.export_desk import ExportDesk
from lieapp.gui.align.selection_commands import SelectionCommands
from lieapp.gui.align.slot_card import dropped_files
from lieapp.gui.align.structure_desk import HINGE
from lieapp.gui.align.view_commands import ViewCommands
from lieapp.gui.align.workbench import AlignWorkbench
from lieapp.gui.application.actions import ActionSet
from lieapp.gui.application.keys import wants_key
from lieapp.gui.application.messages import MessageBar, MessageCenter
from lieapp.gui.application.preferences import Preferences
from lieapp.gui.runs.controller import RunController
from lieapp.gui.runs.desk import Turn
from lieapp.gui.widgets.theme import Mode, held_style, theme
from lieapp.gui.window.commands import WindowCommands
from lieapp.gui.window.dialogs import ask_text
from lieapp.gui.window.files import WindowFiles
from lieapp.gui.window.header import WORKBENCHES, WindowHeader
from lieapp.gui.window.start import WindowStart
from lieapp.gui.window.workbenches import Assembly, Workbenches
from lieapp.gui.work.worker import Task, Worker
from lieapp.gui.workbench.workbench import RunWorkbench

if TYPE_CHECKING:
    from lieapp.gui.cryoem.workbench import CryoemWorkbench
    from lieapp.gui.landscape.workbench import LandscapeWorkbench
    from lieapp.gui.workbench.exports import RunExports

__all__ = ["MainWindow"]


class MainWindow(QMainWindow):
    """The window.

    Parameters
    ----------
    messages : MessageCenter
    preferences : Preferences, optional
    """

    def __init__(self, messages: MessageCenter, preferences: Preferences | None = None) -> None:
        super().__init__()
        self.setWindowTitle("LieApp")
        self.setAcceptDrops(True)
        self.workbench: AlignWorkbench
        self.messages = messages
        self.preferences = preferences or Preferences()
        with held_style():
            theme().set_mode(self._mode())
            self.compute = Worker("lieapp-compute", self)
            self.files = Worker("lieapp-files", self)
            self.writing = Worker("lieapp-export", self)
            self.turn = Turn(self)
            self.controller = AlignController(self.compute, self.files, messages, self.turn, self)
            self.export_desk = ExportDesk(
                self.controller, self.writing, messages, self.preferences, self, lambda: self.workbench
            )
            self.device_text = "starting…"
            self.view_commands = ViewCommands(self.preferences, lambda: self.workbench)
            self.selection_commands = SelectionCommands(messages, lambda: self.workbench)
            self.opening = WindowFiles(self)
            self.actions_ = ActionSet(self, WindowCommands(self).handlers())
            self.workbench = AlignWorkbench(self.controller, self.actions_, self.files)
            self.landscape: LandscapeWorkbench | None = None
            self.cryoem: CryoemWorkbench | None = None
            self.exports: dict[str, RunExports] = {}
            self.workbenches = Workbenches()
            self.workbenches.changed.connect(self._workbench_changed)
            self._menus = self.actions_.build_menu_bar(self.menuBar())
            self._menus["File"].insertMenu(self.actions_["export"], self.opening.recent_menu)
            self.message_bar = MessageBar()
            self._build()
        self._tabbing = self._reached_by_keyboard = False
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._note_focus)
        self._laid_out = False
        self._start = WindowStart(self)
        self._connect()
        self._show_preferences()
        self._restore()

    # -- building -------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.header = WindowHeader(self.actions_)
        self.header.tabs.chosen.connect(lambda index: self.choose_workbench(list(WORKBENCHES)[index]))
        self.fetch_field.returnPressed.connect(self.opening.fetch_from_field)
        central = QWidget()
        central.setObjectName("plain")
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.header)
        bar = QVBoxLayout()
        bar.setContentsMargins(8, 4, 8, 0)
        bar.addWidget(self.message_bar)
        bar.addWidget(self.export_desk.strip)
        layout.addLayout(bar)
        layout.addWidget(self.workbenches, 1)
        self.workbenches.add("align", self._make_align, lambda workbench: None)
        self.workbenches.add("landscape", self._make_landscape, self._take_landscape)
        self.workbenches.add("cryoem", self._make_cryoem, self._take_cryoem)
        self.setCentralWidget(central)
        self.setMinimumSize(1000, 640)

    def _connect(self) -> None:
        workbench, desk = self.workbench, self.controller.desk
        self.messages.posted.connect(self.message_bar.show_message)
        desk.file_opened.connect(self.preferences.add_recent_file)
        desk.slots_changed.connect(self._hide_first_steps_of_other_pairs)
        self._connect_workbench(workbench)
        workbench.first_steps.fetch_wanted.connect(lambda: self.actions_["example_adk"].trigger())
        workbench.first_steps.dismissed.connect(lambda: self.show_first_steps(False))
        workbench.density.failed.connect(self.messages.report)
        workbench.density.changed.connect(self._note_map)
        panel = workbench.sequences.panel
        self._offer_menu("scene", workbench.viewer, workbench.viewer)
        self._offer_menu("residues", panel, panel.viewport())

    def _offer_menu(self, name: str, widget: QWidget, pressed: QWidget) -> None:
        """Let a right press open a menu; its place is told in pixels of what is pressed."""

        def open_menu(place: QPoint) -> None:
            menu = self.actions_.menu(name, widget)
            menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            menu.popup(pressed.mapToGlobal(place))

        widget.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        widget.customContextMenuRequested.connect(open_menu)

    def _show_preferences(self) -> None:
        """Show what was chosen when the window was open last."""
        self.workbench.first_steps.setVisible(not self.preferences.flag("first_steps_dismissed"))
        sequences = self.preferences.flag("sequences")
        self.workbench.sequences.set_open(sequences)
        for identifier, on in (
            ("sequences", sequences),
            ("panel_left", True),
            ("panel_right", True),
            ("panel_ribbon", True),
            ("plot_legend", True),
            ("workbench_align", True),
            (f"theme_{theme().mode}", True),
        ):
            self.actions_.set_checked(identifier, on)
        self.view_commands.restore(self.actions_)

    # -- workbenches ----------------------------------------------------------------------------------------------

    @property
    def shown(self) -> RunWorkbench:
        """The workbench that is shown."""
        return self.workbenches.shown

    @property
    def fetch_field(self) -> QLineEdit:
        """Where identifiers of entries are typed."""
        return self.header.fetch_field

    @property
    def device(self) -> QLabel:
        """Says what computes."""
        return self.header.device

    @property
    def runs(self) -> RunController:
        """The controller of the runs of the workbench that is shown."""
        return self.shown.controller

    def choose_workbench(self, name: str) -> None:
        """Show a workbench; what runs in another one goes on."""
        first = name not in dict(self.workbenches)
        with held_style():
            workbench = self.workbenches.choose(name)
        if first:
            self._restore_workbench(name, workbench)
            workbench.panel.main_button.setFocus()
        if workbench is self.cryoem:
            self._offer_structures()

    def _make_align(self) -> Assembly:
        yield from ()
        return self.workbench

    def _make_landscape(self) -> Assembly:
        from lieapp.gui.landscape.controller import LandscapeController
        from lieapp.gui.landscape.workbench import LandscapeWorkbench

        controller = LandscapeController(self.compute, self.messages, self.turn, self)
        workbench = LandscapeWorkbench(controller, self.actions_, self.compute, self.files, self.workbenches)
        workbench.hide()
        yield from workbench.assemble()
        return workbench

    def _take_landscape(self, workbench: RunWorkbench) -> None:
        from lieapp.gui.landscape.exports import LandscapeExports
        from lieapp.gui.landscape.workbench import LandscapeWorkbench

        assert isinstance(workbench, LandscapeWorkbench)
        self.landscape = workbench
        self.exports["landscape"] = LandscapeExports(
            workbench, self.writing, self.messages, self.preferences, self.export_desk.long, self
        )
        self._connect_workbench(workbench)

    def _make_cryoem(self) -> Assembly:
        from lieapp.gui.cryoem.controller import CryoemController
        from lieapp.gui.cryoem.workbench import CryoemWorkbench

        yield
        controller = CryoemController(self.compute, self.files, self.messages, self.turn, self)
        workbench = CryoemWorkbench(controller, self.actions_, self.workbenches)
        workbench.hide()
        yield from workbench.assemble()
        return workbench

    def _take_cryoem(self, workbench: RunWorkbench) -> None:
        from lieapp.gui.cryoem.exports import CryoemExports
        from lieapp.gui.cryoem.workbench import CryoemWorkbench

        assert isinstance(workbench, CryoemWorkbench)
        self.cryoem = workbench
        workbench.panel.open_wanted.connect(self.opening.ask_images)
        workbench.controller.file_opened.connect(self.preferences.add_recent_file)
        self.exports["cryoem"] = CryoemExports(workbench, self.writing, self.messages, self.preferences, self)
        self._connect_workbench(workbench)

    def _offer_structures(self) -> None:
        """Offer the structures of the other workbench as something to simulate images of."""
        if self.cryoem is not None:
            slots = self.controller.session.slots.values()
            self.cryoem.offer_files([("structure", str(slot.path)) for slot in slots])

    def _connect_workbench(self, workbench: RunWorkbench) -> None:
        workbench.settings_class_wanted.connect(lambda name: self._ask_settings_class(workbench, name))
        workbench.other_optimizer_wanted.connect(lambda: self._ask_other_optimizer(workbench))
        workbench.panel.choices_changed.connect(lambda choices: self.message_bar.review())

    def _workbench_changed(self, name: str) -> None:
        self.actions_.set_workbench(name)
        for identifier, on in (
            (f"workbench_{name}", True),
            ("panel_left", not self.shown.panel.isHidden()),
            ("panel_right", not self.shown.right.isHidden()),
            ("plot_legend", self.shown.plots.legend.wanted),
            ("plots_large", self.shown.plots.presentation),
        ):
            self.actions_.set_checked(identifier, on)
        self.header.show_workbench(name)

    # -- start and end --------------------------------------------------------------------------------------------

    def start(self, files: Sequence[str] = (), *, run: bool = False, workbench: str = "align") -> None:
        """Load the first structures and wake the compute thread; see `WindowStart.start`."""
        self._start.start(files, run=run, workbench=workbench)

    def show_device(self, text: str, tip: str) -> None:
        """Say what computes and what draws."""
        self.device_text = text
        self.device.setText(text)
        self.device.setToolTip(tip)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._laid_out:
            self._laid_out = True
            if not self._restored_layout:
                QTimer.singleShot(0, self, self.workbench.reset_layout)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.preferences.set_state("geometry", self.saveGeometry())
        for name, workbench in self.workbenches:
            for part, state in workbench.save_layout().items():
                self.preferences.set_state(_layout_key(name, part), state)
        self.preferences.save()
        self.hide()  # nobody is to watch while threads come to their end
        for workbench in self.workbenches.whole():
            workbench.controller.close()
        for worker in (self.compute, self.files, self.writing):
            worker.close(2.0)
        for workbench in self.workbenches.whole():
            workbench.shut_down()
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.disconnect(self._note_focus)
        super().closeEvent(event)

    # -- keys -----------------------------------------------------------------------------------------------------

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and wants_key(self.focusWidget(), event, reached_by_keyboard=self._reached_by_keyboard)
        ):
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, next: bool) -> bool:
        self._tabbing = True
        try:
            return super().focusNextPrevChild(next)
        finally:
            self._tabbing = False

    def _note_focus(self, old: QWidget | None, new: QWidget | None) -> None:
        if new is not None:
            self._reached_by_keyboard = self._tabbing

    def _restore(self) -> None:
        geometry = self.preferences.state("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            screen = QGuiApplication.primaryScreen().availableSize()
            self.resize(min(1440, screen.width()), min(900, screen.height()))
        self._restored_layout = self._restore_workbench("align", self.workbench)

    def _restore_workbench(self, name: str, workbench: RunWorkbench) -> bool:
        """Give a workbench the layout that was remembered; return whether there was one."""
        states = {part: self.preferences.state(_layout_key(name, part)) for part in ("columns", "right")}
        restored = workbench.restore_layout(states)
        if not restored and workbench is not self.workbench:
            QTimer.singleShot(0, workbench, workbench.reset_layout)
        return restored

    # -- settings of the window -----------------------------------------------------------------------------------

    def _mode(self) -> Mode:
        word = self.preferences.text("theme", "system")
        return word if word in ("light", "dark") else "system"  # type: ignore[return-value]

    def set_mode(self, mode: Mode) -> None:
        """Choose light or dark, or as the system has it."""
        self.preferences.set_text("theme", mode)
        theme().set_mode(mode)

    def show_sequences(self, on: bool) -> None:
        """Open or close the sequences."""
        self.preferences.set_flag("sequences", on)
        self.workbench.sequences.set_open(on)

    def _hide_first_steps_of_other_pairs(self) -> None:
        """The strip speaks of the bundled pair; with another one it goes, until the next start."""
        names = {slot.path.name for slot in self.controller.session.slots.values()}
        if names and not names <= {Path(name).name for name in HINGE}:
            self.workbench.first_steps.hide()

    def show_first_steps(self, on: bool) -> None:
        """Show or dismiss the strip of first steps."""
        self.preferences.set_flag("first_steps_dismissed", not on)
        self.workbench.first_steps.setVisible(on)

    # -- files ----------------------------------------------------------------------------------------------------

    def _note_map(self) -> None:
        self.opening.note_map()
        if self.workbench.density.density is not None and not self.controller.session.slots:
            self.workbench.first_steps.hide()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.opening.open_dropped(dropped_files(event))

    # -- optimisers that only torch can describe ------------------------------------------------------------------

    def _ask_settings_class(self, workbench: RunWorkbench, name: str) -> None:
        def work(task: Task) -> Any:
            return task.load("lieapp.optimizers.registry").settings_class(name)

        def failed(error: BaseException) -> None:
            self.messages.report(error, f"Asking for the settings of {name}")
            workbench.panel.show_choices(workbench.controller.choices)

        self.compute.submit(work, lambda model: workbench.show_optimizer(name, model), failed)

    def _ask_other_optimizer(self, workbench: RunWorkbench) -> None:
        name = ask_text(self, "Other optimiser", "A torch optimiser by its name, or package.module:Class")
        if name:
            self._ask_settings_class(workbench, name)


def _layout_key(workbench: str, part: str) -> str:
    return f"layout/{part}" if workbench == "align" else f"layout/{workbench}/{part}"
