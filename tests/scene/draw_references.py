"""Draws the pictures that are kept: ``python -m tests.scene.draw_references STRUCTURES FOLDER``, without a display.

They are what a user would choose to show: an alignment by deviation, a large cartoon, nucleic acid, an NMR model, a
file of CA atoms, a predicted model, atoms as spheres, a density, a race of four optimisers and the loss they crossed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from lieapp.alignment.commands import job_from_options
from lieapp.alignment.inputs import load_inputs
from lieapp.alignment.loss_surface import LossSurface
from lieapp.alignment.slice import compute_slice, start_plane
from lieapp.alignment.superposition import superpose
from lieapp.cryoem.map_statistics import map_statistics
from lieapp.cryoem.maps import read_map
from lieapp.engine.devices import single_thread
from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.quantities import Curve, curves_of
from lieapp.export.race_pictures import write_race_picture
from lieapp.export.reel import MovieLook
from lieapp.export.slice_figure import write_slice_figure
from lieapp.scene.coloring import residue_colors
from lieapp.scene.errors import SceneError
from lieapp.scene.headless import headless_scene
from lieapp.scene.isosurface import isosurface
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


def _spheres(scene: Any, folder: Path) -> None:
    scene.set_style("spheres", "mobile")
    _aligned(scene, folder)
    scene.set_structure("target", None)
    scene.fit_view()


@lru_cache(maxsize=1)
def _runs(folder: Path) -> tuple[Curve, ...]:
    """Run four optimisers on 4AKE and 1AKE."""
    from lieapp.api import run_align

    names = ("sgd", "adam", "lbfgs", "sophia")
    files = [str(folder / "adk" / f"{name}.pdb") for name in ("4AKE", "1AKE")]
    jobs = [job_from_options(*files, optimizer=name) for name in names]
    inputs = load_inputs(jobs[0])
    with single_thread():
        done = [run_align(job, inputs) for job in jobs]
    results = [AlignmentResult(run.job, inputs, run.recording, run.report, run.recording.best) for run in done]
    return tuple(curves_of(results))


def _race(folder: Path, path: Path) -> None:
    write_race_picture(_runs(folder), path, MovieLook(size=SIZE))


def _slice(folder: Path, path: Path) -> None:
    curves = _runs(folder)
    first = curves[0].result
    surface = LossSurface.of_inputs(first.inputs, first.inputs.objective(first.job))
    found = compute_slice(start_plane(surface, first.recording.state(0)["rotation"][0]), points=61)
    assert found is not None
    write_slice_figure(found, path, curves)
    with Image.open(path) as picture:
        ImageOps.pad(picture.convert("RGB"), SIZE, Image.Resampling.LANCZOS, color="white").save(path)


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
    "spheres": _spheres,
    "3j9g_density": _density,
}
"""What a scene shows."""
EXPORTS: dict[str, Callable[[Path, Path], None]] = {"race": _race, "loss_slice": _slice}
"""What is written as a file."""
NAMES = (*CASES, *EXPORTS)


def draw(folder: Path) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yield name and picture, shape (300, 400, 4), of every case."""
    for name, show in CASES.items():
        with headless_scene(SIZE, triangles=400_000) as scene:
            show(scene, folder)
            yield name, scene.render(SIZE)


if __name__ == "__main__":
    try:
        source, out = (Path(argument) for argument in sys.argv[1:3])
        for case, export in EXPORTS.items():
            export(source, out / f"{case}.png")
        for case, picture in draw(source):
            Image.fromarray(picture[..., :3]).save(out / f"{case}.png")
        for case in NAMES:
            with Image.open(out / f"{case}.png") as whole:
                # Few colours make small files; what is compared is blurred anyway.
                reduced = whole.convert("RGB").quantize(96, dither=Image.Dither.NONE)
            reduced.save(out / f"{case}.png", optimize=True)
    except SceneError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
