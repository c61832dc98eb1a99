"""What drawing costs: meshes built by numpy, and paints by whatever draws without a display."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
_TINTS = ("#D55E00", "#0072B2", "#009E73", "#CC79A7")


def _best(call: Any, repeats: int) -> float:
    """Return the shortest of several runs in milliseconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def _chain(residues: int) -> np.ndarray:
    angle = np.radians(100.0) * np.arange(residues)
    wave = np.stack([2.3 * np.cos(angle), 2.3 * np.sin(angle), 1.5 * np.arange(residues)], axis=1)
    return wave + 5 * np.sin(np.arange(residues) / 40)[:, None]


def _meshes(quick: bool) -> list[dict[str, Any]]:
    from vispy.visuals.tube import TubeVisual

    from lieapp.scene.ribbon import build_ribbon, ribbon_sides
    from lieapp.scene.tube import build_tube

    rows = []
    for residues in (150, 300) if quick else (150, 300, 1500, 5000):
        points = _chain(residues)
        fragment = np.arange(residues) // 300
        own = _best(lambda p=points, f=fragment: build_tube(p, f, 0.75, segments=6, corners=8), 3 if quick else 9)
        row: dict[str, Any] = {"name": f"tube of {residues} residues", "value": own, "unit": "ms"}
        if residues == 1500:
            row["limit"] = 25.0
        if residues <= 300:
            fine = np.stack(
                [np.interp(np.linspace(0, residues - 1, 6 * residues), np.arange(residues), c) for c in points.T], 1
            )
            peer = _best(lambda p=fine: TubeVisual(p, radius=0.75, tube_points=8), 1)
            row |= {"peer": peer, "ratio": peer / own}
        rows.append(row)
    for residues in (300,) if quick else (300, 1500, 8015):
        points = _chain(residues)
        fragment = np.arange(residues) // 300
        states = np.resize(list("CCHHHHHHHHHHCCCEEEEEECCC"), residues)
        nowhere = np.full_like(points, np.nan)

        def cartoon(p: Any = points, f: Any = fragment, s: Any = states, o: Any = nowhere) -> None:
            build_ribbon(p, ribbon_sides(p, o, f), s, f, segments=6, corners=8)

        row = {"name": f"cartoon of {residues} residues", "value": _best(cartoon, 3 if quick else 9), "unit": "ms"}
        rows.append(row | ({"limit": 25.0} if residues == 1500 else {}))
        if residues == 1500:
            rows.append({"name": "cartoon, for each residue", "value": 1e3 * row["value"] / residues, "unit": "µs"})
    return rows


def _parts(quick: bool) -> list[dict[str, Any]]:
    """Soft shadows and contours, which are worked out once for each mesh or level."""
    from lieapp.scene.isosurface import isosurface
    from lieapp.scene.occlusion import sky_visibility
    from lieapp.scene.ribbon import build_ribbon, ribbon_sides

    rows = []
    residues = 300 if quick else 1500
    points = _chain(residues)
    fragment = np.arange(residues) // 300
    mesh = build_ribbon(
        points, ribbon_sides(points, np.full_like(points, np.nan), fragment), ["C"] * residues, fragment
    )
    repeats = 3 if quick else 9
    shadows = _best(lambda: sky_visibility(mesh.vertices, mesh.normals, points), repeats)
    rows.append({"name": f"soft shadows on {len(mesh.vertices)} vertices", "value": shadows, "unit": "ms"})
    for count in (32,) if quick else (64, 128):
        axes = np.meshgrid(*3 * [np.linspace(-1, 1, count, dtype=np.float32)], indexing="ij")
        ball = 0.8 - np.sqrt(sum(axis**2 for axis in axes))
        folded = np.sin(9 * axes[0]) * np.cos(9 * axes[1]) + np.sin(9 * axes[1]) * np.cos(9 * axes[2])
        for name, grid in (("a ball", ball), ("a folded sheet", folded)):
            value = _best(lambda g=grid: isosurface(g, 0.0), 1 if quick else 3)
            rows.append({"name": f"contour of {name} in a map of {count}³ points", "value": value, "unit": "ms"})
    return rows


