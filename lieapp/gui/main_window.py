"""The main window: menu bar, workbench tabs, toolbar, messages, and the workbench."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QKeyEvent,
    QShowEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from lieapp.gui.actions import ActionSet
from lieapp.gui.align_controller import AlignController
from lieapp.gui.align_workbench import AlignWorkbench
from lieapp.gui.dialogs import AboutDialog, ShortcutsDialog, ask_text
from lieapp.gui.errors import ErrorCenter, Message, MessageBar
from lieapp.gui.export_desk import ExportDesk
from lieapp.gui.help_page import HelpDialog
from lieapp.gui.icons import set_icon
from lieapp.gui.keys import wants_key
from lieapp.gui.preferences import Preferences
from lieapp.gui.run_desk import Turn
from lieapp.gui.selection_commands import SelectionCommands
from lieapp.gui.slot_card import dropped_files
from lieapp.gui.structure_desk import ADENYLATE_KINASE, HINGE
from lieapp.gui.tab_row import TabRow
from lieapp.gui.theme import Mode, held_style, scaled, theme
from lieapp.gui.view_commands import ViewCommands
from lieapp.gui.worker import Task, Worker, warm_up
from lieapp.paths import ResourceError, resource

__all__ = ["MainWindow"]

_FILTER = (
    "Structures (*.pdb *.ent *.cif *.mmcif *.bcif *.pdb.gz *.ent.gz *.cif.gz *.bcif.gz *.pdb1 *.pdb1.gz);;All files (*)"
)
_MAP_FILTER = "Density maps (*.mrc *.map *.ccp4 *.mrc.gz *.map.gz *.ccp4.gz);;All files (*)"
_LATER = {
    "Landscape": "Optimisers on surfaces with known saddle points: comes with its own workbench",
    "Cryo-EM": "Refinement of a map from particle images: comes with its own workbench",
}


def _when_on(work: Callable[[], object]) -> Callable[[bool], None]:
    """Return a handler of an exclusive action: those that are switched off by another do nothing."""

    def handle(on: bool) -> None:
        if on:
            work()

    return handle


class MainWindow(QMainWindow):
    """The window.

    Parameters
    ----------
    errors : ErrorCenter
    preferences : Preferences, optional
    """

    def __init__(self, errors: ErrorCenter, preferences: Preferences | None = None) -> None:
        super().__init__()
        self.setWindowTitle("LieApp")
        self.setAcceptDrops(True)
        self.workbench: AlignWorkbench
        self.errors = errors
        self.preferences = preferences or Preferences()
        with held_style():
            theme().set_mode(self._mode())
            self.compute = Worker("lieapp-compute", self)
            self.files = Worker("lieapp-files", self)
            self.writing = Worker("lieapp-export", self)
            self.turn = Turn(self)
            self.controller = AlignController(self.compute, self.files, errors, self.turn, self)
            self.export_desk = ExportDesk(
                self.controller, self.writing, errors, self.preferences, self, lambda: self.workbench
            )
            self.device_text = "starting…"
            self.view_commands = ViewCommands(self.preferences, lambda: self.workbench)
            self.selection_commands = SelectionCommands(errors, lambda: self.workbench)
            self.actions_ = ActionSet(self, self._handlers())
            self.workbench = AlignWorkbench(self.controller, self.actions_, self.files)
            self._menus = self.actions_.build_menu_bar(self.menuBar())
            self._recent_menu = QMenu("Open &recent", self)
            self._menus["File"].insertMenu(self.actions_["export"], self._recent_menu)
            self._recent_menu.aboutToShow.connect(self._fill_recent_menu)
            self.message_bar = MessageBar()
            self._build()
        self._tabbing = self._reached_by_keyboard = False
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._note_focus)
        self._laid_out = self._run_at_start = self._waiting_to_warm_up = False
        errors.posted.connect(self.message_bar.show_message)
        self.controller.desk.file_opened.connect(self.preferences.add_recent_file)
        self.workbench.settings_class_wanted.connect(self._ask_settings_class)
        self.workbench.other_optimizer_wanted.connect(self._ask_other_optimizer)
        self.workbench.first_steps.fetch_wanted.connect(lambda: self.actions_["example_adk"].trigger())
        self.workbench.first_steps.dismissed.connect(lambda: self._show_first_steps(False))
        self.workbench.first_steps.setVisible(not self.preferences.flag("first_steps_dismissed"))
        self.controller.desk.slots_changed.connect(self._hide_first_steps_of_other_pairs)
        self.workbench.density.failed.connect(errors.report)
        self.workbench.density.changed.connect(self._note_map)
        viewer = self.workbench.viewer
        viewer.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        viewer.customContextMenuRequested.connect(
            lambda place: self.actions_.menu("scene", viewer).popup(viewer.mapToGlobal(place))
        )
        panel = self.workbench.sequences.panel
        panel.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        panel.customContextMenuRequested.connect(
            lambda place: self.actions_.menu("residues", panel).popup(panel.viewport().mapToGlobal(place))
        )
        sequences = self.preferences.flag("sequences")
        self.workbench.sequences.set_open(sequences)
        for identifier, on in (
            ("sequences", sequences),
            ("panel_left", True),
            ("panel_right", True),
            ("panel_ribbon", True),
            ("workbench_align", True),
            (f"theme_{theme().mode}", True),
        ):
            self.actions_.set_checked(identifier, on)
        self.view_commands.restore(self.actions_)
        self._restore()

    # -- building -------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.tabs = TabRow("Workbenches")
        self.tabs.add("Align", "Superpose two structures (1)")
        for title, tip in _LATER.items():
            self.tabs.add(title, tip, enabled=False)
        self.fetch_field = QLineEdit()
        self.fetch_field.setPlaceholderText("Fetch 4AKE, AF-P69441…")
        self.fetch_field.setAccessibleName("Identifiers of entries to fetch")
        self.fetch_field.setToolTip(
            "One or two identifiers, then Enter: 4AKE 1AKE, pdb_00004ake, AF-P69441-F1. Of two the first moves."
        )
        self.fetch_field.setFixedWidth(scaled(186))
        self.fetch_field.setClearButtonEnabled(True)
        self.fetch_field.returnPressed.connect(self._fetch_from_field)
        self.device = QLabel("starting…")
        self.device.setObjectName("device")
        self.device.setAccessibleName("Device")
        self.device.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        header = QHBoxLayout()
        header.setContentsMargins(8, 0, 8, 0)
        header.setSpacing(8)
        header.addWidget(self.tabs)
        header.addStretch(1)
        header.addWidget(self._tool("open"))
        header.addWidget(self.fetch_field)
        header.addWidget(self._tool("swap"))
        self.export_button = self._tool("export", "Export")
        self.export_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.export_button.setMenu(self.actions_.menu("export", self.export_button))
        header.addWidget(self.export_button)
        header.addWidget(self.device)
        central = QWidget()
        central.setObjectName("plain")
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(header)
        bar = QVBoxLayout()
        bar.setContentsMargins(8, 4, 8, 0)
        bar.addWidget(self.message_bar)
        bar.addWidget(self.export_desk.strip)
        layout.addLayout(bar)
        layout.addWidget(self.workbench, 1)
        self.setCentralWidget(central)
        self.setMinimumSize(1000, 640)

    def _tool(self, identifier: str, text: str = "") -> QToolButton:
        action = self.actions_[identifier]
        button = QToolButton()
        button.setObjectName("barButton")
        if text:
            # A button with a menu: it is enabled where any of its entries could be.
            button.setText(text)
            button.setToolTip("Write what the selected run found")
            set_icon(button, "upload")
        else:
            button.setDefaultAction(action)
            button.setText(action.iconText())
        button.setAccessibleName(text or action.iconText())
        button.setIconSize(QSize(16, 16))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return button

    def _handlers(self) -> dict[str, Callable[..., object]]:
        c = self.controller
        handlers: dict[str, Callable[..., object]] = {
            "open": lambda: self._ask_files(None),
            "open_mobile": lambda: self._ask_files("mobile"),
            "open_target": lambda: self._ask_files("target"),
            "open_map": self._ask_map,
            "fetch": self._focus_fetch,
            "example_hinge": self.open_example,
            "example_adk": lambda: c.desk.fetch(" ".join(ADENYLATE_KINASE)),
            "quit": self.close,
            "swap": c.desk.swap,
            "copy_command": lambda: self._with_current(self.workbench.copy_command, "The command is on the clipboard."),
            "copy_python": lambda: self._with_current(
                self.workbench.copy_python, "The Python code is on the clipboard."
            ),
            "apply_settings": lambda: self._with_current(c.apply_settings),
            "clear_runs": c.clear_runs,
            "panel_left": lambda on: self.workbench.panel.setVisible(on),
            "panel_right": lambda on: self.workbench.right.setVisible(on),
            "panel_ribbon": lambda on: self.workbench.sequences.setVisible(on),
            "align": self._align,
            "step": self._step,
            "pause": c.toggle_pause,
            "stop": c.stop,
            "add_to_race": self._checked(c.add_to_race),
            "race": c.race,
            "clear_race": c.clear_race,
            "fit_core": self._checked(c.fit_core),
            "branch": self._checked(c.branch),
            "move_by_hand": self._move_by_hand,
            "frame_first": lambda: c.show_frame(0),
            "frame_previous": lambda: c.show_frame(c.frame - 1),
            "replay": c.replay,
            "frame_next": lambda: c.show_frame(c.frame + 1),
            "frame_last": lambda: c.show_frame(c.frames - 1),
            "frame_best": c.show_best,
            "latest": c.show_latest,
            "skip": self._escape,
            "sequences": self._show_sequences,
            "preset_centring": self._preset,
            "workbench_align": _when_on(lambda: self.tabs.choose(0)),
            "full_screen": lambda on: self.showFullScreen() if on else self.showNormal(),
            "reset_layout": self._reset_layout,
            "help": lambda: HelpDialog("align", self).open(),
            "shortcuts": lambda: ShortcutsDialog(self).open(),
            "first_steps": lambda: self._show_first_steps(True),
            "about": lambda: AboutDialog(self.device_text, str(self.workbench.viewer.opengl), self).open(),
        }
        handlers |= self.view_commands.handlers() | self.selection_commands.handlers()
        modes: tuple[Mode, ...] = ("system", "light", "dark")
        for mode in modes:
            handlers[f"theme_{mode}"] = _when_on(partial(self._set_mode, mode))
        handlers |= self.export_desk.handlers()
        return handlers

    # -- start and end --------------------------------------------------------------------------------------------

    def start(self, files: Sequence[str] = (), *, run: bool = False) -> None:
        """Load the first structures and wake the compute thread; called when the window is visible.

        Parameters
        ----------
        files : sequence of str, optional
            Structures to open, what moves first; the bundled pair by default.
        run : bool, optional
            Press Align once they are there.
        """
        self._run_at_start = run
        if files:
            self.controller.desk.open_files(list(files))
        else:
            self.open_example()
        self.controller.desk.pairs_changed.connect(self._focus_align)
        # Loading torch would take half of the time that reading and pairing need.
        self._waiting_to_warm_up = True
        self.files.idle_changed.connect(lambda idle: QTimer.singleShot(0, self, self._warm_up))
        if self.files.idle:  # a map alone is not read by that thread
            QTimer.singleShot(0, self, self._warm_up)

    def _warm_up(self) -> None:
        """Load torch once the structures are there, or once it is known that they will not come."""
        if self._waiting_to_warm_up and self.files.idle:
            self._waiting_to_warm_up = False
            self.compute.submit(warm_up, self._warmed, lambda error: self.errors.report(error, "Loading torch"))

    def _focus_align(self) -> None:
        """Put the keyboard on Align as soon as it can be pressed for the first time, and press it if asked to."""
        if self.controller.session.inputs is None:
            return
        self.controller.desk.pairs_changed.disconnect(self._focus_align)
        if not isinstance(self.focusWidget(), QLineEdit):
            self.workbench.panel.main_button.setFocus()
        if self._run_at_start:
            self._run_at_start = False
            self.actions_["align"].trigger()

    def open_example(self) -> None:
        """Open the bundled pair."""
        try:
            mobile, target = (resource(name) for name in HINGE)
        except ResourceError as error:
            self.errors.report(error)
            return
        self.controller.desk.open_pair(mobile, target)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._laid_out:
            self._laid_out = True
            if not self._restored_layout:
                QTimer.singleShot(0, self, self.workbench.reset_layout)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.preferences.set_state("geometry", self.saveGeometry())
        for name, state in self.workbench.save_layout().items():
            self.preferences.set_state(f"layout/{name}", state)
        self.preferences.save()
        self.controller.close()
        for worker in (self.compute, self.files, self.writing):
            worker.close(2.0)
        self.workbench.density.shut_down()
        self.workbench.viewer.shut_down()
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
        states = {name: self.preferences.state(f"layout/{name}") for name in ("columns", "right")}
        self._restored_layout = self.workbench.restore_layout(states)

    def _warmed(self, torch_version: str) -> None:
        self.device_text = "CPU, 1 thread"
        self.device.setText(self.device_text)
        self.device.setToolTip(
            f"Alignments are computed in float64 on the CPU with one thread, by torch {torch_version}.\n"
            f"Drawn by {self.workbench.viewer.opengl}."
        )

    # -- settings of the window -----------------------------------------------------------------------------------

    def _mode(self) -> Mode:
        word = self.preferences.text("theme", "system")
        return word if word in ("light", "dark") else "system"  # type: ignore[return-value]

    def _set_mode(self, mode: Mode) -> None:
        self.preferences.set_text("theme", mode)
        theme().set_mode(mode)

    def _show_sequences(self, on: bool) -> None:
        self.preferences.set_flag("sequences", on)
        self.workbench.sequences.set_open(on)

    def _escape(self) -> None:
        """Skip the replay; where there is none, clear the selection."""
        if self.controller.playback.playing:
            self.controller.skip()
        else:
            self.workbench.selection.clear()

    def _reset_layout(self) -> None:
        for identifier in ("panel_left", "panel_right", "panel_ribbon"):
            self.actions_[identifier].setChecked(True)
        self.workbench.reset_layout()

    def _hide_first_steps_of_other_pairs(self) -> None:
        """The strip speaks of the bundled pair; with another one it goes, until the next start."""
        names = {slot.path.name for slot in self.controller.session.slots.values()}
        if names and not names <= {Path(name).name for name in HINGE}:
            self.workbench.first_steps.hide()

    def _show_first_steps(self, on: bool) -> None:
        self.preferences.set_flag("first_steps_dismissed", not on)
        self.workbench.first_steps.setVisible(on)

    # -- files ----------------------------------------------------------------------------------------------------

    def _ask_files(self, slot: Any) -> None:
        folder = self.preferences.text("folder")
        if slot is None:
            names, _ = QFileDialog.getOpenFileNames(self, "Open one or two structures", folder, _FILTER)
        else:
            name, _ = QFileDialog.getOpenFileName(self, "Open a structure", folder, _FILTER)
            names = [name] if name else []
        if names:
            self.preferences.set_text("folder", os.path.dirname(names[0]))
            self.controller.desk.open_files(names, slot, by_name=True)

    def _ask_map(self) -> None:
        folder = self.preferences.text("folder")
        name, _ = QFileDialog.getOpenFileName(self, "Open a density map", folder, _MAP_FILTER)
        if name:
            self.preferences.set_text("folder", os.path.dirname(name))
            self.workbench.density.open(Path(name))

    def _note_map(self) -> None:
        density = self.workbench.density.density
        if density is not None and density.path is not None:
            self.preferences.add_recent_file(density.path)
        if density is not None and not self.controller.session.slots:
            self.workbench.first_steps.hide()

    def _fill_recent_menu(self) -> None:
        self._recent_menu.clear()
        files = self.preferences.recent_files()
        for file in files:
            self._recent_menu.addAction(
                Path(file).name, lambda file=file: self.controller.desk.open_files([file])
            ).setToolTip(file)
        self._recent_menu.setToolTipsVisible(True)
        if files:
            self._recent_menu.addSeparator()
            self._recent_menu.addAction("Clear the list", self.preferences.clear_recent_files)
        else:
            self._recent_menu.addAction("No recent files").setEnabled(False)

    def _focus_fetch(self) -> None:
        self.fetch_field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.fetch_field.selectAll()

    def _fetch_from_field(self) -> None:
        text = self.fetch_field.text().strip()
        if text:
            self.controller.desk.fetch(text)
            self.fetch_field.clear()
            self.workbench.viewer.setFocus()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_files(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        event.acceptProposedAction()
        self.controller.desk.open_files(dropped_files(event), by_name=True)

    # -- runs -----------------------------------------------------------------------------------------------------

    def _valid(self) -> bool:
        """Whether the form holds no error; else say which."""
        found = self.workbench.panel.errors()
        if not found:
            return True
        name, problem = next(iter(found.items()))
        self.errors.post(Message(f"{name}: {problem}. Correct it, or take its recommended value.", "error"))
        return False

    def _checked(self, work: Callable[[], object]) -> Callable[[], object]:
        return lambda: work() if self._valid() else None

    def _align(self) -> None:
        if self._valid():
            self.message_bar.dismiss()
            self.controller.align()

    def _step(self) -> None:
        if self._valid():
            self.controller.align(step=True)

    def _preset(self) -> None:
        from lieapp.alignment.spec import PRESETS

        self.controller.run_preset(PRESETS[0])

    def _move_by_hand(self, on: bool) -> None:
        if on and not self.workbench.viewer.available:
            self.errors.post(Message("Moving by hand needs the 3-D view.", "warning"))
            self.actions_.set_checked("move_by_hand", False)
            return
        self.workbench.viewer.set_by_hand(on)
        if on:
            self.workbench.viewer.setFocus()

    def _with_current(self, work: Callable[[Any], object], said: str = "") -> None:
        current = self.controller.session.current
        if current is not None:
            work(current)
            if said:
                self.errors.post(Message(said, "success"))

    # -- optimisers that only torch can describe ------------------------------------------------------------------

    def _ask_settings_class(self, name: str) -> None:
        def work(task: Task) -> Any:
            return importlib.import_module("lieapp.optimizers.registry").settings_class(name)

        def failed(error: BaseException) -> None:
            self.errors.report(error, f"Asking for the settings of {name}")
            self.workbench.panel.show_choices(self.controller.session.choices)

        self.compute.submit(work, lambda model: self.workbench.show_optimizer(name, model), failed)

    def _ask_other_optimizer(self) -> None:
        name = ask_text(self, "Other optimiser", "A torch optimiser by its name, or package.module:Class")
        if name:
            self._ask_settings_class(name)
