"""Generate the bundled pair: a two-domain helical protein, open and closed, with its truth beside it.

Run as ``python generate.py [FOLDER]``. It writes ``hinge_open.pdb``, ``hinge_closed.pdb`` and ``hinge_truth.json``.

The protein is invented. Its backbone has ideal bond lengths and angles (Engh and Huber 1991) and ideal alpha helices;
only the loops needed a search (``design_loops.py``), whose result is the table of dihedrals below. Domain 1 is a bundle
of four helices, domain 2 of three. The closed form follows from the open one by an exact rotation of domain 2 about
an axis near the linker, a linker built anew, and small noise. The open form is then moved as a whole, so that
superposing it has something to do.
"""

from __future__ import annotations

import json
import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# Engh and Huber (1991), in Å and degrees.
N_CA, CA_C, C_N, C_O = 1.458, 1.525, 1.329, 1.231
N_CA_C, CA_C_N, C_N_CA, CA_C_O = np.radians([111.0, 117.2, 121.7, 120.5])

HELIX = (-62.0, -43.0)
EXTENDED = (-75.0, 145.0)


class Segment(NamedTuple):
    """A stretch of the chain and its dihedrals (phi, psi) in degrees."""

    kind: str  # "helix", "loop", "linker" or "end"
    dihedrals: tuple[tuple[float, float], ...]


SEGMENTS = (
    Segment("end", (EXTENDED,) * 3),
    Segment("helix", (HELIX,) * 21),
    Segment("loop", ((76.85, -5.01), (-118.19, -23.83), (-60.73, -65.92), (-132.8, 146.56), (-68.51, 175.11))),
    Segment("helix", (HELIX,) * 20),
    Segment("loop", ((-63.83, -24.26), (-94.85, 178.52), (-68.55, 121.19), (-32.64, 111.17), (-118.06, 126.13))),
    Segment("helix", (HELIX,) * 20),
    Segment("loop", ((77.08, 10.04), (70.81, 35.71), (-69.7, -44.29), (-116.83, 146.36), (-67.66, -28.08))),
    Segment("helix", (HELIX,) * 21),
    Segment(
        "linker",
        ((-53.34, 176.0), (-112.68, 24.94), (-63.31, -9.29), (74.08, 37.78), (-62.4, 145.47), (-122.47, 113.52)),
    ),
    Segment("helix", (HELIX,) * 18),
    Segment("loop", ((-57.31, 132.38), (-78.27, -23.81), (-68.1, 159.94), (-55.06, -59.01), (54.88, 37.18))),
    Segment("helix", (HELIX,) * 17),
    Segment("loop", ((-65.14, 166.79), (-67.73, 162.53), (-83.71, 157.81), (70.84, 50.98), (-115.97, 120.51))),
    Segment("helix", (HELIX,) * 17),
    Segment("end", ((-75.0, 5.0), (-92.0, 133.0), (-66.0, 142.0), (-120.0, 140.0))),
)
#: The linker of the closed form: it meets domain 2 after the hinge rotation.
CLOSED_LINKER = (
    (-56.4615, 141.2908),
    (-78.1532, 17.6884),
    (-70.2372, -9.3291),
    (64.2577, 70.7354),
    (-89.8479, -173.4331),
    (-118.4780, 119.1494),
)

# Domain 2 turns by this angle from the open to the closed form, about this axis, in the frame of residue 1.
HINGE_ANGLE = 44.0
HINGE_AXIS = (0.4071, -0.8942, 0.1863)
HINGE_POINT = (19.813, 7.362, -13.716)

# Where the open form is put: a rotation about an axis, then a translation.
POSE_ANGLE = 127.0
POSE_AXIS = (0.42, -0.77, 0.48)
POSE_SHIFT = (38.0, -21.5, 12.25)

NOISE_RMS = 0.10
NOISE_WIDTH = 1.5  # residues: neighbours move together, so that bonds keep their lengths
SEED = 20250823

