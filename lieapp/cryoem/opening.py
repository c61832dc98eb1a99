"""What readers of particle files share: stacks opened by name, and the one pixel size of their images. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.image_paths import ImagePaths
from lieapp.cryoem.stacks import FileStack, inspect_stack

__all__ = ["find_pixel_size", "open_images"]

_SPREAD = 1e-4  # relative difference of pixel sizes that counts as none


def open_images(
    file: Path,
    names: Sequence[str],
    sections: ArrayLike,
    *,
    declared_box: NDArray[np.float64] | None,
    sign: ArrayLike | None = None,
    allow_outside: bool = False,
) -> FileStack:
    """Open the stacks that a particle file names, without reading an image.

    Parameters
    ----------
    file : Path
        The particle file.
    names : sequence of str
        The stack of every image.
    sections : array_like, shape=(images,)
        Its place in it, from 0.
    declared_box : ndarray, shape=(images,), or None
        Pixels along an edge, as the particle file has them.
    sign : array_like, shape=(images,), optional
        Factors of the images.
    allow_outside : bool, optional
        Whether stacks may lie outside the folder of the file and its project.

    Raises
    ------
    CryoemError
        If a stack cannot be found, read or lacks an image, or its images are not of the declared box.
    """
    paths = ImagePaths(file, allow_outside=allow_outside)
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    files = [inspect_stack(paths.find(name)) for name in places]
    numbers = np.asarray(sections)
    held = np.array([files[places[name]].count for name in names], dtype=np.int64)
    beyond = np.flatnonzero(numbers >= held)
    if beyond.size:
        row = int(beyond[0])
        images = "1 image" if held[row] == 1 else f"{held[row]} images"
        raise CryoemError(f"{file}: {names[row]}: there is no image {int(numbers[row]) + 1}; the stack has {images}.")
    stack = FileStack(files, [places[name] for name in names], sections, sign)
    box = stack.shape[1]
    if declared_box is not None and (declared_box != box).any():
        row = int(np.argmax(declared_box != box))
        raise CryoemError(f"{file}: says images of {declared_box[row]:g} pixels, but those of its stacks have {box}.")
    return stack


def find_pixel_size(file: Path, declared: NDArray[np.float64] | None, stack: FileStack) -> float | None:
    """Return the pixel size in Å that a particle file declares, or else the headers of its stacks; None without both.

    Parameters
    ----------
    file : Path
    declared : ndarray, shape=(images,), or None
    stack : FileStack

    Raises
    ------
    CryoemError
        If it is not positive, or differs among the images.
    """
    sizes = declared
    if sizes is None:
        known = [each.pixel_size_angstrom for each in stack.files]
        if None in known:
            return None
        sizes = np.array(known, dtype=np.float64)
    low, high = float(sizes.min()), float(sizes.max())
    if not low > 0.0:
        raise CryoemError(f"{file}: says a pixel size of {low:g} Å; expected more than 0.")
    if high - low > _SPREAD * low:
        raise CryoemError(f"{file}: has pixels of {low:g} to {high:g} Å; expected images of one pixel size.")
    return float(sizes[0])
