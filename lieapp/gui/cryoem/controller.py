"""What happens in the Cryo-EM workbench: images are chosen, methods reconstruct from them and race. No widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from lieapp.gui.application.messages import Message, MessageCenter
from lieapp.gui.cryoem.previews import CryoemPreviews
from lieapp.gui.cryoem.session import CryoemChoices, CryoemSession, ParticleFacts, scene_of
from lieapp.gui.cryoem.source import CryoemSource, CryoemSources
from lieapp.gui.runs.desk import ActiveRun, Turn
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.runs.scene_controller import SceneController
from lieapp.gui.work.worker import Task, Worker

if TYPE_CHECKING:
    from lieapp.cryoem.baselines import Baselines
    from lieapp.cryoem.preview import Preview
    from lieapp.cryoem.spec import CryoemJob

__all__ = ["CryoemController"]

STACK_SUFFIXES = (".mrcs", ".st")
"""Endings of stacks of images, which are refused in words of their own."""

_STRUCTURE_NAME = re.compile(r"\.(pdb\d*|ent|cif|mmcif|bcif)(\.gz)?$", re.IGNORECASE)

SLIDER_BOX = 32
"""Box of the runs that follow a slider: they take seconds."""
_LARGEST_FIRST_BOX, _MOST_FIRST_IMAGES = 64, 2000  # of particles that are opened


class CryoemController(SceneController):
    """Starts, steers and replays reconstructions; frames are maps.

    Parameters
    ----------
    compute, files : Worker
        The first drives the runs, the second reads files.
    messages : MessageCenter
    turn : Turn

    Signals
    -------
    scene_changed()
        Runs on other images are shown, or the baselines of those shown have come.
    sources_changed(), file_opened(Path)
        A file was opened.
    pixel_size_wanted(Path, bool)
        The user wants to say the pixel size of particles; answer with `open_file`. The flag is for its `allow_outside`.
    """

    sources_changed = Signal()
    file_opened = Signal(object)
    pixel_size_wanted = Signal(object, bool)

    session: CryoemSession

    best_words = "the best map"

    def __init__(
        self, compute: Worker, files: Worker, messages: MessageCenter, turn: Turn, parent: QObject | None = None
    ) -> None:
        super().__init__(CryoemSession(), compute, messages, turn, parent)
        self.opened: list[tuple[str, str]] = []
        """Kinds and paths of the files that were opened, oldest first."""
        self._files = files
        self._reading: Task | None = None
        self._sources = CryoemSources()
        self.previews = CryoemPreviews(messages, self)
        self._again = False
        self.computing.changed.connect(self._take_turn)

    # -- what is shown --------------------------------------------------------------------------------------------

    @property
    def source(self) -> CryoemSource | None:
        """The images of the selected run, or of those that are visible; None before there were any."""
        entry = self.current or next((run for run in reversed(self.runs) if scene_of(run.job) == self.scene), None)
        return None if entry is None else entry.inputs

    @property
    def baselines(self) -> Baselines | None:
        """What the runs on the images shown are compared with; None before it was measured."""
        source = self.source
        return None if source is None else source.baselines

    @property
    def preview(self) -> Preview | None:
        """What a run on the images shown will work on, as long as there is nothing of a run to show."""
        return self.previews.of(self.scene) if self.baselines is None else None

    def ask_preview(self) -> None:
        """Have what a run will work on made ready to be seen, unless a run shows it."""
        if self.baselines is None:
            self.previews.ask(self.quiet_job() if self.current is None else self.current.job)

    def frames_at_cursor(self) -> list[tuple[RunEntry, int]]:
        """Return the visible runs on the images shown, with the frame of each at the cost of the frame shown."""
        current = self.current
        if current is None or not current.frames:
            return []
        frame = min(self.frame, current.frames - 1)  # another run may just have been selected
        cost = current.value("evaluations", frame) or 0.0
        return [
            (run, frame if run is current else run.frame_at_cost(cost))
            for run in self.runs_of_scene()
            if run.frames and (run.visible or run is current)
        ]

    @property
    def stage(self) -> str:
        """What is being prepared before a run begins; empty otherwise."""
        return "" if self._preparing is None else self._preparing.stage

    # -- files ----------------------------------------------------------------------------------------------------

    def open_file(self, path: Path, *, allow_outside: bool = False, pixel_size_angstrom: float | None = None) -> None:
        """Take a map, a structure or particles as the images; what is there stays until that has worked.

        Parameters
        ----------
        path : Path
        allow_outside : bool
            Read stacks that a particle file names outside its folder.
        pixel_size_angstrom : float, optional
            Of particles whose file does not say.
        """
        from lieapp.cryoem.maps import is_map_name
        from lieapp.cryoem.reading import is_particle_name

        if self._reading is not None:
            self._reading.cancel()
        of_particles = is_particle_name(path) or path.suffix.lower() in STACK_SUFFIXES
        kind = "particles" if of_particles else "map" if is_map_name(path) else "structure"

        def look() -> tuple[ParticleFacts | None, str]:
            _check_kind(path, kind)
            if of_particles:
                return _look_at_particles(path, allow_outside, pixel_size_angstrom), ""
            return None, (_look_at_map if kind == "map" else _look_at_structure)(path)

        def done(found: tuple[ParticleFacts | None, str]) -> None:
            self._reading = None
            facts, warning = found
            if warning:
                self.messages.post(Message(warning, "warning"))
            if facts is not None and facts.pixel_size_angstrom is None:
                self._ask_pixel_size(path, allow_outside)
            else:
                self._opened(kind, str(path), facts, allow_outside, pixel_size_angstrom)

        def failed(error: BaseException) -> None:
            self._reading = None
            from lieapp.cryoem.errors import OutsideError

            if isinstance(error, OutsideError):
                text = f"{path.name} names image files outside its folder. Read them only if you trust the file."
                again = ("Read them", lambda: self.open_file(path, allow_outside=True))
                self.messages.post(Message(text, "warning", str(error), again))
            elif path.suffix.lower() in STACK_SUFFIXES and (star := path.with_suffix(".star")).exists():
                again = (f"Open {star.name}", lambda: self.open_file(star))
                self.messages.post(Message(str(error), "warning", action=again))
            else:
                self.messages.report(error, f"Reading {path.name}")

        self._reading = self._files.submit(lambda task: look(), done, failed)

    def choose_source(self, kind: str, path: str) -> None:
        """Take a phantom, or a file that was opened before."""
        if kind == "phantom":
            self._take(replace(self.session.choices, source="phantom", phantom=path, **self._without_particles()))
        elif (kind, path) != (self.session.choices.source, self.session.choices.path):
            self.open_file(Path(path), allow_outside=kind == "particles" and self.session.choices.allow_outside)

    def _ask_pixel_size(self, path: Path, allow_outside: bool) -> None:
        def give() -> None:
            self.pixel_size_wanted.emit(path, allow_outside)

        text = f"{path.name} does not say how large its pixels are, nor do its stacks."
        self.messages.post(Message(text, "warning", action=("Give the pixel size…", give)))

    def _opened(
        self, kind: str, path: str, facts: ParticleFacts | None, allow_outside: bool, pixel_size: float | None
    ) -> None:
        if (kind, path) not in self.opened:
            self.opened.append((kind, path))
        from lieapp.cryoem.spec import CryoemJob

        changes: dict[str, Any] = {"source": kind, kind: path, "allow_outside": allow_outside}
        changes["pixel_size_angstrom"] = pixel_size
        if facts is not None:
            self.session.facts = facts
            usual = CryoemJob(particles=path)
            changes |= {
                "box": min(facts.box, _LARGEST_FIRST_BOX),
                "images": min(facts.images, _MOST_FIRST_IMAGES),
                "ctf": facts.ctf,
                # There is no truth: the correlation of half maps tells the resolution, and what to damp.
                "half_sets": usual.takes_half_sets(facts.half_sets),
                "prior": usual.chosen_prior,
                "batch": max(1, min(100, min(facts.images, _MOST_FIRST_IMAGES) // 2)),
            }
        else:
            changes |= self._without_particles()
        self._take(replace(self.session.choices, **changes))
        self.sources_changed.emit()
        self.file_opened.emit(Path(path))

    def _without_particles(self) -> dict[str, Any]:
        """Return the choices that particles decided, as they are usual; none where images are simulated already."""
        if self.session.choices.simulated:
            return {}
        usual = CryoemChoices()
        return {name: getattr(usual, name) for name in ("box", "images", "ctf", "batch", "half_sets", "prior")}

    # -- runs -----------------------------------------------------------------------------------------------------

    _preparing: CryoemSource | None = None

    def race_again(self) -> None:
        """Race on what a slider has chosen, at a small box; a race that is under way is ended first."""
        if self.session.choices.simulated and self.session.choices.box != SLIDER_BOX:
            self._take(replace(self.session.choices, box=SLIDER_BOX))
        if self.active is not None:
            self._again = True
            self.stop()
        else:
            self.race()

    def command_of(self, entry: RunEntry) -> str:
        from lieapp.cryoem.spec import to_command

        return to_command(entry.job)

    def python_of(self, entry: RunEntry) -> str:
        from lieapp.gui.cryoem.copies import reconstruction_python

        return reconstruction_python(entry.job)

    def caption_of(self, entries: Sequence[RunEntry]) -> str:
        from lieapp.gui.cryoem.caption import reconstruction_caption

        return reconstruction_caption([entry for entry in entries if entry.frames])

    # -- pieces ---------------------------------------------------------------------------------------------------

    def _inputs_of(self, job: CryoemJob) -> CryoemSource:
        self._preparing = self._sources.of(job)
        return self._preparing

    def _take_turn(self) -> None:
        if self._again and self.computing.free:
            self._again = False
            self.race()

    def _adopt(self, active: ActiveRun) -> None:
        self._preparing = None
        super()._adopt(active)
        # The same scene, but its baselines are there now.
        self.scene_changed.emit()


def _check_kind(path: Path, kind: str) -> None:
    """Refuse what is neither particles nor a map nor a structure, in words that name all three."""
    from lieapp.cryoem.errors import CryoemError

    wanted = "open particles (.star, .cs), a map (.mrc, .map, .ccp4) or an atomic structure (.pdb, .cif, .bcif)"
    if path.is_dir():
        raise CryoemError(f"{path}: is a folder; {wanted} in it.")
    if kind == "structure" and not _STRUCTURE_NAME.search(path.name):
        raise CryoemError(f"{path}: is nothing that images can be made from; {wanted}.")


def _look_at_particles(path: Path, allow_outside: bool, pixel_size_angstrom: float | None) -> ParticleFacts:
    from lieapp.cryoem.errors import CryoemError
    from lieapp.cryoem.reading import read_particles

    known = True
    try:
        particles = read_particles(path, allow_outside=allow_outside, pixel_size_angstrom=pixel_size_angstrom)
    except CryoemError as error:
        try:
            particles = read_particles(path, allow_outside=allow_outside, pixel_size_angstrom=1.0)
        except CryoemError:
            raise error from None  # it is not the pixel size, or not that alone
        known = False
    pixel = particles.pixel_size_angstrom if known else None
    has_ctf = particles.ctf is not None
    return ParticleFacts(str(path), len(particles), particles.box, pixel, has_ctf, particles.divisible)


def _look_at_map(path: Path) -> str:
    """Return what people should know of a map that images can be simulated of."""
    from lieapp.cryoem.maps import read_map
    from lieapp.cryoem.phantoms import load_phantom

    load_phantom(str(path), SLIDER_BOX)
    if read_map(path).pixel_size_angstrom is not None:
        return ""
    return f"{path.name} does not say how large its voxels are: 1 Å is assumed, and every resolution scales with it."


def _look_at_structure(path: Path) -> str:
    from lieapp.structures.reading import read_structure

    read_structure(path)
    return ""
