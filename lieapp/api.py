"""LieApp from Python: one function a problem, which runs it and returns everything about it.

>>> result = lieapp.align("4AKE.pdb", "1AKE.pdb", optimizer="adam")  # doctest: +SKIP
>>> result.report.rmsd, result.matrix, result.columns["gap"]  # doctest: +SKIP
>>> lieapp.landscape("saddle", optimizer="deo", start=(0.5, 0.0)).report.escaped_at_evaluation  # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.inputs import AlignInputs, load_inputs
from lieapp.alignment.report import AlignReport, report_align
from lieapp.alignment.spec import AlignJob
from lieapp.engine.job import open_job
from lieapp.engine.recording import Recording
from lieapp.landscapes.commands import job_from_options as landscape_job_from_options
from lieapp.landscapes.report import LandscapeReport, report_landscape
from lieapp.landscapes.spec import LandscapeJob

if TYPE_CHECKING:
    from torch.optim import Optimizer

    from lieapp.engine.run import Run

__all__ = ["AlignResult", "LandscapeResult", "align", "landscape", "run_align", "run_landscape"]


@dataclass(frozen=True, eq=False)
class AlignResult:
    """Everything about one alignment.

    Attributes
    ----------
    report : AlignReport
        The numbers of the best pose: what ``lieapp align --json`` prints.
    recording : Recording
        Every frame.
    job : AlignJob
        What was asked; running it again gives the same recording bit by bit on a CPU.
    inputs : AlignInputs
        Structures and pairs.
    """

    report: AlignReport
    recording: Recording
    job: AlignJob
    inputs: AlignInputs

    @property
    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The columns of the recording by name, each of shape=(frames,)."""
        return self.recording.table()

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The best pose, shape=(4, 4): ``x' = R x + t`` on the original coordinates, in Å; NaN where there is none."""
        if self.report.matrix is None:
            return np.full((4, 4), np.nan)
        return np.array(self.report.matrix)

    def __repr__(self) -> str:
        report = self.report
        return f"<AlignResult: {report.outcome}, RMSD {report.rmsd:.4f} Å over {report.pairs} pairs>"


def align(
    mobile: str | PathLike[str],
    target: str | PathLike[str],
    *,
    optimizer: str | type[Optimizer] = "adam",
    settings: Mapping[str, object] | Sequence[str] | None = None,
    **options: Any,
) -> AlignResult:
    """Superpose one structure on another by gradient descent on its pose.

    Parameters
    ----------
    mobile, target : path
        Files of the structure that moves and of the one that stays: PDB, mmCIF or BinaryCIF, also gzipped.
    optimizer : str or type
        Name of an optimiser: ``"adam"``, any torch optimiser in lower case, or ``"package.module:Class"``; or a class,
        such as ``torch.optim.SGD``.
    settings : mapping, optional
        Settings of the optimiser that differ from the recommended ones, such as ``{"lr": 0.5}``.
    **options
        As on the command line with underscores: ``mobile_chain="A"``, ``objective="tm"``, ``fit="A:1-29"``,
        ``parametrisation="se3"``, ``start="random"``, ``seed=1``, ``steps=200``, ...; all of them are in
        `lieapp.alignment.commands.OPTIONS`.

    Returns
    -------
    AlignResult

    Raises
    ------
    lieapp.errors.LieAppError
        If an option is wrong or a file cannot be used; the message is one line. How a run ends is no exception, but
        in ``result.report.outcome``.
    """
    return run_align(job_from_options(str(mobile), str(target), optimizer=optimizer, set=settings, **options))


def run_align(job: AlignJob, inputs: AlignInputs | None = None) -> AlignResult:
    """Run a job to its end.

    Parameters
    ----------
    job : AlignJob
    inputs : AlignInputs, optional
        What `lieapp.alignment.inputs.load_inputs` returned for this job, to read no file twice.
    """
    inputs = load_inputs(job) if inputs is None else inputs
    run: Run = open_job(job, inputs)[1]
    run.complete()
    return AlignResult(report_align(job, run.recording, inputs), run.recording, job, inputs)


@dataclass(frozen=True, eq=False)
class LandscapeResult:
    """Everything about one run on a landscape.

    Attributes
    ----------
    report : LandscapeReport
        The numbers of where it came to rest: what ``lieapp landscape --json`` prints.
    recording : Recording
        Every frame.
    job : LandscapeJob
        What was asked; running it again gives the same recording bit by bit on a CPU.
    """

    report: LandscapeReport
    recording: Recording
    job: LandscapeJob

    @property
    def columns(self) -> dict[str, NDArray[np.float64]]:
        """The columns of the recording by name, each of shape=(frames,)."""
        return self.recording.table()

    @property
    def points(self) -> NDArray[np.float64]:
        """The parameters of every frame, shape=(frames, n); of a network their projection to the plane, n = 2.

        Frames whose state was thinned are left out, see `Recording.state_frames`.
        """
        key = "point" if "point" in self.recording.state_keys else "projection"
        return np.asarray(self.recording.states(key), dtype=np.float64)

    def __repr__(self) -> str:
        return f"<LandscapeResult: {self.job.landscape}, {self.report.outcome}, loss {self.report.loss:.6g}>"


def landscape(
    name: str | None = None,
    *,
    optimizer: str | type[Optimizer] = "adam",
    settings: Mapping[str, object] | Sequence[str] | None = None,
    **options: Any,
) -> LandscapeResult:
    """Run an optimiser on a surface or on a small model.

    Parameters
    ----------
    name : str, optional
        A name of `lieapp.landscapes.catalog.LANDSCAPES`, such as ``"muller-brown"``; "saddle" by default.
    optimizer : str or type
        Name of an optimiser: ``"adam"``, ``"deo"``, any torch optimiser in lower case, or ``"package.module:Class"``;
        or a class, such as ``torch.optim.SGD``.
    settings : mapping, optional
        Settings of the optimiser that differ from the recommended ones, such as ``{"lr": 0.5}``.
    **options
        As on the command line with underscores: ``start=(0.5, 0.0)``, ``formula="x^2 - y^2 + y^4"``, ``seed=1``,
        ``steps=200``, ...; all of them are in `lieapp.landscapes.commands.OPTIONS`.

    Returns
    -------
    LandscapeResult

    Raises
    ------
    lieapp.errors.LieAppError
        If an option is wrong; the message is one line. How a run ends is no exception, but in
        ``result.report.outcome``.
    """
    return run_landscape(landscape_job_from_options(name, optimizer=optimizer, set=settings, **options))


def run_landscape(job: LandscapeJob) -> LandscapeResult:
    """Run a job on a landscape to its end."""
    run: Run = open_job(job)[1]
    run.complete()
    return LandscapeResult(report_landscape(job, run.recording), run.recording, job)
