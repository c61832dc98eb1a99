"""Every action of the window, once: menus, toolbar, shortcuts, the help list and tests are made from this table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from lieapp.gui.widgets.icons import set_icon
from lieapp.scene.coloring import COLOR_SCHEMES

__all__ = ["ACTIONS", "MENUS", "ActionSet", "ActionSpec", "STATES", "color_action", "shortcut_rows"]

STATES = (
    "always",
    "structure",
    "both",
    "paired",
    "ready",
    "start",
    "pause",
    "step",
    "stop",
    "race",
    "run",
    "frames",
    "branch",
    "pose",
    "export",
    "selection",
    "escape",
)
"""Words for when an action can be used.

``structure`` one slot is filled; ``both`` two are; ``paired`` pairs exist; ``ready`` a
run has something to work on; ``start`` it may begin now; ``pause`` a run
can be paused or continued; ``step`` one step can be taken; ``stop`` a run can be stopped; ``race`` entrants wait;
``run`` a run is selected; ``frames`` the selected run has frames to replay; ``branch`` a
new run can begin where the frame is; ``pose`` the scene shows a pose;
``export`` the selected run has ended and nothing is being written; ``selection`` residues are selected; ``escape``
there is a replay to skip or a selection to clear.
"""


@dataclass(frozen=True)
class ActionSpec:
    """One action.

    Attributes
    ----------
    id : str
        Unique; handlers are found by it.
    title : str
        Text of the menu entry, with ``&`` before its letter.
    tip : str
        One sentence for tooltip and status.
    menu : tuple of str
        Menus it appears in, in the order of the table; ``"View/Style"`` is a submenu.
    shortcut : tuple of str
        Key sequences in Qt's portable form.
    icon : str
        Name of an icon, or empty.
    when : str
        One of `STATES`.
    checkable : bool
    group : str
        Checkable actions of one group exclude each other.
    separator : bool
        A line above it in its menus.
    filled : bool
        Whether the icon is filled.
    where : tuple of str
        Workbenches in which it is there; empty for all.
    words : mapping
        Title and tip in workbenches in which they differ.
    """

    id: str
    title: str
    tip: str
    menu: tuple[str, ...] = ()
    shortcut: tuple[str, ...] = ()
    icon: str = ""
    when: str = "always"
    checkable: bool = False
    group: str = ""
    separator: bool = False
    filled: bool = False
    where: tuple[str, ...] = ()
    words: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def plain_title(self) -> str:
        """The title without mnemonic and dots."""
        return self.title.replace("&&", "\0").replace("&", "").replace("\0", "&").rstrip("…")


MENUS = ("&File", "&Edit", "&View", "&Run", "&Demos", "&Window", "&Help")
"""The menu bar, in order."""


def color_action(scheme: str) -> str:
    """Return the id of the action of a colour scheme."""
    return f"color_{scheme.replace('-', '_')}"


_A = ActionSpec
_SPECS: tuple[ActionSpec, ...] = (
    # File
    _A("open", "&Open…", "Open one or two structure files: the first moves, the second stays", ("File",),
               ("Ctrl+O",), "folder-open"),
    _A("open_mobile", "Open the structure that &moves…", "Open a file for the structure that moves",
               ("File", "slot:mobile"), ("Ctrl+Shift+O",)),
    _A("open_target", "Open the structure that &stays…", "Open a file for the structure that stays",
               ("File", "slot:target")),
    _A("open_map", "Open &map…", "Open a density map (MRC, CCP4); it lies in the frame of the structure that stays",
               ("File",)),
    _A("fetch", "&Fetch…", "Fetch entries by identifier, such as 4AKE 1AKE or AF-P69441-F1", ("File",),
               ("Ctrl+L",), "download"),
    _A("example_hinge", "&Hinge, bundled", "The bundled two-domain protein: its open form onto its closed form",
               ("File/Examples", "Demos")),
    _A("example_adk", "&Adenylate kinase 4AKE → 1AKE", "Fetch the open and the closed adenylate kinase",
               ("File/Examples", "Demos"), icon="download"),
    _A("export", "&Export everything…", "Write transform, moved structure, scripts, tables and figures",
               ("File", "export"), ("Ctrl+E",), "upload", "export", separator=True),
    _A("export_moved", "&Moved structure…", "Write the structure that moves, all its atoms, at the pose",
               ("File/Export one", "export"), (), "", "export", separator=True),
    _A("export_transform_json", "Transform as &JSON…", "Write matrix, twist, axis and angle as JSON",
               ("File/Export one", "export"), (), "", "export"),
    _A("export_transform_text", "Transform as &text…", "Write the matrix as plain text",
               ("File/Export one", "export"), (), "", "export"),
    _A("export_residues", "&Residue table…", "Write the deviation of every pair as CSV",
               ("File/Export one", "export"), (), "", "export"),
    _A("export_trajectory", "Run as &table…", "Write every frame of the run as CSV",
               ("File/Export one", "export"), (), "", "export"),
    _A("export_figures", "&Figures…", "Write the plots as SVG, PDF and PNG",
               ("File/Export one", "export"), (), "", "export"),
    _A("export_map", "&Map…", "Write the map of the frame shown as MRC, for ChimeraX and RELION",
               ("File/Export one", "export"), (), "", "export", where=("cryoem",), separator=True),
    _A("export_half_maps", "&Half maps…", "Write both half maps of the frame shown as MRC",
               ("File/Export one", "export"), (), "", "export", where=("cryoem",)),
    _A("export_particles", "&Particles…", "Write the images as a stack with a RELION STAR file of their poses",
               ("File/Export one", "export"), (), "", "export", where=("cryoem",)),
    _A("export_fsc", "Corre&lations…", "Write correlation and error of every shell of the frame shown as CSV",
               ("File/Export one", "export"), (), "", "export", where=("cryoem",)),
    _A("export_plot_figure", "P&lot of the runs…", "Write the progress plot as it is shown, as SVG, PDF or PNG",
               ("File/Export one", "export"), (), "", "export", separator=True),
    _A("export_plot_csv", "Numbers of the plot as &CSV…", "Write all visible runs, every frame, as CSV",
               ("File/Export one", "export"), (), "", "export"),
    _A("export_plot_json", "&Numbers of the plot as JSON…", "Write all visible runs, every frame, as JSON",
               ("File/Export one", "export"), (), "", "export"),
    _A("export_slice", "&Slice of the loss…", "Write the slice that is shown as SVG, PDF or PNG",
               ("File/Export one", "export"), (), "", "export"),
    _A("export_movie", "Mo&vie of the run…", "Write how the run moved the structure, as MP4, GIF or PNG files",
               ("File/Export one", "export"), (), "", "export", where=("align", "landscape"), separator=True),
    _A("export_turntable", "T&urn of the view…", "Write one full turn of the superposition as a movie",
               ("File/Export one", "export"), (), "", "export"),
    _A("export_picture", "&Picture of the view…", "Write what the 3-D view shows as PNG, up to 4K",
               ("File/Export one", "export", "scene"), (), "camera", "pose"),
    _A("quit", "&Quit", "Close the window", ("File",), ("Ctrl+Q",), separator=True),
    # Edit
    _A("swap", "&Swap", "Exchange the structure that moves and the one that stays", ("Edit",), ("Ctrl+Shift+X",),
               "arrow-left-right", "both"),
    _A("copy_matrix", "Copy &matrix", "Copy the 4x4 matrix of the pose shown", ("Edit/Copy", "scene"), (), "copy",
               "frames", separator=True),
    _A("copy_picture", "Copy p&icture", "Copy what the 3-D view shows", ("Edit/Copy", "scene"), (), "", "pose"),
    _A("copy_plot", "Copy the p&lot", "Copy the plot that is shown as a picture", ("Edit/Copy",)),
    _A("copy_result", "Copy &scores", "Copy the scores of the selected run as a table", ("Edit/Copy",), (), "",
               "export"),
    _A("copy_residues", "Copy &distances", "Copy the pairs and their distances as a table", ("Edit/Copy",), (), "",
               "export"),
    _A("copy_runs", "Copy the list of &runs", "Copy the list of runs as a table", ("Edit/Copy",), (), "", "export"),
    _A("copy_command", "Copy as &command", "Copy the command line that repeats the selected run", ("Edit/Copy",),
               ("Ctrl+Shift+C",), "terminal", "run"),
    _A("copy_python", "Copy as &Python", "Copy the Python code that repeats the selected run", ("Edit/Copy",), (),
               "code", "run"),
    _A("apply_settings", "&Apply the settings of the run", "Take over the settings of the selected run",
               ("Edit",), (), "", "run"),
    _A("clear_runs", "C&lear unpinned runs", "Delete all runs that are not pinned", ("Edit",), (), "trash-2",
               "run", separator=True),
    _A("select_fit", "Use selection as &fit set", "Only the selected pairs drive the fit",
               ("Edit", "scene", "residues"), (), "target", "selection", separator=True),
    _A("select_report", "Use selection as &report set", "Scores are computed over the selected pairs",
               ("Edit", "scene", "residues"), (), "", "selection"),
    _A("select_all_pairs", "Fit and report &all pairs", "All pairs drive the fit and are reported on",
               ("Edit", "residues"), (), "", "paired"),
    _A("select_core", "Select the c&ore", "Select the pairs of the rigid core", ("Edit", "residues"), (), "",
               "paired", separator=True),
    _A("center_selection", "Centre on the selec&tion", "Let the selected residues fill the view",
               ("Edit", "scene", "residues"), ("Shift+F",), "", "selection"),
    _A("clear_selection", "Clear the selectio&n", "Select nothing", ("Edit", "residues"), ("Ctrl+Shift+A",), "",
               "selection"),
    # View
    _A("fit_view", "&Fit to view", "Show both structures whole, broadside", ("View", "scene"), ("F",), "scan",
               "structure", words={"landscape": ("&Fit to view", "Show the whole landscape")}),
    _A("look_x", "Along &X", "Look along the x axis of the structure that stays", ("View/Look",), ("X",),
               when="structure"),
    _A("look_y", "Along &Y", "Look along the y axis of the structure that stays", ("View/Look",), ("Y",),
               when="structure"),
    _A("look_z", "Along &Z", "Look along the z axis of the structure that stays", ("View/Look",), ("Z",),
               when="structure"),
    _A("perspective", "&Perspective", "Draw what is nearer larger, or everything at one scale", ("View/Look",), ("O",),
               checkable=True, separator=True),
    _A("smooth_camera", "&Smooth moves", "Go to other views in a quarter of a second, or at once", ("View/Look",),
               checkable=True),
    _A("style_ribbon", "&Ribbon", "Draw helices and strands as ribbons, the cartoon", ("View/Style", "scene/Style"),
               (), "spline", checkable=True, group="style"),
    _A("style_tube", "&Tube", "Draw chains as tubes through the CA atoms", ("View/Style", "scene/Style"),
               checkable=True, group="style"),
    _A("style_sticks", "St&icks", "Draw the bonds between all atoms", ("View/Style", "scene/Style"),
               checkable=True, group="style"),
    _A("style_spheres", "&Spheres", "Draw atoms as spheres", ("View/Style", "scene/Style"), (), "circle-dot",
               checkable=True, group="style"),
    *(
        _A(color_action(scheme.name), f"&{scheme.title}", scheme.description, ("View/Colour by", "scene/Colour by"),
           ("D",) if scheme.name == "deviation" else (), checkable=True, group="color")
        for scheme in COLOR_SCHEMES.values()
    ),
    _A("pair_lines", "&Pair lines", "Join the paired atoms by lines", ("View", "scene"), ("P",),
               checkable=True, separator=True),
    _A("ghosts", "&Ghosts of the other runs", "Show where the other visible runs are", ("View", "scene"), ("G",),
               "ghost", checkable=True),
    _A("screw_axis", "Screw &axis", "Show the line about which the pose turns, and how far it shifts along it",
               ("View", "scene"), ("T",), checkable=True),
    _A("plot_legend", "Legend in the pl&ot", "Name the runs in the plot; a click on a name hides or shows its curve",
               ("View",), (), "chart-line", checkable=True, separator=True),
    _A("plots_large", "Plots at presentation si&ze", "Thick lines, large letters and a light background in the plots",
               ("View",), checkable=True),
    _A("panel_left", "&Left panel", "Show or hide the settings", ("View",), ("Ctrl+1",), "panel-left",
               checkable=True, separator=True),
    _A("panel_right", "&Right panel", "Show or hide plots and runs", ("View",), ("Ctrl+2",), "panel-right",
               checkable=True),
    _A("panel_ribbon", "&Deviation ribbon", "Show or hide the ribbon along the sequence", ("View",),
               ("Ctrl+3",), "panel-bottom", checkable=True),
    _A("sequences", "Se&quences", "Show both sequences with pairs under each other", ("View",), ("Q",),
               checkable=True),
    _A("theme_system", "Like the s&ystem", "Light or dark like the system", ("View/Appearance",),
               checkable=True, group="theme", icon="monitor"),
    _A("theme_light", "&Light", "Stay light", ("View/Appearance",), checkable=True, group="theme", icon="sun"),
    _A("theme_dark", "&Dark", "Stay dark", ("View/Appearance",), checkable=True, group="theme", icon="moon"),
    # Run
    _A("align", "&Align", "Run the optimiser with these settings", ("Run",), ("Ctrl+Return", "Ctrl+Enter"),
               "play", "start", filled=True,
               words={"landscape": ("R&un", "Run the optimiser with these settings")}),
    _A("step", "&Step", "Take one step of the optimiser, then wait", ("Run",), ("S",), "step-forward", "step"),
    _A("pause", "&Pause or continue", "Hold the run before its next step, or go on; the replay likewise",
               ("Run",), ("Space",), "pause", "pause"),
    _A("stop", "S&top", "End the run; its frames and its best pose are kept", ("Run",), ("Ctrl+.",), "square",
               "stop", filled=True, words={"landscape": ("S&top", "End the run; its frames are kept")}),
    _A("add_to_race", "A&dd to race", "Add these settings as an entrant of the race", ("Run",), ("Ctrl+D",),
               "list-plus", "ready", separator=True),
    _A("race", "&Race", "Run all entrants against each other at equal evaluations", ("Run",), ("Ctrl+R",), "flag",
               "race"),
    _A("clear_race", "&Empty the race", "Forget the entrants", ("Run",), (), "", "race"),
    _A("fit_core", "Fit &core", "Maximise the TM-score from the pose shown", ("Run",), ("C",), "target", "start"),
    _A("branch", "&Branch here", "Start a new run from the pose shown", ("Run",), ("B",), "git-branch", "branch",
               where=("align", "landscape"),
               words={"landscape": ("&Branch here", "Start a new run from the point shown")}),
    _A("move_by_hand", "&Move by hand", "Drag what moves; where it is released is the start pose",
               ("Run", "scene"), ("M",), "hand", "paired", checkable=True),
    _A("frame_first", "First frame", "Show the start", ("Run/Replay",), ("Home",), "skip-back", "frames",
               separator=True),
    _A("frame_previous", "Previous frame", "Show the frame before", ("Run/Replay",), (",",), "chevron-left",
               "frames"),
    _A("replay", "Replay", "Play the recording of the selected run, or hold it", ("Run/Replay",), ("R",), "play",
               "frames"),
    _A("frame_next", "Next frame", "Show the frame after", ("Run/Replay",), (".",), "chevron-right", "frames"),
    _A("frame_last", "Last frame", "Show the last frame", ("Run/Replay",), ("End",), "skip-forward", "frames"),
    _A("frame_best", "Best frame", "Show the best pose of the run", ("Run/Replay",), ("Ctrl+B",), "trophy",
               "frames", words={"landscape": ("Best frame", "Show the lowest point of the run, of a walk to a saddle "
               "that of least gradient")}),
    _A("latest", "Latest", "Follow the latest frame", ("Run/Replay",), ("L",), "chevrons-right", "frames"),
    _A("skip", "Skip the replay", "Show the last frame at once; otherwise clear the selection", ("Run/Replay",),
               ("Esc",), "", "escape"),
    # Demos
    _A("preset_centring", "Why &centring matters", "SGD and Adam race, centred against the raw 6-vector",
               ("Demos",), (), "graduation-cap", "paired", separator=True, where=("align",)),
    _A("preset_saddle", "A race &off the ridge", "SGD, DEO and Adam start a ten-thousandth beside the ridge of a "
               "saddle", ("Demos",), (), "graduation-cap", separator=True),
    _A("preset_ridge", "&Exactly on the ridge", "The same race where the gradient says nothing about the way down",
               ("Demos",), (), "graduation-cap"),
    _A("preset_muller_brown", "&Müller-Brown", "The race near a mountain pass between two basins", ("Demos",), (),
               "graduation-cap"),
    _A("preset_first", "Why &preconditioning", "SGD, Hutchinson and row sum reconstruct a map from the same images",
               ("Demos",), (), "graduation-cap", separator=True),
    _A("preset_sharper", "S&harper: box 64", "The same race at twice the resolution: the condition number doubles",
               ("Demos",), (), "graduation-cap"),
    _A("preset_preferred", "Preferred &views", "Nine of ten particles lie on one side, and the microscope weakens low "
               "frequencies", ("Demos",), (), "graduation-cap"),
    # Window
    _A("workbench_align", "&Align", "Superpose two structures", ("Window",), ("1",), checkable=True,
               group="workbench"),
    _A("workbench_landscape", "&Landscape", "See what curvature does to optimisers", ("Window",), ("2",),
               checkable=True, group="workbench"),
    _A("workbench_cryoem", "&Cryo-EM", "See what preconditioning does to the reconstruction of a map", ("Window",),
               ("3",), checkable=True, group="workbench"),
    _A("full_screen", "&Full screen", "Use the whole screen", ("Window",), ("F11",), checkable=True,
               separator=True),
    _A("reset_layout", "&Reset layout", "Give all panels their first size", ("Window",), (), "rotate-ccw"),
    # Help
    _A("help", "&Help", "What the workbench does, and what its words mean", ("Help",), ("F1",), "circle-help"),
    _A("shortcuts", "&Keyboard shortcuts", "List every key", ("Help",), ("?",), "keyboard"),
    _A("first_steps", "&First steps", "Show the first strip again", ("Help",), (), "circle-help"),
    _A("about", "&About LieApp", "Versions, device and renderer", ("Help",), (), "info", separator=True),
)  # fmt: skip

_ALIGN_ONLY = """
    open_mobile open_target swap export_moved export_transform_json export_transform_text export_residues
    export_plot_figure export_slice export_turntable copy_matrix copy_result copy_residues copy_runs
    select_fit select_report select_all_pairs select_core center_selection clear_selection look_x look_y look_z
    perspective smooth_camera style_ribbon style_tube style_sticks style_spheres pair_lines ghosts screw_axis
    panel_ribbon sequences fit_core move_by_hand first_steps
