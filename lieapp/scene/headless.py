"""Pictures without a display, drawn through EGL in a process of their own.

vispy binds a process to one way of drawing. The caller's process may have a window, or nothing at all, so the picture
is made in a second one: ``python -m lieapp.scene.headless job.npz``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.scene.colors import BACKGROUND_LIGHT
from lieapp.scene.errors import SceneError
from lieapp.scene.snapshot import packed_structure, restore_scene, unpacked_structure
from lieapp.structures.structure import Structure

__all__ = ["headless_scene", "render_alignment", "render_snapshot"]

_TIMEOUT = 180.0
_POLL_SECONDS = 0.1
_NO_EGL = 3
_EGL_ENVIRONMENT = {"EGL_PLATFORM": "surfaceless", "PYOPENGL_PLATFORM": "egl"}


def render_alignment(
    path: str | Path,
    mobile: Structure,
    target: Structure,
    matrix: ArrayLike,
    *,
    mobile_model: int = 0,
    target_model: int = 0,
    mobile_colors: ArrayLike | None = None,
    target_colors: ArrayLike | None = None,
    mobile_drawn: NDArray[np.bool_] | None = None,
    target_drawn: NDArray[np.bool_] | None = None,
    style: str = "ribbon",
    size: tuple[int, int] = (1200, 900),
    background: str = BACKGROUND_LIGHT,
    transparent: bool = False,
    rotation: ArrayLike | None = None,
) -> Path:
    """Write a PNG of two structures, one moved onto the other, without a display.

    Parameters
    ----------
    path : str or Path
        The file to write.
    mobile, target : Structure
    matrix : array_like, shape=(4, 4)
        Pose of the mobile, ``x' = R x + t``.
    mobile_model, target_model : int
    mobile_colors, target_colors : array_like, shape=(residues, 4), optional
    mobile_drawn, target_drawn : ndarray, shape=(residues,), dtype=bool, optional
        Residues drawn in full; others are thin and grey.
    style : {"ribbon", "tube", "sticks", "spheres"}
    size : tuple of int
        Width and height in pixels.
    background : str
    transparent : bool
        Leave the background transparent.
    rotation : array_like, shape=(3, 3), optional
        Scene to eye; by default the molecules are shown broadside.

    Returns
    -------
    path : Path

    Raises
    ------
    SceneError
        If there is no EGL, or the drawing failed.
    """
    out = Path(path)
    arrays: dict[str, Any] = {
        "path": str(out.resolve()),
        "matrix": np.asarray(matrix, dtype=np.float64),
        "style": style,
        "size": np.asarray(size),
        "background": background,
        "transparent": transparent,
    }
    if rotation is not None:
        arrays["rotation"] = np.asarray(rotation, dtype=np.float64)
    slots = (
        ("mobile", mobile, mobile_model, mobile_colors, mobile_drawn),
        ("target", target, target_model, target_colors, target_drawn),
    )
    for slot, structure, model, colors, drawn in slots:
        arrays.update({f"{slot}.{name}": value for name, value in packed_structure(structure, model).items()})
        if colors is not None:
            arrays[f"{slot}.colors"] = np.asarray(colors, dtype=np.float32)
        if drawn is not None:
            arrays[f"{slot}.drawn"] = np.asarray(drawn, dtype=bool)
    with tempfile.TemporaryDirectory(prefix="lieapp-scene-") as folder:
        job = Path(folder) / "job.npz"
        np.savez(job, **arrays)
        _run(job)
    return out


def render_snapshot(
    path: str | Path,
    snapshot: Mapping[str, Any],
    size: tuple[int, int],
    *,
    transparent: bool = False,
    cancelled: Callable[[], bool] | None = None,
) -> bool:
    """Write a PNG of a scene that is shown elsewhere, without a display; any thread may ask for it.

    Parameters
    ----------
    path : str or Path
        The file to write; replaced once the picture is whole.
    snapshot : mapping of str to ndarray
        See `lieapp.scene.snapshot.take_snapshot`.
    size : tuple of int
        Width and height in pixels.
    transparent : bool
        Leave the background transparent.
    cancelled : callable() -> bool, optional
        Asked ten times a second.

    Returns
    -------
    bool
        False if it was cancelled; nothing is written then.

    Raises
    ------
    SceneError
        If there is no EGL, the drawing failed, or the file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="lieapp-scene-") as folder:
        job, picture = Path(folder) / "job.npz", Path(folder) / "picture.png"
        extra: dict[str, Any] = {
            "snapshot": True,
            "path": str(picture),
            "picture": np.asarray(size),
            "transparent": transparent,
        }
        np.savez(job, **snapshot, **extra)
        if not _run(job, cancelled):
            return False
        try:
            shutil.copyfile(picture, path)
        except OSError as error:
            raise SceneError(f"{path}: the picture cannot be written: {error.strerror or error}") from error
    return True


