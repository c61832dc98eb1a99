"""What the Align workbench knows, without Qt: two slots, the choices, the pairs, the runs, the entrants of a race."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from lieapp.engine.metric import Metric
from lieapp.gui.runs.entry import RunEntry
from lieapp.gui.runs.session import RunSession, optimizer_choice, override_words
from lieapp.optimizers.names import title_of

if TYPE_CHECKING:
    from lieapp.alignment.inputs import AlignInputs
    from lieapp.alignment.spec import AlignJob
    from lieapp.structures.structure import Structure

__all__ = [
    "SLOTS",
    "AlignChoices",
    "AlignSession",
    "Slot",
    "SlotName",
    "pose_of",
    "pose_rows",
    "title_of_job",
]

Row = tuple[float, float, float, float]
SlotName = Literal["mobile", "target"]
SLOTS: tuple[SlotName, SlotName] = ("mobile", "target")


@dataclass(frozen=True, eq=False)
class Slot:
    """One of the two structures.

    Attributes
    ----------
    path : Path
        The file it came from.
    structures : tuple of Structure
        Everything the file holds: more than one where its models differ in their atoms.
    number : int or None
        Number of the chosen model as in the file; None for the first.
    chains : tuple of str or None
        Chains that may be paired; None to find the best pair.
    """

    path: Path
    structures: tuple[Structure, ...]
    number: int | None = None
    chains: tuple[str, ...] | None = None

    @property
    def structure(self) -> Structure:
        """The structure that holds the chosen model."""
        if self.number is not None:
            for structure in self.structures:
                if self.number in structure.model_numbers:
                    return structure
        return self.structures[0]

    @property
    def model(self) -> int:
        """Position of the chosen model in `structure`, from 0."""
        return 0 if self.number is None else self.structure.model_numbers.index(self.number)

    @property
    def model_numbers(self) -> tuple[int, ...]:
        """Numbers of all models of the file."""
        return tuple(number for structure in self.structures for number in structure.model_numbers)


@dataclass(frozen=True)
class AlignChoices:
    """What the left panel holds besides the two structures; names as in `AlignJob`."""

    pairing: str = "auto"
    atoms: str = "ca"
    fit: str = "all"
    report: str = "all"
    weights: str = "equal"
    objective: str = "rmsd"
    objective_scale: float | None = None
    parametrisation: str = "local"
    pivot: str = "centroid"
    start: str = "centroids"
    start_pose: tuple[Row, Row, Row, Row] | None = None
    optimizer: str = "adam"
    overrides: Mapping[str, Any] = field(default_factory=dict)
    steps: int = 1000
    seed: int = 0

    PAIRING_FIELDS = ("pairing", "atoms", "fit", "report", "weights")


class AlignSession(RunSession):
    """State of the workbench. Every method either succeeds or leaves the state as it was.

    Attributes
    ----------
    slots : dict
        Filled slots by name.
    choices : AlignChoices
    inputs : AlignInputs or None
        The pair as it is now, None while there are no pairs.
    problem : str
        Why there are no pairs.
    """

    def __init__(self) -> None:
        super().__init__()
        self.slots: dict[SlotName, Slot] = {}
        self.choices: AlignChoices = AlignChoices()
        self.inputs: AlignInputs | None = None
        self.problem = ""
        self._next_slot: SlotName = "mobile"

    # -- structures -----------------------------------------------------------------------------------------------

    def fill(self, name: SlotName, slot: Slot) -> None:
        """Put a structure into a slot; pairs and entrants made for the old one are gone, runs are kept."""
        self.slots[name] = slot
        self._next_slot = "target" if name == "mobile" else "mobile"
        self._forget_pairs()

    def slot_for_one_file(self) -> SlotName:
        """Return where a single file goes: an empty slot first, else the two in turn."""
        for name in SLOTS:
            if name not in self.slots:
                return name
        return self._next_slot

    def swap(self) -> None:
        """Exchange what moves and what stays."""
        self.slots = {
            other: self.slots[name] for name, other in zip(SLOTS, reversed(SLOTS), strict=True) if name in self.slots
        }
        self._forget_pairs()

    def choose_chains(self, name: SlotName, chains: tuple[str, ...] | None) -> None:
        """Restrict the pairing to chains, or to none."""
        self.slots[name] = replace(self.slots[name], chains=chains)
        self._forget_pairs()

    def choose_model(self, name: SlotName, number: int) -> None:
        """Choose a model by its number in the file."""
        self.slots[name] = replace(self.slots[name], number=number, chains=None)
        self._forget_pairs()

    def set_choices(self, choices: AlignChoices) -> bool:
        """Take over new choices; return whether the pairs must be made anew."""
        old, self.choices = self.choices, choices
        changed = any(getattr(old, name) != getattr(choices, name) for name in AlignChoices.PAIRING_FIELDS)
        if changed:
            self.inputs, self.problem = None, ""
        return changed

    @property
    def both(self) -> bool:
        """Whether both slots are filled."""
        return len(self.slots) == 2

    # -- jobs -----------------------------------------------------------------------------------------------------

    def pairing_job(self) -> AlignJob:
        """Return the job with everything that decides the pairs, and the default of everything else.

        Raises
        ------
        ValueError
            If a slot is empty.
        """
        return self._job(
            replace(AlignChoices(), **{name: getattr(self.choices, name) for name in AlignChoices.PAIRING_FIELDS})
        )

    def job(self, **changes: Any) -> AlignJob:
        """Return the job that the choices describe, with some of them changed.

        Raises
        ------
        ValueError
            If a slot is empty or the choices do not fit together.
        """
        return self._job(replace(self.choices, **changes))

    def _job(self, choices: AlignChoices) -> AlignJob:
        from lieapp.alignment.spec import AlignJob, StructureInput
        from lieapp.engine.limits import Limits

        if not self.both:
            raise ValueError("two structures are needed")

        def side(name: SlotName) -> StructureInput:
            slot = self.slots[name]
            source = slot.structure.source
            return StructureInput(
                path=str(slot.path),
                sha256=source.sha256 if source is not None else None,
                model=slot.number,
                chains=slot.chains,
            )

        values = {
            name: getattr(choices, name)
            for name in (
                *AlignChoices.PAIRING_FIELDS,
                "objective",
                "objective_scale",
                "parametrisation",
                "pivot",
                "start",
                "seed",
            )
        }
        return AlignJob(
            mobile=side("mobile"),
            target=side("target"),
            start_pose=choices.start_pose if choices.start == "given" else None,
            optimizer=optimizer_choice(choices.optimizer, choices.overrides),
            limits=Limits(steps=choices.steps),
            **values,
        )

    # -- runs -----------------------------------------------------------------------------------------------------

    def title_of(self, job: AlignJob) -> str:
        return title_of_job(job)

    def metric_of(self, job: AlignJob) -> Metric:
        from lieapp.alignment.objectives import make_objective

        # The unit of an objective does not depend on how many residues there are.
        return Metric("gap", make_objective(job.objective, length=100, scale=job.objective_scale).unit)

    def hide_foreign_runs(self) -> None:
        """Close the eyes of runs on another pair; their gaps are of another problem."""
        for run in self.runs:
            if run.inputs is not self.inputs and not run.pinned:
                run.visible = False

    def choices_of(self, entry: RunEntry) -> AlignChoices:
        """Return the choices that a run was made with."""
        job = entry.job
        return AlignChoices(
            pairing=job.pairing,
            atoms=job.atoms,
            fit=job.fit,
            report=job.report,
            weights=job.weights,
            objective=job.objective,
            objective_scale=job.objective_scale,
            parametrisation=job.parametrisation,
            pivot=job.pivot,
            start=job.start,
            start_pose=job.start_pose,
            optimizer=job.optimizer.name,
            overrides=dict(job.optimizer.overrides),
            steps=job.limits.steps,
            seed=job.seed,
        )

    def _forget_pairs(self) -> None:
        self.inputs, self.problem = None, ""
        self.entrants.clear()
        # A pose set by hand belongs to the structures it was set with.
        if self.choices.start == "given":
            self.choices = replace(self.choices, start="centroids", start_pose=None)


def pose_of(run: RunEntry, frame: int) -> NDArray[np.float64]:
    """Return the pose of a frame, shape (4, 4): x' = R x + t."""
    state = run.recording.state(frame)
    matrix = np.eye(4)
    matrix[:3, :3] = np.asarray(state["rotation"]).reshape(-1, 3, 3)[0]
    matrix[:3, 3] = np.asarray(state["translation"]).reshape(-1, 3)[0]
    return matrix