NAMES = {
    "A": "ALA", "R": "ARG", "N": "ASN", "D": "ASP", "C": "CYS", "Q": "GLN", "E": "GLU", "G": "GLY", "H": "HIS",
    "I": "ILE", "L": "LEU", "K": "LYS", "M": "MET", "F": "PHE", "P": "PRO", "S": "SER", "T": "THR", "W": "TRP",
    "Y": "TYR", "V": "VAL",
}  # fmt: skip
ATOM_NAMES = ("N", "CA", "C", "O", "CB")
B_FACTORS = {"helix": 14.0, "loop": 26.0, "linker": 32.0, "end": 44.0}


def place(a: Array, b: Array, c: Array, length: float, angle: float, dihedral: Array | float) -> Array:
    """Return the atom bound to `c` with a bond length, an angle b-c-atom and a dihedral a-b-c-atom (radians)."""
    along = c - b
    along = along / np.linalg.norm(along, axis=-1, keepdims=True)
    normal = np.cross(b - a, along)
    normal = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
    turn = np.asarray(dihedral)[..., None]
    across = np.cos(turn) * np.cross(normal, along) + np.sin(turn) * normal
    return c + length * (np.sin(angle) * across - np.cos(angle) * along)


def next_residue(before: tuple[Array, Array, Array], psi: Array | float, phi: Array | float) -> tuple[Array, ...]:
    """Return N, CA, C of the residue after one with dihedral `psi`; the peptide bond is trans."""
    n = place(*before, C_N, CA_C_N, psi)
    ca = place(before[1], before[2], n, N_CA, C_N_CA, np.full(np.shape(psi), np.pi))
    return n, ca, place(before[2], n, ca, CA_C, N_CA_C, phi)


def trace(dihedrals: Array, first: tuple[Array, ...] | None = None) -> Array:
    """Return N, CA, C of a chain.

    Parameters
    ----------
    dihedrals : ndarray, shape=(residues, 2)
        phi and psi in radians; phi of the first residue is not used.
    first : tuple of three ndarray, shape=(3,), optional
        N, CA, C of the first residue; otherwise N is at the origin and CA on the x axis.

    Returns
    -------
    points : ndarray, shape=(residues, 3, 3)
    """
    if first is None:
        ca = np.array([N_CA, 0.0, 0.0])
        first = (np.zeros(3), ca, ca + CA_C * np.array([-np.cos(N_CA_C), np.sin(N_CA_C), 0.0]))
    residues = [first]
    for before, after in pairwise(dihedrals):
        residues.append(next_residue(residues[-1], before[1], after[0]))
    return np.array(residues)


def decorate(points: Array, psi: Array) -> Array:
    """Add O and CB to N, CA, C: shape (residues, 5, 3)."""
    n, ca, c = points[:, 0], points[:, 1], points[:, 2]
    oxygen = place(n, ca, c, C_O, CA_C_O, psi + np.pi)
    one, two = ca - n, c - ca
    # The place of CB in an ideal L-residue as a combination of the bonds around CA.
    beta = ca - 0.58273431 * np.cross(one, two) + 0.56802827 * one - 0.54067466 * two
    return np.stack([n, ca, c, oxygen, beta], axis=1)


def rotation(axis: tuple[float, float, float] | Array, degrees: float) -> Array:
    """Return the matrix of a rotation about an axis (Rodrigues)."""
    x, y, z = np.asarray(axis) / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross


def kinds() -> list[str]:
    """Return the kind of segment of every residue."""
    return [segment.kind for segment in SEGMENTS for _ in segment.dihedrals]


def linker() -> tuple[int, int]:
    """Return the first residue of the linker and the first one after it, from 0."""
    found = kinds()
    return found.index("linker"), len(found) - found[::-1].index("linker")


def open_dihedrals() -> Array:
    """Return phi and psi of the open form in radians, shape (residues, 2)."""
    return np.radians(np.array([pair for segment in SEGMENTS for pair in segment.dihedrals]))


def build_open() -> Array:
    """Return the atoms of the open form in the frame of residue 1, shape (residues, 5, 3)."""
    dihedrals = open_dihedrals()
    return decorate(trace(dihedrals), dihedrals[:, 1])


def turn_domain(points: Array) -> Array:
    """Apply the hinge rotation to points of domain 2 of the open form."""
    point = np.array(HINGE_POINT)
    return (points - point) @ rotation(HINGE_AXIS, HINGE_ANGLE).T + point