"""  # actions on structures and poses, beside the colour schemes

_LANDSCAPE_WORDS = {
    "export": ("&Export everything…", "Write recordings, tables, figures and reports of the visible runs"),
    "export_figures": ("&Figures…", "Write paths and progress of the visible runs as SVG, PDF and PNG"),
    "export_trajectory": ("Run as &table…", "Write every frame of the selected run, with its points, as CSV"),
    "export_plot_csv": ("Numbers of the plot as &CSV…", "Write all visible runs, every frame, as CSV"),
    "export_plot_json": ("&Reports as JSON…", "Write what every visible run has found, as JSON"),
    "export_movie": ("Mo&vie of the runs…", "Write how the visible runs moved over the landscape, as MP4, GIF or PNGs"),
    "export_picture": ("&Picture of the landscape…", "Write the picture as it is shown as PNG"),
    "copy_picture": ("Copy p&icture", "Copy the picture of the landscape as it is shown"),
}
"""What exports are called where there are no structures."""

_CRYOEM_WORDS = {
    "open": ("&Open…", "Open a map, an atomic structure or particles (.star, .cs) to reconstruct from"),
    "align": ("R&un", "Reconstruct with these settings"),
    "stop": ("S&top", "End the run; its frames are kept"),
    "fit_view": ("&Fit to view", "Show all of every map"),
    "frame_best": ("Best frame", "Show the last map, which a run is judged by"),
    "export": ("&Export everything…", "Write maps, particles, correlations, recordings, figures and reports"),
    "export_figures": ("&Figures…", "Write progress, correlations, errors and slices as SVG, PDF and PNG"),
    "export_trajectory": ("Run as &table…", "Write every frame of the selected run as CSV"),
    "export_plot_csv": ("Numbers of the plot as &CSV…", "Write all visible runs, every frame, as CSV"),
    "export_plot_json": ("&Reports as JSON…", "Write what every visible run has found, as JSON"),
    "export_picture": ("&Picture of the view…", "Write the view that is shown as PNG"),
    "copy_picture": ("Copy p&icture", "Copy the view that is shown"),
}
"""What actions are called where maps are reconstructed."""


def _words(spec: ActionSpec) -> Mapping[str, tuple[str, str]]:
    words = dict(spec.words)
    for workbench, table in (("landscape", _LANDSCAPE_WORDS), ("cryoem", _CRYOEM_WORDS)):
        if spec.id in table:
            words[workbench] = table[spec.id]
    return words


ACTIONS: Mapping[str, ActionSpec] = {
    spec.id: replace(
        spec,
        where=("align",) if spec.id in _ALIGN_ONLY.split() or spec.group == "color" else spec.where,
        words=_words(spec),
    )
    for spec in _SPECS
}
"""All actions by their id, in the order of the menus."""


def shortcut_rows() -> list[tuple[str, str, str]]:
    """Return (menu, title, keys) of every action that has keys, for the help list."""
    rows = []
    for spec in ACTIONS.values():
        if spec.shortcut:
            keys = ", ".join(
                QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in spec.shortcut
            )
            rows.append((spec.menu[0].split("/")[0], spec.plain_title, keys))
    return rows


class ActionSet(QObject):
    """The table as `QAction` objects.

    Parameters
    ----------
    owner : QWidget
        Widget whose window the shortcuts belong to.
    handlers : mapping of str to callable
        What to call for each id; checkable actions pass the new state. Every id must have one.
    """

    def __init__(self, owner: QWidget, handlers: Mapping[str, Callable[..., object]]) -> None:
        super().__init__(owner)
        missing = set(ACTIONS) ^ set(handlers)
        if missing:
            raise ValueError(f"actions and handlers differ: {', '.join(sorted(missing))}")
        self._owner = owner
        self._quiet = False
        self._actions: dict[str, QAction] = {}
        self._groups: dict[str, QActionGroup] = {}
        self._submenus: list[QMenu] = []
        self._reasons: dict[str, str] = {}
        self.workbench = "align"
        for spec in ACTIONS.values():
            self._actions[spec.id] = self._make(spec, handlers[spec.id])

    def __getitem__(self, identifier: str) -> QAction:
        return self._actions[identifier]

    def build_menu_bar(self, bar: QMenuBar) -> dict[str, QMenu]:
        """Fill a menu bar; return its menus and submenus by path, such as ``"File/Examples"``."""
        menus: dict[str, QMenu] = {}
        for title in MENUS:
            menus[title.replace("&", "")] = bar.addMenu(title)
        for spec in ACTIONS.values():
            for path in spec.menu:
                root = path.split("/")[0]
                if root not in menus:
                    continue
                if path not in menus:
                    menus[path] = menus[root].addMenu(path.split("/")[1])
                    self._submenus.append(menus[path])
                elif spec.separator:
                    menus[path].addSeparator()
                menus[path].addAction(self._actions[spec.id])
        return menus

    def menu(self, place: str, parent: QWidget) -> QMenu:
        """Return a new menu of the actions that name a place which is not in the menu bar, such as ``"scene"``.

        ``"scene/Style"`` is a submenu of it.
        """
        menu = QMenu(parent)
        submenus: dict[str, QMenu] = {}
        for spec in ACTIONS.values():
            for path in spec.menu:
                root, _, title = path.partition("/")
                if root != place:
                    continue
                if spec.separator and not menu.isEmpty() and path not in submenus:
                    menu.addSeparator()
                if spec.where and self.workbench not in spec.where:
                    continue
                if title and path not in submenus:
                    submenus[path] = menu.addMenu(title)
                (submenus[path] if title else menu).addAction(self._actions[spec.id])
        return menu

    def set_workbench(self, name: str) -> None:
        """Show the actions of a workbench, in its words; the others are gone, with their keys."""
        self.workbench = name
        for identifier, action in self._actions.items():
            spec = ACTIONS[identifier]
            action.setVisible(not spec.where or name in spec.where)
            if spec.words:
                self._set_words(action, spec)
        for menu in self._submenus:
            menu.menuAction().setVisible(any(action.isVisible() for action in menu.actions()))

    def set_states(self, states: Iterable[str], reasons: Mapping[str, str] | None = None) -> None:
        """Enable exactly the actions whose state holds; ``always`` always does.

        Parameters
        ----------
        states : iterable of str
        reasons : mapping of str to str, optional
            Why a state does not hold, where that is not plain to see: said by the actions that need it.
        """
        held = {*states, "always"}
        for identifier, action in self._actions.items():
            spec = ACTIONS[identifier]
            action.setEnabled(spec.when in held)
            reason = "" if spec.when in held or reasons is None else reasons.get(spec.when, "")
            if reason != self._reasons.get(identifier, ""):
                self._reasons[identifier] = reason
                self._set_words(action, spec)

    def set_checked(self, identifier: str, checked: bool) -> None:
        """Tick an action without calling its handler."""
        # Blocking its signals would also keep the group from unticking the others.
        self._quiet = True
        self._actions[identifier].setChecked(checked)
        self._quiet = False

    def _make(self, spec: ActionSpec, handler: Callable[..., object]) -> QAction:
        action = QAction(spec.title, self._owner)
        action.setObjectName(spec.id)
        keys = [QKeySequence(key) for key in spec.shortcut]
        action.setShortcuts(keys)
        # One window, but text fields must be able to take plain letters: they do so by overriding the shortcut.
        action.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        self._set_words(action, spec)
        if spec.icon:
            set_icon(action, spec.icon, filled=spec.filled)
        action.setCheckable(spec.checkable)
        if spec.group:
            group = self._groups.setdefault(spec.group, QActionGroup(self))
            group.addAction(action)
        if spec.checkable:
            action.toggled.connect(lambda on: None if self._quiet else handler(on))
        else:
            action.triggered.connect(lambda _checked=False: handler())
        self._owner.addAction(action)
        return action

    def _set_words(self, action: QAction, spec: ActionSpec) -> None:
        """Write what an action is called in the present workbench, and why it can not be had."""
        title, tip = spec.words.get(self.workbench, (spec.title, spec.tip))
        reason = self._reasons.get(spec.id, "")
        action.setText(title)
        action.setIconText(title.replace("&", "").rstrip("…"))
        action.setStatusTip(f"{tip}. {reason}" if reason else tip)
        text = ", ".join(key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts())
        tip = f"{tip} ({text})" if text else tip
        action.setToolTip(f"{tip}\n{reason}" if reason else tip)
