"""What the actions of the window do, in whichever workbench is shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from lieapp.gui.align.structure_desk import ADENYLATE_KINASE
from lieapp.gui.application.messages import Message
from lieapp.gui.widgets.theme import Mode
from lieapp.gui.window.dialogs import AboutDialog, ShortcutsDialog
from lieapp.gui.window.help_page import HelpDialog

if TYPE_CHECKING:
    from lieapp.gui.runs.controller import RunController
    from lieapp.gui.window.main_window import MainWindow

__all__ = ["WindowCommands"]

Handler = Callable[..., object]

_CRYOEM_EXPORTS = ("export_map", "export_half_maps", "export_particles", "export_fsc")


class WindowCommands:
    """Handlers of the table of actions.

    Parameters
    ----------
    window : MainWindow
        Its workbenches need not be made yet.
    """

    def __init__(self, window: MainWindow) -> None:
        self._window = window

    @property
    def runs(self) -> RunController:
        """The controller of the runs of the workbench that is shown."""
        return self._window.runs

    def handlers(self) -> dict[str, Handler]:
        """Return what every action does, by its id."""
        window = self._window
        found = self._of_files() | self._of_runs() | self._of_replay() | self._of_window()
        found |= window.view_commands.handlers() | window.selection_commands.handlers()
        for identifier, handler in window.export_desk.handlers().items():
            found[identifier] = partial(self._export, identifier, handler)
        for identifier in _CRYOEM_EXPORTS:
            found[identifier] = partial(self._export, identifier, lambda: None)
        return found

    # -- tables ---------------------------------------------------------------------------------------------------

    def _of_files(self) -> dict[str, Handler]:
        files, desk = self._window.opening, self._window.controller.desk
        return {
            "open": files.ask,
            "open_mobile": lambda: files.ask_structures("mobile"),
            "open_target": lambda: files.ask_structures("target"),
            "open_map": self._on_align(files.ask_map),
            "fetch": files.focus_fetch,
            "example_hinge": self._on_align(files.open_example),
            "example_adk": self._on_align(lambda: desk.fetch(" ".join(ADENYLATE_KINASE))),
            "swap": desk.swap,
        }

    def _of_runs(self) -> dict[str, Handler]:
        return {
            "align": self._checked(lambda: self._compute(self.runs.run)),
            "step": self._checked(lambda: self.runs.run(step=True)),
            "pause": lambda: self.runs.toggle_pause(),
            "stop": lambda: self.runs.stop(),
            "add_to_race": self._checked(lambda: self.runs.add_to_race()),
            "race": self._checked(lambda: self._compute(self.runs.race)),
            "clear_race": lambda: self.runs.clear_race(),
            "clear_runs": lambda: self.runs.clear_runs(),
            "fit_core": self._checked(self._window.controller.fit_core),
            "branch": self._checked(lambda: self.runs.branch()),
            "move_by_hand": self._move_by_hand,
            "copy_command": lambda: self._with_current("copy_command", "The command is on the clipboard."),
            "copy_python": lambda: self._with_current("copy_python", "The Python code is on the clipboard."),
            "apply_settings": self._apply_settings,
            "preset_centring": self._run_centring,
            "preset_saddle": lambda: self._run_landscapes("saddle-race"),
            "preset_ridge": lambda: self._run_landscapes("ridge"),
            "preset_muller_brown": lambda: self._run_landscapes("muller-brown"),
            "preset_first": lambda: self._reconstruct("first"),
            "preset_sharper": lambda: self._reconstruct("sharper"),
            "preset_preferred": lambda: self._reconstruct("preferred"),
        }

    def _of_replay(self) -> dict[str, Handler]:
        return {
            "frame_first": lambda: self.runs.show_frame(0),
            "frame_previous": lambda: self.runs.show_frame(self.runs.frame - 1),
            "replay": lambda: self.runs.replay(),
            "frame_next": lambda: self.runs.show_frame(self.runs.frame + 1),
            "frame_last": lambda: self.runs.show_frame(self.runs.frames - 1),
            "frame_best": lambda: self.runs.show_best(),
            "latest": lambda: self.runs.show_latest(),
            "skip": self._escape,
        }

    def _of_window(self) -> dict[str, Handler]:
        window = self._window
        found: dict[str, Handler] = {
            "quit": window.close,
            "panel_left": lambda on: window.shown.panel.setVisible(on),
            "panel_right": lambda on: window.shown.right.setVisible(on),
            "panel_ribbon": lambda on: window.workbench.sequences.setVisible(on),
            "plot_legend": lambda on: window.shown.plots.legend_action.setChecked(on),
            "plots_large": lambda on: window.shown.set_plots_large(on),
            "copy_plot": lambda: window.shown.copy_plot(),
            "sequences": window.show_sequences,
            "fit_view": lambda: window.shown.fit_view(),
            "full_screen": lambda on: window.showFullScreen() if on else window.showNormal(),
            "reset_layout": self._reset_layout,
            "help": lambda: HelpDialog(window.workbenches.name, window).open(),
            "shortcuts": lambda: ShortcutsDialog(window).open(),
            "first_steps": lambda: window.show_first_steps(True),
            "about": lambda: AboutDialog(window.device_text, str(window.workbench.viewer.opengl), window).open(),
        }
        for name in ("align", "landscape", "cryoem"):
            found[f"workbench_{name}"] = _when_on(partial(window.choose_workbench, name))
        modes: tuple[Mode, ...] = ("system", "light", "dark")
        for mode in modes:
            found[f"theme_{mode}"] = _when_on(partial(window.set_mode, mode))
        return found

    # -- runs -----------------------------------------------------------------------------------------------------

    def _checked(self, work: Callable[[], object]) -> Handler:
        return lambda: work() if self._valid() else None

    def _valid(self) -> bool:
        """Whether the form holds no error; else say which."""
        panel = self._window.shown.panel
        found = panel.errors()
        if not found:
            return True
        name, problem = next(iter(found.items()))
        remedy = "Correct it." if name == "formula" else "Correct it, or take its recommended value."
        self._window.messages.post(
            Message(f"{name}: {problem}. {remedy}", "error", still=lambda: name in panel.errors())
        )
        return False

    def _compute(self, start: Callable[[], object]) -> None:
        self._window.message_bar.dismiss()
        start()

    def _on_align(self, work: Callable[[], object]) -> Handler:
        def handle() -> object:
            self._window.choose_workbench("align")
            return work()

        return handle

    def _with_current(self, copy: str, said: str) -> None:
        current = self.runs.current
        if current is not None:
            getattr(self._window.shown, copy)(current)
            self._window.messages.post(Message(said, "success"))

    def _apply_settings(self) -> None:
        if self.runs.current is not None:
            self.runs.apply_settings(self.runs.current)

    def _run_centring(self) -> None:
        from lieapp.alignment.spec import PRESETS

        self._window.controller.run_preset(PRESETS[0])

    def _run_landscapes(self, name: str) -> None:
        from lieapp.landscapes.spec import PRESETS

        self._run_prepared("landscape", next(preset for preset in PRESETS if preset.name == name))

    def _reconstruct(self, name: str) -> None:
        from lieapp.cryoem.spec import PRESETS

        self._run_prepared("cryoem", next(preset for preset in PRESETS if preset.name == name))

    def _run_prepared(self, workbench: str, preset: Any) -> None:
        self._window.choose_workbench(workbench)
        self._window.message_bar.dismiss()
        controller: Any = self.runs
        controller.run_preset(preset)

    def _move_by_hand(self, on: bool) -> None:
        window = self._window
        if on and not window.workbench.viewer.available:
            window.messages.post(Message("Moving by hand needs the 3-D view.", "warning"))
            window.actions_.set_checked("move_by_hand", False)
            return
        window.workbench.viewer.set_by_hand(on)
        if on:
            window.workbench.viewer.setFocus()

    # -- the rest -------------------------------------------------------------------------------------------------

    def _export(self, identifier: str, on_structures: Callable[..., object]) -> None:
        """Do what an entry of the Export menu means in the workbench that is shown."""
        exports = self._window.exports.get(self._window.workbenches.name)
        if exports is not None:
            exports.handlers()[identifier]()
        else:
            on_structures()

    def _escape(self) -> None:
        """Skip the replay; where there is none, clear the selection."""
        window = self._window
        if self.runs.playback.playing:
            self.runs.skip()
        elif window.shown is window.workbench:
            window.workbench.selection.clear()

    def _reset_layout(self) -> None:
        for identifier in ("panel_left", "panel_right", "panel_ribbon"):
            self._window.actions_[identifier].setChecked(True)
        self._window.shown.reset_layout()


def _when_on(work: Callable[[], object]) -> Callable[[bool], None]:
    """Return a handler of an exclusive action: those that are switched off by another do nothing."""

    def handle(on: bool) -> None:
        if on:
            work()

    return handle
