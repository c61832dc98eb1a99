"""What the exporters of an alignment need, gathered once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.inputs import AlignInputs
from lieapp.alignment.report import AlignReport, PoseScores, score_pose
from lieapp.alignment.spec import AlignJob
from lieapp.alignment.superposition import Core, prune_core
from lieapp.engine.best import name_of_best
from lieapp.engine.recording import Recording

__all__ = ["AlignmentResult"]


@dataclass(frozen=True, eq=False)
class AlignmentResult:
    """A pose with everything that says where it came from.

    Attributes
    ----------
    job : AlignJob
    inputs : AlignInputs
    recording : Recording
    report : AlignReport
        Report of the same pose.
    frame : int
        Frame of the recording that the pose belongs to.
    """

    job: AlignJob
    inputs: AlignInputs
    recording: Recording
    report: AlignReport
    frame: int

    @property
    def is_best(self) -> bool:
        """True if the pose is the best one of the run."""
        return self.frame == self.recording.best

    @property
    def pose_text(self) -> str:
        """Which pose this is, for people."""
        best = f"{name_of_best('pose', self.recording.best_by)} of the run"
        return best if self.is_best else f"pose at step {self.frame}"

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """The transform, shape (4, 4): x' = R x + t on the original coordinates, in Å."""
        state = self.recording.state(self.frame)
        matrix = np.eye(4)
        matrix[:3, :3] = state["rotation"][0]
        matrix[:3, 3] = state["translation"][0]
        return matrix

    @cached_property
    def scores(self) -> PoseScores:
        """Scores and deviations at the pose."""
        return score_pose(self.inputs, self.matrix[:3, :3], self.matrix[:3, 3])

    @cached_property
    def core(self) -> Core:
        """The pruned core of the reported pairs."""
        report = self.inputs.pairing.report
        return prune_core(self.inputs.mobile_points[report], self.inputs.target_points[report])

    @property
    def stem(self) -> str:
        """File stem of the moved structure, such as ``"4AKE_A_onto_1AKE_A"``."""
        pairing = self.inputs.pairing

        def side(name: str, chains: list[str]) -> str:
            distinct = list(dict.fromkeys(chain or "_" for chain in chains))
            kept = "".join(distinct)
            if len(kept) > 24:  # file names are at most 255 bytes long
                kept = f"{distinct[0]}-and-{len(distinct) - 1}-more"
            return f"{name}_{kept}" if kept.strip("_") else name

        mobile = side(self.inputs.mobile.name, [match.mobile_chain for match in pairing.chains])
        target = side(self.inputs.target.name, [match.target_chain for match in pairing.chains])
        return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in f"{mobile}_onto_{target}")

    @cached_property
    def residue_deviations(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Paired mobile residues and the root mean square deviation of their atoms in Å, shape=(residues,) each."""
        deviations = self.inputs.residue_deviations(self.scores.deviations)
        residues = np.unique(self.inputs.pairing.mobile_residues)
        return residues, deviations[residues]
