"""Closed-form superposition against Biopython's and a plain numpy Kabsch; pairing with the exact answer; scoring."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.inputs import load_inputs, pair_inputs
from lieapp.alignment.objectives import make_objective
from lieapp.alignment.report import score_pose
from lieapp.alignment.superposition import prune_core, superpose, superpose_robust
from tests.conftest import shared_data

Points = NDArray[np.float64]


def interleaved(calls: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Return the median time of each call in seconds, taken in turn, so that a busy machine slows all alike."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(repeats):
        for call, taken in zip(calls, times, strict=True):
            begin = time.perf_counter()
            call()
            taken.append(time.perf_counter() - begin)
    return [float(np.median(taken)) for taken in times]


def plain_kabsch(mobile: Points, target: Points) -> tuple[Points, Points, float]:
    """Kabsch as it stands in many scripts: centre, SVD, determinant, residuals."""
    p, q = mobile.mean(axis=0), target.mean(axis=0)
    x, y = mobile - p, target - q
    u, _, vt = np.linalg.svd(x.T @ y)
    d = np.sign(np.linalg.det(u @ vt))
    rotation = (u @ np.diag([1.0, 1.0, d]) @ vt).T
    residual = x @ rotation.T - y
    return rotation, q - rotation @ p, float(np.sqrt((residual**2).sum() / len(x)))


def svd_superimposer(mobile: Points, target: Points) -> float:
    from Bio.SVDSuperimposer import SVDSuperimposer

    peer = SVDSuperimposer()
    peer.set(target, mobile)
    peer.run()
    return float(peer.get_rms())


def qcp_superimposer(mobile: Points, target: Points) -> float:
    from Bio.PDB.qcprot import QCPSuperimposer

    peer = QCPSuperimposer()
    peer.set(target, mobile)
    peer.run()
    return float(peer.get_rms())


def gemmi_superposition(mobile: Points, target: Points) -> Callable[[], object]:
    """Return a call of gemmi's compiled QCP; its lists of positions are made beforehand, which is not timed."""
    import gemmi

    moving = [gemmi.Position(*point) for point in mobile]
    fixed = [gemmi.Position(*point) for point in target]
    return lambda: gemmi.superpose_positions(fixed, moving)


def row(
    name: str, value: float, unit: str, peer: str = "", ratio: float | None = None, limit: str = ""
) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "peer": peer, "ratio": ratio, "limit": limit}


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows; a ratio is our time over the peer's in the same run."""
    folder = shared_data()
    assert folder is not None, "needs the real structures"
    rows = closed_form(folder / "structures", quick)
    rows += answers(folder / "structures", quick)
    return rows


def closed_form(folder: Path, quick: bool) -> list[dict[str, Any]]:
    rows = []
    for name, files, options in [
        ("214 CA", ("adk/4AKE.pdb", "adk/1AKE.pdb"), {}),
        ("58 870 atoms", ("diverse/1aon.pdb.gz",), {}),
    ]:
        if len(files) == 2:
            inputs = load_inputs(job_from_options(*(str(folder / file) for file in files), **options))
            mobile, target = np.array(inputs.mobile_points), np.array(inputs.target_points)
        elif quick:
            continue
        else:
            from lieapp.structures.reading import read_structure

            mobile = read_structure(folder / files[0]).coordinates[0]
            target = mobile[:, [1, 2, 0]] + np.random.default_rng(0).normal(0.0, 1.0, mobile.shape)
        peers: dict[str, Callable[[], object]] = {
            "plain numpy Kabsch": lambda m=mobile, t=target: plain_kabsch(m, t),
            "Bio.SVDSuperimposer": lambda m=mobile, t=target: svd_superimposer(m, t),
        }
        if len(mobile) < 10000:  # its inner products take memory that grows as the square of the atoms
            peers["Bio.PDB.qcprot"] = lambda m=mobile, t=target: qcp_superimposer(m, t)
        peers["gemmi (C++)"] = gemmi_superposition(mobile, target)
        repeats = 5 if quick else 300 if len(mobile) < 1000 else 15
        ours, *theirs = interleaved([lambda m=mobile, t=target: superpose(m, t), *peers.values()], repeats)
        for peer, taken in zip(peers, theirs, strict=True):
            limit = "<= 1.5" if peer.startswith("plain") else "<= 1" if peer.startswith("Bio") else ""
            rows.append(row(f"superpose, {name}", ours * 1e6, "µs", peer, ours / taken, limit))
    return rows


def answers(folder: Path, quick: bool) -> list[dict[str, Any]]:
    job = job_from_options(str(folder / "adk" / "4AKE.pdb"), str(folder / "adk" / "1AKE.pdb"))
    inputs = load_inputs(job)
    mobile, target = inputs.mobile_points, inputs.target_points
    tm = make_objective("tm", length=214)
    start = [inputs.kabsch.matrix]
    repeats = 3 if quick else 50
    paired, scored, robust, searched, core = interleaved(
        [
            lambda: pair_inputs(job, inputs.mobile, inputs.target).kabsch,
            lambda: score_pose(inputs, inputs.kabsch.rotation, inputs.kabsch.translation),
            lambda: superpose_robust(tm, mobile, target, starts=start),
            lambda: superpose_robust(tm, mobile, target),
            lambda: prune_core(mobile, target),
        ],
        repeats,
    )
    return [
        row("pairing and exact answer, 214 residues", paired * 1e3, "ms", limit="< 10 (PyMOL's align: 6.6)"),
        row("scores of a pose, 214 pairs", scored * 1e3, "ms", limit="< 0.3"),
        row("TM optimum from Kabsch's pose, 214 pairs", robust * 1e3, "ms"),
        row("TM optimum from 8 starts, 214 pairs", searched * 1e3, "ms"),
        row("pruned core, 214 pairs", core * 1e3, "ms"),
    ]