def _run(job: Path, cancelled: Callable[[], bool] | None = None) -> bool:
    """Draw in another process and pass on what it has to say; return False if it was cancelled."""
    environment = {**os.environ, **_EGL_ENVIRONMENT}
    # The child finds the package where this process did, installed or not.
    root = str(Path(__file__).resolve().parents[2])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "lieapp.scene.headless", str(job)]
    deadline = time.monotonic() + _TIMEOUT
    try:
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        ) as child:
            while True:
                try:
                    said = child.communicate(timeout=_POLL_SECONDS)[1]
                    break
                except subprocess.TimeoutExpired:
                    late = time.monotonic() > deadline
                    if late or (cancelled is not None and cancelled()):
                        child.kill()
                        child.communicate()
                        if late:
                            raise
                        return False
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SceneError(f"the picture could not be drawn without a display: {error}") from error
    if child.returncode == 0:
        return True
    lines = [line for line in said.splitlines() if line.strip()] or ["no message"]
    if child.returncode == _NO_EGL:
        raise SceneError(
            f"no picture: EGL, which draws without a display, is not available ({lines[-1]}); "
            "on Linux install libegl1 and libgl1-mesa-dri"
        )
    raise SceneError(f"the picture could not be drawn without a display: {lines[-1]}")


@contextlib.contextmanager
def headless_scene(size: tuple[int, int] = (740, 500), **options: Any) -> Iterator[Any]:
    """Open a scene without a display, in a process that draws in no other way.

    Parameters
    ----------
    size : tuple of int
        Width and height of its canvas.
    **options
        Given to `MolecularScene`.

    Yields
    ------
    scene : MolecularScene

    Raises
    ------
    SceneError
        If there is no EGL.
    """
    os.environ.update(_EGL_ENVIRONMENT)
    try:
        import vispy

        vispy.use("egl", "gl+")
        from vispy import app

        canvas = app.Canvas(size=size, show=False)
        canvas.set_current()
    except Exception as error:
        raise SceneError(str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    from lieapp.scene.molecular_scene import MolecularScene

    try:
        yield MolecularScene(canvas, **options)
    finally:
        canvas.close()


def _draw(job: Path) -> None:
    from matplotlib.image import imsave

    arrays = np.load(job, allow_pickle=False)
    if "snapshot" in arrays.files:
        imsave(str(arrays["path"]), _drawn_snapshot(dict(arrays)), format="png")
        return
    width, height = (int(value) for value in arrays["size"])
    with headless_scene((width, height)) as scene:
        for slot in ("target", "mobile"):
            drawn = arrays[f"{slot}.drawn"] if f"{slot}.drawn" in arrays.files else None
            own = {name.removeprefix(f"{slot}."): arrays[name] for name in arrays.files if name.startswith(f"{slot}.")}
            scene.set_structure(slot, unpacked_structure(own), drawn=drawn)
            if f"{slot}.colors" in arrays.files:
                scene.set_residue_colors(slot, arrays[f"{slot}.colors"])
        scene.set_pose("mobile", arrays["matrix"])
        scene.set_style(str(arrays["style"]))
        scene.set_background(str(arrays["background"]))
        turned = "rotation" in arrays.files
        if turned:
            scene.viewpoint = replace(scene.viewpoint, rotation=arrays["rotation"])
        scene.fit_view(reorient=not turned, room_to_turn=False)
        picture = scene.render((width, height), transparent=bool(arrays["transparent"]))
    imsave(str(arrays["path"]), picture, format="png")


def _drawn_snapshot(arrays: dict[str, Any]) -> NDArray[np.uint8]:
    width, height = (int(value) for value in arrays["size"])
    with headless_scene((width, height)) as scene:
        restore_scene(scene, arrays)
        wanted = arrays["picture"]
        picture: NDArray[np.uint8] = scene.render(
            (int(wanted[0]), int(wanted[1])), transparent=bool(arrays["transparent"])
        )
    return picture


def _main(arguments: list[str]) -> int:
    try:
        _draw(Path(arguments[0]))
    except SceneError as error:
        print(error, file=sys.stderr)
        return _NO_EGL
    except Exception as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
