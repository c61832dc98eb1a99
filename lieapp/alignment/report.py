"""What a run found, in numbers: the ``--json`` object, and the scores of any pose while scrubbing. No torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from lieapp.alignment.inputs import AlignInputs, load_inputs
from lieapp.alignment.objectives import Objective
from lieapp.alignment.rigid import pose_matrix, rotation_angle, twist_log
from lieapp.alignment.scores import deviations_at, gdt_ts, rmsd_of, tm_score
from lieapp.alignment.spec import AlignJob
from lieapp.engine.recording import Recording
from lieapp.engine.reporting import ReportPart, RunReport, run_fields

__all__ = [
    "AlignReport",
    "BodyTransform",
    "PairedChains",
    "PairingSummary",
    "PoseScores",
    "StructureSummary",
    "report_align",
    "score_pose",
]


@dataclass(frozen=True, eq=False)
class PoseScores:
    """Scores of one pose.

    Attributes
    ----------
    rmsd : float
        Over the reported pairs, equally weighted, in Å.
    fit_rmsd : float
        Over the pairs that drive the fit, with their weights, in Å.
    tm_mobile, tm_target : float
        TM-scores of the reported pairs, normalised with the length of either structure.
    gdt_ts : float
        Of the reported pairs at this pose; L is the length of the target.
    angle_degrees : float
        Angle of the rotation, 0 to 180.
    deviations : ndarray, shape=(pairs,), dtype=float64
        Distance of every pair in Å.
    """

    rmsd: float
    fit_rmsd: float
    tm_mobile: float
    tm_target: float
    gdt_ts: float
    angle_degrees: float
    deviations: NDArray[np.float64]


class StructureSummary(ReportPart):
    """One of the two structures."""

    path: str = Field(description="File as it was named")
    name: str = Field(description="Short name")
    sha256: str | None = Field(description="SHA-256 of the uncompressed file")
    model: int = Field(description="Number of the model as in the file")
    chains: tuple[str, ...] = Field(description="Paired chains; '_' is the blank one")
    length: int = Field(description="Residues with the paired atom in the selected chains: L of the TM-score")


class PairedChains(ReportPart):
    """Two chains that were paired."""

    mobile: str
    target: str
    pairs: int
    identity: float = Field(description="Fraction of paired residues with the same letter")


class PairingSummary(ReportPart):
    """What was paired with what, and how."""

    method: str = Field(description="auto, sequence, number or given")
    description: str = Field(description="One line for people")
    chains: tuple[PairedChains, ...]
    fit: str = Field(description="Selection that drove the fit")
    fit_pairs: int
    report: str = Field(description="Selection over which scores are reported")
    weights: str


class BodyTransform(ReportPart):
    """The transform of one rigid body."""

    body: int
    pairs: int
    matrix: tuple[tuple[float, ...], ...]


class AlignReport(RunReport):
    """The result of an alignment; its fields, in this order, are the ``--json`` object.

    Numbers that do not exist (a core RMSD without a core, a pose of a run that failed before its first frame) are NaN
    here and null in JSON.
    """

    mobile: StructureSummary
    target: StructureSummary
    pairing: PairingSummary
    pairs: int = Field(description="Pairs over which scores are reported")
    atoms: str
    objective: str
    parametrisation: str
    rmsd: float = Field(description="Over the reported pairs at the pose, in Å")
    kabsch_rmsd: float = Field(description="The same at Kabsch's pose for the pairs that drive the fit, in Å")
    core_rmsd: float
    core_pairs: int
    core_cutoff: float
    tm_score_mobile: float = Field(description="At the pose, normalised with the length of the structure that moves")
    tm_score_target: float = Field(description="At the pose, normalised with the length of the structure that stays")
    gdt_ts: float = Field(description="At the pose")
    objective_value: float = Field(description="As people know it: RMSD in Å, TM-score, ...")
    reference_value: float = Field(description="The best value of the objective")
    reference_method: str = Field(description="How the best value was found")
    gap: float = Field(description="How much worse the pose is than the reference; negative if it is better")
    transforms: tuple[BodyTransform, ...]
    matrix: tuple[tuple[float, ...], ...] | None = Field(description="4x4, row-major: x' = R x + t, in Å")
    twist: tuple[float, ...] | None = Field(description="Logarithm of the matrix: v in Å, then w in rad")
    angle_degrees: float


def score_pose(inputs: AlignInputs, rotation: ArrayLike, translation: ArrayLike) -> PoseScores:
    """Return the scores of a pose; fast enough to follow a scrub bar.

    Parameters
    ----------
    inputs : AlignInputs
    rotation : array_like, shape=(3, 3)
    translation : array_like, shape=(3,)
        Of ``x' = R x + t`` on the original coordinates, in Å.

    Returns
    -------
    PoseScores
    """
    pairing = inputs.pairing
    deviations = deviations_at(inputs.mobile_points, inputs.target_points, rotation, translation)
    reported = deviations[pairing.report]
    fitted = deviations[pairing.fit]
    residues = inputs.report_residues
    return PoseScores(
        rmsd=rmsd_of(reported),
        fit_rmsd=math.sqrt(float(inputs.fit_weights @ (fitted * fitted))),
        tm_mobile=tm_score(reported, length=pairing.mobile_length, polymer=pairing.polymer, residues=residues),
        tm_target=tm_score(reported, length=pairing.target_length, polymer=pairing.polymer, residues=residues),
        gdt_ts=gdt_ts(reported, length=pairing.target_length, residues=residues),
        angle_degrees=math.degrees(rotation_angle(rotation)),
        deviations=deviations,
    )


def report_align(
    job: AlignJob, recording: Recording, inputs: AlignInputs | None = None, frame: int | None = None
) -> AlignReport:
    """Return the report of a recording.

    Parameters
    ----------
    job : AlignJob
    recording : Recording
        Finished or not; one without frames gives a report without a pose.
    inputs : AlignInputs, optional
        What `load_inputs` returned; read again if not given.
    frame : int, optional
        Frame whose pose is reported; by default the best one. Counters are always those of the whole run.

    Returns
    -------
    AlignReport

    Raises
    ------
    EngineError
        If there is no such frame.
    """
    inputs = load_inputs(job) if inputs is None else inputs
    objective = inputs.objective(job)
    reference = inputs.reference(objective)
    pose: dict[str, Any] = _no_pose() if len(recording) == 0 else _pose_fields(inputs, objective, recording, frame)
    kabsch = score_pose(inputs, inputs.kabsch.rotation, inputs.kabsch.translation)
    value = pose.pop("objective_value")
    gap = reference.value - value if objective.maximised else value - reference.value
    pairing = inputs.pairing
    return AlignReport(
        **run_fields(job, recording),
        mobile=_structure(job.mobile.path, inputs, "mobile"),
        target=_structure(job.target.path, inputs, "target"),
        pairing=PairingSummary(
            method=pairing.origin,
            description=pairing.description,
            chains=tuple(
                PairedChains(
                    mobile=match.mobile_chain or "_",
                    target=match.target_chain or "_",
                    pairs=match.pairs,
                    identity=float(match.identity),
                )
                for match in pairing.chains
            ),
            fit=job.fit,
            fit_pairs=int(np.count_nonzero(pairing.fit)),
            report=job.report,
            weights=job.weights,
        ),
        pairs=int(np.count_nonzero(pairing.report)),
        atoms=job.atoms,
        objective=job.objective,
        parametrisation=job.parametrisation,
        kabsch_rmsd=kabsch.rmsd,
        core_rmsd=inputs.core.rmsd,
        core_pairs=inputs.core.pairs,
        core_cutoff=inputs.core.cutoff,
        objective_value=value,
        reference_value=reference.value,
        reference_method=reference.method,
        gap=gap,
        **pose,
    )


def _pose_fields(inputs: AlignInputs, objective: Objective, recording: Recording, frame: int | None) -> dict[str, Any]:
    state = recording.state(recording.best if frame is None else frame)
    rotation, translation = state["rotation"][0], state["translation"][0]
    scores = score_pose(inputs, rotation, translation)
    matrix = pose_matrix(rotation, translation)
    rows = tuple(tuple(row) for row in matrix.tolist())
    fitted = scores.deviations[inputs.pairing.fit]
    loss = float(inputs.fit_weights @ objective.rho(fitted * fitted))
    return {
        "rmsd": scores.rmsd,
        "tm_score_mobile": scores.tm_mobile,
        "tm_score_target": scores.tm_target,
        "gdt_ts": scores.gdt_ts,
        "objective_value": float(objective.value_for_people(loss)),
        "transforms": (BodyTransform(body=0, pairs=len(inputs.pairing), matrix=rows),),
        "matrix": rows,
        "twist": tuple(twist_log(matrix).tolist()),
        "angle_degrees": scores.angle_degrees,
    }


def _no_pose() -> dict[str, Any]:
    names = ("rmsd", "tm_score_mobile", "tm_score_target", "gdt_ts", "objective_value", "angle_degrees")
    return {**dict.fromkeys(names, math.nan), "transforms": (), "matrix": None, "twist": None}


def _structure(path: str, inputs: AlignInputs, side: str) -> StructureSummary:
    mobile = side == "mobile"
    structure = inputs.mobile if mobile else inputs.target
    model = inputs.mobile_model if mobile else inputs.target_model
    pairing = inputs.pairing
    chains = [match.mobile_chain if mobile else match.target_chain for match in pairing.chains]
    return StructureSummary(
        path=path,
        name=structure.name,
        sha256=None if structure.source is None else structure.source.sha256,
        model=structure.model_numbers[model],
        chains=tuple(dict.fromkeys(chain or "_" for chain in chains)),
        length=pairing.mobile_length if mobile else pairing.target_length,
    )
