"""A picture of the superposition, drawn without a display."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.errors import ExportError, writing
from lieapp.export.frames import check_size
from lieapp.scene.colors import BACKGROUND_LIGHT, deviation_colors
from lieapp.scene.headless import render_alignment

__all__ = ["STYLES", "check_look", "check_picture", "mobile_colors", "save_picture", "write_picture"]

STYLES = ("ribbon", "tube", "spheres")
"""Ways to draw a molecule."""


def mobile_colors(result: AlignmentResult) -> NDArray[np.float32]:
    """Return the colours of the residues of the mobile by deviation at the pose, shape (residues, 4)."""
    return deviation_colors(result.inputs.residue_deviations(result.scores.deviations))


def check_look(size: tuple[int, int], style: str) -> None:
    """Refuse a size or a style that cannot be drawn.

    Raises
    ------
    ExportError
        The message says what can.
    """
    check_size(size)
    if style not in STYLES:
        raise ExportError(f"There is no style {style!r}; there are {', '.join(STYLES)}.")


def check_picture(path: Path, size: tuple[int, int], style: str) -> None:
    """Refuse, before any work is done, a picture that cannot be written.

    Raises
    ------
    ExportError
        If the suffix is not ``.png``, there is no such folder, or the look is wrong.
    """
    check_look(size, style)
    if path.suffix.lower() != ".png":
        raise ExportError(f"{path}: a picture is written as .png.")
    if not path.parent.is_dir():
        raise ExportError(f"{path}: there is no folder {path.parent}.")
    if path.is_dir():
        raise ExportError(f"{path}: there is a folder of this name.")


def save_picture(picture: NDArray[np.uint8], path: Path) -> Path:
    """Write pixels, shape (height, width, 4), as PNG.

    Raises
    ------
    ExportError
        If the file cannot be written.
    """
    with writing(path):
        Image.fromarray(picture).save(path, format="PNG")
    return path


def write_picture(
    result: AlignmentResult,
    path: Path,
    *,
    size: tuple[int, int] = (1200, 900),
    style: str = "ribbon",
    background: str = BACKGROUND_LIGHT,
    transparent: bool = False,
) -> Path:
    """Write a PNG of both structures at the pose, the mobile coloured by deviation; paired chains are drawn in full.

    Parameters
    ----------
    result : AlignmentResult
    path : Path
        The file; replaced if it is there.
    size : tuple of int
        Width and height in pixels, up to 4K.
    style : {"ribbon", "tube", "spheres"}
    background : str
        ``"#RRGGBB"``.
    transparent : bool
        Leave the background transparent.

    Raises
    ------
    ExportError
        If the size is out of bounds, or there is no such style or folder.
    SceneError
        If this machine cannot draw without a display.
    """
    check_picture(path, size, style)
    inputs = result.inputs
    mobile_drawn, target_drawn = result.inputs.paired_chain_residues
    return render_alignment(
        path,
        inputs.mobile,
        inputs.target,
        result.matrix,
        mobile_model=inputs.mobile_model,
        target_model=inputs.target_model,
        mobile_colors=mobile_colors(result),
        mobile_drawn=mobile_drawn,
        target_drawn=target_drawn,
        style=style,
        size=size,
        background=background,
        transparent=transparent,
    )
