"""Slices of an objective over poses."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lieapp.alignment.errors import AlignmentError
from lieapp.alignment.loss_surface import LossSurface, rotation_exps, rotation_logs
from lieapp.alignment.objectives import MSD, OBJECTIVE_NAMES, make_objective
from lieapp.alignment.rigid import random_rotations, rotation_angle, rotation_exp, rotation_log
from lieapp.alignment.scores import deviations_at, rmsd_at, tm_score
from lieapp.alignment.slice import (
    AXIS_NAMES,
    CRITICAL_TITLES,
    SlicePlane,
    axes_plane,
    compute_slice,
    partner_axes,
    path_plane,
    start_plane,
)
from tests.alignment import adk

Array = NDArray[np.float64]
VALUES_ON_ADK = (7.131, 25.667, 29.495, 31.732)
PAIRS = 30


def points(seed: int) -> tuple[Array, Array, Array]:
    """Return a long cloud, a bent and turned copy of it far away, and weights."""
    rng = np.random.default_rng(seed)
    mobile = rng.normal((30.0, -20.0, 10.0), (4.0, 9.0, 15.0), (PAIRS, 3))
    bent = np.where(mobile[:, 2:] > 15.0, mobile @ rotation_exp([0.5, 0.1, 0.0]).T, mobile)
    target = bent @ random_rotations(1, rng)[0].T + rng.normal(0.0, 0.5, (PAIRS, 3)) + (-80.0, 5.0, 60.0)
    return mobile, target, rng.uniform(0.2, 1.0, PAIRS)


def surface_of(name: str, seed: int = 0) -> LossSurface:
    mobile, target, weights = points(seed)
    return LossSurface(make_objective(name, length=PAIRS), mobile, target, weights)


def planes(surface: LossSurface, seed: int = 0) -> list[SlicePlane]:
    start = random_rotations(1, np.random.default_rng(seed))[0]
    path = rotation_exps(np.linspace(1.0, 0.0, 20)[:, None] * rotation_log(start)) @ surface.best.rotation
    found = [start_plane(surface, start, through) for through in ("saddle-1", "saddle-2", "maximum")]
    found += [path_plane(surface, path), axes_plane(surface, "turn-x", "shift-z")]
    return [*found, axes_plane(surface, "principal-1", "principal-3"), axes_plane(surface, "shift-y", "shift-x")]


@pytest.fixture(scope="module")
def adk_surface() -> LossSurface:
    from tests.conftest import shared_data

    folder = shared_data()
    assert folder is not None
    mobile, target = (adk.points(folder / "structures" / "adk" / f"{name}.pdb", "A") for name in ("4AKE", "1AKE"))
    return LossSurface(MSD(), mobile, target)


# -- rotations by the thousand ------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.sampled_from([0.0, 1e-12, 1e-6, 1e-4, 0.3, 2.0, math.pi - 1e-9, math.pi]))
@settings(max_examples=60, deadline=None)
def test_stacked_rotations_agree_with_single_ones(seed: int, angle: float) -> None:
    axes = np.random.default_rng(seed).normal(size=(5, 3))
    vectors = angle * axes / np.linalg.norm(axes, axis=1, keepdims=True)
    rotations = rotation_exps(vectors)
    assert rotations == pytest.approx(np.array([rotation_exp(vector) for vector in vectors]), abs=1e-15)
    logs = rotation_logs(rotations)
    assert np.linalg.norm(logs, axis=1) == pytest.approx(np.full(5, angle), abs=1e-14)
    # At half a turn the axis has no sign.
    assert np.abs(logs) == pytest.approx(np.abs(vectors), abs=1e-13)
    if angle < 3.0:
        assert logs == pytest.approx(vectors, abs=1e-14)


def test_logs_of_random_rotations() -> None:
    rotations = random_rotations(500, np.random.default_rng(1))
    logs = rotation_logs(rotations.reshape(5, 100, 3, 3)).reshape(-1, 3)
    assert logs == pytest.approx(np.array([rotation_log(r) for r in rotations]), abs=1e-13)


# -- values ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OBJECTIVE_NAMES)
def test_the_middle_is_the_best_pose(name: str) -> None:
    surface = surface_of(name)
    objective = surface.objective
    mobile, target, weights = points(0)
    deviations = deviations_at(mobile, target, surface.best.rotation, surface.best.translation)
    best = objective.value_for_people(weights / weights.sum() @ objective.rho(deviations**2))
    for plane in planes(surface):
        found = compute_slice(plane, points=21)
        assert found is not None
        assert found.values.shape == (21, 21)
        assert found.x[10] == found.y[10] == 0.0
        assert found.values[10, 10] == pytest.approx(best, abs=1e-10)
        inside = found.values[found.inside]
        assert (inside.max() if objective.maximised else inside.min()) == pytest.approx(best, abs=1e-10)
        assert found.marks[0].places == pytest.approx(np.zeros((1, 2)), abs=1e-9)


@given(st.integers(0, 10_000), st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
@settings(max_examples=40, deadline=None)
def test_every_value_is_the_rmsd_of_its_pose(seed: int, a: float, b: float) -> None:
    mobile, target, weights = points(seed % 7)
    surface = LossSurface(MSD(), mobile, target, weights)
    for plane in planes(surface, seed):
        place = np.array([[a * plane.axes[0].extent, b * plane.axes[1].extent]])
        rotations, translations = plane.poses(place)
        expected = rmsd_at(mobile, target, rotations[0], translations[0], weights)
        assert plane.values(place)[0] == pytest.approx(expected, abs=1e-10)


def test_the_grid_is_row_major_and_every_value_is_that_of_its_pose() -> None:
    mobile, target, _ = points(2)
    surface = LossSurface(make_objective("tm", length=PAIRS), mobile, target)
    plane = axes_plane(surface, "turn-y", "shift-x", reach=12.0)
    found = compute_slice(plane, points=31)
    assert found is not None
    assert (found.x[0], found.x[-1], found.y[0], found.y[-1]) == pytest.approx((-180.0, 180.0, -12.0, 12.0))
    rng = np.random.default_rng(0)
    for row, column in rng.integers(0, 31, (25, 2)):
        rotations, translations = plane.poses([[found.x[column], found.y[row]]])
        distances = deviations_at(mobile, target, rotations[0], translations[0])
        assert found.values[row, column] == pytest.approx(tm_score(distances, length=PAIRS), abs=1e-10)


@pytest.mark.parametrize("pairs", [3, 40_001, 100_000])
def test_pieces_add_up(pairs: int) -> None:
    rng = np.random.default_rng(0)
    mobile, target = rng.normal(0.0, 20.0, (2, pairs, 3))
    objective = make_objective("huber", length=pairs)
    surface = LossSurface(objective, mobile, target, best=(np.eye(3), np.zeros(3)))
    rotations, translations = random_rotations(4, rng), rng.normal(size=(4, 3))
    values = surface.values(rotations, surface.shifts(rotations, translations))
    for k in range(4):
        d2 = deviations_at(mobile, target, rotations[k], translations[k]) ** 2
        assert values is not None
        assert values[k] == pytest.approx(math.sqrt(objective.rho(d2).mean()), rel=1e-12)


def test_a_plane_of_turns_shows_the_rmsd_at_its_best_translation() -> None:
    surface = surface_of("rmsd")
    mobile, target, weights = points(0)
    plane = axes_plane(surface, "turn-x", "turn-y")
    rng = np.random.default_rng(3)
    places = rng.uniform(-180.0, 180.0, (10, 2))
    rotations, translations = plane.poses(places)
    for rotation, translation, value in zip(rotations, translations, plane.values(places), strict=True):
        for shift in rng.normal(0.0, 2.0, (5, 3)):
            assert rmsd_at(mobile, target, rotation, translation + shift, weights) > value


def test_opposite_points_of_the_rim_are_one_rotation() -> None:
    plane = start_plane(surface_of("rmsd"), random_rotations(1, np.random.default_rng(5))[0])
    assert plane.rim == pytest.approx(180.0)
    angles = np.linspace(0.0, math.pi, 9)
    rim = 180.0 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert plane.poses(rim)[0] == pytest.approx(plane.poses(-rim)[0], abs=1e-12)
    assert plane.values(rim) == pytest.approx(plane.values(-rim), abs=1e-10)
    assert axes_plane(plane.surface, "turn-x", "shift-x").rim is None


# -- critical points ------------------------------------------------------------------------------------------------


@pytest.mark.shared_data
def test_critical_points_of_adenylate_kinase(adk_surface: LossSurface) -> None:
    marks = start_plane(adk_surface, np.eye(3)).marks()
    assert [mark.title for mark in marks] == list(CRITICAL_TITLES)
    assert [mark.index for mark in marks] == [0, 1, 2, 3]
    assert [mark.value for mark in marks] == pytest.approx(VALUES_ON_ADK, abs=5e-4)
    assert [mark.in_plane for mark in marks] == [True, True, False, False]


@pytest.mark.shared_data
def test_a_slice_of_adenylate_kinase_lies_between_its_critical_values(adk_surface: LossSurface) -> None:
    found = compute_slice(axes_plane(adk_surface, "principal-1", "principal-3"))
    assert found is not None and found.values.shape == (201, 201)
    assert found.values[found.inside].min() == pytest.approx(VALUES_ON_ADK[0], abs=5e-4)
    assert found.values[found.inside].max() == pytest.approx(VALUES_ON_ADK[3], abs=5e-4)
    # Along the axis to a critical point the squared RMSD is a cosine.
    minimum, saddle = found.marks[0].value, found.marks[1].value
    cosine = 0.5 * (1.0 - np.cos(np.radians(found.x)))
    assert found.values[100] ** 2 == pytest.approx(minimum**2 + (saddle**2 - minimum**2) * cosine, rel=1e-12)


def test_critical_points_are_flat_in_their_planes_and_curve_as_their_index_says() -> None:
    surface = surface_of("rmsd", 4)
    for first, second in itertools.permutations(range(3), 2):
        plane = axes_plane(surface, *(f"principal-{k + 1}" for k in (first, second)))  # type: ignore[arg-type]
        marks = plane.marks()
        assert [marks[k + 1].in_plane for k in range(3)] == [k in (first, second) for k in range(3)]
        for mark in marks:
            if not mark.in_plane:
                continue
            for place in mark.places:
                assert plane.values([place])[0] == pytest.approx(mark.value, abs=1e-10)
                for axis in range(2):
                    step = 0.2 * np.eye(2)[axis]
                    low, high = plane.values([place - step, place + step])
                    # A turn of 0.2° moves an atom by 0.06 Å; a slope would change the RMSD by as much.
                    assert abs(high - low) < 1e-8
    for point in surface.critical_points:
        curves = []
        for axis in surface.principal_axes:
            turns = rotation_exps(np.array([[-0.01], [0.0], [0.01]]) * axis) @ point.rotation
            low, middle, high = surface.values(turns, np.zeros((3, 3)))  # type: ignore[misc]
            curves.append(low + high < 2.0 * middle)
        assert sum(curves) == point.index


def test_other_objectives_mark_their_best_and_kabschs_pose() -> None:
    surface = surface_of("tm")
    plane = start_plane(surface, random_rotations(1, np.random.default_rng(0))[0], "kabsch")
    best, kabsch = plane.marks()
    assert (best.title, best.index, kabsch.title, kabsch.index) == ("best known", 0, "Kabsch", None)
    assert best.in_plane and best.value >= kabsch.value
    # Its rotation lies in the plane; what is left is where the centroid is.
    shift = surface.shifts(surface.best.rotation[None], surface.best.translation[None])
    assert kabsch.distance == pytest.approx(float(np.linalg.norm(shift)), abs=1e-9)


# -- projection -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(7))
def test_what_lies_in_the_plane_projects_onto_itself(number: int) -> None:
    plane = planes(surface_of("tm", 1))[number]
    extents = np.array([axis.extent for axis in plane.axes])
    places = np.random.default_rng(2).uniform(-0.7, 0.7, (50, 2)) * extents
    projection = plane.project(*plane.poses(places))
    assert projection.coordinates == pytest.approx(places, abs=1e-9)
    assert projection.distances == pytest.approx(np.zeros(50), abs=1e-9)


def test_distance_is_the_displacement_of_the_structure() -> None:
    surface = surface_of("rmsd")
    mobile, _, weights = points(0)
    plane = axes_plane(surface, "turn-x", "turn-y")
    rng = np.random.default_rng(6)
    rotations, translations = random_rotations(20, rng), rng.normal(0.0, 30.0, (20, 3))
    projection = plane.project(rotations, translations)
    drawn, drawn_translations = plane.poses(projection.coordinates)
    for k in range(20):
        moved = mobile @ rotations[k].T + translations[k]
        shown = mobile @ drawn[k].T + drawn_translations[k]
        squares = ((moved - shown) ** 2).sum(axis=1)
        assert projection.distances[k] == pytest.approx(math.sqrt(weights @ squares / weights.sum()), rel=1e-12)


def test_a_path_over_the_rim_is_broken_there() -> None:
    surface = surface_of("rmsd")
    plane = axes_plane(surface, "turn-x", "turn-y")
    angles = np.radians([150.0, 170.0, 190.0, 210.0])
    path = rotation_exps(angles[:, None] * np.array([1.0, 0.0, 0.0])) @ surface.best.rotation
    projection = plane.project(path, surface.translations(path, np.zeros((4, 3))))
    assert projection.coordinates[:, 0] == pytest.approx([150.0, 170.0, -170.0, -150.0])
    assert projection.continues.tolist() == [True, False, True, False]


def test_poses_that_are_not_finite_do_not_hide_the_others() -> None:
    surface = surface_of("rmsd")
    plane = axes_plane(surface, "turn-x", "turn-y")
    rotations = np.stack([np.eye(3), np.full((3, 3), np.nan)])
    projection = plane.project(rotations, np.zeros((2, 3)))
    assert np.isfinite(projection.coordinates[0]).all()
    assert not np.isfinite(projection.coordinates[1]).any()
    assert not projection.continues.any()
    assert path_plane(surface, rotations).rim == pytest.approx(180.0)


# -- planes ---------------------------------------------------------------------------------------------------------


def test_a_start_plane_holds_start_and_saddle() -> None:
    for seed in range(5):
        surface = surface_of("rmsd", seed)
        start = random_rotations(1, np.random.default_rng(seed))[0]
        for index, through in enumerate(("saddle-1", "saddle-2", "maximum"), 1):
            plane = start_plane(surface, start, through)  # type: ignore[arg-type]
            projection = plane.project(start[None], surface.translations(start[None], np.zeros((1, 3))))
            angle = math.degrees(rotation_angle(start @ surface.best.rotation.T))
            assert projection.coordinates[0] == pytest.approx([angle, 0.0], abs=1e-6)
            assert projection.distances[0] == pytest.approx(0.0, abs=1e-9)
            assert plane.marks()[index].in_plane
            assert len(plane.marks()[index].places) == 2


def test_a_start_at_the_minimum_or_at_the_saddle_has_a_plane_all_the_same() -> None:
    surface = surface_of("rmsd")
    minimum, saddle, *_ = surface.critical_points
    for start in (minimum.rotation, saddle.rotation):
        plane = start_plane(surface, start, "saddle-1")
        first, second = (axis.twist[3:] for axis in plane.axes)
        assert first @ second == pytest.approx(0.0, abs=1e-12)
        assert plane.marks()[1].in_plane
        assert plane.marks()[2].in_plane


def test_the_plane_of_a_path_holds_a_path_that_lies_in_a_plane() -> None:
    surface = surface_of("rmsd", 3)
    along = np.linspace(1.0, 0.0, 40)
    vectors = np.outer(along, [1.5, 0.2, 0.0]) + np.outer(along * (1.0 - along), [0.0, 2.0, 0.5])
    path = rotation_exps(vectors) @ surface.best.rotation
    projection = path_plane(surface, path).project(path, surface.translations(path, np.zeros((40, 3))))
    assert projection.distances == pytest.approx(np.zeros(40), abs=1e-9)
    assert projection.coordinates[0, 0] > 0.0
    # A path that only stays where it is.
    still = np.repeat(surface.best.rotation[None], 3, axis=0)
    assert path_plane(surface, still).rim == pytest.approx(180.0)
    assert path_plane(surface, np.empty((0, 3, 3))).rim == pytest.approx(180.0)


def test_turns_may_be_measured_in_angstrom() -> None:
    surface = surface_of("rmsd")
    plane = axes_plane(surface, "turn-x", "turn-y", turns_in="angstrom")
    assert plane.rim == pytest.approx(math.pi * surface.radius)
    assert [axis.label for axis in plane.axes] == ["turn about x (Å)", "turn about y (Å)"]
    degrees = axes_plane(surface, "turn-x", "turn-y")
    place = np.array([[30.0, -50.0]])
    assert degrees.values(place) == pytest.approx(plane.values(np.radians(place) * surface.radius), abs=1e-12)


def test_axes_that_span_no_plane_are_refused() -> None:
    surface = surface_of("rmsd")
    assert set(partner_axes("shift-x")) == set(AXIS_NAMES) - {"shift-x"}
    assert "turn-x" not in partner_axes("principal-1")
    with pytest.raises(AlignmentError, match="span no plane"):
        axes_plane(surface, "turn-x", "principal-1")
    with pytest.raises(AlignmentError, match="No axis is called"):
        axes_plane(surface, "turn-w", "turn-x")  # type: ignore[arg-type]
    with pytest.raises(AlignmentError, match="No waypoint is called"):
        start_plane(surface, np.eye(3), "saddle-3")  # type: ignore[arg-type]
    with pytest.raises(AlignmentError, match="shape"):
        LossSurface(MSD(), np.zeros((3, 3)), np.zeros((4, 3)))


# -- computing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rmsd", "tm"])
def test_progress_and_cancelling(name: str) -> None:
    plane = axes_plane(surface_of(name), "turn-x", "turn-y")
    told: list[float] = []
    assert compute_slice(plane, points=101, progress=told.append) is not None
    assert told == sorted(told) and told[-1] == 1.0 and 2 <= len(told) <= 120
    asked = itertools.count()
    assert compute_slice(plane, points=101, cancelled=lambda: next(asked) > 1) is None
    assert compute_slice(plane, points=101, cancelled=lambda: True) is None


def test_large_structures_get_a_coarser_grid() -> None:
    rng = np.random.default_rng(0)
    mobile, target = rng.normal(0.0, 20.0, (2, 20_000, 3))
    calls: list[float] = []
    objective = make_objective("geman-mcclure", length=len(mobile))
    surface = LossSurface(objective, mobile, target, best=(np.eye(3), np.zeros(3)))
    plane = axes_plane(surface, "turn-x", "turn-y")
    compute_slice(plane, progress=calls.append, cancelled=lambda: len(calls) > 0)
    assert calls[0] == pytest.approx(2 / 101**2)
    # The RMSD costs the same for any number.
    found = compute_slice(axes_plane(LossSurface(MSD(), mobile, target), "turn-x", "turn-y"))
    assert found is not None and found.values.shape == (201, 201)


def test_files_are_read_for_the_pairs_that_drive_the_fit(tmp_path: Path) -> None:
    from lieapp.alignment.commands import job_from_options
    from lieapp.alignment.inputs import load_inputs
    from tests.alignment.small import hinge, write_pdb

    paths = [write_pdb(tmp_path / f"{k}.pdb", hinge(angle)) for k, angle in enumerate((0.0, 1.0))]
    job = job_from_options(*map(str, paths), fit="A:1-20")
    inputs = load_inputs(job)
    surface = LossSurface.of_inputs(inputs, inputs.objective(job))
    assert surface.pairs == 20
    assert surface.best.rmsd == pytest.approx(inputs.kabsch.rmsd, abs=1e-10)
