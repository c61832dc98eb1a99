"""All of a scene as plain arrays: taken where it is shown, drawn elsewhere, as in another process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lieapp.scene.camera import Viewpoint
from lieapp.scene.headlight import Headlight
from lieapp.scene.isosurface import Isosurface
from lieapp.structures.structure import Atoms, Residues, Structure

if TYPE_CHECKING:
    from lieapp.scene.molecular_scene import MolecularScene
    from lieapp.scene.painter import Slot

__all__ = ["ScrewAxis", "packed_structure", "restore_scene", "take_snapshot", "unpacked_structure"]

Arrays = Mapping[str, Any]
_SLOTS: tuple[Slot, Slot] = ("target", "mobile")
_BODY_COLUMNS = ("drawn", "hatched", "highlighted")
_CONTOUR_COLUMNS = tuple(field.name for field in fields(Isosurface))


@dataclass(frozen=True, eq=False)
class ScrewAxis:
    """What `MolecularScene.set_screw_axis` was told.

    Attributes
    ----------
    point, direction : ndarray, shape=(3,)
    angle, translation : float
    start : ndarray, shape=(3,), or None
    """

    point: NDArray[np.float64]
    direction: NDArray[np.float64]
    angle: float
    translation: float
    start: NDArray[np.float64] | None


def packed_structure(structure: Structure, model: int) -> dict[str, NDArray[Any]]:
    """Return the arrays that are needed to draw one model."""
    parts: dict[str, NDArray[Any]] = {"coordinates": structure.coordinates[model]}
    parts["name"] = np.array(structure.name)
    for prefix, columns in (("atoms", structure.atoms), ("residues", structure.residues)):
        parts.update({f"{prefix}.{name}": value for name, value in vars(columns).items()})
    return parts


def unpacked_structure(own: Arrays) -> Structure:
    """Return the structure of `packed_structure`; its only model is the one that was packed."""

    def columns(kind: str) -> dict[str, Any]:
        return {name.split(".", 1)[1]: value for name, value in own.items() if name.startswith(f"{kind}.")}

    return Structure(
        name=str(own["name"]),
        title="",
        coordinates=own["coordinates"][None],
        model_numbers=(1,),
        atoms=Atoms(**columns("atoms")),
        residues=Residues(**columns("residues")),
    )


def _below(arrays: Arrays, prefix: str) -> dict[str, Any]:
    """Return the arrays whose names begin with a prefix and a dot, by the rest of their names."""
    return {name.removeprefix(f"{prefix}."): arrays[name] for name in arrays if name.startswith(f"{prefix}.")}


def take_snapshot(scene: MolecularScene) -> dict[str, Any]:
    """Return all that `restore_scene` needs to draw the same picture; nothing large is copied.

    Parameters
    ----------
    scene : MolecularScene

    Returns
    -------
    arrays : dict of str to ndarray
        To be kept by `numpy.savez`.
    """
    arrays: dict[str, Any] = {
        "size": np.array(scene.size),
        "background": scene.background,
        "context": scene.context_visible,
    }
    arrays |= {f"headlight.{name}": np.asarray(value) for name, value in asdict(scene.headlight).items()}
    view = scene.viewpoint
    arrays |= {
        f"viewpoint.{field.name}": np.asarray(getattr(view, field.name))
        for field in fields(Viewpoint)
        if getattr(view, field.name) is not None
    }
    for slot in _SLOTS:
        arrays[f"{slot}.style"] = scene.style_of(slot)
        body = scene.body(slot)
        if body is not None:
            packed = packed_structure(body.structure, body.model)
            arrays |= {f"{slot}.structure.{name}": value for name, value in packed.items()}
            arrays |= {f"{slot}.colors": body.colors, f"{slot}.matrix": body.matrix}
            for name in _BODY_COLUMNS:
                if getattr(body, name) is not None:
                    arrays[f"{slot}.{name}"] = getattr(body, name)
            if body.opacity is not None:
                arrays[f"{slot}.opacity"] = body.opacity
        density = scene.density(slot)
        if density is not None:
            prefix = f"{slot}.density"
            arrays |= {f"{prefix}.contour.{name}": getattr(density.contour, name) for name in _CONTOUR_COLUMNS}
            arrays |= {f"{prefix}.color": density.color, f"{prefix}.opacity": density.opacity}
            arrays[f"{prefix}.style"] = density.style
    for index, ghost in enumerate(scene.ghosts):
        arrays |= {f"ghosts.{index}.{name}": np.asarray(value) for name, value in vars(ghost).items()}
    if scene.pair_points is not None:
        arrays["pairs.mobile"], arrays["pairs.target"] = scene.pair_points
    if scene.screw_axis is not None:
        axis = {name: value for name, value in vars(scene.screw_axis).items() if value is not None}
        arrays |= {f"screw.{name}": value for name, value in axis.items()}
    return arrays


def restore_scene(scene: MolecularScene, arrays: Arrays) -> None:
    """Let a scene show what another one did when `take_snapshot` was called."""
    from lieapp.scene.painter import Ghost

    for slot in _SLOTS:
        own = _below(arrays, slot)
        scene.set_style(str(own["style"]), slot)  # type: ignore[arg-type]
        structure = _below(own, "structure")
        if structure:
            scene.set_structure(slot, unpacked_structure(structure), drawn=own.get("drawn"))
            scene.set_residue_colors(slot, own["colors"])
            scene.set_pose(slot, own["matrix"])
            scene.set_opacity(slot, float(own["opacity"]) if "opacity" in own else None)
            scene.set_hatched(slot, own.get("hatched"))
            scene.set_highlight(slot, own.get("highlighted"))
        density = _below(own, "density")
        if density:
            contour = Isosurface(**_below(density, "contour"))
            style = str(density["style"])
            opacity = float(density["opacity"])
            scene.set_density(slot, contour, density["color"], opacity=opacity, style=style)  # type: ignore[arg-type]
    ghosts = _below(arrays, "ghosts")
    count = len({name.split(".")[0] for name in ghosts})
    scene.set_ghosts([_plain(Ghost, _below(ghosts, str(index))) for index in range(count)])
    pairs = _below(arrays, "pairs")
    if pairs:
        scene.set_pair_lines(True, pairs["mobile"], pairs["target"])
    scene.set_context_visible(bool(arrays["context"]))
    scene.set_background(arrays["background"])
    scene.headlight = _plain(Headlight, _below(arrays, "headlight"))
    scene.viewpoint = _plain(Viewpoint, _below(arrays, "viewpoint"))
    screw = _below(arrays, "screw")
    if screw:
        axis = _plain(ScrewAxis, {"start": None} | screw)
        scene.set_screw_axis(
            axis.point, axis.direction, angle=axis.angle, translation=axis.translation, start=axis.start
        )


def _plain(kind: Any, values: Arrays) -> Any:
    """Make a value of arrays, those of no axes as plain numbers and words."""
    plain = {}
    for name, value in values.items():
        plain[name] = value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value
    return kind(**plain)
