"""Nucleobases of the cartoon: a stick from the backbone to a flat slab in the plane of the rings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lieapp.scene.sweep import Mesh, cylinders, join_meshes, slab_profile, sweep
from lieapp.structures.structure import Structure

__all__ = ["Bases", "base_mesh", "find_bases", "named_atoms"]

STICK_RADIUS = 0.30
SLAB = (1.15, 0.30)
"""Half width and half thickness in Å."""
_BEYOND = 0.5  # Å from the last ring atom to the end of the slab


def named_atoms(structure: Structure, coordinates: NDArray[np.float64], name: str) -> NDArray[np.float64]:
    """Return the first atom of a name in each residue, shape (residues, 3); NaN where there is none."""
    found = np.full((len(structure.residues), 3), np.nan)
    atoms = np.flatnonzero(structure.atoms.name == name)[::-1]
    found[structure.atoms.residue[atoms]] = coordinates[atoms]
    return found


@dataclass(frozen=True, eq=False)
class Bases:
    """Where the base of each residue lies; NaN where there is none.

    Attributes
    ----------
    starts, tips : ndarray, shape=(residues, 3)
        The atom that is bound to the sugar, and the far end of the rings: N1 of purines, N3 of pyrimidines.
    normals : ndarray, shape=(residues, 3)
        Across the plane of the rings.
    """

    starts: NDArray[np.float64]
    tips: NDArray[np.float64]
    normals: NDArray[np.float64]

    def chosen(self, index: NDArray[np.int64]) -> Bases:
        """Return the bases of some residues."""
        return Bases(self.starts[index], self.tips[index], self.normals[index])

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether there is a base to draw, shape (residues,)."""
        return np.isfinite((self.starts + self.tips).sum(axis=1))


def find_bases(structure: Structure, coordinates: NDArray[np.float64]) -> Bases:
    """Find the bases of all residues of one model."""
    nitrogen = {name: named_atoms(structure, coordinates, name) for name in ("N1", "N3", "N9")}
    carbon = [named_atoms(structure, coordinates, name) for name in ("C2", "C4", "C6")]
    purine = np.isfinite(nitrogen["N9"].sum(axis=1))[:, None]
    normals = np.cross(carbon[1] - carbon[0], carbon[2] - carbon[0])
    with np.errstate(invalid="ignore", divide="ignore"):
        normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    return Bases(
        np.where(purine, nitrogen["N9"], nitrogen["N1"]), np.where(purine, nitrogen["N1"], nitrogen["N3"]), normals
    )


def base_mesh(guides: NDArray[np.float64], bases: Bases, owner: NDArray[np.int64]) -> Mesh:
    """Return sticks and slabs.

    Parameters
    ----------
    guides : ndarray, shape=(n, 3)
        Where the backbone is drawn.
    bases : Bases
        Of the same n residues; those that are not known are left out.
    owner : ndarray, shape=(n,), dtype=int

    Returns
    -------
    mesh : Mesh
        Every stick and slab is a closed piece.
    """
    known = np.flatnonzero(bases.known)
    starts, tips = bases.starts[known], bases.tips[known]
    whose = owner[known]
    if not len(whose):
        return Mesh.empty()
    axis = tips - starts
    axis /= np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-9)
    sticks = cylinders(guides[known], starts + 0.3 * axis, STICK_RADIUS, whose)
    normals = bases.normals[known]
    normals = normals - np.einsum("ij,ij->i", normals, axis)[:, None] * axis
    length = np.linalg.norm(normals, axis=1)
    flat = np.isfinite(length) & (length > 1e-3) & (np.linalg.norm(tips - starts, axis=1) > 0.5)
    axis, normals, whose = axis[flat], normals[flat] / length[flat, None], whose[flat]
    ends = np.stack([starts[flat] - 0.2 * axis, tips[flat] + _BEYOND * axis], axis=1)
    wide = np.cross(normals, axis)
    places, facing = slab_profile(8)
    count = 2 * len(axis)
    slabs = sweep(
        ends.reshape(-1, 3),
        (np.repeat(axis, 2, axis=0), np.repeat(wide, 2, axis=0), np.repeat(np.cross(axis, wide), 2, axis=0)),
        np.broadcast_to(places * SLAB, (count, *places.shape)),
        np.broadcast_to(facing, (count, *facing.shape)),
        np.repeat(np.arange(len(axis)), 2),
        np.repeat(whose, 2),
    )
    return join_meshes(sticks, slabs)
