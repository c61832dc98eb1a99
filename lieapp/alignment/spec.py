"""What is asked of an alignment, as one frozen value: `AlignJob`. No torch.

Flags, forms, sessions, "copy as command" and `lieapp.align` all fill this value and nothing else, see
`lieapp.alignment.commands`. Field descriptions are the help that they show.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from lieapp.alignment.choices import (
    ATOMS,
    OBJECTIVES,
    PAIRINGS,
    PARAMETRISATIONS,
    PIVOTS,
    STARTS,
    WEIGHTS,
    AtomsName,
    Choice,
    ObjectiveChoice,
    ParametrisationName,
    PivotName,
    StartName,
    WeightsName,
)
from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.objectives import ObjectiveName, make_objective
from lieapp.alignment.recommended import recommended
from lieapp.alignment.rigid import as_pose
from lieapp.engine.commands import named_settings
from lieapp.engine.job import Job
from lieapp.engine.presets import Preset, PresetEntrant
from lieapp.structures.pairing import PairingMethod

__all__ = [
    "ATOMS",
    "OBJECTIVES",
    "PAIRINGS",
    "PARAMETRISATIONS",
    "PIVOTS",
    "PRESETS",
    "STARTS",
    "WEIGHTS",
    "AlignJob",
    "Choice",
    "ObjectiveChoice",
    "Preset",
    "PresetEntrant",
    "StructureInput",
    "named_settings",
    "recommended",
    "to_command",
    "to_python",
]

Row = tuple[float, float, float, float]


class StructureInput(BaseModel):
    """One structure file and the part of it that takes part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1, description="File: PDB, mmCIF or BinaryCIF, each also gzipped.")
    sha256: str | None = Field(
        default=None,
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the uncompressed file; where given, a changed file is an error.",
    )
    model: int | None = Field(default=None, description="Number of the model as in the file; the first by default.")
    chains: tuple[str, ...] | None = Field(
        default=None, description="Chains that may be paired; '_' is the blank one. By default the best pair is found."
    )

    @field_validator("chains")
    @classmethod
    def _some_chains(cls, chains: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if chains is not None and (not chains or any(not chain for chain in chains)):
            raise ValueError("name at least one chain; the blank one is '_'")
        return chains


class AlignJob(Job):
    """Superpose one structure on another by gradient descent on its pose."""

    kind: ClassVar[str] = "align"
    opener: ClassVar[str] = "lieapp.alignment.problem:open_align"
    reporter: ClassVar[str] = "lieapp.alignment.report:report_align"

    mobile: StructureInput = Field(description="The structure that moves.")
    target: StructureInput = Field(description="The structure that stays.")
    pairing: PairingMethod = Field(
        default="auto", description="How residues are paired: best chains by sequence, by sequence, or by number."
    )
    atoms: AtomsName = Field(default="ca", description="Atoms that are paired: CA (C3' or P), backbone, or all heavy.")
    fit: str = Field(
        default="all",
        min_length=1,
        description="Residues of the moving structure that drive the fit, such as A:1-29,60-121, plddt>=70 or core.",
    )
    report: str = Field(
        default="all", min_length=1, description="Residues of the moving structure over which scores are reported."
    )
    weights: WeightsName = Field(default="equal", description="How much each pair counts in the fit.")
    objective: ObjectiveName = Field(
        default="rmsd", description="What is optimised: RMSD, TM-score, smooth GDT-TS, Huber or Geman-McClure."
    )
    objective_scale: float | None = Field(
        default=None,
        gt=0.0,
        allow_inf_nan=False,
        description="Scale of the objective: d0, delta or sigma in Å, or the relative width of the GDT steps.",
    )
    parametrisation: ParametrisationName = Field(
        default="local", description="The six numbers of the pose: local (re-anchored), se3 (the paper's), so3xr3."
    )
    pivot: PivotName = Field(
        default="centroid", description="What rotations turn about: the mobile centroid, or the origin of the file."
    )
    start: StartName = Field(
        default="centroids", description="First pose: centroids matched, as deposited, random rotation, or by hand."
    )
    start_pose: tuple[Row, Row, Row, Row] | None = Field(
        default=None, description="First pose set by hand: 4x4 matrix of x' = R x + t, row by row."
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.start == "given") != (self.start_pose is not None):
            raise ValueError("start 'given' and start_pose belong together")
        try:
            if self.start_pose is not None:
                as_pose(self.start_pose)
            make_objective(self.objective, length=100, scale=self.objective_scale)
        except AlignmentError as error:
            raise ValueError(str(error)) from None
        return self

    def recommended(self) -> dict[str, Any]:
        """Return the recommended settings of this job's optimiser (dotted keys), before overrides."""
        return recommended(self.optimizer.name, self.objective, self.parametrisation, self.pivot)


_LOCAL = {"parametrisation": "local", "pivot": "centroid", "objective": "rmsd", "objective_scale": None}
_RAW = {"parametrisation": "se3", "pivot": "origin", "objective": "rmsd", "objective_scale": None}

PRESETS: tuple[Preset, ...] = (
    Preset(
        name="centring",
        title="Why centring matters",
        summary=(
            "The same optimisers, the same structures: only where rotations turn about, and in what unit, differs. "
            "About the file's origin a small turn moves the whole protein: SGD must take tiny steps and stalls, "
            "Adam arrives, but later."
        ),
        evaluations=300.0,
        entrants=(
            PresetEntrant("SGD, local", "sgd", {}, _LOCAL),
            PresetEntrant("Adam, local", "adam", {}, _LOCAL),
            PresetEntrant("SGD, raw se(3)", "sgd", {}, _RAW),
            PresetEntrant("Adam, raw se(3)", "adam", {}, _RAW),
        ),
    ),
)


def to_command(job: AlignJob) -> str:
    """Return the command line that runs a job; see `lieapp.alignment.commands.align_command`."""
    from lieapp.alignment.commands import align_command

    return align_command(job)


def to_python(job: AlignJob) -> str:
    """Return the Python statements that run a job; see `lieapp.alignment.commands.align_python`."""
    from lieapp.alignment.commands import align_python

    return align_python(job)
