"""The main window: menu bar, workbench tabs, toolbar, messages, and the workbench."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
from lieapp.gui.run_controller import RunController
from lieapp.gui.run_desk import Turn
from lieapp.gui.run_workbench import RunWorkbench
from lieapp.gui.selection_commands import SelectionCommands
from lieapp.gui.slot_card import dropped_files
from lieapp.gui.structure_desk import ADENYLATE_KINASE, HINGE
from lieapp.gui.tab_row import TabRow
from lieapp.gui.theme import Mode, held_style, scaled, theme
from lieapp.gui.view_commands import ViewCommands
from lieapp.gui.workbenches import Workbenches
from lieapp.gui.worker import Task, Worker, warm_up
from lieapp.paths import ResourceError, resource

if TYPE_CHECKING:
    from lieapp.gui.cryoem_workbench import CryoemWorkbench
    from lieapp.gui.landscape_exports import LandscapeExports
    from lieapp.gui.landscape_workbench import LandscapeWorkbench

__all__ = ["MainWindow"]

_FILTER = (
    "Structures (*.pdb *.ent *.cif *.mmcif *.bcif *.pdb.gz *.ent.gz *.cif.gz *.bcif.gz *.pdb1 *.pdb1.gz);;All files (*)"
)
_MAP_FILTER = "Density maps (*.mrc *.map *.ccp4 *.mrc.gz *.map.gz *.ccp4.gz);;All files (*)"
_IMAGES_FILTER = (
    "Maps, structures, particles (*.mrc *.map *.ccp4 *.mrc.gz *.map.gz *.star *.cs *.pdb *.ent *.cif *.mmcif *.bcif "
    "*.pdb.gz *.cif.gz);;All files (*)"
)
_WORKBENCHES = {
    "align": ("Align", "Superpose two structures (1)"),
    "landscape": ("Landscape", "See what curvature does to optimisers, on surfaces with known saddle points (2)"),
    "cryoem": ("Cryo-EM", "See what preconditioning does to the reconstruction of a map from particle images (3)"),
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
            self.landscape: LandscapeWorkbench | None = None
            self.cryoem: CryoemWorkbench | None = None
            self._exports: dict[str, LandscapeExports] = {}
            self.workbenches = Workbenches()
            self.workbenches.changed.connect(self._workbench_changed)
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
        self._connect_workbench(self.workbench)
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
            ("plot_legend", True),
            ("workbench_align", True),
            (f"theme_{theme().mode}", True),
        ):
            self.actions_.set_checked(identifier, on)
        self.view_commands.restore(self.actions_)
        self._restore()

    # -- building -------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.tabs = TabRow("Workbenches")
        for title, tip in _WORKBENCHES.values():
            self.tabs.add(title, tip)
        self.tabs.chosen.connect(lambda index: self.choose_workbench(list(_WORKBENCHES)[index]))
        self.fetch_field = QLineEdit()
        self.fetch_field.setPlaceholderText("Fetch 4AKE, AF-P69441…")
        self.fetch_field.setAccessibleName("Identifiers of entries to fetch")
        self.fetch_field.setToolTip(
            "One or two identifiers, then Enter: 4AKE 1AKE, pdb_00004ake, AF-P69441-F1. Of two the first moves."
        )
        self.fetch_field.setMinimumWidth(scaled(72))
        self.fetch_field.setMaximumWidth(scaled(186))
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
        self._file_tools = [self._tool("open"), self.fetch_field, self._tool("swap")]
        for widget in self._file_tools:
            header.addWidget(widget)
        header.setStretchFactor(self.fetch_field, 100)
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
        layout.addWidget(self.workbenches, 1)
        self.workbenches.add("align", lambda: self.workbench)
        self.workbenches.add("landscape", self._make_landscape)
        self.workbenches.add("cryoem", self._make_cryoem)
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
            "open": lambda: self._ask_images() if self.shown is self.cryoem else self._ask_files(None),
            "open_mobile": lambda: self._ask_files("mobile"),
            "open_target": lambda: self._ask_files("target"),
            "open_map": self._on_align(self._ask_map),
            "fetch": self._focus_fetch,
            "example_hinge": self._on_align(self.open_example),
            "example_adk": self._on_align(lambda: c.desk.fetch(" ".join(ADENYLATE_KINASE))),
            "quit": self.close,
            "swap": c.desk.swap,
            "copy_command": lambda: self._with_current(self.shown.copy_command, "The command is on the clipboard."),
            "copy_python": lambda: self._with_current(self.shown.copy_python, "The Python code is on the clipboard."),
            "apply_settings": lambda: self._with_current(self.runs.apply_settings),
            "clear_runs": lambda: self.runs.clear_runs(),
            "panel_left": lambda on: self.shown.panel.setVisible(on),
            "panel_right": lambda on: self.shown.right.setVisible(on),
            "panel_ribbon": lambda on: self.workbench.sequences.setVisible(on),
            "plot_legend": lambda on: self.shown.plots.legend_action.setChecked(on),
            "plots_large": lambda on: self.shown.set_plots_large(on),
            "copy_plot": lambda: self.shown.copy_plot(),
            "align": self._run,
            "step": self._checked(lambda: self.runs.run(step=True)),
            "pause": lambda: self.runs.toggle_pause(),
            "stop": lambda: self.runs.stop(),
            "add_to_race": self._checked(lambda: self.runs.add_to_race()),
            "race": self._checked(self._race),
            "clear_race": lambda: self.runs.clear_race(),
            "fit_core": self._checked(c.fit_core),
            "branch": self._checked(lambda: self.runs.branch()),
            "move_by_hand": self._move_by_hand,
            "frame_first": lambda: self.runs.show_frame(0),
            "frame_previous": lambda: self.runs.show_frame(self.runs.frame - 1),
            "replay": lambda: self.runs.replay(),
            "frame_next": lambda: self.runs.show_frame(self.runs.frame + 1),
            "frame_last": lambda: self.runs.show_frame(self.runs.frames - 1),
            "frame_best": lambda: self.runs.show_best(),
            "latest": lambda: self.runs.show_latest(),
            "skip": self._escape,
            "sequences": self._show_sequences,
            "preset_centring": self._preset,
            "fit_view": lambda: self.shown.fit_view(),
            "preset_saddle": lambda: self._landscape_preset("saddle-race"),
            "preset_ridge": lambda: self._landscape_preset("ridge"),
            "preset_muller_brown": lambda: self._landscape_preset("muller-brown"),
            "workbench_align": _when_on(lambda: self.choose_workbench("align")),
            "preset_first": lambda: self._cryoem_preset("first"),
            "preset_sharper": lambda: self._cryoem_preset("sharper"),
            "preset_preferred": lambda: self._cryoem_preset("preferred"),
            "workbench_landscape": _when_on(lambda: self.choose_workbench("landscape")),
            "workbench_cryoem": _when_on(lambda: self.choose_workbench("cryoem")),
            "full_screen": lambda on: self.showFullScreen() if on else self.showNormal(),
            "reset_layout": self._reset_layout,
            "help": lambda: HelpDialog(self.workbenches.name, self).open(),
            "shortcuts": lambda: ShortcutsDialog(self).open(),
            "first_steps": lambda: self._show_first_steps(True),
            "about": lambda: AboutDialog(self.device_text, str(self.workbench.viewer.opengl), self).open(),
        }
        handlers |= self.view_commands.handlers() | self.selection_commands.handlers()
        modes: tuple[Mode, ...] = ("system", "light", "dark")
        for mode in modes:
            handlers[f"theme_{mode}"] = _when_on(partial(self._set_mode, mode))
        for identifier, handler in self.export_desk.handlers().items():
            handlers[identifier] = partial(self._export, identifier, handler)
        return handlers

    # -- workbenches ----------------------------------------------------------------------------------------------

    @property
    def shown(self) -> RunWorkbench:
        """The workbench that is shown."""
        return self.workbenches.shown

    @property
    def runs(self) -> RunController:
        """The controller of the runs of the workbench that is shown."""
        return self.shown.run_controller

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

    def _make_landscape(self) -> LandscapeWorkbench:
        from lieapp.gui.landscape_controller import LandscapeController
        from lieapp.gui.landscape_exports import LandscapeExports
        from lieapp.gui.landscape_workbench import LandscapeWorkbench

        controller = LandscapeController(self.compute, self.errors, self.turn, self)
        self.landscape = LandscapeWorkbench(controller, self.actions_, self.compute, self.files)
        self._exports["landscape"] = LandscapeExports(self.landscape, self.writing, self.errors, self.preferences, self)
        self._connect_workbench(self.landscape)
        return self.landscape

    def _make_cryoem(self) -> CryoemWorkbench:
        from lieapp.gui.cryoem_controller import CryoemController
        from lieapp.gui.cryoem_workbench import CryoemWorkbench

        controller = CryoemController(self.compute, self.files, self.errors, self.turn, self)
        self.cryoem = CryoemWorkbench(controller, self.actions_, self.files)
        self.cryoem.panel.open_wanted.connect(self._ask_images)
        controller.file_opened.connect(self.preferences.add_recent_file)
        self._connect_workbench(self.cryoem)
        return self.cryoem

    def _offer_structures(self) -> None:
        """Offer the structures of the other workbench as something to simulate images of."""
        if self.cryoem is not None:
            slots = self.controller.session.slots.values()
            self.cryoem.offer_files([("structure", str(slot.path)) for slot in slots])

    def _cryoem_preset(self, name: str) -> None:
        from lieapp.cryoem.spec import PRESETS

        self.choose_workbench("cryoem")
        assert self.cryoem is not None
        self.message_bar.dismiss()
        self.cryoem.controller.run_preset(next(preset for preset in PRESETS if preset.name == name))

    def _connect_workbench(self, workbench: RunWorkbench) -> None:
        workbench.settings_class_wanted.connect(lambda name: self._ask_settings_class(workbench, name))
        workbench.other_optimizer_wanted.connect(lambda: self._ask_other_optimizer(workbench))

    def _workbench_changed(self, name: str) -> None:
        self.tabs.choose(list(_WORKBENCHES).index(name))
        self.actions_.set_workbench(name)
        for identifier, on in (
            (f"workbench_{name}", True),
            ("panel_left", not self.shown.panel.isHidden()),
            ("panel_right", not self.shown.right.isHidden()),
            ("plot_legend", self.shown.plots.legend.wanted),
            ("plots_large", self.shown.plots.presentation),
        ):
            self.actions_.set_checked(identifier, on)
        for widget in self._file_tools:
            widget.setVisible(name == "align")
        self.export_button.setMenu(self.actions_.menu("export", self.export_button))

    def _export(self, identifier: str, on_structures: Callable[..., object]) -> None:
        """Do what an entry of the Export menu means in the workbench that is shown."""
        exports = self._exports.get(self.workbenches.name)
        if exports is not None:
            exports.handlers()[identifier]()
        else:
            on_structures()

    def _landscape_preset(self, name: str) -> None:
        from lieapp.landscapes.spec import PRESETS

        self.choose_workbench("landscape")
        assert self.landscape is not None
        self.message_bar.dismiss()
        self.landscape.controller.run_preset(next(preset for preset in PRESETS if preset.name == name))

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
        for name, workbench in self.workbenches:
            for part, state in workbench.save_layout().items():
                self.preferences.set_state(_layout_key(name, part), state)
        self.preferences.save()
        for _, workbench in self.workbenches:
            workbench.run_controller.close()
        for worker in (self.compute, self.files, self.writing):
            worker.close(2.0)
        if self.cryoem is not None:
            self.cryoem.shut_down()
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
        self._restored_layout = self._restore_workbench("align", self.workbench)

    def _restore_workbench(self, name: str, workbench: RunWorkbench) -> bool:
        """Give a workbench the layout that was remembered; return whether there was one."""
        states = {part: self.preferences.state(_layout_key(name, part)) for part in ("columns", "right")}
        restored = workbench.restore_layout(states)
        if not restored and workbench is not self.workbench:
            QTimer.singleShot(0, workbench, workbench.reset_layout)
        return restored

    def _warmed(self, torch_version: str) -> None:
        self.device_text = "CPU, 1 thread"
        self.device.setText(self.device_text)
        self.device.setToolTip(
            f"Alignments and surfaces are computed in float64 on the CPU with one thread, by torch {torch_version}.\n"
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
        if self.runs.playback.playing:
            self.runs.skip()
        elif self.shown is self.workbench:
            self.workbench.selection.clear()

    def _reset_layout(self) -> None:
        for identifier in ("panel_left", "panel_right", "panel_ribbon"):
            self.actions_[identifier].setChecked(True)
        self.shown.reset_layout()

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
        self.choose_workbench("align")
        folder = self.preferences.text("folder")
        if slot is None:
            names, _ = QFileDialog.getOpenFileNames(self, "Open one or two structures", folder, _FILTER)
        else:
            name, _ = QFileDialog.getOpenFileName(self, "Open a structure", folder, _FILTER)
            names = [name] if name else []
        if names:
            self.preferences.set_text("folder", os.path.dirname(names[0]))
            self.controller.desk.open_files(names, slot, by_name=True)

    def _ask_images(self) -> None:
        folder = self.preferences.text("folder")
        name, _ = QFileDialog.getOpenFileName(self, "Open a map, a structure or particles", folder, _IMAGES_FILTER)
        if name:
            self.preferences.set_text("folder", os.path.dirname(name))
            self.open_images(Path(name))

    def open_images(self, path: Path) -> None:
        """Show the Cryo-EM workbench and reconstruct from a file: particles, or a map or structure to simulate."""
        self.choose_workbench("cryoem")
        assert self.cryoem is not None
        self.cryoem.controller.open_file(path)

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
        self.choose_workbench("align")
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
        files = dropped_files(event)
        if len(files) == 1 and (self.shown is self.cryoem or _is_of_images(files[0])):
            self.open_images(files[0])
        else:
            self.choose_workbench("align")
            self.controller.desk.open_files(files, by_name=True)

    # -- runs -----------------------------------------------------------------------------------------------------

    def _valid(self) -> bool:
        """Whether the form holds no error; else say which."""
        found = self.shown.panel.errors()
        if not found:
            return True
        name, problem = next(iter(found.items()))
        self.errors.post(Message(f"{name}: {problem}. Correct it, or take its recommended value.", "error"))
        return False

    def _on_align(self, work: Callable[[], object]) -> Callable[[], object]:
        def handle() -> object:
            self.choose_workbench("align")
            return work()

        return handle

    def _checked(self, work: Callable[[], object]) -> Callable[[], object]:
        return lambda: work() if self._valid() else None

    def _run(self) -> None:
        if self._valid():
            self.message_bar.dismiss()
            self.runs.run()

    def _race(self) -> None:
        self.message_bar.dismiss()
        self.runs.race()

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
        current = self.runs.current
        if current is not None:
            work(current)
            if said:
                self.errors.post(Message(said, "success"))

    # -- optimisers that only torch can describe ------------------------------------------------------------------

    def _ask_settings_class(self, workbench: RunWorkbench, name: str) -> None:
        def work(task: Task) -> Any:
            return importlib.import_module("lieapp.optimizers.registry").settings_class(name)

        def failed(error: BaseException) -> None:
            self.errors.report(error, f"Asking for the settings of {name}")
            workbench.panel.show_choices(workbench.run_controller.choices)

        self.compute.submit(work, lambda model: workbench.show_optimizer(name, model), failed)

    def _ask_other_optimizer(self, workbench: RunWorkbench) -> None:
        name = ask_text(self, "Other optimiser", "A torch optimiser by its name, or package.module:Class")
        if name:
            self._ask_settings_class(workbench, name)


def _is_of_images(path: Path) -> bool:
    """Whether a file that is dropped belongs to the Cryo-EM workbench."""
    from lieapp.cryoem.maps import is_map_name
    from lieapp.cryoem.reading import is_particle_name

    return is_map_name(path) or is_particle_name(path)


def _layout_key(workbench: str, part: str) -> str:
    return f"layout/{part}" if workbench == "align" else f"layout/{workbench}/{part}"
