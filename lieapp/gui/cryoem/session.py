"""What the Cryo-EM workbench knows, without Qt: the choices, the runs, the entrants of a race."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from lieapp.engine.metric import Metric
from lieapp.gui.runs.scene_session import Scene, SceneSession
from lieapp.gui.runs.session import Entry, optimizer_choice, override_words
from lieapp.optimizers.names import title_of

if TYPE_CHECKING:
    from lieapp.cryoem.spec import CryoemJob
    from lieapp.engine.presets import Preset
    from lieapp.scene.lines import Dash

__all__ = ["PRECONDITIONER_TITLES", "CryoemChoices", "CryoemSession", "ParticleFacts", "Source", "scene_of"]

Source = Literal["phantom", "structure", "map", "particles"]

PRECONDITIONER_TITLES = {
    "none": "None",
    "exact": "Exact diagonal",
    "row-sum": "Row sum",
    "hutchinson": "Hutchinson",
}

_LINES: dict[str, tuple[str, Dash]] = {
    "row-sum": ("#009E73", ()),
    "exact": ("#0072B2", (8.0, 2.0, 1.5, 2.0)),
    "none": ("#E69F00", (2.0, 2.0)),
}
"""Preconditioned SGD is as many methods as there are preconditioners; the paper's keeps the optimiser's line."""

_IMAGE_FIELDS = (
    "phantom",
    "particles",
    "allow_outside",
    "box",
    "pixel_size_angstrom",
    "images",
    "snr",
    "views",
    "view_fraction",
    "view_spread_degrees",
    "shift_pixel",
    "ctf",
    "defocus_angstrom",
    "voltage_kilovolt",
    "spherical_aberration_millimetre",
    "amplitude_contrast",
    "sharpening",
    "seed",
    "half_sets",
    "prior",
    "interpolation",
    "batch",
    "dtype",
    "device",
)
"""Fields of a job that decide which images runs work on, and what they are compared with."""

_METHOD_FIELDS = ("preconditioner", "hutchinson_start", "hutchinson_memory", "clamp", "start")

_MANY_EPOCHS = 100.0


def scene_of(job: CryoemJob) -> Scene:
    """Return what decides which images a job works on."""
    return tuple(getattr(job, name) for name in _IMAGE_FIELDS)


@dataclass(frozen=True)
class ParticleFacts:
    """What is known of a particle file before its images are read.

    Attributes
    ----------
    path : str
    images, box : int
    pixel_size_angstrom : float or None
        None where neither the file nor its stacks say.
    ctf : bool
    half_sets : bool
        Whether two half sets can be made of them: the file assigns both, or leaves it open.
    """

    path: str
    images: int
    box: int
    pixel_size_angstrom: float | None
    ctf: bool
    half_sets: bool = False


@dataclass(frozen=True)
class CryoemChoices:
    """What the left panel holds; names as in `CryoemJob` where they are its own.

    Attributes
    ----------
    source : {"phantom", "structure", "map", "particles"}
    phantom : str
        Name of a bundled one.
    structure, map, particles : str
        Files; empty where none was opened.
    pixel_size_angstrom : float or None
        Of particles whose file does not say.
    epochs : float
        Of a run. Entrants of a race get as many evaluations as gradients of batches fit into them.
    """

    source: Source = "phantom"
    phantom: str = "barrel"
    structure: str = ""
    map: str = ""
    particles: str = ""
    allow_outside: bool = False
    pixel_size_angstrom: float | None = None
    box: int = 32
    images: int = 1000
    snr: float = 1.0
    ctf: bool = False
    defocus_angstrom: tuple[float, float] = (10000.0, 25000.0)
    views: str = "uniform"
    view_fraction: float = 0.9
    half_sets: bool = False
    prior: str = "none"
    start: str = "noise"
    preconditioner: str = "hutchinson"
    optimizer: str = "preconditioned-sgd"
    overrides: Mapping[str, Any] = field(default_factory=dict)
    epochs: float = 10.0
    batch: int = 100
    seed: int = 0

    @property
    def simulated(self) -> bool:
        """Whether the images are simulated."""
        return self.source != "particles"

    @property
    def path(self) -> str:
        """What is simulated or read: a name or a file."""
        return str(getattr(self, self.source))


class CryoemSession(SceneSession):
    """State of the workbench. Entrants are methods: they race on whatever images are chosen.

    Attributes
    ----------
    facts : ParticleFacts or None
        Of the particles that are chosen.
    """

    last_is_result = True

    def __init__(self) -> None:
        super().__init__()
        self.choices: CryoemChoices = CryoemChoices()
        self.facts: ParticleFacts | None = None
        self.take_preset(opening_preset())

    # -- jobs -----------------------------------------------------------------------------------------------------

    def job(self, **changes: Any) -> CryoemJob:
        """Return the job that the choices describe, with some of them changed.

        Raises
        ------
        ValueError
            If the choices do not fit together.
        """
        from lieapp.cryoem.spec import CryoemJob

        choices = replace(self.choices, **changes)
        if not choices.path:
            raise ValueError(f"open a file first: there is no {choices.source} yet")
        values: dict[str, Any] = {
            "box": choices.box,
            "images": choices.images,
            "start": choices.start,
            "preconditioner": choices.preconditioner,
            "epochs": choices.epochs,
            "batch": choices.batch,
            "seed": choices.seed,
            "optimizer": optimizer_choice(choices.optimizer, choices.overrides),
        }
        if choices.simulated:
            values |= {
                "phantom": choices.path,
                # As usual for simulations: then nothing need be said.
                "half_sets": choices.half_sets or None,
                "prior": None if choices.prior == "none" else choices.prior,
                "snr": choices.snr,
                "ctf": choices.ctf,
                "defocus_angstrom": choices.defocus_angstrom,
                "views": choices.views,
                "view_fraction": choices.view_fraction,
            }
        else:
            values |= {
                "particles": choices.path,
                "half_sets": choices.half_sets,
                "prior": choices.prior,
                "allow_outside": choices.allow_outside,
                "pixel_size_angstrom": choices.pixel_size_angstrom,
            }
            if self.facts is not None and self.facts.ctf and not choices.ctf:
                values["ctf"] = False
        return CryoemJob(**values)

    def images(self) -> int:
        """Return how many images the next run works on."""
        if self.choices.simulated or self.facts is None:
            return self.choices.images
        return min(self.choices.images, self.facts.images)

    def budget(self) -> float:
        """Return the evaluations of each entrant of a race: the batches in the epochs."""
        from lieapp.cryoem.spec import steps_per_epoch

        return max(1.0, round(self.choices.epochs * steps_per_epoch(self.images(), self.choices.batch)))

    def race_entries(self) -> list[Entry]:
        """Return the entrants as they race now: on the chosen images, to one budget of evaluations.

        Raises
        ------
        ValueError
            If the choices do not fit together.
        """
        job = self.job()
        # The budget ends a race: an entrant whose steps cost little may take more epochs than the others.
        limits = job.limits.model_copy(update={"evaluations": self.budget()})
        base = job.changed(epochs=max(_MANY_EPOCHS, job.epochs), limits=limits)
        return [Entry(entrant.name, _with_method(base, entrant.job)) for entrant in self.entrants]

    def take_preset(self, preset: Preset) -> None:
        """Take over the images and the entrants of a prepared race; a phantom that was chosen stays."""
        known = {name: value for name, value in preset.changes.items() if name in CryoemChoices.__dataclass_fields__}
        source = self.choices.source if self.choices.simulated and self.choices.path else "phantom"
        base = CryoemChoices(
            source=source, phantom=self.choices.phantom, structure=self.choices.structure, map=self.choices.map,
            particles=self.choices.particles,
        )  # fmt: skip
        self.choices = replace(base, **{**known, "epochs": 10.0})
        self.choices = replace(self.choices, epochs=10.0 * preset.evaluations / self.budget())
        job = self.job()
        self.entrants = [Entry(entrant.name, entrant.job(job)) for entrant in preset.entrants]

    # -- runs -----------------------------------------------------------------------------------------------------

    def title_of(self, job: CryoemJob) -> str:
        """Return the preconditioner or the optimiser, and whatever was set by hand."""
        parts = [title_of(job.optimizer.name)]
        if job.optimizer.name == "preconditioned-sgd":
            parts = [PRECONDITIONER_TITLES[job.preconditioner] if job.preconditioner != "none" else "No preconditioner"]
        parts += override_words(job.optimizer.overrides)
        if job.start != "noise":
            parts.append(f"from {job.start}")
        return ", ".join(parts)

    def metric_of(self, job: CryoemJob) -> Metric:
        """Runs are compared by the gap to the least loss over all images, or, where it is not known, by their loss."""
        return Metric("loss_gap", "", "log")

    def line_of(self, job: CryoemJob, taken: Collection[tuple[str, Dash]]) -> tuple[str, Dash]:
        """Return colour and dash of a run: of its optimiser, or of its preconditioner."""
        line = _LINES.get(job.preconditioner) if job.optimizer.name == "preconditioned-sgd" else None
        if line is not None and line not in taken:
            return line
        return super().line_of(job, taken)

    def scene_of(self, job: CryoemJob) -> Scene:
        return scene_of(job)

    def scene(self) -> Scene | None:
        job = self.quiet_job()
        return None if job is None else scene_of(job)

    def choices_of(self, job: CryoemJob) -> CryoemChoices:
        """Return the choices that a job was made with."""
        from lieapp.cryoem.maps import is_map_name
        from lieapp.cryoem.phantoms import PHANTOMS
        from lieapp.cryoem.spec import steps_per_epoch

        old = self.choices
        source: Source = "phantom"
        if job.particles is not None:
            source = "particles"
        elif job.phantom not in PHANTOMS:
            source = "map" if is_map_name(job.phantom) else "structure"
        epochs = job.epochs
        if job.limits.evaluations is not None:
            epochs = job.limits.evaluations / steps_per_epoch(job.images or old.images, job.batch)
        return replace(
            old,
            source=source,
            **{source: job.particles or job.phantom},
            allow_outside=job.allow_outside,
            pixel_size_angstrom=job.pixel_size_angstrom,
            box=job.box or old.box,
            images=job.images or old.images,
            snr=job.snr,
            ctf=bool(job.ctf) if job.particles is None else job.ctf is not False,
            defocus_angstrom=job.defocus_angstrom,
            views=job.views,
            view_fraction=job.view_fraction,
            half_sets=job.takes_half_sets(possible=True),
            prior=job.chosen_prior,
            start=job.start,
            preconditioner=job.preconditioner,
            optimizer=job.optimizer.name,
            overrides=dict(job.optimizer.overrides),
            epochs=epochs,
            batch=job.batch,
            seed=job.seed,
        )


def opening_preset() -> Preset:
    """Return the race that the workbench opens with."""
    from lieapp.cryoem.spec import PRESETS

    return PRESETS[0]


def _with_method(base: CryoemJob, entrant: CryoemJob) -> CryoemJob:
    """Return a job on the images of the first with the method of the second."""
    changes = {name: getattr(entrant, name) for name in _METHOD_FIELDS}
    return base.changed(**changes, optimizer=entrant.optimizer)
