"""A structure in the scene, with what was uploaded for it."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lieapp.scene.colors import CONTEXT, element_colors
from lieapp.scene.geometry import FEW_RADIUS, Geometry
from lieapp.scene.occlusion import burial_shade
from lieapp.scene.segments import Segments
from lieapp.scene.spheres import Spheres
from lieapp.scene.surface import Surface
from lieapp.structures.structure import Structure

__all__ = ["Body", "Level"]

Level = Literal["draft", "fine"]


class Body:
    """A structure, its shapes, colours and pose; what the card holds of it is made when it is first drawn.

    Parameters
    ----------
    structure : Structure
    model : int
    drawn : ndarray, shape=(residues,), dtype=bool, or None
    geometry : Geometry
    colors : ndarray, shape=(residues, 4), dtype=float32
    """

    def __init__(
        self,
        structure: Structure,
        model: int,
        drawn: NDArray[np.bool_] | None,
        geometry: Geometry,
        colors: NDArray[np.float32],
    ) -> None:
        self.structure = structure
        self.model = model
        self.drawn = drawn
        self.geometry = geometry
        self.matrix = np.eye(4)
        self.opacity: float | None = None
        self.surfaces: dict[Level, Surface] = {}
        self.spheres: Spheres | None = None
        self.few_spheres: Spheres | None = None
        self.ligand_spheres: Spheres | None = None
        self.ligand_sticks: Surface | None = None
        self.gaps: Segments | None = None
        self.context: Segments | None = None
        self.hatched: NDArray[np.bool_] | None = None
        self.highlighted: NDArray[np.bool_] | None = None
        self._colors = colors
        self._stale: set[object] = set()
        self._stale_marks: set[object] = set()
        self._complete = False
        self.center, self.radius, self.reach = np.zeros(3), 0.0, 0.0
        extent = geometry.extent
        if len(extent):
            everything = np.concatenate([geometry.trace.points, geometry.ligands.centers])
            self.center = (extent.min(axis=0) + extent.max(axis=0)) / 2
            self.radius = float(np.linalg.norm(extent - self.center, axis=1).max())
            self.reach = float(np.linalg.norm(everything - self.center, axis=1).max())

    @property
    def colors(self) -> NDArray[np.float32]:
        """Colours of all residues, shape (residues, 4); setting them uploads colours and nothing else."""
        return self._colors

    @colors.setter
    def colors(self, value: NDArray[np.float32]) -> None:
        self._colors = value
        self._stale = {*self._own}

    def set_marks(self, hatched: NDArray[np.bool_] | None, highlighted: NDArray[np.bool_] | None) -> None:
        """Set which residues are hatched and which are highlighted, shape (residues,) each; None for none."""
        self.hatched, self.highlighted = hatched, highlighted
        self._stale_marks = {*self._own}

    @property
    def _own(self) -> list[Surface | Spheres]:
        """What has the colours of residues."""
        spheres = [each for each in (self.spheres, self.few_spheres) if each is not None]
        return [*self.surfaces.values(), *spheres]

    def _table(self) -> NDArray[np.float32]:
        """Return the colours of the owners that meshes and spheres name."""
        if not self.geometry.owners_are_atoms:
            return self._colors
        atoms, residues = self.structure.atoms, self.structure.residues
        symbols, kind = np.unique(np.char.upper(atoms.element), return_inverse=True)
        by_residue, by_element = self._colors[atoms.residue], element_colors(symbols)[kind]
        if self.geometry.style == "sticks":
            # Carbon takes the colour of its residue, the other elements their own.
            plain = (symbols == "C")[kind]
        else:
            # Packed atoms of other colours would drown that of the residue, unless elements are what is shown.
            guide = np.maximum(residues.guide_atom, residues.first_atom[:-1])
            plain = ~(self._colors == by_element[guide]).all(axis=1)[atoms.residue]
        return np.where(plain[:, None], by_residue, by_element).astype(np.float32)

    def _owners(self, mask: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
        return mask[self.structure.atoms.residue] if mask is not None and self.geometry.owners_are_atoms else mask

    @property
    def stands_out(self) -> bool:
        """Whether any residue is highlighted."""
        return self.highlighted is not None and bool(self.highlighted.any())

    def place(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points of the file, shape (n, 3), where they are drawn."""
        return points @ self.matrix[:3, :3].T + self.matrix[:3, 3]

    def surface(self, level: Level) -> Surface | None:
        """Return the mesh of a level, if it has been uploaded."""
        return self.surfaces.get(level)

    def upload(self, level: Level, triangles: int, *, hurried: bool = False) -> None:
        """Send to the card what is missing there or has changed; needs a current context."""
        if hurried and self.few_spheres is None and self.geometry.style == "spheres":
            self._upload_few_spheres()
        geometry = self.geometry
        fresh: list[Surface | Spheres] = []
        if geometry.style != "spheres" and level not in self.surfaces:
            mesh, openness = geometry.shaded_mesh(triangles)
            if len(mesh.faces):
                self.surfaces[level] = Surface(mesh, self._table(), openness)
                fresh.append(self.surfaces[level])
        if self.spheres is None and len(geometry.sphere_centers):
            centers = geometry.sphere_centers
            packed = geometry.style == "spheres"
            shade = burial_shade(centers, geometry.trace.points[geometry.full]) if packed else None
            self.spheres = Spheres(
                centers, geometry.sphere_radii, geometry.sphere_owners, self._table(), openness=shade
            )
            fresh.append(self.spheres)
        if self.hatched is not None or self.highlighted is not None:
            self._stale_marks.update(fresh)
        for drawable in (self.surfaces.get(level), self.spheres, self.few_spheres):
            if drawable is not None and drawable in self._stale:
                drawable.set_colors(self._table())
                self._stale.discard(drawable)
            if drawable is not None and drawable in self._stale_marks:
                drawable.set_marks(self._owners(self.hatched), self._owners(self.highlighted))
                self._stale_marks.discard(drawable)
        if self._complete:
            return
        self._complete = True
        ligands = geometry.ligands
        if len(ligands.atoms):
            colors = element_colors(self.structure.atoms.element[ligands.atoms])
            self.ligand_spheres = Spheres(ligands.centers, ligands.radii, np.arange(len(ligands.atoms)), colors)
            if len(ligands.sticks.faces):
                self.ligand_sticks = Surface(ligands.sticks, colors)
        if len(geometry.gap_starts):
            self.gaps = Segments(geometry.gap_starts, geometry.gap_ends, color=CONTEXT, width=2.0, dash=1.6)
        if len(geometry.context_starts):
            self.context = Segments(geometry.context_starts, geometry.context_ends, color=CONTEXT, width=1.6)

    def _upload_few_spheres(self) -> None:
        """One a residue, for machines that cannot keep up with all atoms in motion."""
        trace, full = self.geometry.trace, self.geometry.full
        owners = self.structure.residues.guide_atom[trace.residues[full]]
        if len(owners) < len(self.geometry.sphere_owners):
            radii = np.full(len(owners), FEW_RADIUS)
            self.few_spheres = Spheres(trace.points[full], radii, owners, self._table())
            if self.hatched is not None or self.highlighted is not None:
                self._stale_marks.add(self.few_spheres)
