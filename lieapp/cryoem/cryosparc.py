"""cryoSPARC's particle files (``.cs``): structured arrays of NumPy. numpy, no torch.

Newer versions leave columns that a job did not change to a second file beside the first,
``..._passthrough_particles.cs``, whose rows have the same ``uid``.

References
----------
A. Punjani, J. L. Rubinstein, D. J. Fleet, M. A. Brubaker, "cryoSPARC: algorithms for rapid unsupervised cryo-EM
structure determination", Nat. Methods 14 (2017) 290-296.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.cryoem.angles import rotation_vector_to_matrix
from lieapp.cryoem.ctf import CtfParameters
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.opening import find_pixel_size, open_images
from lieapp.cryoem.particles import Particles

__all__ = ["read_cryosparc"]

Array = NDArray[np.float64]

_COMPRESSED_FORM = b"\x94CSDAT"


def read_cryosparc(
    path: str | Path, *, allow_outside: bool = False, pixel_size_angstrom: float | None = None
) -> Particles:
    """Read the particles of a cryoSPARC refinement; their images stay in their stacks until they are asked for.

    Parameters
    ----------
    path : str or Path
    allow_outside : bool, optional
        Whether stacks may lie outside the folder of the file and its project.
    pixel_size_angstrom : float, optional
        Used instead of what the files say.

    Returns
    -------
    Particles
        White on black: images are multiplied by ``blob/sign``. Without a CTF where the file has no defocus.

    Raises
    ------
    CryoemError
        If the file is no particle file, has no poses or no pixel size, or its stacks cannot be read; in one line.

    Notes
    -----
    ``alignments3D/pose`` is the rotation vector of the transposed matrix, ``A = exp(hat(pose))ᵀ``, and
    ``alignments3D/shift`` is RELION's origin in pixels of ``alignments3D/psize_A``, as pyem converts them.
    """
    file = Path(path)
    columns = _Columns.of(file)
    poses = columns.find("alignments3D/pose", 3)
    if poses is None:
        raise CryoemError(
            f"{file}: has no poses (alignments3D/pose), and maps are reconstructed from known ones; refine the "
            "particles in 3-D first and open those that the refinement writes, with its passthrough file beside them."
        )
    names, sections = _places(columns)
    shapes = columns.find("blob/shape", 2)
    stack = open_images(
        file,
        names,
        sections,
        declared_box=None if shapes is None else shapes[:, 1],
        sign=columns.find("blob/sign"),
        allow_outside=allow_outside,
    )
    said = find_pixel_size(file, _pixel_sizes(columns), stack)
    pixel = pixel_size_angstrom or said
    if pixel is None:
        raise CryoemError(
            f"{file}: says no pixel size, nor does the header of its stacks; give the pixel size (--pixel-size)."
        )
    split = columns.find("alignments3D/split")
    return Particles(
        images=stack,
        rotations=rotation_vector_to_matrix(poses).swapaxes(-1, -2),
        shifts_pixel=_shifts(columns, said or pixel),
        pixel_size_angstrom=pixel,
        ctf=_ctf(columns),
        half_set=np.zeros(len(stack), np.int8)
        if split is None
        else np.where(split == 0, 1, np.where(split == 1, 2, 0)),
        names=tuple(f"{section + 1:06d}@{name}" for name, section in zip(names, sections, strict=True)),
        source=str(file),
    )


class _Columns:
    """The columns of a file and, where it has one, of its passthrough file, row by row."""

    def __init__(self, file: Path, records: NDArray[Any], passed: NDArray[Any] | None = None) -> None:
        self.file = file
        self._parts = [records] if passed is None else [records, passed]

    @classmethod
    def of(cls, file: Path) -> _Columns:
        records = _load(file)
        if not len(records):
            raise CryoemError(f"{file}: lists no particles.")
        names = set(records.dtype.names or ())
        if "blob/path" in names and "alignments3D/pose" in names:
            return cls(file, records)
        beside = [each for each in sorted(file.parent.glob("*passthrough_particles*.cs")) if each != file]
        if len(beside) != 1 or "uid" not in names:
            return cls(file, records)
        passed = _load(beside[0])
        if "uid" not in (passed.dtype.names or ()):
            return cls(file, records)
        order = np.argsort(passed["uid"], kind="stable")
        place = np.searchsorted(passed["uid"][order], records["uid"])
        if len(passed) == 0 or (place >= len(passed)).any() or (passed["uid"][order[place]] != records["uid"]).any():
            raise CryoemError(f"{file}: has particles that {beside[0].name} lacks.")
        return cls(file, records, passed[order[place]])

    def __len__(self) -> int:
        return len(self._parts[0])

    def raw(self, name: str) -> NDArray[Any] | None:
        """Return a column as it is, or None."""
        return next((part[name] for part in self._parts if name in (part.dtype.names or ())), None)

    def find(self, name: str, width: int | None = None) -> Array | None:
        """Return a column of numbers, `width` to a row, or None."""
        values = self.raw(name)
        if values is None:
            return None
        expected = (len(self),) if width is None else (len(self), width)
        if values.dtype.kind not in "iufb" or values.shape != expected:
            raise CryoemError(f"{self.file}: {name} has rows of {values.dtype} {values.shape[1:]}; expected numbers.")
        numbers = values.astype(np.float64)
        finite = np.isfinite(numbers).reshape(len(self), -1).all(axis=1)
        if not finite.all():
            raise CryoemError(f"{self.file}: row {int(np.argmin(finite)) + 1}: {name} is no number.")
        return numbers


def _load(file: Path) -> NDArray[Any]:
    """Return the records of a file, mapped and not read: a header may claim any size."""
    try:
        with open(file, "rb") as stream:
            start = stream.read(len(_COMPRESSED_FORM))
    except OSError as error:
        raise CryoemError(f"{file}: cannot be read: {error.strerror or error}.") from error
    if start == _COMPRESSED_FORM:
        raise CryoemError(f"{file}: is in cryoSPARC's compressed form; export the particles as a plain .cs file.")
    if not start.startswith(np.lib.format.MAGIC_PREFIX):
        raise CryoemError(f"{file}: is no cryoSPARC file (a NumPy array was expected).")
    try:
        records = np.load(file, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # headers are Python text, so damaged ones raise whatever a compiler does
        reason = " ".join(str(error).split())[:120]
        raise CryoemError(f"{file}: is damaged, or no cryoSPARC file ({reason}).") from None
    if records.dtype.names is None or records.ndim != 1:
        raise CryoemError(f"{file}: is no cryoSPARC file: it holds numbers without columns.")
    return np.array(records)


def _places(columns: _Columns) -> tuple[list[str], list[int]]:
    """Return the stack and the section, from 0, of every image."""
    paths, sections = columns.raw("blob/path"), columns.find("blob/idx")
    if paths is None or sections is None:
        raise CryoemError(f"{columns.file}: lists no images (no blob/path and blob/idx, nor a passthrough file).")
    # A name that starts with ">" is the same file, made by cryoSPARC itself.
    names = [
        (each.decode("utf-8", "surrogateescape") if isinstance(each, bytes) else str(each)).removeprefix(">")
        for each in paths.tolist()
    ]
    return names, sections.astype(np.int64).tolist()


def _pixel_sizes(columns: _Columns) -> Array | None:
    sizes = columns.find("blob/psize_A")
    if sizes is None:
        return None
    # The decimal number that the float32 was meant to be: 2.95 and not 2.95000005.
    unique, place = np.unique(sizes, return_inverse=True)
    return np.array([float(f"{size:.7g}") for size in unique])[place]


def _shifts(columns: _Columns, pixel_size_angstrom: float) -> Array:
    shifts = columns.find("alignments3D/shift", 2)
    if shifts is None:
        return np.zeros((len(columns), 2))
    unit = columns.find("alignments3D/psize_A")
    return shifts if unit is None else shifts * (unit / pixel_size_angstrom)[:, None]


def _ctf(columns: _Columns) -> CtfParameters | None:
    u = columns.find("ctf/df1_A")
    if u is None:
        return None

    def required(name: str) -> Array:
        values = columns.find(name)
        if values is None:
            raise CryoemError(f"{columns.file}: has the defocus of its particles, but no {name}.")
        return values

    phase_shift = columns.find("ctf/phase_shift_rad")
    try:
        return CtfParameters(
            defocus_u_angstrom=u,
            defocus_v_angstrom=required("ctf/df2_A"),
            defocus_angle_degrees=np.degrees(required("ctf/df_angle_rad")),
            phase_shift_degrees=np.zeros(len(u)) if phase_shift is None else np.degrees(phase_shift),
            voltage_kilovolt=required("ctf/accel_kv"),
            spherical_aberration_millimetre=required("ctf/cs_mm"),
            amplitude_contrast=required("ctf/amp_contrast"),
        )
    except CryoemError as error:
        raise CryoemError(f"{columns.file}: {error}") from error