def pose_rows(matrix: NDArray[np.float64]) -> tuple[Row, Row, Row, Row]:
    """Return a pose, shape (4, 4), as the rows of numbers that a job holds."""
    first, second, third, fourth = (tuple(float(number) for number in row) for row in matrix)
    return first, second, third, fourth  # type: ignore[return-value]


def title_of_job(job: AlignJob) -> str:
    """Return the title of a run: its optimiser, its learning rate, and whatever was set by hand."""
    from lieapp.alignment.choices import OBJECTIVES, title_of_choice
    from lieapp.alignment.spec import named_settings
    from lieapp.optimizers.fields import show_value

    settings = named_settings(job)
    words = [title_of(job.optimizer.name)]
    if settings is not None and "lr" in type(settings).model_fields:
        unit = " Å" if job.pivot == "centroid" and job.optimizer.name not in ("lbfgs", "saddle-free-newton") else ""
        words[0] += f"  lr {show_value(settings.lr)}{unit}"  # type: ignore[attr-defined]
    said = {"lr"} if settings is not None else set()
    words += override_words({key: value for key, value in job.optimizer.overrides.items() if key not in said})
    if job.objective != "rmsd":
        words.append(title_of_choice(OBJECTIVES, job.objective))
    if job.parametrisation != "local":
        words.append({"se3": "se(3)", "so3xr3": "SO(3)×R³"}[job.parametrisation])
    if job.pivot == "origin":
        words.append("uncentred")
    return ", ".join(words)
