"""The picture of a surface, the plane of a landscape of many dimensions, and paths; no window needed."""

from __future__ import annotations

import numpy as np
import pytest

from lieapp.gui.landscape.backdrop import held_view, is_good_for
from lieapp.gui.landscape.picture import Area, Shading, make_picture, shading_in_view, shading_of, widened
from lieapp.gui.plots.paths import distinct_rows
from lieapp.landscapes.catalog import SURFACES, formula_surface


@pytest.mark.parametrize("name", list(SURFACES))
def test_every_surface_has_contours_and_shades_over_the_whole_range(name: str) -> None:
    surface = SURFACES[name]
    picture = make_picture(surface, grid=80)
    assert picture.shades.shape == (len(picture.y), len(picture.x))
    assert np.nanmin(picture.shades) < 0.05 and np.nanmax(picture.shades) == pytest.approx(1.0, abs=0.02)
    assert 4 <= len(picture.levels) <= 14 and len(picture.contours) > 100
    assert picture.area == pytest.approx(np.array(surface.domain))
    if surface.clip is not None:
        assert picture.shading.high <= surface.clip


@pytest.mark.parametrize("name", ["saddle", "muller-brown", "rosenbrock"])
def test_contour_lines_lie_at_their_levels(name: str) -> None:
    surface = SURFACES[name]
    picture = make_picture(surface)
    x, y = picture.contours.reshape(-1, 2).T
    values = np.asarray(surface.value(x, y))
    nearest = np.abs(values[:, None] - np.array(picture.levels)).min(axis=1)
    assert np.quantile(nearest, 0.99) < 0.02 * (picture.shading.high - picture.shading.low)


def test_colours_stay_when_one_looks_closer() -> None:
    surface = SURFACES["himmelblau"]
    whole, close = make_picture(surface), make_picture(surface, ((2.9, 3.1), (1.9, 2.1)))
    assert close.shading == whole.shading
    assert len([level for level in close.levels if level not in whole.levels]) >= 3  # lines of its own


@pytest.mark.parametrize("name", list(SURFACES))
def test_who_looks_from_far_away_sees_contours_and_more_than_one_colour(name: str) -> None:
    surface = SURFACES[name]
    (x0, x1), (y0, y1) = surface.domain
    wide: Area = (x0 - 0.5 * (x1 - x0), x1 + 0.5 * (x1 - x0)), (y0, y1)
    # All of the domain in a wide pane is not far away: the colours are for what it is about.
    for near in (surface.domain, widened(surface.domain, 2.0), wide, ((x0, 0.5 * (x0 + x1)), (y0, y1))):
        assert shading_in_view(surface, near) == shading_in_view(surface)
    far = (x0 - 3.0 * (x1 - x0), x1 + 3.0 * (x1 - x0)), (y0 - 3.0 * (y1 - y0), y1 + 3.0 * (y1 - y0))
    picture = make_picture(surface, far, grid=80, view=far)
    shades = picture.shades[np.isfinite(picture.shades)]
    assert np.mean(shades > 0.999) < 0.4 and np.mean(shades < 0.001) < 0.4
    # Lines are found beside the domain too.
    x, y = picture.contours.reshape(-1, 2).T
    assert np.mean((x < x0) | (x > x1) | (y < y0) | (y > y1)) > 0.2