def _levels(quick: bool) -> list[dict[str, Any]]:
    """One level of a real map, as a drag of the level asks for it, beside the marching cubes of vispy."""
    import warnings

    from vispy.geometry.isosurface import isosurface as marching_cubes

    from lieapp.cryoem.map_statistics import map_statistics
    from lieapp.cryoem.maps import DensityMap, read_map
    from lieapp.scene.contours import map_contour

    path = _shared_data() / "cryoem" / "cryojax" / "3j9g_potential_ps4_4.mrc"
    if not path.is_file():
        return []
    small = read_map(path)
    rows = []
    for density in (small,) if quick else (small, DensityMap(_finer(small.values), (2.2, 2.2, 2.2))):
        count = len(density.values)
        level = map_statistics(density.values).initial_level

        def peer(values: Any = density.values, level: float = level) -> None:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it lets its counters overflow
                marching_cubes(values, level)

        def own(density: DensityMap = density, level: float = level, stride: int = 1) -> Any:
            return map_contour(density, level, stride=stride)

        value, other = _best(own, 1 if quick else 9), _best(peer, 1 if quick else 3)
        name = f"one level of a real map of {count}³ points, {len(own().triangles)} triangles"
        rows.append({"name": name, "value": value, "unit": "ms", "peer": other, "ratio": other / value})
        coarse = _best(lambda own=own: own(stride=2), 1 if quick else 9)
        rows.append({"name": f"the same, every second point of {count}³", "value": coarse, "unit": "ms"})
        statistics = _best(lambda v=density.values: map_statistics(v), 1 if quick else 3)
        rows.append({"name": f"histogram and first level of {count}³ points", "value": statistics, "unit": "ms"})
    return rows


