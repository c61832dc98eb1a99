"""Particles: images with orientations, shifts and CTF, as one value whoever made it. numpy, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lieapp.cryoem.ctf import CtfParameters
from lieapp.cryoem.errors import CryoemError

__all__ = ["ImageStack", "Particles"]

_ORTHOGONAL = 1e-4  # angles of files have six digits


class ImageStack(Protocol):
    """Images that may still lie in files: an array of shape (images, box, box), or what reads like one."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Images, rows, columns."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> NDArray[np.float32]:
        """Return one image, or those of a slice or an array of indices, read now."""
        ...


class _LazyStack(ImageStack, Protocol):
    def take(self, index: NDArray[np.int64]) -> ImageStack: ...


@dataclass(frozen=True, eq=False)
class Particles:
    """Particle images and what is known about each.

    Attributes
    ----------
    images : ndarray, shape=(particles, box, box), dtype=float32, or ImageStack
        Rows y, columns x; white particles on black. A stack that is read lazily has a ``take(index)`` that reads
        nothing.
    rotations : ndarray, shape=(particles, 3, 3), dtype=float64
        RELION's matrices, see `lieapp.cryoem.angles`.
    shifts_pixel : ndarray, shape=(particles, 2), dtype=float64
        RELION's origins (x, y) in pixels: the particle's centre lies at the image's centre *minus* them.
    pixel_size_angstrom : float
    ctf : CtfParameters or None
        None where the images are not modulated by a CTF.
    half_set : ndarray, shape=(particles,), dtype=int8
        1 or 2; 0 where it is not assigned.
    names : tuple of str
        Such as ``000001@stack.mrcs``; may be empty.
    source : str
        The file they came from, or how they were made; for people.

    Raises
    ------
    CryoemError
        If lengths differ, images are not square, rotations are none, or the pixel size is not positive.
    """

    images: NDArray[np.float32] | ImageStack
    rotations: NDArray[np.float64]
    shifts_pixel: NDArray[np.float64]
    pixel_size_angstrom: float
    ctf: CtfParameters | None = None
    half_set: NDArray[np.int8] = field(default_factory=lambda: np.zeros(0, np.int8))
    names: tuple[str, ...] = ()
    source: str = ""

    def __post_init__(self) -> None:
        shape = tuple(self.images.shape)
        if len(shape) != 3 or shape[1] != shape[2] or not shape[1]:
            raise CryoemError(f"{self._who}: images must be square, shape (particles, box, box), not {shape}.")
        count = shape[0]
        rotations = self._checked("rotations", self.rotations, (count, 3, 3))
        shifts = self._checked("shifts", self.shifts_pixel, (count, 2))
        if count:
            off = np.abs(rotations @ rotations.swapaxes(1, 2) - np.eye(3)).max(axis=(1, 2))
            if off.max() > _ORTHOGONAL or np.linalg.det(rotations).min() < 0.0:
                raise CryoemError(f"{self._who}: the matrix of particle {int(off.argmax()) + 1} is no rotation.")
        if not (np.isfinite(self.pixel_size_angstrom) and self.pixel_size_angstrom > 0.0):
            raise CryoemError(f"{self._who}: the pixel size must be positive, not {self.pixel_size_angstrom} Å.")
        if self.ctf is not None and len(self.ctf) != count:
            raise CryoemError(f"{self._who}: {count} images, but the CTF of {len(self.ctf)}.")
        half_set = np.array(self.half_set, dtype=np.int8) if np.size(self.half_set) else np.zeros(count, np.int8)
        if half_set.shape != (count,) or not np.isin(half_set, (0, 1, 2)).all():
            raise CryoemError(f"{self._who}: half sets must be 1 or 2 (0: none) for each of {count} particles.")
        if self.names and len(self.names) != count:
            raise CryoemError(f"{self._who}: {count} images, but {len(self.names)} names.")
        for name, values in (("rotations", rotations), ("shifts_pixel", shifts), ("half_set", half_set)):
            values.setflags(write=False)
            object.__setattr__(self, name, values)
        object.__setattr__(self, "pixel_size_angstrom", float(self.pixel_size_angstrom))
        object.__setattr__(self, "names", tuple(self.names))

    def __len__(self) -> int:
        """Number of particles."""
        return int(self.images.shape[0])

    @property
    def box(self) -> int:
        """Pixels along an edge of an image."""
        return int(self.images.shape[1])

    def take(self, index: ArrayLike | slice) -> Particles:
        """Return some of the particles, by indices, a slice or a mask; images that lie in files stay there."""
        chosen_rows: Any = (
            index if isinstance(index, slice) else np.asarray(index, dtype=None if np.size(index) else int)
        )
        rows = np.arange(len(self))[chosen_rows]
        images = self.images
        chosen = images[rows] if isinstance(images, np.ndarray) else cast(_LazyStack, images).take(rows)
        return replace(
            self,
            images=chosen,
            rotations=self.rotations[rows],
            shifts_pixel=self.shifts_pixel[rows],
            ctf=None if self.ctf is None else self.ctf.take(rows),
            half_set=self.half_set[rows],
            names=tuple(self.names[row] for row in rows) if self.names else (),
        )

    @property
    def divisible(self) -> bool:
        """Whether two half sets can be made of them: there are four at least, assigned to both sets or not all."""
        return len(self) >= 4 and (not self.half_set.all() or set(self.half_set.tolist()) == {1, 2})

    def with_half_sets(self, seed: int = 0) -> Particles:
        """Return the particles with half sets 1 and 2 of equal size, drawn at random where any is unassigned."""
        if len(self) and self.half_set.all():
            return self
        half_set = np.ones(len(self), dtype=np.int8)
        half_set[np.random.default_rng(seed).permutation(len(self))[: len(self) // 2]] = 2
        return replace(self, half_set=half_set)

    @property
    def _who(self) -> str:
        return self.source or "Particles"

    def _checked(self, what: str, values: ArrayLike, shape: Sequence[int]) -> NDArray[np.float64]:
        array = np.array(values, dtype=np.float64)
        if array.shape != tuple(shape):
            raise CryoemError(f"{self._who}: {what} have shape {array.shape}; expected {tuple(shape)}.")
        finite = np.isfinite(array).all(axis=tuple(range(1, array.ndim)))
        if not finite.all():
            raise CryoemError(f"{self._who}: {what} of particle {int(np.argmin(finite)) + 1} are no numbers.")
        return array
