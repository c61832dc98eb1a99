"""Small structures made of nothing but numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lieapp.structures.structure import Atoms, Residues, Structure


def helix(count: int, start: float = 0.0) -> NDArray[np.float64]:
    """CA atoms of an ideal alpha helix along z, in Å."""
    angle = np.radians(100.0) * np.arange(count)
    return np.stack([2.3 * np.cos(angle), 2.3 * np.sin(angle), start + 1.5 * np.arange(count)], axis=1)


def structure_of(
    points: NDArray[np.float64],
    chains: str | list[str] = "A",
    *,
    kinds: list[str] | None = None,
    elements: list[str] | None = None,
    name: str = "test",
) -> Structure:
    """One atom a residue; residues of kind ``"other"`` and ``"water"`` have no guide atom."""
    count = len(points)
    chain = [chains] * count if isinstance(chains, str) else chains
    kind = kinds or ["protein"] * count
    polymer = np.isin(kind, ("protein", "nucleic"))
    index = np.arange(count)
    return Structure(
        name=name,
        title="",
        coordinates=np.asarray(points, dtype=np.float64)[None],
        model_numbers=(1,),
        atoms=Atoms(
            name=np.array(["CA"] * count),
            element=np.array(elements or ["C"] * count),
            residue=index,
            altloc=np.array([""] * count),
            serial=index + 1,
            occupancy=np.ones(count),
            b_factor=np.zeros(count),
            hetero=~polymer,
        ),
        residues=Residues(
            name=np.array(["ALA"] * count),
            chain=np.array(chain),
            number=index + 1,
            insertion_code=np.array([""] * count),
            kind=np.array(kind),
            letter=np.array(["A"] * count),
            first_atom=np.arange(count + 1),
            guide_atom=np.where(polymer, index, -1),
            secondary=np.array([""] * count),
        ),
    )


def rotation(seed: int) -> NDArray[np.float64]:
    """A rotation drawn at random."""
    q = np.random.default_rng(seed).normal(size=4)
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
