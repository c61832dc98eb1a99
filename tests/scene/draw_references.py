"""Draws the pictures that are kept: ``python -m tests.scene.draw_references STRUCTURES FOLDER``, without a display.

They are what a user would choose to show: an alignment by deviation, a large cartoon, nucleic acid, an NMR model, a
file of CA atoms, a predicted model, a race and a density.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lieapp.alignment.superposition import superpose
from lieapp.cryoem.map_statistics import map_statistics
from lieapp.cryoem.maps import read_map
from lieapp.scene.coloring import residue_colors
from lieapp.scene.colors import OPTIMIZER_COLORS
from lieapp.scene.errors import SceneError
from lieapp.scene.headless import headless_scene
from lieapp.scene.isosurface import isosurface
from lieapp.scene.painter import Ghost
from lieapp.structures.reading import read_structure
from lieapp.structures.structure import Structure

SIZE = (400, 300)


def _chain_a(structure: Structure) -> NDArray[np.int64]:
    residues = structure.residues
    return np.flatnonzero((residues.chain == "A") & (residues.guide_atom >= 0))


def _aligned(scene: Any, folder: Path) -> tuple[Structure, NDArray[np.float64]]:
    """Show 4AKE on 1AKE, fitted on the parts that move together, and return the mobile and its pose."""
    mobile, target = (read_structure(folder / "adk" / f"{name}.pdb") for name in ("4AKE", "1AKE"))
    points = [s.coordinates[0][s.residues.guide_atom[_chain_a(s)]] for s in (mobile, target)]
    core = np.r_[0:29, 59:121, 159:214]
    fit = superpose(points[0][core], points[1][core])
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = fit.rotation, fit.translation
    for slot, structure in (("target", target), ("mobile", mobile)):
        scene.set_structure(slot, structure, drawn=structure.residues.chain == "A")
    scene.set_pose("mobile", pose)
    scene.set_context_visible(False)
    deviations = np.full(len(mobile.residues), np.nan)
    deviations[_chain_a(mobile)] = np.linalg.norm(points[0] @ pose[:3, :3].T + pose[:3, 3] - points[1], axis=1)
    scene.set_residue_colors("mobile", residue_colors(mobile, "deviation", values=deviations))
    scene.fit_view(room_to_turn=False)
    return mobile, pose


def _single(file: str, scheme: str) -> Callable[[Any, Path], None]:
    def show(scene: Any, folder: Path) -> None:
        structure = read_structure(folder / file)
        scene.set_structure("mobile", structure)
        scene.set_residue_colors("mobile", residue_colors(structure, scheme))
        scene.fit_view()

    return show


def _ca_only(scene: Any, folder: Path) -> None:
    full = read_structure(folder / "adk" / "4AKE.pdb")
    guides = full.residues.guide_atom[_chain_a(full)]
    from tests.scene.builders import structure_of

    structure = structure_of(full.coordinates[0][guides], name="CA only")
    scene.set_structure("mobile", structure)
    scene.set_residue_colors("mobile", residue_colors(structure, "secondary"))
    scene.fit_view()


def _race(scene: Any, folder: Path) -> None:
    _, pose = _aligned(scene, folder)
    scene.set_residue_colors("mobile", None)
    middle = scene.points("mobile").mean(axis=0)
    ghosts = []
    for index, name in enumerate(("sgd", "sophia", "lbfgs")):
        angle = 0.5 + 0.5 * index
        turn = np.array(
            [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]], dtype=np.float64
        )
        step = np.eye(4)
        step[:3, :3], step[:3, 3] = turn, middle - turn @ middle
        ghosts.append(Ghost(step @ pose, OPTIMIZER_COLORS[name]))
    scene.set_ghosts(ghosts)
    scene.fit_view()


def _density(scene: Any, folder: Path) -> None:
    """The simulated map of the tail sheath 3J9G: a sheet, at the level that the window chooses."""
    density = read_map(folder.parent / "cryoem" / "cryojax" / "3j9g_potential_ps4_4.mrc")
    level = map_statistics(density.values).initial_level
    contour = isosurface(density.values.T, level, spacing=density.spacing_angstrom, closed=True)
    scene.set_density("target", contour, opacity=1.0)
    scene.fit_view()


CASES: dict[str, Callable[[Any, Path], object]] = {
    "adk_by_deviation": _aligned,
    "1aon_cartoon": _single("diverse/1aon.pdb.gz", "chain"),
    "1bna_dna": _single("diverse/1bna.pdb", "chain"),
    "1gya_nmr_model": _single("diverse/1gya.cif.gz", "index"),
    "ca_only": _ca_only,
    "alphafold_plddt": _single("diverse/AF-M3YHX5-F1-model_v4_hydrogens.cif", "plddt"),
    "race": _race,
    "3j9g_density": _density,
}


def draw(folder: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield name and picture, shape (300, 400, 4), of every case."""
    for name, show in CASES.items():
        with headless_scene(SIZE, triangles=400_000) as scene:
            show(scene, folder)
            yield name, scene.render(SIZE)


if __name__ == "__main__":
    from PIL import Image

    try:
        for case, picture in draw(Path(sys.argv[1])):
            # Few colours make small files; what is compared is blurred anyway.
            reduced = Image.fromarray(picture[..., :3]).quantize(64, dither=Image.Dither.NONE)
            reduced.save(Path(sys.argv[2]) / f"{case}.png", optimize=True)
    except SceneError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