def _finer(values: np.ndarray) -> np.ndarray:
    """The same density on twice as many points along each axis, interpolated by Fourier's series."""
    count = len(values)
    transform = np.fft.fftshift(np.fft.fftn(values))
    padded = np.pad(transform, count // 2)
    return np.ascontiguousarray(8 * np.fft.ifftn(np.fft.ifftshift(padded)).real, dtype=np.float32)


def _shared_data() -> Path:
    import os

    return Path(os.environ.get("LIEAPP_SHARED_DATA", ROOT.parent / "shared" / "data"))


def _paints(quick: bool) -> list[dict[str, Any]]:
    """Paint in a process without a display; nothing where there is no EGL."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_scene", "5" if quick else "40"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else []


def _paint_here(repeats: int) -> list[dict[str, Any]]:
    from lieapp.scene.headless import headless_scene
    from tests.scene.builders import structure_of

    rows = []
    for style in ("ribbon", "tube", "sticks", "spheres"):
        with headless_scene((800, 600), triangles=40_000, draft_triangles=13_000) as scene:
            scene.set_style(style)
            for slot, shift in (("mobile", 0.0), ("target", 4.0)):
                scene.set_structure(slot, structure_of(_coil(214) + shift))
            rows += _animated(scene, f"428 residues as {style}, 800x600", repeats, limit=1000 / 15)
    return rows + _real(repeats)


def _animated(scene: Any, name: str, repeats: int, limit: float | None = None) -> list[dict[str, Any]]:
    scene.fit_view()
    scene.draw()
    poses = iter(range(10_000))

    def paint() -> None:
        matrix = np.eye(4)
        matrix[0, 3] = 0.01 * next(poses)
        scene.set_pose("mobile", matrix)
        scene.draw()

    processor = time.process_time()
    value = _best(paint, repeats)
    processor = 1e3 * (time.process_time() - processor) / repeats
    row: dict[str, Any] = {"name": f"paint of {name}", "value": value, "unit": "ms"}
    return [
        row | ({} if limit is None else {"limit": limit}),
        {"name": f"processor time of it ({name})", "value": processor, "unit": "ms"},
    ]


def _real(repeats: int) -> list[dict[str, Any]]:
    """Real structures: adenylate kinase in motion, and a large assembly from the file to the first picture."""
    from lieapp.scene.coloring import residue_colors
    from lieapp.scene.geometry import build_geometry
    from lieapp.scene.headless import headless_scene
    from lieapp.scene.painter import Ghost
    from lieapp.structures.reading import read_structure

    folder = _shared_data() / "structures"
    if not folder.is_dir():
        return []
    rows = []
    with headless_scene((800, 600), triangles=40_000, draft_triangles=13_000) as scene:
        for slot, name in (("mobile", "4AKE"), ("target", "1AKE")):
            structure = read_structure(folder / "adk" / f"{name}.pdb")
            scene.set_structure(slot, structure, drawn=structure.residues.chain == "A")
        rows += _animated(scene, "4AKE A on 1AKE A as ribbon, 800x600", repeats, limit=1000 / 15)
        values = np.linspace(0, 9, len(structure.residues))

        def recolor() -> None:
            scene.set_residue_colors("target", residue_colors(structure, "deviation", values=values))
            scene.draw()

        rows.append({"name": "recolour and paint it", "value": _best(recolor, repeats), "unit": "ms"})
        scene.set_style("spheres")
        rows += _animated(scene, "4AKE A on 1AKE A as all atoms, 800x600", repeats)
        scene.hurried = True
        rows += _animated(scene, "4AKE A on 1AKE A as one sphere a residue, in a hurry, 800x600", repeats)
        scene.hurried = False
        scene.set_style("ribbon")
        still = _best(lambda: scene.render((800, 600)), max(repeats // 8, 2))
        scene.set_opacity("mobile", 0.0)
        scene.set_ghosts([Ghost(_turned(0.3 * k), color, 0.7) for k, color in enumerate(_TINTS)])
        race = _best(lambda: scene.render((800, 600)), max(repeats // 8, 2))
        rows.append({"name": "still picture of it, 800x600", "value": still, "unit": "ms"})
        rows.append({"name": "still picture of a race of four, 800x600", "value": race, "unit": "ms"})
    with headless_scene((800, 600), triangles=40_000, draft_triangles=13_000) as scene:
        start = time.perf_counter()
        structure = read_structure(folder / "diverse" / "1aon.pdb.gz")
        read = time.perf_counter()
        scene.set_structure("mobile", structure)
        scene.set_residue_colors("mobile", residue_colors(structure, "chain"))
        scene.fit_view()
        scene.draw()
        done = time.perf_counter()
        rows.append({"name": "read 1AON (58 870 atoms)", "value": 1e3 * (read - start), "unit": "ms"})
        rows.append(
            {"name": "1AON from the file to its cartoon", "value": 1e3 * (done - start), "unit": "ms", "limit": 3000.0}
        )
        rows += _animated(scene, "1AON (8015 residues) as ribbon, 800x600", repeats)
        geometry = build_geometry(structure)
        geometry.prepare(13_000)
        scene.set_structure("mobile", structure, geometry=geometry)
        start = time.perf_counter()
        scene.draw()
        first = 1e3 * (time.perf_counter() - start)
        rows.append({"name": "first paint of 1AON, its meshes made ahead", "value": first, "unit": "ms"})
    return rows


def _turned(angle: float) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return matrix


def _coil(residues: int) -> np.ndarray:
    """A chain that folds back on itself, as compact as a protein."""
    rng = np.random.default_rng(4)
    points = np.zeros((residues, 3))
    direction = np.array([1.0, 0.0, 0.0])
    for index in range(1, residues):
        direction = direction + 0.6 * rng.normal(size=3) - 0.03 * points[index - 1]
        direction /= np.linalg.norm(direction)
        points[index] = points[index - 1] + 3.8 * direction
    return points


def _window(quick: bool) -> list[dict[str, Any]]:
    """A large assembly and large pictures in the window of the program; gaps are how long it did not answer."""
    from tests.benchmarks.window_process import measured_in_window

    name, file = ("1AON", _shared_data() / "structures" / "diverse" / "1aon.pdb.gz")
    if not file.is_file():
        return []
    width, height = (960, 540) if quick else (3840, 2160)
    found = measured_in_window("pictures_process", [str(file), "--width", str(width), "--height", str(height)])
    picture = f"transparent picture of {name}, {width}x{height}"
    return [
        {"name": f"{name} from File, Open to its first paint", "value": found["first"], "unit": "ms", "limit": 3000.0},
        {"name": "longest gap meanwhile", "value": found["first_gap"], "unit": "ms"},
        {"name": f"{picture}, drawn beside the window", "value": found["beside"], "unit": "ms"},
        {"name": "longest gap meanwhile (beside)", "value": found["beside_gap"], "unit": "ms"},
        {"name": f"{picture}, drawn by the window, which waits", "value": found["by_window"], "unit": "ms"},
    ]


def run(quick: bool) -> list[dict[str, Any]]:
    return _meshes(quick) + _parts(quick) + _levels(quick) + _paints(quick) + _window(quick)


if __name__ == "__main__":
    from lieapp.scene.errors import SceneError

    try:
        print(json.dumps(_paint_here(int(sys.argv[1]))))
    except SceneError as error:
        print(error, file=sys.stderr)
        sys.exit(3)
