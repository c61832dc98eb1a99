"""Scripts that show the superposition in PyMOL and ChimeraX: open both files, place, colour by deviation with a key."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from lieapp.export.alignment_result import AlignmentResult
from lieapp.export.errors import ExportError
from lieapp.scene.colors import DEVIATION_STOPS, TARGET
from lieapp.structures.reading import read_structures
from lieapp.structures.structure import Structure
from lieapp.structures.writing import write_structure

__all__ = ["write_chimerax_attributes", "write_chimerax_script", "write_pymol_script"]

_UNPAIRED = "#8C8C8C"
_SLOTS: tuple[Literal["mobile", "target"], ...] = ("mobile", "target")


def _relative(result: AlignmentResult, folder: Path, slot: Literal["mobile", "target"]) -> str:
    """Path of the structure's file as seen from the folder of the script.

    Of BinaryCIF, which PyMOL 2 does not read, a copy in mmCIF is written beside the script.
    """
    structure: Structure = getattr(result.inputs, slot)
    if structure.source is None or structure.source.path is None:
        raise ExportError(f"{structure.name} came from no file, so a script cannot open it.")
    if structure.source.format == "bcif":
        return write_structure(structure, folder / f"{result.stem}_{slot}.cif").path.name
    path = Path(structure.source.path).resolve()
    try:
        relative = os.path.relpath(path, folder.resolve())
    except ValueError:  # another drive on Windows
        return path.as_posix()
    return Path(relative).as_posix()


def _model_place(result: AlignmentResult, slot: Literal["mobile", "target"]) -> tuple[int, int]:
    """Return the place of the aligned model among those of the file that a script opens, from 1, and their count.

    PyMOL and ChimeraX number models by their places, whatever numbers the file gives them.
    """
    structure: Structure = getattr(result.inputs, slot)
    model: int = getattr(result.inputs, f"{slot}_model")
    numbers = structure.model_numbers
    if structure.source is not None and structure.source.path is not None and structure.source.format != "bcif":
        # Models with other atoms are structures of their own.
        parts = read_structures(structure.source.path)
        numbers = tuple(sorted(number for part in parts for number in part.model_numbers))
    return numbers.index(structure.model_numbers[model]) + 1, len(numbers)


def _quoted(text: str) -> str:
    """Quote a word for ChimeraX, in which a backslash escapes as in Python."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _rgb(color: str) -> str:
    return ", ".join(f"{int(color[i : i + 2], 16) / 255:.4f}" for i in (1, 3, 5))


def _deviations(result: AlignmentResult) -> Iterator[tuple[str, str, float]]:
    """Chain, residue number with insertion code, deviation in Å, for every paired residue of the mobile."""
    names = result.inputs.mobile.residues
    for residue, deviation in zip(*result.residue_deviations, strict=True):
        number = f"{names.number[residue]}{names.insertion_code[residue]}"
        yield str(names.chain[residue]), number, float(deviation)


