"""Reading, fetching and pairing structures for the Align workbench, off the window's thread.

Whatever goes wrong becomes one message, and the session stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lieapp.cryoem.maps import is_map_name
from lieapp.gui.align.geometry_desk import GeometryDesk
from lieapp.gui.align.session import SLOTS, AlignSession, Slot, SlotName
from lieapp.gui.application.messages import Message, MessageCenter, error_message
from lieapp.gui.work.worker import Task, Worker
from lieapp.structures.errors import StructureError

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.spec import AlignJob

__all__ = ["ADENYLATE_KINASE", "HINGE", "StructureDesk", "read_slot"]

ADENYLATE_KINASE = ("4AKE", "1AKE")
"""Open and closed adenylate kinase: the pair of the second example."""

HINGE = ("examples/hinge_open.pdb", "examples/hinge_closed.pdb")
"""The bundled pair, as names of resources."""

_OTHER_WORKBENCH = {".mrcs": "image stacks", ".star": "particle files", ".cs": "particle files"}


def read_slot(path: Path) -> Slot:
    """Read everything that a file holds.

    Raises
    ------
    StructureError
        If the file cannot be read, or holds nothing that could be paired.
    """
    from lieapp.structures.reading import read_structures

    structures = read_structures(path)
    if not any(structure.polymer_chains for structure in structures):
        raise StructureError(
            f"{path}: there is no protein or nucleic acid in the file, only ligands, ions or solvent "
            f"({len(structures[0].residues)} residues)."
        )
    return Slot(path, structures)


def _prepare(job: AlignJob, mobile: Slot, target: Slot, geometry: GeometryDesk) -> AlignInputs:
    """Pair, and compute what every view of the pair will ask for."""
    from lieapp.alignment.inputs import pair_inputs

    inputs = pair_inputs(job, mobile.structure, target.structure, mobile.model, target.model)
    _ = inputs.kabsch, inputs.core
    geometry.make(inputs)
    return inputs


class StructureDesk(QObject):
    """Fills the slots of a session and keeps its pairs up to date.

    Parameters
    ----------
    session : AlignSession
    files : Worker
    messages : MessageCenter

    Attributes
    ----------
    geometry : GeometryDesk
        Shapes of the pairs, made together with them.

    Signals
    -------
    slots_changed()
        A slot was filled, emptied or changed.
    busy(str, str)
        Slot, and what is being done to it; an empty text when it is over.
    pairs_changed()
        There are pairs now, or a reason why there are none.
    file_opened(Path)
        For the list of recent files.
    map_wanted(Path)
        Among the files to open there is a density map.
    """

    slots_changed = Signal()
    busy = Signal(str, str)
    pairs_changed = Signal()
    file_opened = Signal(object)
    map_wanted = Signal(object)

    def __init__(
        self, session: AlignSession, files: Worker, messages: MessageCenter, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.session = session
        self.geometry = GeometryDesk(files, messages)
        self._files = files
        self._messages = messages
        self._loading: Task | None = None
        self._pairing: Task | None = None

    # -- opening --------------------------------------------------------------------------------------------------

    @property
    def loading(self) -> bool:
        """Whether files are being read or fetched."""
        return self._loading is not None

    def open_files(
        self,
        paths: Sequence[Path | str],
        slot: SlotName | None = None,
        *,
        by_name: bool = False,
        remember: bool = True,
    ) -> None:
        """Open one or two structures, of which the first moves and the second stays; a map among them is passed on.

        Parameters
        ----------
        paths : sequence of path
        slot : str, optional
            Where a single file goes.
        by_name : bool, optional
            Order two files by their names: where they come from, such as a drop, their order is arbitrary.
        remember : bool, optional
            Whether they join the recent files.
        """
        files = [Path(path) for path in paths]
        maps = [path for path in files if is_map_name(path)]
        files = [path for path in files if path not in maps]
        if len(maps) > 1:
            self._messages.post(Message(f"One map can be opened at once, not {len(maps)}.", "warning"))
            return
        for path in maps:
            self.map_wanted.emit(path)
        if maps and not files:
            return
        if not 1 <= len(files) <= 2:
            self._messages.post(Message(f"One or two structures can be opened at once, not {len(files)}.", "warning"))
            return
        for path in files:
            kind = _OTHER_WORKBENCH.get(path.suffix.lower())
            if kind:
                text = f"{path.name}: {kind} belong to the Cryo-EM workbench: drop them there."
                self._messages.post(Message(text, "warning"))
                return
        if len(files) == 2:
            if by_name:
                files.sort(key=lambda path: path.name)
            names: list[SlotName] = list(SLOTS)
        else:
            names = [slot or self.session.slot_for_one_file()]

        def work(task: Task) -> list[Slot]:
            return [read_slot(path) for path in files]

        self._load(names, "reading…", work, f"Reading {files[0].name}", files if remember else [])

    def open_pair(self, mobile: Path, target: Path) -> None:
        """Open two files in this order, whatever their names; they do not join the recent files."""
        self._load(
            list(SLOTS), "reading…", lambda task: [read_slot(mobile), read_slot(target)], f"Reading {mobile.name}", []
        )

    def fetch(self, text: str, slot: SlotName | None = None) -> None:
        """Fetch one or two entries by identifier, such as ``"4AKE 1AKE"``."""
        from lieapp.structures.fetching import is_entry_id

        entries = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
        if not 1 <= len(entries) <= 2:
            self._messages.post(Message("Type one or two identifiers, such as 4AKE 1AKE or AF-P69441-F1.", "warning"))
            return
        for entry in entries:
            if not is_entry_id(entry):
                self._messages.post(
                    Message(f"{entry!r} is no identifier; expected one such as 4AKE, pdb_00004ake or AF-P69441-F1.",
                            "warning")
                )  # fmt: skip
                return
        names: list[SlotName] = list(SLOTS) if len(entries) == 2 else [slot or self.session.slot_for_one_file()]

        def work(task: Task) -> list[Slot]:
            from lieapp.structures.fetching import fetch_structure

            slots = []
            for name, entry in zip(names, entries, strict=True):

                def progress(done: int, total: int | None, name: str = name, entry: str = entry) -> None:
                    share = f"{100 * done // total} %" if total else f"{done // 1024} kB"
                    task.tell((name, f"fetching {entry}: {share}"))

                task.tell((name, f"fetching {entry}…"))
                path = fetch_structure(entry, progress=progress, cancelled=task.cancelled)
                slots.append(read_slot(path))
            return slots

        self._load(names, "fetching…", work, f"Fetching {' and '.join(entries)}", [])

    def _load(
        self,
        names: Sequence[SlotName],
        words: str,
        work: Callable[[Task], list[Slot]],
        doing: str,
        remember: Sequence[Path],
    ) -> None:
        if self._loading is not None:
            self._loading.cancel()
        for name in names:
            self.busy.emit(name, words)

        def done(slots: list[Slot]) -> None:
            self._loading = None
            for name, slot in zip(names, slots, strict=True):
                self.session.fill(name, slot)
            for path in reversed(remember):
                self.file_opened.emit(path)
            self._changed()

        def failed(error: BaseException) -> None:
            self._loading = None
            self._messages.post(error_message(error, doing))
            self.slots_changed.emit()

        self._loading = self._files.submit(work, done, failed, progress=lambda value: self.busy.emit(*value))

    def _changed(self) -> None:
        """Pair what the slots hold now; asked for first, so that views know that a pair will come."""
        self.pair()
        self.slots_changed.emit()

    # -- slots ----------------------------------------------------------------------------------------------------

    def swap(self) -> None:
        """Exchange what moves and what stays."""
        self.session.swap()
        self._changed()

    def choose_chains(self, name: SlotName, chains: tuple[str, ...] | None) -> None:
        """Restrict the pairing to chains of one structure."""
        self.session.choose_chains(name, chains)
        self.pair()

    def choose_model(self, name: SlotName, number: int) -> None:
        """Choose a model of one structure."""
        self.session.choose_model(name, number)
        self._changed()

    # -- pairs ----------------------------------------------------------------------------------------------------

    def pair(self) -> None:
        """Pair anew; the last request counts."""
        if self._pairing is not None:
            self._pairing.cancel()
            self._pairing = None
        session = self.session
        session.inputs, session.problem = None, ""
        if not session.both:
            self.pairs_changed.emit()
            return
        try:
            job = session.pairing_job()
        except ValueError as error:
            session.problem = str(error)
            self.pairs_changed.emit()
            return
        mobile, target = session.slots["mobile"], session.slots["target"]

        def done(inputs: AlignInputs) -> None:
            self._pairing = None
            session.inputs = inputs
            self.pairs_changed.emit()

        def failed(error: BaseException) -> None:
            self._pairing = None
            message = error_message(error, "Pairing")
            session.problem = message.text
            if not isinstance(error, StructureError):
                self._messages.post(message)
            self.pairs_changed.emit()

        self._pairing = self._files.submit(lambda task: _prepare(job, mobile, target, self.geometry), done, failed)
        self.pairs_changed.emit()

    @property
    def pairing(self) -> bool:
        """Whether pairs are being made."""
        return self._pairing is not None

    def submit(self, work: Callable[[Task], Any], then: Callable[[Any], None], doing: str) -> None:
        """Do other work with files off the window's thread; failures become messages."""
        self._files.submit(work, then, lambda error: self._messages.post(error_message(error, doing)))