def test_a_view_stays_on_what_can_be_drawn_however_one_zooms() -> None:
    domain: Area = ((-1.0, 1.0), (-0.5, 0.5))
    extent: Area = ((-2.0, 2.0), (-1.5, 1.5))
    near: Area = ((-1.5, 1.5), (-0.75, 0.75))
    assert held_view(near, near, domain, extent, at_one_scale=True) == near
    # Too large: one ends on the way there, where the larger side has grown to the extent.
    (x0, x1), (y0, y1) = held_view(((-9.0, 3.0), (-3.0, 3.0)), near, domain, extent, at_one_scale=True)
    assert (x0, x1) == pytest.approx((-2.0, 2.0)) and y1 - y0 == pytest.approx(2.0)
    # Once there, more of the same does nothing.
    again = held_view(
        ((x0 - 8.0, x1 + 3.0), (y0 - 4.0, y1 + 1.5)), ((x0, x1), (y0, y1)), domain, extent, at_one_scale=True
    )
    assert np.array(again) == pytest.approx(np.array(((x0, x1), (y0, y1))))
    # Shifted beside it: back at its border, of the same size.
    (x0, x1), (y0, y1) = held_view(((5.0, 6.0), (0.0, 0.5)), near, domain, extent, at_one_scale=True)
    assert (x0, x1, y0, y1) == pytest.approx((1.0, 2.0, 0.0, 0.5))
    # A pane so wide that the whole domain leaves room beside the extent may show that room.
    wide: Area = ((-5.0, 5.0), (-0.5, 0.5))
    assert np.array(held_view(wide, wide, domain, extent, at_one_scale=True)) == pytest.approx(np.array(wide))
    # Sides with units of their own are held each by itself.
    held = held_view(((-9.0, 9.0), (-0.5, 0.5)), near, domain, extent, at_one_scale=False)
    assert np.array(held) == pytest.approx(np.array(((-2.0, 2.0), (-0.5, 0.5))))


def test_shades_and_values_are_inverse() -> None:
    shading = Shading(-2.0, 30.0, 0.4)
    for value in (-2.0, 0.0, 3.7, 30.0):
        assert shading.value(float(shading.shades(np.array([value]))[0])) == pytest.approx(value)
    assert shading.levels() == sorted(shading.levels()) and all(-2.0 < level < 30.0 for level in shading.levels())


def test_a_narrow_valley_gets_half_of_the_shades() -> None:
    values = np.concatenate((np.linspace(0.0, 1.0, 900), np.linspace(1.0, 1000.0, 100)))
    shading = shading_of(values, None)
    assert shading.power < 0.5
    assert float(np.median(shading.shades(values))) > 0.1


def test_what_has_no_value_has_no_shade() -> None:
    picture = make_picture(formula_surface("log(x) + y^2"))
    assert np.isnan(picture.shades[:, picture.x < 0]).all()
    assert np.isfinite(picture.shades[:, picture.x > 0.1]).all()
    nothing = make_picture(formula_surface("log(-1 - x^2) + y"))
    assert np.isnan(nothing.shades).all() and len(nothing.contours) == 0


def test_a_pane_is_filled_at_one_scale() -> None:
    (x0, x1), (y0, y1) = widened(((-1.0, 1.0), (0.0, 1.0)), 1.0)
    assert (x0, x1) == (-1.0, 1.0) and (y1 - y0) == pytest.approx(2.0) and (y0 + y1) == pytest.approx(1.0)
    (x0, x1), _ = widened(((0.0, 1.0), (0.0, 1.0)), 100.0)
    assert x1 - x0 == pytest.approx(2.2)


def test_thinned_paths_keep_their_ends_and_their_way() -> None:
    turns = np.linspace(0.0, 40.0, 20_000)
    path = np.stack([np.cos(turns), np.sin(turns)], axis=1)
    path[100] = np.nan
    kept = distinct_rows(path, 500)
    assert kept[0] == 0 and kept[-1] == len(path) - 1 and len(kept) <= 502
    assert np.abs(np.diff(turns[kept])).max() < 0.2
    assert np.array_equal(distinct_rows(path[:400], 500), np.arange(400))


def test_a_picture_is_made_anew_where_more_is_seen_of_one_side_only() -> None:
    area: Area = ((-1.4, 1.4), (-1.4, 1.4))
    assert is_good_for(area, ((-1.0, 1.0), (-1.0, 1.0)))
    assert is_good_for(area, ((-0.7, 1.3), (-1.0, 1.0)))  # shifted
    assert not is_good_for(area, ((-0.7, 1.5), (-1.0, 1.0)))
    assert not is_good_for(area, ((-1.3, 1.3), (-1.0, 1.0)))  # wider: it may take other shades
    assert not is_good_for(area, ((-0.5, 0.5), (-0.5, 0.5)))  # closer: there are details to see
