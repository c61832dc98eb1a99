"""Particles: what is checked, and how they are divided."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lieapp.cryoem.angles import uniform_rotations
from lieapp.cryoem.ctf import CtfParameters
from lieapp.cryoem.errors import CryoemError
from lieapp.cryoem.particles import Particles


def some(count: int = 5, box: int = 8) -> Particles:
    rng = np.random.default_rng(0)
    return Particles(
        rng.standard_normal((count, box, box)).astype(np.float32),
        uniform_rotations(count, rng),
        rng.standard_normal((count, 2)),
        2.5,
        ctf=CtfParameters.build(np.linspace(1e4, 2e4, count)),
        names=tuple(f"{k:06d}@a.mrcs" for k in range(count)),
        source="a.star",
    )


def test_taking_some_takes_everything_of_them() -> None:
    whole = some()
    part = whole.take([3, 1])
    assert len(part) == 2
    assert np.array_equal(part.images[0], whole.images[3])
    assert np.array_equal(part.rotations[1], whole.rotations[1])
    assert part.ctf is not None
    assert whole.ctf is not None
    assert part.ctf.defocus_u_angstrom[0] == whole.ctf.defocus_u_angstrom[3]
    assert part.names == (whole.names[3], whole.names[1])
    mask = np.array([True, False, True, False, False])
    assert np.array_equal(whole.take(mask).shifts_pixel, whole.shifts_pixel[[0, 2]])
    assert len(whole.take(slice(1, 4))) == 3


def test_half_sets_are_equal_and_kept() -> None:
    whole = some(9).with_half_sets(3)
    assert sorted(np.bincount(whole.half_set)[1:]) == [4, 5]
    assert whole.with_half_sets(7) is whole
    again = some(9).with_half_sets(3)
    assert np.array_equal(whole.half_set, again.half_set)


def test_arrays_are_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        some().rotations[0, 0, 0] = 2.0


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"images": np.zeros((5, 8, 7), np.float32)}, "square"),
        ({"rotations": np.zeros((4, 3, 3))}, "rotations"),
        ({"rotations": np.ones((5, 3, 3))}, "no rotation"),
        ({"rotations": np.broadcast_to(np.diag([1.0, 1.0, -1.0]), (5, 3, 3))}, "no rotation"),
        ({"shifts_pixel": np.full((5, 2), np.nan)}, "particle 1"),
        ({"pixel_size_angstrom": 0.0}, "pixel size"),
        ({"ctf": CtfParameters.build([1e4])}, "CTF of 1"),
        ({"half_set": np.full(5, 3)}, "half sets"),
        ({"names": ("a",)}, "names"),
    ],
)
def test_wrong_particles_are_refused(changes: dict, word: str) -> None:
    with pytest.raises(CryoemError, match=word) as caught:
        replace(some(), **changes)
    assert str(caught.value).startswith("a.star")
