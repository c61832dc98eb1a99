"""Planes through landscapes of many dimensions."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.planes import curvature_plane
from lieapp.landscapes.problem import open_landscape
from lieapp.landscapes.spec import LandscapeJob


def test_the_strict_saddle_falls_one_way_and_rises_the_other() -> None:
    plane = curvature_plane(LandscapeJob(landscape="strict-saddle-100", seed=2))
    assert plane.basis @ plane.basis.T == pytest.approx(np.eye(2), abs=1e-12)
    # Along the eigenvector of -1 the loss is -c²/2 + c⁴/4, along that of 5 it is 5c²/2.
    assert float(plane.value(1.0, 0.0)) == pytest.approx(-0.25, abs=2e-3)
    assert float(plane.value(0.0, 0.5)) == pytest.approx(0.625, abs=2e-2)
    assert [point.index for point in plane.points] == [10]
    assert np.isnan(plane.value(1e3, 0.0))
    # Beyond the domain, where a pane of any usual shape shows it, too.
    (_, right), (_, top) = plane.domain
    assert float(plane.value(0.0, right)) == pytest.approx(2.5 * right**2, rel=1e-2) and right > 2.0 * top


def test_projecting_undoes_placing() -> None:
    plane = curvature_plane(LandscapeJob(landscape="matrix-factorisation"))
    places = np.array([[0.3, -0.2], [1.0, 0.5]])
    assert plane.project(plane.origin + places @ plane.basis) == pytest.approx(places)


def test_rotations_lie_on_one_side_and_have_the_loss_of_the_problem() -> None:
    plane = curvature_plane(LandscapeJob(landscape="so3-alignment"))
    assert {point.kind for point in plane.points} == {"minimum", "saddle", "maximum"}
    for x, y in ((0.7, 0.4), (2.5, -0.8)):
        problem, _ = open_landscape(LandscapeJob(landscape="so3-alignment", start=(0.0, y, x)))
        assert float(plane.value(x, y)) == pytest.approx(float(problem.oracle.loss()), abs=5e-2)
    near = np.array([[0.0, 0.0, math.pi - 0.1], [0.0, 0.0, -(math.pi - 0.1)]])
    assert plane.project(near)[:, 0] == pytest.approx([math.pi - 0.1, math.pi + 0.1])
    problem, _ = open_landscape(LandscapeJob(landscape="so3-alignment"))
    assert plane.project(problem.model.position()[None])[0] == pytest.approx(plane.start)


def test_a_plane_that_nobody_waits_for_is_given_up() -> None:
    asked: list[bool] = []

    def stopped() -> bool:
        asked.append(True)
        return len(asked) > 2

    with pytest.raises(LandscapeError, match="given up"):
        curvature_plane(LandscapeJob(landscape="matrix-factorisation"), stopped=stopped)
    assert len(asked) == 3


@pytest.mark.parametrize("name", ["saddle", "transformer-tiny"])
def test_what_is_drawn_itself_or_too_large_has_no_plane(name: str) -> None:
    with pytest.raises(LandscapeError, match="plane"):
        curvature_plane(LandscapeJob(landscape=name))
