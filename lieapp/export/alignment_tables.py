"""Tables of an alignment: the residues with their deviations, the trajectory of the run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.tables import number_cell, write_table

__all__ = ["write_residues_csv", "write_trajectory_csv"]


def write_residues_csv(result: AlignmentResult, path: Path) -> Path:
    """Write one row a pair: both residues, their distance in Å; whether it was fitted, is reported, is in the core."""
    pairing = result.inputs.pairing
    core = np.zeros(len(pairing), dtype=bool)
    core[np.flatnonzero(pairing.report)[result.core.mask]] = True
    heads = ["pair"]
    for side in ("mobile", "target"):
        heads += [f"{side}_{what}" for what in ("chain", "residue", "number", "insertion_code", "atom")]
    heads += ["deviation_angstrom", "weight", "in_fit", "in_report", "in_core"]

    def rows() -> Iterable[list[object]]:
        sides = (
            (result.inputs.mobile, pairing.mobile_residues, pairing.mobile_atoms),
            (result.inputs.target, pairing.target_residues, pairing.target_atoms),
        )
        for pair in range(len(pairing)):
            row: list[object] = [pair + 1]
            for structure, residue_of, atom_of in sides:
                names, residue = structure.residues, residue_of[pair]
                row += [names.chain[residue], names.name[residue], names.number[residue]]
                row += [names.insertion_code[residue], structure.atoms.name[atom_of[pair]]]
            row += [repr(float(result.scores.deviations[pair])), repr(float(pairing.weights[pair]))]
            row += [int(pairing.fit[pair]), int(pairing.report[pair]), int(core[pair])]
            yield row

    return write_table(path, heads, rows())


def write_trajectory_csv(result: AlignmentResult, path: Path) -> Path:
    """Write one row a frame: the columns of the recording, then the pose (rotation by rows, translation in Å)."""
    recording = result.recording
    columns = recording.columns
    heads = ["frame", *columns]
    heads += [f"r{row}{column}" for row in (1, 2, 3) for column in (1, 2, 3)] + ["tx", "ty", "tz"]
    values = [recording.column(name) for name in columns]

    def rows() -> Iterable[list[object]]:
        for frame in range(len(recording)):
            row: list[object] = [frame, *(number_cell(column[frame]) for column in values)]
            if recording.kept(frame) == frame:
                state = recording.state(frame)
                pose = np.concatenate([state["rotation"][0].ravel(), state["translation"][0]])
                row += [number_cell(number) for number in pose]
            else:
                row += [""] * 12
            yield row

    return write_table(path, heads, rows())