def build_closed(opened: Array) -> Array:
    """Return the closed form without noise, shape (residues, 5, 3)."""
    start, stop = linker()
    dihedrals = open_dihedrals()
    dihedrals[start:stop] = np.radians(CLOSED_LINKER)
    before = tuple(opened[start - 1, :3])
    anew = decorate(trace(dihedrals[start - 1 : stop], before), dihedrals[start - 1 : stop, 1])[1:]
    return np.concatenate([opened[:start], anew, turn_domain(opened[stop:])])


def smooth_noise(residues: int) -> Array:
    """Return one displacement a residue, alike for neighbours along the chain, shape (residues, 1, 3)."""
    # RandomState: its stream is frozen for good, that of newer generators is not.
    white = np.random.RandomState(SEED).normal(size=(residues, 3))
    apart = np.arange(residues)[:, None] - np.arange(residues)[None, :]
    smooth = np.exp(-0.5 * (apart / NOISE_WIDTH) ** 2) @ white
    smooth *= NOISE_RMS / np.sqrt(np.mean(np.sum(smooth**2, axis=1)))
    return smooth[:, None, :]


def sequence(atoms: Array) -> str:
    """Return a plausible sequence: apolar inside, charged outside, glycine where phi is positive."""
    dihedrals = np.degrees(open_dihedrals())
    found = kinds()
    beta = atoms[:, 4]
    # Cone count (side chains ahead of CB), a measure of burial that needs no side chain.
    ahead = beta - atoms[:, 1]
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    other = beta[None, :] - beta[:, None]
    distance = np.linalg.norm(other, axis=2) + np.eye(len(beta))
    facing = np.einsum("ijk,ik->ij", other, ahead) / distance
    burial = np.sum((distance < 11.0) * np.maximum(facing + 0.3, 0.0), axis=1)
    inside, between = np.quantile(burial, [0.62, 0.45])
    cycles = {
        "inside": "LAILVLFAMLIYLAVLWIAL",
        "between": "ASTAQAHA",
        "outside": "EKRAEQKEDKREQNK",
        "loop": "NSTGDKPSEG",
        "cap": "SDTD",
    }
    used = dict.fromkeys(cycles, 0)
    starts = {k for k in range(1, len(found)) if found[k] == "helix" != found[k - 1]}
    letters = []
    for k, kind in enumerate(found):
        if k == 0:
            letters.append("M")
            continue
        if kind != "helix" and dihedrals[k, 0] > -50.0:
            letters.append("G")
            continue
        if kind != "helix":
            role = "cap" if k + 1 in starts else "loop"
        else:
            role = "inside" if burial[k] > inside else "between" if burial[k] > between else "outside"
        letter = cycles[role][used[role] % len(cycles[role])]
        used[role] += 1
        proline_fits = -90.0 < dihedrals[k, 0] < -50.0 and dihedrals[k - 1, 1] > 90.0
        letters.append("S" if letter == "P" and not proline_fits else letter)
    return "".join(letters)


