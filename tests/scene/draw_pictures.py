"""Draws what `test_pictures` looks at: ``python -m tests.scene.draw_pictures OUT.npz``, without a display."""

from __future__ import annotations

import io
import sys
from dataclasses import replace
from typing import Any

import numpy as np

from lieapp.paths import resource
from lieapp.scene.camera import Viewpoint
from lieapp.scene.colors import uniform_colors
from lieapp.scene.errors import SceneError
from lieapp.scene.headless import headless_scene
from lieapp.scene.headlight import Headlight
from lieapp.scene.isosurface import Isosurface, isosurface
from lieapp.scene.snapshot import restore_scene, take_snapshot
from lieapp.structures.reading import read_structure
from tests.scene.builders import helix, structure_of

SIZE = (300, 240)
RED, GREEN = "#FF0000", "#00FF00"


def two_balls(depth: float) -> np.ndarray:
    """Two residues, the second `depth` Å nearer to the viewer of the z axis and a little to the right."""
    return np.array([[0.0, 0.0, 0.0], [0.8, 0.0, depth]])


def draw() -> dict[str, Any]:
    pictures: dict[str, Any] = {}
    with headless_scene(SIZE, triangles=60_000, draft_triangles=6_000) as scene:

        def canvas_picture() -> np.ndarray:
            """What the canvas itself shows."""
            from vispy import gloo

            scene.canvas.set_current()
            scene.draw()
            width, height = scene.canvas.physical_size
            return np.asarray(gloo.read_pixels((0, 0, width, height), alpha=True))

        pictures["empty"] = scene.render(SIZE)
        pictures["empty_transparent"] = scene.render(SIZE, transparent=True)

        rod = structure_of(helix(20), name="rod")
        scene.set_structure("mobile", rod)
        scene.fit_view()
        pictures["mobile"] = scene.render(SIZE)
        scene.set_residue_colors("mobile", uniform_colors(20, RED))
        pictures["mobile_red"] = scene.render(SIZE)
        half = uniform_colors(20, RED)
        half[10:] = (0, 1, 0, 1)
        scene.set_residue_colors("mobile", half)
        pictures["mobile_half"] = scene.render(SIZE)
        pictures["half_guides"] = scene.viewpoint.project(helix(20), SIZE)
        pictures["mobile_transparent"] = scene.render(SIZE, transparent=True)
        scene.set_background("#000000")
        pictures["mobile_dark"] = scene.render(SIZE)
        scene.set_background("#FFFFFF")

        scene.headlight = replace(scene.headlight, outline=0.0)
        scene.set_residue_colors("mobile", uniform_colors(20, "#FFFFFF"))
        pictures["white_without_outline"] = scene.render(SIZE)
        scene.headlight = replace(scene.headlight, outline=1.5)
        pictures["white_with_outline"] = scene.render(SIZE)

        # A pose moves the picture, exactly as moving the points would.
        scene.set_residue_colors("mobile", uniform_colors(20, RED))
        scene.headlight = replace(scene.headlight, depth_cue=0.0)
        shift = np.eye(4)
        shift[:3, 3] = scene.viewpoint.rotation.T @ [4.0, 2.0, 0.0]
        view = scene.viewpoint
        scene.set_pose("mobile", shift)
        pictures["moved_by_pose"] = scene.render(SIZE)
        uploaded = scene._bodies["mobile"].surfaces["fine"].positions
        scene.set_pose("mobile", np.eye(4))
        scene.render(SIZE)
        pictures["vertices_kept"] = scene._bodies["mobile"].surfaces["fine"].positions is uploaded
        scene.set_structure("mobile", structure_of(helix(20) + shift[:3, 3], name="moved rod"))
        scene.set_residue_colors("mobile", uniform_colors(20, RED))
        scene.viewpoint = view
        pictures["moved_by_points"] = scene.render(SIZE)

        # The nearer one hides the other; the order in which they were given does not matter.
        scene.set_style("spheres")
        for name, depth in (("green_in_front", 5.0), ("red_in_front", -5.0)):
            scene.set_structure("mobile", structure_of(two_balls(depth)))
            scene.set_residue_colors("mobile", np.stack([[1, 0, 0, 1], [0, 1, 0, 1]]).astype(np.float32))
            scene.viewpoint = replace(Viewpoint.fitting(two_balls(depth), aspect=1.25).along("z"), half_height=4.0)
            pictures[name] = scene.render(SIZE)
            scene.set_perspective(True)
            pictures[f"{name}_perspective"] = scene.render(SIZE)
            scene.set_perspective(False)

        # A pale layer is one sheet: where two of its balls overlap it is no denser.
        scene.set_structure("mobile", structure_of(two_balls(5.0)))
        scene.set_residue_colors("mobile", uniform_colors(2, RED))
        scene.headlight = replace(scene.headlight, outline=0.0, ambient=1.0, diffuse=0.0, specular=0.0)
        scene.set_opacity("mobile", 0.5)
        pictures["pale"] = scene.render(SIZE)
        scene.set_opacity("mobile", None)
        pictures["opaque"] = scene.render(SIZE)

        # Two pale layers through each other: red is nearer on the left, green on the right, whichever slot it is in.
        plane = np.array([[-5.0, 0.0, 0.0], [5.0, 0.0, 0.0]])
        depth = np.array([[0.0, 0.0, 4.0], [0.0, 0.0, -4.0]])
        layers = {"red": (plane + depth, RED), "green": (plane - depth, GREEN)}
        for first, second in (("red", "green"), ("green", "red")):
            for slot, name in (("mobile", first), ("target", second)):
                points, color = layers[name]
                scene.set_structure(slot, structure_of(points))
                scene.set_residue_colors(slot, uniform_colors(2, color))
                scene.set_opacity(slot, 0.75)
            scene.viewpoint = replace(Viewpoint.fitting(plane, aspect=1.25).along("z"), half_height=6.0)
            pictures[f"{first}_through_{second}"] = scene.render(SIZE, supersample=1)
        pictures["layer_places"] = scene.viewpoint.project(plane, SIZE)
        for slot in ("mobile", "target"):
            scene.set_opacity(slot, None)
        scene.set_structure("target", None)

        # A target behind a mobile, pair lines, ghosts, an axis, ligands, gaps, spheres and tubes at once.
        scene.set_style("tube")
        points = np.concatenate([np.delete(helix(24), [11, 12, 13], axis=0), [[6, 0, 3], [7.4, 0, 3], [12, 0, 9]]])
        kinds = ["protein"] * 21 + ["other"] * 3
        full = structure_of(points, kinds=kinds, elements=["C"] * 21 + ["C", "O", "ZN"], name="full")
        scene.set_structure("mobile", full)
        scene.set_structure("target", full)
        tilt = np.eye(4)
        tilt[:3, 3] = [6, 1, 0]
        scene.set_pose("target", tilt)
        scene.set_pair_lines(True, points[:21], points[:21])
        from lieapp.scene.molecular_scene import Ghost

        scene.set_ghosts([Ghost(np.eye(4) + np.pad([[9.0]], ((0, 3), (3, 0))), "#009E73")])
        scene.set_screw_axis([0, 0, 15], [0, 0, 1])
        scene.fit_view()
        pictures["all"] = scene.render(SIZE)
        pictures["all_again"] = scene.render(SIZE)
        scene.set_screw_axis([0, 0, 15], [0, 0, 1], angle=1.0, translation=4.0, start=[8, 0, 5])
        scene.set_opacity("target", 0.7)
        scene.set_hatched("mobile", np.arange(24) < 6)
        scene.set_highlight("mobile", np.arange(24) > 15)
        scene.set_density("target", _small_ball(), "#0000FF", style="mesh")
        scene.set_context_visible(False)
        scene.set_perspective(True)
        pictures["before_snapshot"] = scene.render(SIZE)
        snapshot = _kept(take_snapshot(scene))
        scene.set_perspective(False)
        scene.set_context_visible(True)
        scene.set_density("target", None)
        for slot in ("mobile", "target"):
            scene.set_hatched(slot, None)
            scene.set_highlight(slot, None)
            scene.set_opacity(slot, None)
        scene.set_screw_axis([0, 0, 15], [0, 0, 1])

        # Smoothing at rest.
        scene.headlight = Headlight()
        pictures["canvas_draft"] = canvas_picture()
        scene.hurried = True
        pictures["canvas_hurried"] = canvas_picture()
        scene.hurried = False
        refined = []
        while scene.refine():
            picture = canvas_picture()
            if scene.refinements:
                refined.append(picture)
        pictures["canvas_refined"] = np.stack(refined)
        pictures["canvas_repeated"] = canvas_picture()
        scene.set_pose("target", np.eye(4))
        pictures["refinements_after_change"] = scene.refinements
        pictures["large"] = np.array(scene.render((1000, 700), supersample=1).shape)

        # Marks upload nothing but marks.
        scene.set_structure("target", None)
        scene.set_ghosts([])
        scene.set_pair_lines(False)
        scene.set_screw_axis(None)
        scene.set_structure("mobile", rod)
        scene.set_pose("mobile", np.eye(4))
        for style in ("ribbon", "tube", "spheres", "sticks"):
            scene.set_style(style)
            scene.set_residue_colors("mobile", uniform_colors(20, RED))
            scene.fit_view()
            first = np.arange(20) < 8
            pictures[f"{style}_plain"] = scene.render(SIZE)
            scene.set_highlight("mobile", first)
            pictures[f"{style}_highlight"] = scene.render(SIZE)
            scene.set_highlight("mobile", None)
            scene.set_hatched("mobile", first)
            pictures[f"{style}_hatched"] = scene.render(SIZE)
            scene.set_hatched("mobile", None)
            pictures[f"{style}_plain_again"] = scene.render(SIZE)
        scene.set_style("ribbon")
        pictures["marks_x"] = scene.viewpoint.project(helix(20), SIZE)[:, 0]

        # Where a machine cannot keep up, one sphere stands for the atoms of a residue.
        scene.set_structure("mobile", read_structure(resource("examples/hinge_open.pdb")))
        scene.set_style("spheres")
        scene.set_residue_colors("mobile", None)
        scene.fit_view()
        pictures["packed"] = canvas_picture()
        scene.hurried = True
        pictures["packed_hurried"] = canvas_picture()
        scene.set_highlight("mobile", np.arange(len(scene.structure("mobile").residues)) < 40)
        pictures["packed_hurried_highlight"] = canvas_picture()
        scene.hurried = False
        pictures["packed_spheres"] = np.array(
            [spheres.count for spheres in (scene._bodies["mobile"].spheres, scene._bodies["mobile"].few_spheres)]
        )
        scene.set_style("ribbon")
        scene.set_structure("mobile", rod)
        scene.set_residue_colors("mobile", uniform_colors(20, RED))
        scene.fit_view()

        # One style for each slot.
        scene.set_structure("target", rod)
        scene.set_style("spheres", "target")
        pictures["styles"] = np.array([scene.style_of("mobile"), scene.style_of("target")])
        scene.set_structure("target", None)

        # A contour follows the pose of its slot and lets what is inside shine through.
        grid = 8.0 - np.linalg.norm(np.stack(np.meshgrid(*3 * [np.arange(-10.0, 11.0)], indexing="ij")), axis=0)
        ball = isosurface(grid, 0.0, origin=(-10.0, -10.0, 4.25), lines=True)
        assert ball is not None
        scene.set_density("mobile", ball, "#0000FF")
        scene.fit_view()
        pictures["density"] = scene.render(SIZE)
        scene.set_density_look("mobile", "#00FF00", opacity=1.0, style="mesh")
        pictures["density_mesh"] = scene.render(SIZE)
        scene.set_density_look("mobile", "#0000FF")
        pictures["density_again"] = scene.render(SIZE)
        view = scene.viewpoint
        shift = np.eye(4)
        shift[:3, 3] = view.rotation.T @ [6.0, 0.0, 0.0]
        scene.set_pose("mobile", shift)
        pictures["density_moved"] = scene.render(SIZE)
        scene.set_pose("mobile", np.eye(4))
        scene.set_density("mobile", None)
        pictures["density_gone"] = scene.render(SIZE)

        # The way of a screw motion.
        scene.set_screw_axis([0, 0, 0], [0, 0, 1], angle=2.0, translation=10.0, start=[8, 0, 5])
        pictures["screw"] = scene.render(SIZE)
        scene.set_screw_axis(None)

        # Picking.
        scene.set_structure("target", None)
        scene.set_structure("mobile", rod)
        scene.set_pose("mobile", tilt)
        scene.fit_view()
        screen = scene.viewpoint.project(helix(20) + tilt[:3, 3], SIZE)
        hits = [scene.pick(x, y) for x, y, _ in screen]
        pictures["picked"] = np.array([-1 if hit is None else hit.residue for hit in hits])
        pictures["pick_label"] = hits[0].label if hits[0] else ""
        pictures["picked_nothing"] = scene.pick(1.0, 1.0) is None
        scene.set_structure("mobile", None)
        pictures["emptied"] = scene.render(SIZE)
    with headless_scene(SIZE, triangles=60_000) as scene:
        restore_scene(scene, snapshot)
        pictures["after_snapshot"] = scene.render(SIZE)
    return pictures


def _small_ball() -> Isosurface:
    grid = 3.0 - np.linalg.norm(np.stack(np.meshgrid(*3 * [np.arange(-5.0, 6.0)], indexing="ij")), axis=0)
    ball = isosurface(grid, 0.0, origin=(2.0, -5.0, 10.0), lines=True)
    assert ball is not None
    return ball


def _kept(arrays: dict[str, object]) -> dict[str, object]:
    """Return what is left of arrays that went through a file."""
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    return dict(np.load(file, allow_pickle=False))


if __name__ == "__main__":
    try:
        np.savez(sys.argv[1], **draw())
    except SceneError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
