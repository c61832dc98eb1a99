"""What is drawn, looked at by numbers: coverage, colours, places; no stored pictures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.gl

Pictures = Mapping[str, Any]


def _covered(picture: np.ndarray, background: int = 255) -> np.ndarray:
    return np.abs(picture[..., :3].astype(int) - background).max(axis=-1) > 12


def _reddish(picture: np.ndarray) -> np.ndarray:
    channels = picture[..., :3].astype(int)
    return (channels[..., 0] > 90) & (channels[..., 1] < channels[..., 0] - 60)


def _greenish(picture: np.ndarray) -> np.ndarray:
    channels = picture[..., :3].astype(int)
    return (channels[..., 1] > 90) & (channels[..., 0] < channels[..., 1] - 60)


def test_nothing_is_a_clean_background(pictures: Pictures) -> None:
    assert (pictures["empty"] == 255).all()
    assert (pictures["emptied"] == 255).all()
    assert (pictures["empty_transparent"][..., 3] == 0).all()


def test_a_molecule_fills_the_picture_and_stays_inside(pictures: Pictures) -> None:
    covered = _covered(pictures["mobile"])
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    assert np.ptp(columns) > 0.7 * covered.shape[1]
    assert rows[0] > 2 and rows[-1] < covered.shape[0] - 3
    assert columns[0] > 2 and columns[-1] < covered.shape[1] - 3
    assert abs(columns.mean() - covered.shape[1] / 2) < 12


def test_residue_colours_arrive_where_the_residues_are(pictures: Pictures) -> None:
    assert _reddish(pictures["mobile_red"]).sum() > 1000
    assert not _greenish(pictures["mobile_red"]).any()
    half, guides = pictures["mobile_half"], pictures["half_guides"]
    red_place = np.argwhere(_reddish(half)).mean(axis=0)
    green_place = np.argwhere(_greenish(half)).mean(axis=0)
    assert np.hypot(*(red_place[::-1] - guides[:10, :2].mean(axis=0))) < 12
    assert np.hypot(*(green_place[::-1] - guides[10:, :2].mean(axis=0))) < 12


def test_surfaces_are_shaded(pictures: Pictures) -> None:
    picture = pictures["mobile_red"]
    red = picture[..., 0][_reddish(picture)]
    assert np.ptp(red) > 60


def test_transparent_background_keeps_the_molecule_opaque(pictures: Pictures) -> None:
    alpha = pictures["mobile_transparent"][..., 3]
    covered = _covered(pictures["mobile_half"])
    assert (alpha[~covered] == 0).mean() > 0.99
    assert np.median(alpha[covered]) == 255


def test_a_dark_background_is_dark(pictures: Pictures) -> None:
    assert (pictures["mobile_dark"][2, 2, :3] == 0).all()
    assert _reddish(pictures["mobile_dark"]).sum() > 500


def test_the_outline_keeps_white_parts_visible_on_white(pictures: Pictures) -> None:
    without = pictures["white_without_outline"][..., :3].max(axis=-1)
    with_outline = pictures["white_with_outline"][..., :3].max(axis=-1)
    assert (with_outline < 90).sum() > 300
    assert (without < 90).sum() < 0.1 * (with_outline < 90).sum()


def test_a_pose_draws_what_moved_points_draw_without_touching_vertices(pictures: Pictures) -> None:
    difference = np.abs(pictures["moved_by_pose"].astype(int) - pictures["moved_by_points"].astype(int))
    assert difference.mean() < 0.5
    assert bool(pictures["vertices_kept"])


@pytest.mark.parametrize("suffix", ["", "_perspective"])
def test_what_is_nearer_hides_what_is_behind(pictures: Pictures, suffix: str) -> None:
    for front, seen, hidden in (("green_in_front", _greenish, _reddish), ("red_in_front", _reddish, _greenish)):
        picture = pictures[front + suffix]
        assert seen(picture).sum() > 2 * hidden(picture).sum() > 0


def test_a_pale_layer_is_one_sheet(pictures: Pictures) -> None:
    pale, opaque = pictures["pale"], pictures["opaque"]
    inside = (opaque[..., 0] > 250) & (opaque[..., 1] < 5)
    assert inside.sum() > 1000
    np.testing.assert_allclose(pale[inside][:, 1], 255 * 0.5, atol=4)
    assert np.ptp(pale[inside][:, 1].astype(int)) <= 6


def test_pale_layers_through_each_other_are_in_order_in_every_place(pictures: Pictures) -> None:
    one, other = pictures["red_through_green"], pictures["green_through_red"]
    assert np.abs(one.astype(int) - other).max() <= 2, "which slot a layer is in does not matter"
    (left, right), row = pictures["layer_places"][:, 0].astype(int), one.shape[0] // 2
    # Three quarters of what is in front, a quarter of that of what is behind: 0.75, 0.25 * 0.75, and the rest white.
    for column, (front, behind) in ((left, (0, 1)), (right, (1, 0))):
        pixel = one[row, column, :3] / 255
        np.testing.assert_allclose(pixel[front], 1 - 0.25 * 0.75, atol=0.02)
        np.testing.assert_allclose(pixel[behind], 0.25, atol=0.02)


def test_everything_at_once_is_drawn_the_same_twice(pictures: Pictures) -> None:
    assert _covered(pictures["all"]).mean() > 0.1
    assert np.array_equal(pictures["all"], pictures["all_again"])
    zinc = np.abs(pictures["all"][..., :3].astype(int) - [0x70, 0x70, 0xA8]).max(axis=-1) < 45
    assert zinc.any()


def test_a_snapshot_draws_the_same_picture_elsewhere(pictures: Pictures) -> None:
    before, after = pictures["before_snapshot"], pictures["after_snapshot"]
    assert not np.array_equal(before, pictures["all"])
    assert np.array_equal(before, after)


def test_pictures_can_be_larger_than_the_canvas(pictures: Pictures) -> None:
    assert pictures["large"].tolist() == [700, 1000, 4]


def test_rest_smooths_the_picture_step_by_step(pictures: Pictures) -> None:
    refined = pictures["canvas_refined"].astype(int)
    assert len(refined) == 8
    reference = pictures["canvas_repeated"].astype(int)
    assert np.array_equal(reference, refined[-1])
    error = [np.abs(step - refined[-1]).mean() for step in refined]
    assert error[0] > 2 * error[4] > 0

    # Edges become ramps: steep jumps from pixel to pixel are fewer.
    def jumps(picture: np.ndarray) -> int:
        return int((np.abs(np.diff(picture[..., 1], axis=1)) > 110).sum())

    assert jumps(refined[-1]) < 0.8 * jumps(refined[0])
    assert int(pictures["refinements_after_change"]) == 0
    # The draft shows the same thing, only coarser.
    assert np.abs(pictures["canvas_draft"].astype(int) - refined[-1]).mean() < 12


def test_in_a_hurry_the_same_is_drawn_without_outlines(pictures: Pictures) -> None:
    calm, hurried = pictures["canvas_draft"].astype(int), pictures["canvas_hurried"].astype(int)
    assert np.abs(calm - hurried).mean() < 15
    dark = [int((picture[..., :3].max(axis=-1) < 70).sum()) for picture in (calm, hurried)]
    assert dark[1] < 0.5 * dark[0]


def test_picking_finds_the_residue_under_the_pointer(pictures: Pictures) -> None:
    picked = pictures["picked"]
    assert (picked == np.arange(20)).mean() >= 0.9
    assert np.abs(picked - np.arange(20)).max() <= 4
    assert str(pictures["pick_label"]) == "rod A:ALA 1"
    assert bool(pictures["picked_nothing"])


STYLES = ("ribbon", "tube", "spheres", "sticks")


def _changed(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.abs(one[..., :3].astype(int) - other[..., :3]).max(axis=-1) > 20


@pytest.mark.parametrize("style", STYLES)
def test_what_is_highlighted_stands_out_and_nothing_else_changes(pictures: Pictures, style: str) -> None:
    plain, marked = pictures[f"{style}_plain"], pictures[f"{style}_highlight"]
    changed = _changed(plain, marked)
    assert changed.sum() > 0.15 * _covered(plain).sum()
    yellow = (marked[..., 0] > 150) & (marked[..., 1] > 100) & (marked[..., 2] < 100)
    assert yellow.sum() > 300 and not ((plain[..., 0] > 150) & (plain[..., 1] > 100) & (plain[..., 2] < 100)).any()
    # A glow lies outside of what was covered before.
    assert (yellow & ~_covered(plain)).sum() > 30
    edges = np.sort(pictures["marks_x"][[0, 7]])
    columns = np.flatnonzero(changed.any(axis=0))
    assert columns[0] > edges[0] - 45 and columns[-1] < edges[1] + 45


@pytest.mark.parametrize("style", STYLES)
def test_what_is_hatched_has_stripes(pictures: Pictures, style: str) -> None:
    plain, hatched = pictures[f"{style}_plain"], pictures[f"{style}_hatched"]
    darker = plain[..., 0].astype(int) - hatched[..., 0] > 40
    assert darker.sum() > 60
    # From stripe to gap along a row, again and again.
    row = darker[np.argmax(darker.sum(axis=1))]
    assert (np.diff(row.astype(int)) == 1).sum() >= 3
    assert not (hatched[..., 0].astype(int) - plain[..., 0] > 20).any()


@pytest.mark.parametrize("style", STYLES)
def test_marks_are_taken_away_without_a_trace(pictures: Pictures, style: str) -> None:
    assert np.array_equal(pictures[f"{style}_plain"], pictures[f"{style}_plain_again"])


def test_in_a_hurry_one_sphere_stands_for_a_residue(pictures: Pictures) -> None:
    atoms, residues = pictures["packed_spheres"].tolist()
    assert residues < atoms / 3
    calm, hurried = _covered(pictures["packed"]), _covered(pictures["packed_hurried"])
    assert (calm & hurried).sum() > 0.75 * (calm | hurried).sum(), "it has the same shape"
    marked = pictures["packed_hurried_highlight"]
    assert ((marked[..., 0] > 150) & (marked[..., 1] > 100) & (marked[..., 2] < 100)).sum() > 200


def test_each_slot_has_its_style(pictures: Pictures) -> None:
    assert pictures["styles"].tolist() == ["ribbon", "spheres"]


def test_a_density_surrounds_its_structure_and_moves_with_it(pictures: Pictures) -> None:
    density, gone = pictures["density"], pictures["density_gone"]
    blue = (density[..., 2].astype(int) - density[..., 0] > 40) & ~_covered(gone)
    assert blue.sum() > 3000
    inside = _reddish(gone) & _changed(density, gone)
    assert inside.sum() > 300
    assert (density[..., 0][inside].astype(int) > 60).mean() > 0.8, "what lies inside must shine through"
    mesh = pictures["density_mesh"]
    assert (_greenish(mesh) & blue).sum() > 1000
    assert (blue & ~_changed(mesh, gone)).sum() > 300, "lines leave room between them"
    assert np.array_equal(pictures["density_again"], density)
    moved = pictures["density_moved"]
    blue_moved = moved[..., 2].astype(int) - moved[..., 0] > 40
    shift = np.argwhere(blue_moved)[:, 1].mean() - np.argwhere(blue)[:, 1].mean()
    assert shift > 10


def test_a_screw_motion_is_an_axis_and_an_arrow(pictures: Pictures) -> None:
    added = _changed(pictures["screw"], pictures["density_gone"])
    amber = added & (pictures["screw"][..., 0] > 120) & (pictures["screw"][..., 2] < 90)
    assert amber.sum() > 200
