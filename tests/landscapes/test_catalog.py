"""The surfaces: every listed point is stationary, of the stated kind, and there are no others on the domain."""

from __future__ import annotations

import math

import numpy as np
import pytest

from lieapp.landscapes.catalog import LANDSCAPES, SURFACES, Surface, formula_surface, landscape, surface
from lieapp.landscapes.errors import LandscapeError
from lieapp.landscapes.stationary import find_stationary_points, polish

FIRST = ["saddle", "muller-brown", "himmelblau", "rosenbrock", "monkey-saddle", "flat-saddle"]
MORE = ["leps", "three-hump-camel", "six-hump-camel", "beale", "double-well", "rastrigin", "ackley"]

# Printed with the surfaces, computed elsewhere: position, value, lowest eigenvalue where it is given.
PUBLISHED = {
    "saddle": [((0.0, 0.0), 0.0, -2.0), ((0.0, 0.70710678), -0.25, None)],
    "muller-brown": [
        ((-0.55822363, 1.44172584), -146.69951721, None),
        ((0.62349940, 0.02803776), -108.16672412, None),
        ((-0.05001082, 0.46669410), -80.76781813, None),
        ((0.21248658, 0.29298833), -72.24894011, -735.25),
        ((-0.82200156, 0.62431280), -40.66484351, -750.86),
    ],
    "himmelblau": [
        ((-2.80511809, 3.13131252), 0.0, None),
        ((3.58442834, -1.84812653), 0.0, None),
        ((-0.12796135, -1.95371498), 178.337, None),
        ((-0.27084459, -0.92303856), 181.617, None),
    ],
    "rosenbrock": [((1.0, 1.0), 0.0, 0.399)],
    "monkey-saddle": [((-0.75, 0.0), -27 / 256, None), ((0.375, 0.64951905), -27 / 256, None)],
    "flat-saddle": [((0.0, 0.81649658), -4 / 27, None)],
    "leps": [
        ((0.74152066, 1.30341916), -4.50917600, None),
        ((3.00127581, -1.30433828), -2.62028711, None),
        ((2.02082773, -0.17290121), -0.87522468, -8.003),
    ],
    "three-hump-camel": [((1.74755235, -0.87377617), 0.29863844, None), ((1.07054229, -0.53527115), 0.87736156, None)],
    "six-hump-camel": [
        ((0.08984201, -0.71265640), -1.03162845, None),
        ((1.60710475, 0.56865145), 2.10425031, None),
        ((0.0, 0.0), 0.0, -8.062),
        ((1.23022988, 0.16233458), 2.49629535, None),
    ],
    "beale": [((0.0, 1.0), 14.203125, -27.75), ((0.10053794, -2.64451359), 9.86451228, None)],
    "double-well": [((0.0, 0.0), 1.0, -4.0)],
    "rastrigin": [((0.50254604, 0.0), 20.2513, None), ((0.5025, 0.5025), 40.5025, None)],
    "ackley": [((0.0, 0.0), 0.0, None)],
}


def test_menus() -> None:
    assert [each.name for each in SURFACES.values() if each.first] == FIRST
    assert [each.name for each in SURFACES.values() if not each.first] == MORE
    assert set(LANDSCAPES) - set(SURFACES) == {
        *("formula", "strict-saddle-100", "matrix-factorisation", "deep-linear", "so3-alignment"),
        *("transformer", "transformer-tiny"),
    }
    for entry in LANDSCAPES.values():
        assert entry.teaches.endswith(".") and entry.title
        assert entry.is_planar == (entry.name in SURFACES or entry.name == "formula")


