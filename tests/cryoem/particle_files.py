"""Small particle files of every version, made for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mrcfile
import numpy as np

from lieapp.cryoem.angles import uniform_rotations
from lieapp.cryoem.ctf import CtfParameters
from lieapp.cryoem.particles import Particles


def noise(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def put_stack(path: Path, images: np.ndarray, pixel_size_angstrom: float = 0.0) -> Path:
    """Write a stack by mrcfile alone."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with mrcfile.new(path, overwrite=True) as file:
        file.set_data(images)
        if images.ndim == 3:
            file.set_image_stack()
        file.voxel_size = pixel_size_angstrom
    return path


def spoil(path: Path, **fields: Any) -> Path:
    """Overwrite fields of a header."""
    header = np.memmap(path, mrcfile.dtypes.HEADER_DTYPE, mode="r+", shape=1)
    for name, value in fields.items():
        header[name] = value
    header.flush()
    return path


def random_particles(count: int = 6, box: int = 8, *, ctf: bool = True, seed: int = 3) -> Particles:
    """Return particles whose poses, shifts and microscopes all differ."""
    rng = np.random.default_rng(seed)
    parameters = CtfParameters.build(
        rng.uniform(8e3, 2e4, count),
        rng.uniform(8e3, 2e4, count),
        defocus_angle_degrees=rng.uniform(-90, 90, count),
        phase_shift_degrees=rng.uniform(0, 90, count),
        voltage_kilovolt=rng.choice([200.0, 300.0], count),
        spherical_aberration_millimetre=rng.choice([2.7, 1.4], count),
        amplitude_contrast=0.07,
    )
    return Particles(
        images=noise(count, box, box, seed=seed),
        rotations=uniform_rotations(count, rng),
        shifts_pixel=rng.uniform(-3, 3, (count, 2)),
        pixel_size_angstrom=1.35,
        ctf=parameters if ctf else None,
        half_set=np.arange(count) % 2 + 1,
    )
