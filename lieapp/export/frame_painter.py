"""The child of `lieapp.export.frames`, which draws: ``python -m lieapp.export.frame_painter JOB``."""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from lieapp.export.frames import NO_EGL, Copies, FrameJob
from lieapp.scene.camera import Viewpoint, principal_orientation
from lieapp.scene.errors import SceneError
from lieapp.scene.headless import headless_scene
from lieapp.scene.painter import Ghost

__all__ = ["COPY_OPACITY", "main", "paint", "viewpoint_of"]

COPY_OPACITY = 0.7
"""Of tinted copies: each is seen, and what lies behind it."""


def viewpoint_of(clouds: list[NDArray[np.float64]], aspect: float, *, turning: bool) -> Viewpoint:
    """Return the view that holds clouds of points.

    Parameters
    ----------
    clouds : list of ndarray, shape=(points, 3)
        In Å; the last one is shown broadside.
    aspect : float
        Width over height of the picture.
    turning : bool
        Hold them at every turn about the vertical axis of the picture.
    """
    points = np.concatenate(clouds)
    rotation = principal_orientation(clouds[-1])
    if turning:
        center = (clouds[-1].min(axis=0) + clouds[-1].max(axis=0)) / 2
        seen = (points - center) @ rotation.T
        radius = float(np.hypot(seen[:, 0], seen[:, 2]).max())
        low, high = float(seen[:, 1].min()), float(seen[:, 1].max())
        # The cylinder that a full turn sweeps.
        rim = [[x, y, z] for x, z in ((radius, 0), (-radius, 0), (0, radius), (0, -radius)) for y in (low, high)]
        points = center + np.array(rim) @ rotation
    return Viewpoint.fitting(points, aspect=aspect, rotation=rotation)


def paint(job: FrameJob, stream: IO[bytes]) -> None:
    """Draw all frames of a job and write for each its pixels, then where the marks of its copies are.

    Raises
    ------
    SceneError
        If there is no EGL.
    """
    with headless_scene(job.size) as scene:
        scene.set_style(job.style)
        scene.set_structure("target", job.target, drawn=job.target_drawn)
        scene.set_structure("mobile", job.mobile, drawn=job.mobile_drawn)
        scene.set_background(job.background)
        _set_view(scene, job)
        if job.copies is not None:
            scene.set_opacity("mobile", 0.0)
            scene.set_context_visible(False)
        base, colored = scene.viewpoint, -1
        for frame in range(len(job)):
            scene.set_pose("mobile", job.poses[min(frame, len(job.poses) - 1)])
            angle = float(job.turns[min(frame, len(job.turns) - 1)])
            cosine, sine = np.cos(angle), np.sin(angle)
            scene.viewpoint = base.turned(np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]]))
            if colored != (row := min(frame, len(job.colors) - 1)):
                scene.set_residue_colors("mobile", job.colors[row].astype(np.float32) / 255)
                colored = row
            marks = np.zeros((0, 2)) if job.copies is None else _show_copies(scene, job.copies, frame, job.size)
            picture = scene.render(job.size, supersample=job.supersample, transparent=job.transparent)
            stream.write(np.ascontiguousarray(picture).data)
            stream.write(np.ascontiguousarray(marks).data)
            stream.flush()


def _show_copies(scene: Any, copies: Copies, frame: int, size: tuple[int, int]) -> NDArray[np.float64]:
    """Put the copies of a frame into the scene; returns where their marks are, shape (copies, 2)."""
    row = min(frame, len(copies.poses) - 1)
    poses = copies.poses[row]
    shown = zip(poses, copies.colors, copies.drawn[row], strict=True)
    scene.set_ghosts([Ghost(pose, color, COPY_OPACITY) for pose, color, drawn in shown if drawn])
    marks: NDArray[np.float64] = scene.viewpoint.project(poses[:, :3, :3] @ copies.marked + poses[:, :3, 3], size)
    return marks[:, :2]


def _set_view(scene: Any, job: FrameJob) -> None:
    clouds = [scene.points("target")]
    for pose in job.in_view:
        scene.set_pose("mobile", pose)
        clouds.append(scene.points("mobile"))
    # Both structures together decide what is broadside, as in a picture of the last pose.
    together = np.concatenate([clouds[0], clouds[-1]])
    top, bottom = job.clear
    room = 1 - top - bottom
    view = viewpoint_of([*clouds[1:-1], together], job.size[0] / (job.size[1] * room), turning=len(job.turns) > 1)
    half_height = view.half_height / room
    center = view.center + half_height * (top - bottom) * view.rotation[1]
    scene.viewpoint = replace(view, half_height=half_height, center=center)


def main(arguments: list[str]) -> int:
    """Draw the job of a file; returns the exit status."""
    # Drivers chat on standard output: what they say goes to standard error, and the pixels to a stream of their own.
    own = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    try:
        # Written by the parent into a folder that only its user can read.
        job: FrameJob = pickle.loads(Path(arguments[0]).read_bytes())
        with os.fdopen(own, "wb") as stream:
            paint(job, stream)
    except SceneError as error:
        print(error, file=sys.stderr)
        return NO_EGL
    except BrokenPipeError:
        return 1
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
