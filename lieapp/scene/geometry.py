"""From a structure to the shapes that stand for it; numpy only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lieapp.scene.bases import Bases, base_mesh, find_bases, named_atoms
from lieapp.scene.bonds import covalent_bonds
from lieapp.scene.curves import sample_spline
from lieapp.scene.occlusion import sky_visibility
from lieapp.scene.ribbon import build_ribbon, ribbon_sides
from lieapp.scene.sweep import Mesh, cylinders, join_meshes
from lieapp.scene.tube import Trace, build_tube, trace_fragments
from lieapp.structures.secondary import secondary_structure
from lieapp.structures.structure import Structure

__all__ = ["STYLES", "Detail", "Geometry", "LigandGeometry", "Style", "build_geometry", "choose_detail"]

Style = Literal["ribbon", "tube", "sticks", "spheres"]
STYLES: tuple[Style, ...] = ("ribbon", "tube", "sticks", "spheres")

TUBE_RADIUS = 0.75
SPHERE_RADIUS = 1.75
"""Of a residue of which there is but one atom."""
FEW_RADIUS = 2.6
"""Of a sphere in the place of all atoms of a residue."""
MOST_ATOM_SPHERES = 30_000
"""Of more atoms one sphere a residue is drawn: nothing smaller would be seen, and it must still move."""
STICK_RADIUS = 0.22
# Van der Waals radii in Å (A. Bondi, J. Phys. Chem. 1964, 68, 441).
_VAN_DER_WAALS = {"C": 1.70, "N": 1.55, "O": 1.52, "F": 1.47, "P": 1.80, "S": 1.80, "CL": 1.75, "SE": 1.90}
_LIGAND_STICK_RADIUS = 0.17
BACKBONE_RADIUS = 0.55
LONE_RADIUS = 0.6
_LIGAND_ATOM_RADIUS = 0.38
_ION_RADIUS = 0.95
_CONTEXT_SEGMENTS = 3
_MOST_LIGAND_ATOMS = 20_000


@dataclass(frozen=True)
class Detail:
    """How finely tubes are cut: sections from one guide atom to the next, and corners of a section."""

    segments: int
    corners: int


_DETAILS = (
    Detail(8, 12),
    Detail(6, 10),
    Detail(6, 8),
    Detail(5, 7),
    Detail(4, 6),
    Detail(3, 6),
    Detail(3, 5),
    Detail(2, 4),
)


_RIBBON_DETAILS = (
    Detail(10, 16),
    Detail(8, 12),
    Detail(6, 12),
    Detail(6, 8),
    Detail(4, 8),
    Detail(3, 8),
    Detail(2, 8),
    Detail(1, 8),
)


def choose_detail(guides: int, triangles: int, details: tuple[Detail, ...] = _DETAILS) -> Detail:
    """Return the finest detail at which so many guide atoms stay within a budget of triangles, else the coarsest."""
    for detail in details:
        if 2 * detail.segments * detail.corners * guides <= triangles:
            return detail
    return details[-1]


@dataclass(frozen=True, eq=False)
class LigandGeometry:
    """Small molecules and ions as balls and sticks, coloured by element.

    Attributes
    ----------
    atoms : ndarray, shape=(n,), dtype=int
        Atoms of the structure that are drawn.
    centers, radii : ndarray, shape=(n, 3) and (n,)
    sticks : Mesh
        Half bonds; the owner is a position in `atoms`.
    """

    atoms: NDArray[np.int64]
    centers: NDArray[np.float64]
    radii: NDArray[np.float64]
    sticks: Mesh

    @property
    def bonded(self) -> NDArray[np.float64]:
        """Positions of atoms that are bound to others: no ions, which may lie anywhere."""
        return self.centers[self.radii < _ION_RADIUS]


@dataclass(frozen=True, eq=False)
class Geometry:
    """Shapes of one model in its own coordinates.

    Attributes
    ----------
    trace : Trace
        Guide atoms of all polymer residues.
    nucleic : ndarray, shape=(guides,), dtype=bool
    sides : ndarray, shape=(guides, 3)
        Directions in which a ribbon is wide; empty in other styles.
    secondary : ndarray, shape=(guides,), dtype=str
        Empty in other styles.
    bases : Bases or None
        Of the guides; None in other styles.
    full : ndarray, shape=(guides,), dtype=bool
        Drawn in full; the others are thin and grey.
    style : {"ribbon", "tube", "sticks", "spheres"}
    context_starts, context_ends : ndarray, shape=(lines, 3)
        The rest, as thin lines.
    sphere_centers, sphere_radii, sphere_owners : ndarray
        Of atoms in the styles of spheres and sticks, else empty.
    bonds : ndarray, shape=(bonds, 2), dtype=int
        Atoms joined by sticks, in the style of sticks.
    atoms : ndarray, shape=(atoms, 3)
        All atoms of the model.
    gap_starts, gap_ends : ndarray, shape=(gaps, 3)
        Where residues are missing in a chain drawn in full.
    ligands : LigandGeometry
    """

    trace: Trace
    nucleic: NDArray[np.bool_]
    sides: NDArray[np.float64]
    secondary: NDArray[np.str_]
    bases: Bases | None
    full: NDArray[np.bool_]
    style: Style
    context_starts: NDArray[np.float64]
    context_ends: NDArray[np.float64]
    sphere_centers: NDArray[np.float64]
    sphere_radii: NDArray[np.float64]
    sphere_owners: NDArray[np.int64]
    bonds: NDArray[np.int64]
    atoms: NDArray[np.float64]
    gap_starts: NDArray[np.float64]
    gap_ends: NDArray[np.float64]
    ligands: LigandGeometry
    _ready: dict[int, tuple[Mesh, NDArray[np.float32]]] = field(default_factory=dict, repr=False)

    def prepare(self, *budgets: int) -> None:
        """Build the meshes of these budgets of triangles ahead, as on another thread; each is handed out once."""
        for triangles in dict.fromkeys(budgets):
            self._ready[triangles] = self._shaded(triangles)

    def shaded_mesh(self, triangles: int) -> tuple[Mesh, NDArray[np.float32]]:
        """Return the mesh of a budget, and how open its vertices lie, shape (vertices,): prepared, or built now."""
        ready = self._ready.pop(triangles, None)
        return self._shaded(triangles) if ready is None else ready

    def _shaded(self, triangles: int) -> tuple[Mesh, NDArray[np.float32]]:
        mesh = self.mesh(triangles)
        return mesh, sky_visibility(mesh.vertices, mesh.normals, self.trace.points[self.full])

    @property
    def owners_are_atoms(self) -> bool:
        """Whether what is drawn belongs to atoms instead of residues."""
        return self.style in ("sticks", "spheres")

    def mesh(self, triangles: int) -> Mesh:
        """Build the mesh of what is drawn in full, its owners being residues, or atoms, see `owners_are_atoms`.

        Parameters
        ----------
        triangles : int
            Budget that sets the detail.

        Returns
        -------
        mesh : Mesh
            Empty in the style of spheres.
        """
        if self.style == "spheres":
            return Mesh.empty()
        if self.style == "sticks":
            return self._sticks(triangles)
        points, fragment, owner = self.trace.points, self.trace.fragment, self.trace.residues
        if self.style == "tube":
            detail = choose_detail(int(self.full.sum()), triangles)
            chosen = self.full
            return build_tube(
                points[chosen],
                _renumbered(fragment, chosen),
                TUBE_RADIUS,
                owner=owner[chosen],
                segments=detail.segments,
                corners=detail.corners,
            )
        detail = choose_detail(int(self.full.sum()), triangles, _RIBBON_DETAILS)
        pieces = np.full(len(points), -1)
        pieces[self.full] = _renumbered(fragment, self.full)
        alone = np.bincount(pieces + 1, minlength=1)[pieces + 1] == 1
        ribbon = self.full & ~self.nucleic & ~alone
        tube = self.full & ~ribbon
        based = np.flatnonzero(self.full & self.nucleic)
        radius = np.where(self.nucleic, BACKBONE_RADIUS, LONE_RADIUS)
        return join_meshes(
            build_ribbon(
                points[ribbon],
                self.sides[ribbon],
                self.secondary[ribbon],
                pieces[ribbon],
                owner=owner[ribbon],
                segments=detail.segments,
                corners=detail.corners,
            ),
            build_tube(
                points[tube],
                pieces[tube],
                radius[tube],
                owner=owner[tube],
                segments=max(detail.segments, 2),
                corners=detail.corners,
            ),
            Mesh.empty() if self.bases is None else base_mesh(points[based], self.bases.chosen(based), owner[based]),
        )

    def _sticks(self, triangles: int) -> Mesh:
        """Two half bonds each, of as many corners as the budget allows."""
        ends = self.atoms[self.bonds]
        middle = ends.mean(axis=1)
        corners = int(np.clip(triangles // max(8 * len(ends), 1), 3, 10))
        return join_meshes(
            *(cylinders(ends[:, k], middle, STICK_RADIUS, self.bonds[:, k], corners=corners) for k in (0, 1))
        )

    @property
    def extent(self) -> NDArray[np.float64]:
        """Positions that a view should hold: guides drawn in full, else all guides, else the ligands."""
        for points in (self.trace.points[self.full], self.trace.points, self.ligands.centers):
            if len(points):
                return points
        return np.zeros((0, 3))


def _ligands(structure: Structure, coordinates: NDArray[np.float64], full: NDArray[np.bool_]) -> LigandGeometry:
    """Collect what is neither polymer nor water in the chains that are drawn in full."""
    residues, atoms = structure.residues, structure.atoms
    shown_chains = np.unique(residues.chain[full])
    shown = (residues.kind == "other") & np.isin(residues.chain, shown_chains)
    # Of alternate locations the first letter of each residue is enough to see what is there.
    chosen = shown[atoms.residue] & (np.char.upper(atoms.element) != "H") & np.isin(atoms.altloc, ("", "A", "1"))
    index = np.flatnonzero(chosen & np.isfinite(coordinates).all(axis=1))[:_MOST_LIGAND_ATOMS]
    points, owner = coordinates[index], atoms.residue[index]
    pairs = covalent_bonds(points, atoms.element[index], owner)
    middle = (points[pairs[:, 0]] + points[pairs[:, 1]]) / 2
    sticks = join_meshes(
        *(cylinders(points[pairs[:, side]], middle, _LIGAND_STICK_RADIUS, pairs[:, side]) for side in (0, 1))
    )
    alone = ~np.isin(np.arange(len(index)), pairs)
    return LigandGeometry(index, points, np.where(alone, _ION_RADIUS, _LIGAND_ATOM_RADIUS), sticks)


def build_geometry(
    structure: Structure,
    *,
    model: int = 0,
    drawn: NDArray[np.bool_] | None = None,
    style: Style = "ribbon",
) -> Geometry:
    """Build the shapes of one model.

    Parameters
    ----------
    structure : Structure
    model : int
        Position of the model, from 0.
    drawn : ndarray, shape=(residues,), dtype=bool, optional
        Residues drawn in full; the other polymer residues become thin. All by default.
    style : {"ribbon", "tube", "sticks", "spheres"}

    Returns
    -------
    geometry : Geometry
        Waters are left out.
    """
    residues = structure.residues
    coordinates = structure.coordinates[model]
    in_full = np.ones(len(residues), dtype=bool) if drawn is None else np.asarray(drawn, dtype=bool)
    guides = np.flatnonzero(residues.guide_atom >= 0)
    points = coordinates[residues.guide_atom[guides]]
    known = np.isfinite(points).all(axis=1)
    guides, points = guides[known], points[known]
    nucleic = residues.kind[guides] == "nucleic"
    trace = trace_fragments(points, residues.chain[guides], nucleic, guides)
    full = in_full[guides]
    no_points, no_number, no_index = np.zeros((0, 3)), np.zeros(0), np.zeros(0, dtype=np.int64)

    centers, radii, owners = no_points, no_number, no_index
    bonds = np.zeros((0, 2), dtype=np.int64)
    if style == "spheres":
        owners = _polymer_atoms(structure, coordinates, in_full)
        if len(owners) > MOST_ATOM_SPHERES:
            owners = residues.guide_atom[guides[full]]
        centers, radii = coordinates[owners], _space_filling_radii(structure, owners)
    if style == "sticks":
        owners = _polymer_atoms(structure, coordinates, in_full)
        bonds = _polymer_bonds(structure, coordinates, owners, trace, full)
        centers, radii = coordinates[owners], np.full(len(owners), STICK_RADIUS)
    sides, secondary, bases = no_points, np.zeros(0, dtype="<U1"), None
    if style == "ribbon":
        sides = ribbon_sides(points, named_atoms(structure, coordinates, "O")[guides], trace.fragment)
        secondary = secondary_structure(structure, model)[guides]
        bases = find_bases(structure, coordinates).chosen(guides) if nucleic.any() else None
    samples = sample_spline(_renumbered(trace.fragment, ~full), _CONTEXT_SEGMENTS)
    context = samples.values(points[~full])
    joined = np.flatnonzero(samples.fragment[1:] == samples.fragment[:-1])
    gaps = trace.gaps[full[trace.gaps].all(axis=1)] if len(trace.gaps) else trace.gaps
    return Geometry(
        trace=trace,
        nucleic=nucleic,
        sides=sides,
        secondary=secondary,
        bases=bases,
        full=full,
        style=style,
        context_starts=context[joined],
        context_ends=context[joined + 1],
        sphere_centers=centers,
        sphere_radii=radii,
        sphere_owners=owners,
        bonds=bonds,
        atoms=coordinates,
        gap_starts=trace.points[gaps[:, 0]] if len(gaps) else no_points,
        gap_ends=trace.points[gaps[:, 1]] if len(gaps) else no_points,
        ligands=_ligands(structure, coordinates, in_full),
    )


def _polymer_atoms(
    structure: Structure, coordinates: NDArray[np.float64], in_full: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Return the heavy atoms of polymers drawn in full."""
    residues, atoms = structure.residues, structure.atoms
    shown = in_full & np.isin(residues.kind, ("protein", "nucleic"))
    chosen = shown[atoms.residue] & (np.char.upper(atoms.element) != "H") & np.isin(atoms.altloc, ("", "A", "1"))
    return np.flatnonzero(chosen & np.isfinite(coordinates).all(axis=1))


