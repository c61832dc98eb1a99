"""Draws bodies: what comes first, what shines through, and what is outlined."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from vispy import gloo

from lieapp.scene.body import Body, Level
from lieapp.scene.colors import MOBILE, rgba
from lieapp.scene.density import DensityBody
from lieapp.scene.frame import Frame, Pass, enter_pass
from lieapp.scene.segments import SegmentProgram, Segments
from lieapp.scene.sheets import SheetProgram
from lieapp.scene.spheres import SphereProgram
from lieapp.scene.surface import Surface, SurfaceProgram
from lieapp.scene.sweep import Mesh

__all__ = ["CONTEXT_FADE", "TARGET_OPACITY", "Density", "Ghost", "Painter", "Picture", "Slot"]

TARGET_OPACITY = 0.5
"""Of the target while there is a mobile to compare with."""
CONTEXT_FADE = 0.45
_MOST_OUTLINED = 60_000
_GLOW = 2.4
"""Width in logical pixels of the outline of what is highlighted."""

Slot = Literal["mobile", "target"]
_NO_TINT = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Ghost:
    """A pale copy of a structure at another pose.

    Attributes
    ----------
    matrix : ndarray, shape=(4, 4)
        ``x' = R x + t`` on the coordinates of the file.
    color : str
        One colour for all of it.
    opacity : float
    slot : {"mobile", "target"}
    """

    matrix: NDArray[np.float64]
    color: str = MOBILE
    opacity: float = 0.35
    slot: Slot = "mobile"


@dataclass(frozen=True, eq=False)
class Density:
    """A contour of a map at a pose, drawn as a pale sheet or a mesh around what lies inside.

    Attributes
    ----------
    body : DensityBody
    matrix : ndarray, shape=(4, 4)
    """

    body: DensityBody
    matrix: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Picture:
    """What is to be drawn.

    Attributes
    ----------
    bodies : mapping of slot to Body
    ghosts : iterable of Ghost
    pair_lines : Segments or None
        From the mobile to the target.
    axis : Segments or None
        In the coordinates of the scene.
    screw : Surface or None
        The way along the axis, in the coordinates of the scene.
    densities : sequence of Density
    context : bool
        Whether chains outside the fit are seen.
    """

    bodies: Mapping[Slot, Body]
    ghosts: Iterable[Ghost] = ()
    pair_lines: Segments | None = None
    axis: Segments | None = None
    screw: Surface | None = None
    densities: Sequence[Density] = ()
    context: bool = True


@dataclass(frozen=True, eq=False)
class _Layer:
    """A body at a pose with its look; `bare` leaves out its ligands, `few` draws one sphere a residue."""

    body: Body
    matrix: NDArray[np.float64]
    opacity: float
    outline: float
    tint: tuple[float, float, float, float] = _NO_TINT
    bare: bool = False
    few: bool = False


class Painter:
    """The shaders of one context, and the order in which they are used."""

    def __init__(self) -> None:
        self._surfaces = SurfaceProgram()
        self._spheres = SphereProgram()
        self._segments = SegmentProgram()
        self._sheets = SheetProgram()
        self._distances: tuple[SurfaceProgram, SphereProgram] | None = None
        self._warm = False

    def draw(
        self,
        frame: Frame,
        picture: Picture,
        *,
        level: Level,
        triangles: int,
        hurried: bool = False,
        exact: bool = False,
        clear_alpha: float = 1.0,
        origin: tuple[int, int] = (0, 0),
    ) -> None:
        """Draw a picture into whatever is bound.

        Parameters
        ----------
        frame : Frame
        picture : Picture
        level : {"draft", "fine"}
        triangles : int
            Budget of that level, for each body.
        hurried : bool
            One pass for each body: no outlines, pale colours instead of translucence, and of packed atoms one sphere a
            residue.
        exact : bool
            Put translucent layers into the right order in every pixel, see `lieapp.scene.sheets`: for still pictures.
        clear_alpha : float
            Opacity of the background.
        origin : tuple of int
            Lower left corner of the picture in physical pixels, for several side by side. What is cleared then is the
            scissors' business.
        """
        gloo.set_viewport(*origin, *frame.size)
        gloo.set_color_mask(True, True, True, True)
        gloo.set_depth_mask(True)
        gloo.clear(color=(*frame.background, clear_alpha), depth=True)
        uniforms = frame.uniforms()
        for program in (self._surfaces, self._spheres, self._segments):
            program.begin(frame, uniforms)
        if not picture.bodies and not picture.densities:
            self._warm_up(frame)
            return
        for body in picture.bodies.values():
            body.upload(level, triangles, hurried=hurried)

        # What takes no part in the fit lies behind all the rest: there to be seen, but never in the way.
        for body in picture.bodies.values() if picture.context else ():
            if body.context is not None:
                self._lines(frame, body.context, body.matrix, body.matrix, fade=CONTEXT_FADE, behind=True)

        opaque, sheets = self._layers(frame, picture, hurried=hurried)
        lines = self._between(frame, picture)

        def solid() -> None:
            for layer in opaque:
                self._layer(frame, level, layer)
            for line in lines:
                line()

        solid()
        if not (exact and len(sheets) > 1 and self._lay(frame, uniforms, level, solid, sheets)):
            for layer in sheets:
                self._layer(frame, level, layer)
        for density in picture.densities:
            body_of_map = density.body
            self._sheet(frame, body_of_map.surface, density.matrix, body_of_map.opacity, body_of_map.lines)

    def _layers(self, frame: Frame, picture: Picture, *, hurried: bool) -> tuple[list[_Layer], list[_Layer]]:
        """Return what is opaque, then what is translucent, each in the order in which it is drawn."""
        layers = []
        mobile, target = picture.bodies.get("mobile"), picture.bodies.get("target")
        full = 0.0 if hurried else frame.headlight.outline
        if mobile is not None:
            opacity = 1.0 if mobile.opacity is None else mobile.opacity
            layers.append(_Layer(mobile, mobile.matrix, opacity, full))
        if target is not None:
            usual = TARGET_OPACITY if mobile is not None else 1.0
            opacity = usual if target.opacity is None else target.opacity
            if hurried:
                pale = (*frame.background, 1.0 - opacity)
                layers.append(_Layer(target, target.matrix, 1.0 if opacity > 0 else 0.0, 0.0, pale))
            else:
                layers.append(_Layer(target, target.matrix, opacity, full if opacity >= 1 else 0.0))
        for ghost in picture.ghosts:
            copied = picture.bodies.get(ghost.slot)
            if copied is not None:
                red, green, blue, _ = (float(value) for value in rgba(ghost.color))
                tint = (red, green, blue, 1.0)
                layers.append(_Layer(copied, ghost.matrix, ghost.opacity, 0.0, tint, bare=True))
        seen = [replace(layer, few=hurried) for layer in layers if layer.opacity > 0]
        return [layer for layer in seen if layer.opacity >= 1], [layer for layer in seen if layer.opacity < 1]

    def _between(self, frame: Frame, picture: Picture) -> list[Callable[[], None]]:
        """Return what draws pair lines, axis and the way along it."""
        steps: list[Callable[[], None]] = []
        mobile, target = picture.bodies.get("mobile"), picture.bodies.get("target")
        if picture.pair_lines is not None and mobile is not None and target is not None:
            steps.append(partial(self._lines, frame, picture.pair_lines, mobile.matrix, target.matrix))
        if picture.axis is not None:
            steps.append(partial(self._lines, frame, picture.axis, np.eye(4), np.eye(4)))
        if picture.screw is not None:
            steps.append(partial(self._sheet, frame, picture.screw, np.eye(4), 1.0))
        return steps

    def _lay(
        self, frame: Frame, uniforms: dict[str, Any], level: Level, solid: Callable[[], None], sheets: list[_Layer]
    ) -> bool:
        if self._distances is None:
            self._distances = (SurfaceProgram(distance=True), SphereProgram(distance=True))
        for program in self._distances:
            program.begin(frame, uniforms)
        distances = self._distances
        steps = [
            (
                partial(self._layer, frame, level, layer, blended=False),
                partial(self._layer, frame, level, layer, programs=distances),
            )
            # Outlines tell apart what lies through each other.
            for layer in (replace(sheet, outline=frame.headlight.outline) for sheet in sheets)
        ]
        return self._sheets.lay(frame.size, solid, steps)

    def _warm_up(self, frame: Frame) -> None:
        """Draw triangles of no size in all ways: a processor compiles shaders when they are first used.

        Done while there is nothing to see, so that the first molecule does not wait for it.
        """
        if self._warm:
            return
        self._warm = True
        nowhere = np.zeros((3, 3), dtype=np.float32)
        owner = np.zeros(3, dtype=np.int64)
        point = Mesh(
            nowhere, np.tile(np.array([0, 0, 1], dtype=np.float32), (3, 1)), np.arange(3, dtype=np.uint32)[None], owner
        )
        surface = Surface(point, rgba(MOBILE)[None])
        for opacity in (1.0, 0.5):
            kinds: tuple[Pass, ...] = ("depth", "outline", "color")
            for kind in kinds:
                enter_pass(kind, opacity)
                self._surfaces.draw(
                    surface, np.eye(4), kind, opacity=opacity, outline=1.0, outline_color=frame.outline_color
                )
        self._lines(frame, Segments(np.zeros((1, 3)), np.zeros((1, 3)), color=MOBILE), np.eye(4), np.eye(4))

    def _sheet(
        self,
        frame: Frame,
        surface: Surface,
        matrix: NDArray[np.float64],
        opacity: float,
        lines: gloo.IndexBuffer | None = None,
    ) -> None:
        passes: tuple[Pass, ...] = ("color",) if opacity >= 1 else ("depth", "color")
        if lines is not None:
            gloo.set_line_width(max(frame.pixel_ratio, 1.0))
        for kind in passes:
            enter_pass(kind, opacity)
            self._surfaces.draw(
                surface, matrix, kind, opacity=opacity, outline=0.0, outline_color=frame.outline_color, lines=lines
            )

    def _lines(
        self,
        frame: Frame,
        lines: Segments,
        start: NDArray[np.float64],
        end: NDArray[np.float64],
        *,
        opacity: float = 1.0,
        fade: float = 0.0,
        behind: bool = False,
    ) -> None:
        self._segments.draw(lines, start, end, pixel_ratio=frame.pixel_ratio, opacity=opacity, fade=fade, behind=behind)

    def _layer(
        self,
        frame: Frame,
        level: Level,
        layer: _Layer,
        *,
        blended: bool = True,
        programs: tuple[SurfaceProgram, SphereProgram] | None = None,
    ) -> None:
        """Draw all of one layer, blended with what is behind it or not.

        With `programs` these draw, and only where it is nearest already.
        """
        body, bare = layer.body, layer.bare
        surface = body.surface(level)
        outline = layer.outline
        if level == "draft" and surface is not None and surface.triangles > _MOST_OUTLINED:
            outline = 0.0  # so large a molecule is all outlines anyway, and must move first of all
        glowing = body.stands_out and layer.tint[3] < 1
        passes: list[Pass] = ["depth"] if layer.opacity < 1 and programs is None else []
        if outline > 0 or glowing:
            passes.append("outline")
        passes.append("color")
        glow = _GLOW * frame.pixel_ratio if glowing else 0.0
        look: dict[str, Any] = {
            "opacity": layer.opacity,
            "outline": outline * frame.pixel_ratio,
            "outline_color": frame.outline_color,
            "tint": layer.tint,
        }
        surfaces, balls = (self._surfaces, self._spheres) if programs is None else programs
        for kind in passes:
            enter_pass(kind, layer.opacity if blended and programs is None else 1.0)
            for mesh in (surface, None if bare else body.ligand_sticks):
                if mesh is not None:
                    surfaces.draw(mesh, layer.matrix, kind, glow=glow if mesh is surface else 0.0, **look)
            packed = body.few_spheres if layer.few and body.few_spheres is not None else body.spheres
            for spheres in (packed, None if bare else body.ligand_spheres):
                if spheres is not None:
                    balls.draw(spheres, layer.matrix, kind, glow=glow if spheres is packed else 0.0, **look)
        if body.gaps is not None and programs is None:
            self._lines(frame, body.gaps, layer.matrix, layer.matrix, opacity=layer.opacity)