def write_pymol_script(result: AlignmentResult, path: Path) -> Path:
    """Write a script for PyMOL; it finds the structures relative to itself, wherever it is started.

    Raises
    ------
    ExportError
        If a structure came from no file.
    """
    stops = ", ".join(f"{stop:g}" for stop, _ in DEVIATION_STOPS)
    # Every number needs its point: PyMOL 2.5 crashes on whole numbers among them.
    numbers = ", ".join(repr(value) for value in result.matrix.ravel().tolist())
    table = ",\n    ".join(f"({chain!r}, {number!r}): {value:.3f}" for chain, number, value in _deviations(result))
    low, middle, high = (color for _, color in DEVIATION_STOPS)
    places = {slot: _model_place(result, slot) for slot in _SLOTS}
    states = "".join(f'cmd.set("state", {place}, "{slot}")\n' for slot, (place, count) in places.items() if count > 1)
    path.write_text(
        f"""\
# {result.inputs.mobile.name} onto {result.inputs.target.name}: {result.pose_text}, RMSD {result.scores.rmsd:.4f} A
python
import os
import pymol

lieapp_folder = os.path.dirname(os.path.abspath(getattr(pymol, "__script__", None) or "."))
lieapp_deviation = {{
    {table}
}}
cmd.load(os.path.join(lieapp_folder, {_relative(result, path.parent, "mobile")!r}), "mobile")
cmd.load(os.path.join(lieapp_folder, {_relative(result, path.parent, "target")!r}), "target")
{states}cmd.transform_selection("mobile", [{numbers}], state=0, homogenous=1)
cmd.alter("mobile", "b = lieapp_deviation.get((chain, resi), -1.0)", space={{"lieapp_deviation": lieapp_deviation}})
cmd.set_color("lieapp_low", [{_rgb(low)}])
cmd.set_color("lieapp_middle", [{_rgb(middle)}])
cmd.set_color("lieapp_high", [{_rgb(high)}])
cmd.set_color("lieapp_target", [{_rgb(TARGET)}])
cmd.set_color("lieapp_unpaired", [{_rgb(_UNPAIRED)}])
cmd.hide("everything")
cmd.show("cartoon", "mobile or target")
cmd.color("lieapp_target", "target")
cmd.color("lieapp_unpaired", "mobile")
cmd.spectrum(
    "b",
    "lieapp_low lieapp_middle lieapp_high",
    "mobile and b > -0.5",
    minimum={DEVIATION_STOPS[0][0]:g},
    maximum={DEVIATION_STOPS[-1][0]:g},
)
cmd.ramp_new("deviation", "none", [{stops}], ["lieapp_low", "lieapp_middle", "lieapp_high"])
cmd.bg_color("white")
cmd.orient("mobile or target")
python end
""",
        encoding="utf-8",
    )
    return path


def write_chimerax_attributes(result: AlignmentResult, path: Path) -> Path:
    """Write the deviations in Å as a residue attribute that ChimeraX opens."""
    lines = ["attribute: deviation", "match mode: any", "recipient: residues"]
    lines += [
        f"\t{f'/{chain}' if chain.strip() else ''}:{number}\t{value:.3f}"
        for chain, number, value in _deviations(result)
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_chimerax_script(result: AlignmentResult, path: Path, attributes: Path) -> Path:
    """Write a script for ChimeraX, which runs it in the script's own folder.

    Raises
    ------
    ExportError
        If a structure came from no file.
    """
    view = ",".join(f"{value:.12g}" for value in result.matrix[:3].ravel())
    palette = ":".join(f"{stop:g},{color}" for stop, color in DEVIATION_STOPS)
    key = " ".join(f"{color}:{stop:g}" for stop, color in DEVIATION_STOPS)
    aligned, others = {}, ""
    for number, slot in enumerate(_SLOTS, 1):
        place, count = _model_place(result, slot)
        aligned[slot] = f"#{number}.{place}" if count > 1 else f"#{number}"
        if count > 1:
            others += f"hide #{number}.1-{count} models\nshow {aligned[slot]} models\n"
    mobile = aligned["mobile"]
    path.write_text(
        f"""\
# {result.inputs.mobile.name} onto {result.inputs.target.name}: {result.pose_text}, RMSD {result.scores.rmsd:.4f} A
open {_quoted(_relative(result, path.parent, "mobile"))} id 1
open {_quoted(_relative(result, path.parent, "target"))} id 2
view matrix models #1,{view}
open {_quoted(os.path.relpath(attributes, path.parent))} models {mobile}
{others}hide atoms
show cartoons
color #2 {TARGET}
color #1 {_UNPAIRED}
color byattribute r:deviation {mobile} palette {palette} noValueColor {_UNPAIRED}
key {key} pos 0.70,0.92 size 0.25,0.03
set bgColor white
view
""",
        encoding="utf-8",
    )
    return path