def _space_filling_radii(structure: Structure, atoms: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return van der Waals radii in Å, shape (atoms,); an atom that stands for its residue is a little larger."""
    symbols, kind = np.unique(np.char.upper(structure.atoms.element[atoms]), return_inverse=True)
    radii = np.array([_VAN_DER_WAALS.get(str(symbol), _VAN_DER_WAALS["C"]) for symbol in symbols])[kind]
    owner = structure.atoms.residue[atoms]
    lone = np.bincount(owner, minlength=len(structure.residues))[owner] == 1
    return np.where(lone, SPHERE_RADIUS, radii)


def _polymer_bonds(
    structure: Structure,
    coordinates: NDArray[np.float64],
    index: NDArray[np.int64],
    trace: Trace,
    full: NDArray[np.bool_],
) -> NDArray[np.int64]:
    """Return pairs of atoms, shape (bonds, 2), among those of `_polymer_atoms`."""
    residues, atoms = structure.residues, structure.atoms
    owner = atoms.residue[index]
    pairs = index[covalent_bonds(coordinates[index], atoms.element[index], owner, residues.chain[owner])]
    # Where a file has guide atoms only, its trace takes the place of bonds.
    lone = np.bincount(owner, minlength=len(residues))[trace.residues] == 1
    joined = np.flatnonzero((trace.fragment[1:] == trace.fragment[:-1]) & (lone & full)[1:] & (lone & full)[:-1])
    guides = residues.guide_atom[trace.residues]
    return np.concatenate([pairs, np.stack([guides[joined], guides[joined + 1]], axis=1)])


def _renumbered(fragment: NDArray[np.int64], wanted: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number the pieces that remain when some guides are left out; a guide left out ends a piece."""
    breaks = np.ones(len(fragment), dtype=np.int64)
    breaks[1:] = (fragment[1:] != fragment[:-1]) | (wanted[1:] != wanted[:-1])
    return np.cumsum(breaks)[wanted]
