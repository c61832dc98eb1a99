"""Many pictures of one superposition, drawn one after another in a single process without a display.

Starting a process, a context and the meshes costs a second or more; once they are there, a pose is one matrix. So a
child, ``python -m lieapp.export.frame_painter``, draws all frames and sends each as plain bytes through its standard
output, while this process labels and encodes the one before.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from lieapp.export.errors import ExportError
from lieapp.scene.colors import BACKGROUND_LIGHT
from lieapp.scene.errors import SceneError
from lieapp.structures.structure import Structure

__all__ = ["LARGEST_SIZE", "NO_EGL", "Copies", "Drawing", "FrameJob", "check_size", "draw_frames", "one_model"]

LARGEST_SIZE = (3840, 2160)
"""Width and height of the largest picture, either way round."""

NO_EGL = 3
"""Exit status of a child that cannot draw here."""

_SMALLEST_SIDE = 16


@dataclass(frozen=True, eq=False)
class Copies:
    """Tinted copies of the mobile that take its place, such as one for each optimiser of a race.

    Attributes
    ----------
    poses : ndarray, shape=(frames, copies, 4, 4)
    drawn : ndarray, shape=(frames, copies), dtype=bool
        Whether a copy is drawn in a frame: not where it lies in another one.
    colors : tuple of str, length copies
    marked : ndarray, shape=(3,)
        Point of the mobile, in the coordinates of its file, where each copy can be labelled.
    """

    poses: NDArray[np.float64]
    drawn: NDArray[np.bool_]
    colors: tuple[str, ...]
    marked: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Drawing:
    """A frame as it was drawn.

    Attributes
    ----------
    picture : ndarray, shape=(height, width, 4), dtype=uint8
        Red, green, blue, alpha.
    marks : ndarray, shape=(copies, 2)
        Where the marked point of each copy lies, in pixels to the right and down.
    """

    picture: NDArray[np.uint8]
    marks: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class FrameJob:
    """What is drawn, frame by frame.

    Attributes
    ----------
    mobile, target : Structure
        Of one model each, see `one_model`.
    poses : ndarray, shape=(frames, 4, 4)
        Of the mobile.
    colors : ndarray, shape=(frames or 1, residues, 4), dtype=uint8
        Of the residues of the mobile.
    turns : ndarray, shape=(frames or 1,)
        Angle in rad by which the view is turned about its vertical axis.
    in_view : ndarray, shape=(poses, 4, 4)
        Poses of the mobile that the view holds; the last one decides what is broadside.
    copies : Copies, optional
        Drawn instead of the mobile, and without chains that take no part.
    clear : tuple of float
        Parts of the height at the top and the bottom that are left to words.
    mobile_drawn, target_drawn : ndarray, shape=(residues,), dtype=bool, optional
    style : str
    size : tuple of int
        Width and height in pixels.
    background : str
    transparent : bool
    supersample : int
    """

    mobile: Structure
    target: Structure
    poses: NDArray[np.float64]
    colors: NDArray[np.uint8]
    turns: NDArray[np.float64]
    in_view: NDArray[np.float64]
    copies: Copies | None = None
    clear: tuple[float, float] = (0.0, 0.0)
    mobile_drawn: NDArray[np.bool_] | None = None
    target_drawn: NDArray[np.bool_] | None = None
    style: str = "ribbon"
    size: tuple[int, int] = (800, 600)
    background: str = BACKGROUND_LIGHT
    transparent: bool = False
    supersample: int = 2

    def __len__(self) -> int:
        """Number of frames."""
        return max(len(self.poses), len(self.turns), 0 if self.copies is None else len(self.copies.poses))


def one_model(structure: Structure, model: int) -> Structure:
    """Return a structure with one of its models and without its file, to be handed to another process."""
    return replace(
        structure,
        coordinates=np.ascontiguousarray(structure.coordinates[model][None]),
        model_numbers=(structure.model_numbers[model],),
        source=None,
    )


def check_size(size: tuple[int, int]) -> None:
    """Refuse sizes that cannot be drawn.

    Raises
    ------
    ExportError
        If a side is shorter than 16 pixels, or the picture larger than 4K.
    """
    short, long = sorted(size)
    if short < _SMALLEST_SIDE or short > LARGEST_SIZE[1] or long > LARGEST_SIZE[0]:
        most = "x".join(map(str, LARGEST_SIZE))
        raise ExportError(f"{size[0]}x{size[1]} pixels: it can have {_SMALLEST_SIDE} a side to {most}.")


def draw_frames(job: FrameJob) -> Generator[Drawing, None, None]:
    """Draw frames in another process.

    Parameters
    ----------
    job : FrameJob

    Yields
    ------
    Drawing
        Closing the generator ends the process at once.

    Raises
    ------
    ExportError
        If the size is out of bounds.
    SceneError
        If this machine cannot draw without a display, or the drawing failed.
    """
    check_size(job.size)
    width, height = job.size
    copies = 0 if job.copies is None else len(job.copies.colors)
    with tempfile.TemporaryDirectory(prefix="lieapp-frames-") as folder:
        order, said = Path(folder) / "job", Path(folder) / "said"
        with order.open("wb") as file:
            pickle.dump(job, file, protocol=pickle.HIGHEST_PROTOCOL)
        with said.open("wb") as errors:
            child = _start(order, errors)
        try:
            assert child.stdout is not None
            for _ in range(len(job)):
                pixels = _read(child.stdout, 4 * width * height)
                marks = _read(child.stdout, 2 * 8 * copies)
                if pixels is None or marks is None:
                    child.wait()
                    raise SceneError(_explain(child.returncode, said.read_text(encoding="utf-8", errors="replace")))
                yield Drawing(pixels.reshape(height, width, 4), marks.view(np.float64).reshape(copies, 2))
        finally:
            child.kill()
            child.wait()
            assert child.stdout is not None
            child.stdout.close()


def _start(order: Path, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    # The child finds the package where this process did, installed or not.
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "lieapp.export.frame_painter", str(order)]
    environment = {**os.environ, "PYTHONPATH": paths}
    try:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment
        )
    except OSError as error:
        raise SceneError(f"the frames could not be drawn without a display: {error}") from error


def _read(stream: IO[bytes], count: int) -> NDArray[np.uint8] | None:
    """Read so many bytes, or nothing if the stream ends before."""
    buffer = np.empty(count, dtype=np.uint8)
    view, have = memoryview(buffer.data), 0
    while have < count:
        got: int | None = stream.readinto(view[have:])  # type: ignore[attr-defined]
        if not got:
            return None
        have += got
    return buffer


def _explain(status: int, said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()] or ["no message"]
    if status == NO_EGL:
        return (
            f"no movie: EGL, which draws without a display, is not available ({lines[-1]}); "
            "on Linux install libegl1 and libgl1-mesa-dri"
        )
    return f"the frames could not be drawn without a display: {lines[-1]}"
