"""Slices of the loss: from sufficient statistics, over the pairs, and point by point as one would write it down."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.inputs import AlignInputs, load_inputs
from lieapp.alignment.loss_surface import LossSurface
from lieapp.alignment.scores import rmsd_at
from lieapp.alignment.slice import SlicePlane, compute_slice, start_plane
from lieapp.gui.pictures.contours import contour_lines, nice_levels
from tests.benchmarks.bench_superposition import interleaved, row
from tests.conftest import shared_data


def run(quick: bool) -> list[dict[str, Any]]:
    """Return the rows; a ratio is our time over that of one call for each pose."""
    folder = shared_data()
    assert folder is not None, "needs the real structures"
    files = [str(folder / "structures" / "adk" / name) for name in ("4AKE.pdb", "1AKE.pdb")]
    job = job_from_options(*files)
    inputs = load_inputs(job)
    points, repeats = (61, 1) if quick else (201, 7)
    rows = []
    for name in ("rmsd", "tm", "gdt", "huber", "geman-mcclure"):
        surface = LossSurface.of_inputs(inputs, inputs.objective(job.changed(objective=name)))
        plane = start_plane(surface, np.eye(3), "saddle-1")
        (taken,) = interleaved([partial(compute_slice, plane, points=points)], repeats)
        title = f"slice of {name}, {points} x {points}, 214 pairs"
        if name == "rmsd":
            single = pose_by_pose(inputs, plane) * points**2
            rows.append(row(title, taken * 1e3, "ms", "rmsd_at, pose by pose", taken / single, "< 50 ms"))
            rows += shown(plane, points, 1000 if quick else 100_000, repeats)
        else:
            rows.append(row(title, taken * 1e3, "ms"))
    return rows


def pose_by_pose(inputs: AlignInputs, plane: SlicePlane) -> float:
    """Return the time of one value as one would write it down, in seconds."""
    poses = list(zip(*plane.poses(np.random.default_rng(0).uniform(-180.0, 180.0, (200, 2))), strict=True))
    begin = time.perf_counter()
    for rotation, translation in poses:
        rmsd_at(inputs.fit_mobile, inputs.fit_target, rotation, translation)
    return (time.perf_counter() - begin) / len(poses)


def shown(plane: SlicePlane, points: int, frames: int, repeats: int) -> list[dict[str, Any]]:
    """Return the rows of what lies on a slice."""
    found = compute_slice(plane, points=points)
    assert found is not None
    levels = nice_levels(float(found.values.min()), float(found.values.max()))
    places = np.random.default_rng(0).uniform(-180.0, 180.0, (frames, 2))
    poses = plane.poses(places)

    def contours() -> None:
        for level in levels:
            contour_lines(found.x, found.y, found.values, level)

    lines, projected = interleaved([contours, lambda: plane.project(*poses)], repeats)
    return [
        row(f"{len(levels)} contours of {points} x {points}", lines * 1e3, "ms"),
        row(f"projection of {frames} poses", projected * 1e3, "ms"),
    ]
