"""What is asked of a reconstruction, as one frozen value: `CryoemJob`. No torch."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from lieapp.cryoem.choices import (
    PRECONDITIONERS,
    STARTS,
    VIEWS,
    HutchinsonStartName,
    InterpolationName,
    PreconditionerName,
    PriorName,
    StartName,
    ViewsName,
)
from lieapp.cryoem.recommended import recommended
from lieapp.engine.commands import named_settings
from lieapp.engine.job import Job, OptimizerChoice
from lieapp.engine.limits import Limits
from lieapp.engine.presets import Preset, PresetEntrant

__all__ = [
    "PRECONDITIONERS",
    "PRESETS",
    "STARTS",
    "VIEWS",
    "CryoemJob",
    "Preset",
    "PresetEntrant",
    "named_settings",
    "recommended",
    "to_command",
]

DEFAULT_BOX = 32
DEFAULT_IMAGES = 1000
"""Of simulations for which nothing is said."""


def _limits() -> Limits:
    # Batches are noisy: neither their gradient nor their loss comes to rest. Epochs end the run.
    return Limits(steps=10**9, gtol=0.0, ftol=0.0)


class CryoemJob(Job):
    """Reconstruct a map from particle images with known poses, simulated or read."""

    kind: ClassVar[str] = "cryoem"
    opener: ClassVar[str] = "lieapp.cryoem.problem:open_cryoem"
    reporter: ClassVar[str] = "lieapp.cryoem.report:report_cryoem"

    phantom: str = Field(
        default="barrel",
        min_length=1,
        description="What is simulated: barrel, bundle, globule, or a file with a map or an atomic structure.",
    )
    particles: str | None = Field(
        default=None, description="Particle file instead of a simulation: RELION's STAR or cryoSPARC's .cs."
    )
    source_sha256: str | None = Field(
        default=None,
        pattern="^[0-9a-f]{64}$",
        description=(
            "SHA-256 of the particle file, or of the phantom's where it is a file; where given, a changed file is an "
            "error. Stacks are not hashed: their headers must fit the particle file."
        ),
    )
    allow_outside: bool = Field(
        default=False, description="Read image stacks that a particle file names outside its own folder."
    )
    box: int | None = Field(
        default=None,
        ge=8,
        le=1024,
        description="Pixels along an edge; 32 for simulations. Read particles are cropped to it in Fourier space.",
    )
    pixel_size_angstrom: float | None = Field(
        default=None,
        gt=0.0,
        allow_inf_nan=False,
        description="Pixel size in Å; by default as particles that are read say, or so that a phantom fills the box.",
    )
    images: int | None = Field(
        default=None,
        ge=2,
        le=10**7,
        description="Number of images: 1000 for simulations; by default all that are read.",
    )
    snr: float = Field(
        default=1.0,
        gt=0.0,
        allow_inf_nan=False,
        description="Variance of signal over that of noise in a simulated pixel; 1e12 for no noise to speak of.",
    )
    views: ViewsName = Field(default="uniform", description="Directions from which particles are seen.")
    view_fraction: float = Field(default=0.9, ge=0.0, le=1.0, description="Share of the preferred views.")
    view_spread_degrees: float = Field(
        default=14.0, gt=0.0, le=90.0, description="Root mean square angle of the preferred views about their axis."
    )
    shift_pixel: float = Field(
        default=0.0, ge=0.0, le=100.0, description="Standard deviation of simulated shifts in pixels; they are known."
    )
    ctf: bool | None = Field(
        default=None, description="Contrast transfer function: by default not simulated, but used where it was read."
    )
    defocus_angstrom: tuple[float, float] = Field(
        default=(10000.0, 25000.0), description="Lowest and highest simulated defocus in Å."
    )
    voltage_kilovolt: float = Field(default=300.0, gt=0.0, le=2000.0, description="Of the simulated microscope.")
    spherical_aberration_millimetre: float = Field(default=2.7, ge=0.0, le=100.0, description="Of the simulated lens.")
    amplitude_contrast: float = Field(default=0.1, ge=0.0, le=1.0, description="Of simulated images.")
    sharpening: float = Field(
        default=0.3, ge=0.0, le=1.0, description="Makes the phantom's shells equal in amplitude: 0 not at all, 1 fully."
    )
    interpolation: InterpolationName = Field(
        default="trilinear", description="How slices read the volume; with nearest the second derivative is diagonal."
    )
    preconditioner: PreconditionerName = Field(
        default="hutchinson", description="By what preconditioned SGD divides the gradient."
    )
    hutchinson_start: HutchinsonStartName = Field(
        default="row-sum", description="First value of Hutchinson's estimate; the paper starts with ones."
    )
    hutchinson_memory: float = Field(
        default=0.9, ge=0.0, lt=1.0, description="Share of the old estimate that each batch keeps: the paper's beta."
    )
    clamp: float = Field(
        default=0.1,
        ge=0.0,
        le=1.0,
        description="Least preconditioner as a share of its shell's mean; 0 for the paper's bound.",
    )
    prior: PriorName | None = Field(
        default=None,
        description=(
            "none, or wiener: damp what is hardly seen, by the correlation of half maps. By default wiener for "
            "particles that are read, none for simulations."
        ),
    )
    start: StartName = Field(default="noise", description="First volume: noise, zero, or the one-pass reconstruction.")
    epochs: float = Field(default=10.0, gt=0.0, le=1e6, description="Passes over all images.")
    batch: int = Field(default=100, ge=1, le=10**6, description="Images of a batch; one batch is one step.")
    half_sets: bool | None = Field(
        default=None,
        description=(
            "Reconstruct two half sets side by side and correlate them; the map is their mean. By default so for "
            "particles that are read, where two sets can be made of them: there is no truth to compare their map with."
        ),
    )
    optimizer: OptimizerChoice = Field(
        default_factory=lambda: OptimizerChoice(name="preconditioned-sgd"), description="The optimiser and its settings"
    )
    limits: Limits = Field(default_factory=_limits, description="When the run ends, besides its epochs")
    dtype: Literal["float64", "float32"] = Field(default="float32", description="Precision of the parameters")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        low, high = self.defocus_angstrom
        if not 0.0 <= low <= high <= 1e6:
            raise ValueError("defocus_angstrom: expected the lowest and the highest defocus in Å, such as 10000,25000")
        return self

    @property
    def chosen_prior(self) -> PriorName:
        """The prior, decided where nothing is said."""
        if self.prior is not None:
            return self.prior
        return "none" if self.particles is None else "wiener"

    def takes_half_sets(self, possible: bool) -> bool:
        """Return whether two half sets are reconstructed, decided where nothing is said.

        Parameters
        ----------
        possible : bool
            Whether two half sets can be made of the images.
        """
        return (self.particles is not None and possible) if self.half_sets is None else self.half_sets

    def recommended(self, box: int | None = None, images: int | None = None) -> dict[str, Any]:
        """Return the recommended settings of this job's optimiser (dotted keys), before overrides.

        Parameters
        ----------
        box, images : int, optional
            Of particles that were read; as the job says by default.
        """
        edge = box or self.box or DEFAULT_BOX
        count = images or self.images or DEFAULT_IMAGES
        return recommended(self.optimizer.name, self.preconditioner, edge, steps_per_epoch(count, self.batch))


def steps_per_epoch(images: int, batch: int) -> int:
    """Return the number of batches, as equal as possible and none above the size, that hold all images once."""
    return max(1, -(-images // batch))


_SGD = {"preconditioner": "none"}
_RACE = (
    PresetEntrant("SGD", "sgd", {}, _SGD),
    PresetEntrant("Hutchinson", "preconditioned-sgd", {}, {"preconditioner": "hutchinson"}),
    PresetEntrant("Row sum", "preconditioned-sgd", {}, {"preconditioner": "row-sum"}),
)

PRESETS: tuple[Preset, ...] = (
    Preset(
        name="first",
        title="Why preconditioning",
        summary=(
            "The same images, the same start: SGD settles the centre of Fourier space, which every image sees, and "
            "leaves the outer shells behind. Divided by how often each coefficient was seen, all arrive together."
        ),
        evaluations=100.0,
        entrants=_RACE,
        changes={"box": 32, "images": 1000, "ctf": False, "views": "uniform", "batch": 100, "epochs": 100.0},
    ),
    Preset(
        name="sharper",
        title="Sharper: box 64",
        summary=(
            "Twice the resolution: the condition number doubles, and with it the lead of the preconditioned runs. "
            "Watch the outermost shells of the error picture."
        ),
        evaluations=200.0,
        entrants=_RACE,
        changes={"box": 64, "images": 2000, "ctf": False, "views": "uniform", "batch": 100, "epochs": 100.0},
    ),
    Preset(
        name="preferred",
        title="Preferred views and CTF",
        summary=(
            "Nine of ten particles lie on one side, and the microscope weakens low frequencies. "
            "Directions that are rarely seen move only in the preconditioned runs."
        ),
        evaluations=100.0,
        entrants=_RACE,
        changes={
            "box": 32,
            "images": 1000,
            "snr": 4.0,
            "ctf": True,
            "views": "preferred",
            "prior": "wiener",
            "batch": 100,
            "epochs": 100.0,
        },
    ),
)


def to_command(job: CryoemJob) -> str:
    """Return the command line that runs a job; see `lieapp.cryoem.commands.cryoem_command`."""
    from lieapp.cryoem.commands import cryoem_command

    return cryoem_command(job)
