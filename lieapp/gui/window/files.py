"""How files come into the window: chosen, fetched, dropped, or opened again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QMenu

from lieapp.gui.align.structure_desk import HINGE
from lieapp.paths import ResourceError, resource

if TYPE_CHECKING:
    from lieapp.gui.window.main_window import MainWindow

__all__ = ["WindowFiles"]

_FILTER = (
    "Structures (*.pdb *.ent *.cif *.mmcif *.bcif *.pdb.gz *.ent.gz *.cif.gz *.bcif.gz *.pdb1 *.pdb1.gz);;All files (*)"
)
_MAP_FILTER = "Density maps (*.mrc *.map *.ccp4 *.mrc.gz *.map.gz *.ccp4.gz);;All files (*)"
_IMAGES_FILTER = (
    "Maps, structures, particles (*.mrc *.map *.ccp4 *.mrc.gz *.map.gz *.star *.cs *.pdb *.ent *.cif *.mmcif *.bcif "
    "*.pdb.gz *.cif.gz);;All files (*)"
)


class WindowFiles(QObject):
    """Brings files to the workbench that they are for.

    Parameters
    ----------
    window : MainWindow

    Attributes
    ----------
    recent_menu : QMenu
        Filled when it opens.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.recent_menu = QMenu("Open &recent", window)
        self.recent_menu.aboutToShow.connect(self._fill_recent_menu)

    # -- chosen ---------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Ask for what the workbench that is shown works on."""
        if self._window.shown is self._window.cryoem:
            self.ask_images()
        else:
            self.ask_structures(None)

    def ask_structures(self, slot: Any) -> None:
        """Ask for one structure for a slot, or for one or two where there is none."""
        window = self._window
        window.choose_workbench("align")
        folder = window.preferences.text("folder")
        if slot is None:
            names, _ = QFileDialog.getOpenFileNames(window, "Open one or two structures", folder, _FILTER)
        else:
            name, _ = QFileDialog.getOpenFileName(window, "Open a structure", folder, _FILTER)
            names = [name] if name else []
        if names:
            self._remember_folder(names[0])
            window.controller.desk.open_files(names, slot, by_name=True)

    def ask_images(self) -> None:
        """Ask for what the Cryo-EM workbench works on."""
        name = self._ask_one("Open a map, a structure or particles", _IMAGES_FILTER)
        if name:
            self.open_images(Path(name))

    def open_images(self, path: Path) -> None:
        """Show the Cryo-EM workbench and reconstruct from a file: particles, or a map or structure to simulate."""
        self._window.choose_workbench("cryoem")
        assert self._window.cryoem is not None
        self._window.cryoem.controller.open_file(path)

    def ask_map(self) -> None:
        """Ask for a density map to be shown with the structures."""
        name = self._ask_one("Open a density map", _MAP_FILTER)
        if name:
            self._window.workbench.density.open(Path(name))

    def _ask_one(self, title: str, filters: str) -> str:
        name, _ = QFileDialog.getOpenFileName(self._window, title, self._window.preferences.text("folder"), filters)
        if name:
            self._remember_folder(name)
        return name

    def _remember_folder(self, name: str) -> None:
        self._window.preferences.set_text("folder", os.path.dirname(name))

    # -- by themselves --------------------------------------------------------------------------------------------

    def open_example(self) -> None:
        """Open the bundled pair."""
        try:
            mobile, target = (resource(name) for name in HINGE)
        except ResourceError as error:
            self._window.messages.report(error)
            return
        self._window.controller.desk.open_pair(mobile, target)

    def open_dropped(self, files: Sequence[Path]) -> None:
        """Open files that were dropped on the window."""
        from lieapp.cryoem.maps import is_map_name
        from lieapp.cryoem.reading import is_particle_name

        particles = [file for file in files if is_particle_name(file)]
        if particles:
            self.open_images(particles[0])  # the stacks that come along are read because it names them
        elif len(files) == 1 and (self._window.shown is self._window.cryoem or is_map_name(files[0])):
            self.open_images(files[0])
        else:
            self._window.choose_workbench("align")
            self._window.controller.desk.open_files(files, by_name=True)

    def note_map(self) -> None:
        """Remember the density map that is shown now."""
        density = self._window.workbench.density.density
        if density is not None and density.path is not None:
            self._window.preferences.add_recent_file(density.path)

    def _fill_recent_menu(self) -> None:
        menu, preferences = self.recent_menu, self._window.preferences
        menu.clear()
        files = preferences.recent_files()
        for file in files:
            menu.addAction(Path(file).name, lambda file=file: self._open_recent(Path(file))).setToolTip(file)
        menu.setToolTipsVisible(True)
        if files:
            menu.addSeparator()
            menu.addAction("Clear the list", preferences.clear_recent_files)
        else:
            menu.addAction("No recent files").setEnabled(False)

    def _open_recent(self, path: Path) -> None:
        from lieapp.cryoem.reading import is_particle_name

        if is_particle_name(path) or self._window.shown is self._window.cryoem:
            self.open_images(path)
        else:
            self._window.choose_workbench("align")
            self._window.controller.desk.open_files([path])

    # -- fetched --------------------------------------------------------------------------------------------------

    def focus_fetch(self) -> None:
        """Put the keyboard into the field of identifiers."""
        self._window.choose_workbench("align")
        field = self._window.fetch_field
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        field.selectAll()

    def fetch_from_field(self) -> None:
        """Fetch what the field names."""
        field = self._window.fetch_field
        text = field.text().strip()
        if text:
            self._window.controller.desk.fetch(text)
            field.clear()
            self._window.workbench.viewer.setFocus()