def superposed(mobile: Array, target: Array) -> tuple[Array, Array, float]:
    """Return rotation, translation and RMSD of the best superposition (Kabsch 1976)."""
    a, b = mobile.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((mobile - a).T @ (target - b))
    turn = (u * [1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
    moved = (mobile - a) @ turn + b
    return turn.T, b - turn.T @ a, float(np.sqrt(np.mean(np.sum((moved - target) ** 2, axis=1))))


def pdb_text(atoms: Array, letters: str, form: str) -> str:
    """Return a PDB file: HELIX records, backbone and CB, chain A."""
    found = kinds()
    names = [NAMES[letter] for letter in letters]
    lines = [
        f"TITLE     INVENTED TWO-DOMAIN HELICAL PROTEIN, {form.upper()} FORM",
        "REMARK   1 NOT AN EXPERIMENT: GENERATED BY GENERATE.PY OF LIEAPP.",
        "REMARK   1 SIDE CHAINS END AT CB. THE HINGE IS DESCRIBED IN HINGE_TRUTH.JSON.",
    ]
    for row, start in enumerate(range(0, len(names), 13)):
        lines.append(f"SEQRES {row + 1:>3d} A {len(names):>4d}  {' '.join(names[start : start + 13])}")
    for number, (first, last) in enumerate(helices(), start=1):
        lines.append(
            f"HELIX  {number:>3d} {number:>3d} {names[first - 1]} A {first:>4d}  {names[last - 1]} A {last:>4d}  1"
            f"{'':30s} {last - first + 1:>5d}"
        )
    serial = 0
    for residue, name in enumerate(names):
        for atom, point in zip(ATOM_NAMES, atoms[residue], strict=True):
            if atom == "CB" and name == "GLY":
                continue
            serial += 1
            x, y, z = point
            lines.append(
                f"ATOM  {serial:>5d}  {atom:<3s} {name} A{residue + 1:>4d}    {x:8.3f}{y:8.3f}{z:8.3f}"
                f"{1.0:6.2f}{B_FACTORS[found[residue]]:6.2f}          {atom[0]:>2s}"
            )
    lines.append(f"TER   {serial + 1:>5d}      {names[-1]} A{len(names):>4d}")
    lines.append("END")
    return "".join(f"{line:<80s}\n" for line in lines)


def helices() -> list[tuple[int, int]]:
    """Return first and last residue of every helix, numbered from 1."""
    ends, number = [], 1
    for segment in SEGMENTS:
        if segment.kind == "helix":
            ends.append((number, number + len(segment.dihedrals) - 1))
        number += len(segment.dihedrals)
    return ends


def generate() -> dict[str, str]:
    """Return the three files by name."""
    opened = build_open()
    closed = build_closed(opened)
    letters = sequence(closed)
    closed = np.round(closed + smooth_noise(len(closed)), 3)
    pose = np.eye(4)
    pose[:3, :3] = rotation(POSE_AXIS, POSE_ANGLE)
    pose[:3, 3] = POSE_SHIFT
    moved = np.round(opened @ pose[:3, :3].T + pose[:3, 3], 3)
    turn, _, rmsd = superposed(moved[:, 1], closed[:, 1])
    start, stop = linker()
    axis = np.asarray(HINGE_AXIS) / np.linalg.norm(HINGE_AXIS)
    truth = {
        "residues": len(letters),
        "sequence": letters,
        "helices": helices(),
        "domain_1": [1, start],
        "linker": [start + 1, stop],
        "domain_2": [stop + 1, len(letters)],
        "hinge": {
            "meaning": "with domain 1 of the open form placed on the closed form by pose.inverse, this rotation about "
            "this line (frame of hinge_closed.pdb) takes its domain 2 to the closed place",
            "angle_degrees": HINGE_ANGLE,
            "axis": [round(float(value), 9) for value in axis],
            "point_angstrom": list(HINGE_POINT),
        },
        "pose": {
            "meaning": "x' = R x + t that was applied to the open form, built in the frame of hinge_closed.pdb",
            "angle_degrees": POSE_ANGLE,
            "matrix": np.round(pose, 9).tolist(),
            "inverse": np.round(np.linalg.inv(pose), 9).tolist(),
        },
        "noise": {"rms_angstrom": NOISE_RMS, "width_residues": NOISE_WIDTH, "seed": SEED, "form": "closed"},
        "kabsch": {
            "meaning": "best superposition of all CA of hinge_open.pdb onto hinge_closed.pdb",
            "pairs": len(letters),
            "rmsd_angstrom": round(rmsd, 6),
            "angle_degrees": round(float(np.degrees(np.arccos((np.trace(turn) - 1.0) / 2.0))), 4),
        },
    }
    return {
        "hinge_open.pdb": pdb_text(moved, letters, "open"),
        "hinge_closed.pdb": pdb_text(closed, letters, "closed"),
        "hinge_truth.json": _compact(json.dumps(truth, indent=1)) + "\n",
    }


def _compact(text: str) -> str:
    """Put lists of numbers on one line."""
    return re.sub(r"\[[^\[\]{}]*\]", lambda found: f"[{' '.join(found.group()[1:-1].split())}]", text)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    for name, content in generate().items():
        (folder / name).write_bytes(content.encode("ascii"))
        print(folder / name)


if __name__ == "__main__":
    main()