@pytest.mark.parametrize("shape", SURFACES.values(), ids=SURFACES)
def test_listed_points_are_stationary(shape: Surface) -> None:
    (x0, x1), (y0, y1) = shape.domain
    assert x0 <= shape.start[0] <= x1 and y0 <= shape.start[1] <= y1
    for point in shape.stationary_points:
        x, y = point.position
        assert x0 <= x <= x1 and y0 <= y <= y1
        if math.isinf(point.eigenvalues[-1]):  # a cusp: its gradient jumps
            assert float(shape.value(x, y)) == pytest.approx(point.value, abs=1e-12)
            continue
        if point.kind != "degenerate":  # at a degenerate point Newton's iteration is only linear
            (px, py) = (float(part[0]) for part in polish(shape.function, x, y)[:2])
            assert math.dist((x, y), (px, py)) < 1e-9
            x, y = px, py
        value, fx, fy, xx, xy, yy = (float(part) for part in shape.function.derivatives(x, y))
        eigenvalues = np.linalg.eigvalsh([[xx, xy], [xy, yy]])
        scale = max(1.0, abs(eigenvalues).max())
        assert math.hypot(fx, fy) < 1e-13 * scale * max(1.0, abs(value))
        assert value == pytest.approx(point.value, abs=1e-9 * max(1.0, abs(value)))
        np.testing.assert_allclose(eigenvalues, point.eigenvalues, rtol=1e-9, atol=1e-9)
        assert point.index == int((eigenvalues < -1e-9).sum())
        kinds = {0: "minimum", 1: "saddle", 2: "maximum"}
        assert point.kind == ("degenerate" if (abs(eigenvalues) < 1e-9).any() else kinds[point.index])


@pytest.mark.parametrize("shape", SURFACES.values(), ids=SURFACES)
def test_no_other_stationary_point_on_the_domain(shape: Surface) -> None:
    listed = [point for point in shape.stationary_points if math.isfinite(point.eigenvalues[-1])]
    found = find_stationary_points(shape.function, shape.domain, starts=61)
    assert len(found) == len(listed)
    for point in found:
        near = min(listed, key=lambda each: math.dist(each.position, point.position))
        assert math.dist(near.position, point.position) < (1e-2 if point.kind == "degenerate" else 1e-8)
        assert near.kind == point.kind


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_values(name: str) -> None:
    shape = SURFACES[name]
    for position, value, lowest in PUBLISHED[name]:
        point = min(shape.stationary_points, key=lambda each: math.dist(each.position, position))
        assert math.dist(point.position, position) < 1e-4
        assert point.value == pytest.approx(value, abs=5e-4 * max(1.0, abs(value)) if abs(value) > 10 else 1e-7)
        if lowest is not None:
            assert point.eigenvalues[0] == pytest.approx(lowest, abs=5e-3 * max(1.0, abs(lowest)))


def test_value_gradient_and_hessian_agree_on_arrays() -> None:
    shape = SURFACES["himmelblau"]
    x, y = np.meshgrid(np.linspace(-1, 1, 5), np.linspace(-2, 2, 4))
    step = 1e-6
    fx, fy = shape.gradient(x, y)
    np.testing.assert_allclose(fx, (shape.value(x + step, y) - shape.value(x - step, y)) / (2 * step), rtol=1e-6)
    np.testing.assert_allclose(fy, (shape.value(x, y + step) - shape.value(x, y - step)) / (2 * step), rtol=1e-6)
    assert shape.hessian(x, y)[1].shape == x.shape


def test_names() -> None:
    assert landscape("saddle").title == "x² − y² + y⁴"
    with pytest.raises(LandscapeError, match="did you mean himmelblau"):
        landscape("himmelblu")
    with pytest.raises(LandscapeError, match="no surface"):
        surface("so3-alignment")
    with pytest.raises(LandscapeError, match="needs a formula"):
        surface("formula")
    assert surface("saddle", None, ((0.0, 1.0), (0.0, 1.0))).domain == ((0.0, 1.0), (0.0, 1.0))


def test_typed_formula_has_its_stationary_points() -> None:
    shape = formula_surface("x^4 - 2*x^2 + y^2", ((-2.0, 2.0), (-1.0, 1.0)))
    assert [(p.kind, round(p.position[0], 9)) for p in shape.stationary_points] == [
        ("minimum", -1.0),
        ("minimum", 1.0),
        ("saddle", 0.0),
    ]
    assert shape.saddles[0].eigenvalues == pytest.approx((-4.0, 2.0))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x^2", 0),  # a valley of minima, not a point
        ("exp(-x^2 - y^2)", 1),  # flat far away is not stationary
        ("3", 0),
        ("1/x + y", 0),
        ("sin(x)*sin(y)", 5),
        ("log(-1 - x^2)", 0),  # nowhere defined
    ],
)
def test_search_tells_points_from_plateaus(text: str, count: int) -> None:
    assert len(formula_surface(text).stationary_points) == count
