"""Two structures, one of which moves: everything of the 3-D view but the window around it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from vispy import app, gloo

from lieapp.scene.averaging import average_blocks
from lieapp.scene.body import Body, Level
from lieapp.scene.camera import Viewpoint
from lieapp.scene.colors import BACKGROUND_LIGHT, MOBILE, TARGET, rgba, uniform_colors
from lieapp.scene.extras import SceneExtras
from lieapp.scene.frame import Frame
from lieapp.scene.geometry import STYLES, Geometry, Style, build_geometry
from lieapp.scene.headlight import Headlight
from lieapp.scene.painter import Density, Ghost, Painter, Picture, Slot
from lieapp.scene.picking import Hit
from lieapp.scene.refinement import JITTER, Refinement
from lieapp.scene.views import SLOTS, residue_flags
from lieapp.structures.structure import Structure

__all__ = ["Ghost", "Hit", "MolecularScene", "Slot"]

_SLOT_COLORS: dict[Slot, str] = {"mobile": MOBILE, "target": TARGET}
_OUTLINE_ANGSTROM = 0.22
"""The widest outline in Å, at the depth of the centre."""


def _same(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)


class MolecularScene(SceneExtras):
    """Draws a mobile and a target structure on a vispy canvas.

    Parameters
    ----------
    canvas : vispy.app.Canvas
        Its event ``draw`` is answered. When to paint is decided by who owns the canvas, told by `on_change`.
    triangles, draft_triangles : int
        Budget of triangles for each structure, at rest and in motion. Where a processor draws the second is small,
        and the owner of the canvas calls `refine` while nothing moves; where a card draws they are equal.

    Attributes
    ----------
    on_change : callable or None
        Called whenever the picture is out of date.
    on_error : callable(exception) or None
        Takes what goes wrong while drawing; nothing is drawn afterwards. Without it the exception is raised.
    hurried : bool
        Leave out what doubles the cost of a draft, outlines and translucence, while a busy machine cannot keep up.
    """

    def __init__(self, canvas: app.Canvas, *, triangles: int = 400_000, draft_triangles: int | None = None) -> None:
        super().__init__()
        self.canvas = canvas
        self.on_change: Callable[[], None] | None = None
        self.on_error: Callable[[Exception], None] | None = None
        self.hurried = False
        self.triangles = triangles
        self.draft_triangles = triangles if draft_triangles is None else draft_triangles
        self._bodies: dict[Slot, Body] = {}
        self._styles: dict[Slot, Style] = dict.fromkeys(SLOTS, "ribbon")
        self._background = rgba(BACKGROUND_LIGHT)
        self._headlight = Headlight()
        self._viewpoint = Viewpoint(np.eye(3), np.zeros(3))
        self._usable = True
        self._painter: Painter | None = None
        self._refinement: Refinement | None = None
        self._refining: Level | None = None
        canvas.events.draw.connect(self._on_draw)

    # What is shown -----------------------------------------------------------------------------------------------

    def set_structure(
        self,
        slot: Slot,
        structure: Structure | None,
        model: int = 0,
        drawn: NDArray[np.bool_] | None = None,
        *,
        geometry: Geometry | None = None,
    ) -> None:
        """Put a structure into a slot, or empty it.

        The pose and the colours stay if it is the structure that was there.

        Parameters
        ----------
        slot : {"mobile", "target"}
        structure : Structure or None
        model : int
            Position of the model, from 0.
        drawn : ndarray, shape=(residues,), dtype=bool, optional
            Residues drawn in full, usually the paired chains; others are thin and grey. All by default.
        geometry : Geometry, optional
            What `build_geometry` makes of these, made before, as on another thread; its style becomes the slot's.
        """
        previous = self._bodies.pop(slot, None)
        if structure is not None:
            if geometry is None:
                geometry = build_geometry(structure, model=model, drawn=drawn, style=self._styles[slot])
            self._styles[slot] = geometry.style
            if previous is not None and previous.structure is structure:
                body = Body(structure, model, drawn, geometry, previous.colors)
                body.matrix, body.opacity = previous.matrix, previous.opacity
                body.set_marks(previous.hatched, previous.highlighted)
            else:
                colors = uniform_colors(len(structure.residues), _SLOT_COLORS[slot])
                body = Body(structure, model, drawn, geometry, colors)
            self._bodies[slot] = body
        self._changed()

    def structure(self, slot: Slot) -> Structure | None:
        """Return the structure in a slot."""
        body = self._bodies.get(slot)
        return body.structure if body else None

    def set_pose(self, slot: Slot, matrix: ArrayLike) -> None:
        """Place a structure: ``x' = R x + t`` as one matrix, shape (4, 4). No vertex is touched."""
        if slot in self._bodies:
            self._bodies[slot].matrix = np.asarray(matrix, dtype=np.float64).reshape(4, 4).copy()
            self._changed()

    def set_residue_colors(self, slot: Slot, colors: ArrayLike | None) -> None:
        """Colour a structure; only colours are uploaded.

        Parameters
        ----------
        slot : {"mobile", "target"}
        colors : array_like, shape=(residues, 4), or None
            One colour a residue; None gives the slot's own.

        Raises
        ------
        ValueError
            If there is not one colour a residue.
        """
        body = self._bodies.get(slot)
        if body is None:
            return
        count = len(body.structure.residues)
        table = uniform_colors(count, _SLOT_COLORS[slot]) if colors is None else np.asarray(colors, dtype=np.float32)
        if table.shape != (count, 4):
            raise ValueError(f"{body.structure.name} has {count} residues; colours have shape {table.shape}")
        body.colors = table
        self._changed()

    def set_opacity(self, slot: Slot, opacity: float | None) -> None:
        """Set how opaque a structure is; None: the target is pale while there is a mobile to compare with."""
        if slot in self._bodies:
            self._bodies[slot].opacity = opacity
            self._changed()

    def set_highlight(self, slot: Slot, residues: ArrayLike | None) -> None:
        """Let residues stand out: a brighter colour and a glowing outline. Only marks are uploaded.

        Parameters
        ----------
        slot : {"mobile", "target"}
        residues : array_like, shape=(residues,), dtype=bool, or None
            None for none.

        Raises
        ------
        ValueError
            If there is not one flag a residue.
        """
        body = self._bodies.get(slot)
        if body is not None:
            mask = residue_flags(body, residues)
            if not _same(mask, body.highlighted):
                body.set_marks(body.hatched, mask)
                self._changed()

    def set_hatched(self, slot: Slot, residues: ArrayLike | None) -> None:
        """Hatch residues, such as those without a partner; shape and errors as in `set_highlight`."""
        body = self._bodies.get(slot)
        if body is not None:
            mask = residue_flags(body, residues)
            if not _same(mask, body.hatched):
                body.set_marks(mask, body.highlighted)
                self._changed()

    @property
    def style(self) -> Style:
        """Style of the mobile; see `style_of`."""
        return self._styles["mobile"]

    def style_of(self, slot: Slot) -> Style:
        """Return how a slot is drawn."""
        return self._styles[slot]

    def set_style(self, style: Style, slot: Slot | None = None) -> None:
        """Draw ribbons (the cartoon), tubes, sticks or spheres.

        Parameters
        ----------
        style : {"ribbon", "tube", "sticks", "spheres"}
        slot : {"mobile", "target"}, optional
            Both by default.

        Raises
        ------
        ValueError
            If there is no such style.
        """
        if style not in STYLES:
            raise ValueError(f"a style is one of {', '.join(STYLES)}, not {style!r}")
        for each in SLOTS if slot is None else (slot,):
            changed, self._styles[each] = self._styles[each] != style, style
            body = self._bodies.get(each)
            if changed and body is not None:
                self.set_structure(each, body.structure, body.model, body.drawn)

    def set_background(self, color: str | ArrayLike) -> None:
        """Set the colour behind everything; the depth cue fades into it."""
        self._background = rgba(color)
        self._changed()

    @property
    def background(self) -> NDArray[np.float32]:
        """The colour behind everything, shape (4,)."""
        return self._background

    def body(self, slot: Slot) -> Body | None:
        """Return the structure of a slot as it is drawn."""
        return self._bodies.get(slot)

    @property
    def headlight(self) -> Headlight:
        """Light, depth cue and outline."""
        return self._headlight

    @headlight.setter
    def headlight(self, value: Headlight) -> None:
        self._headlight = value
        self._changed()

    # Drawing ---------------------------------------------------------------------------------------------------------

    def _changed(self) -> None:
        self._refining = None
        if self._refinement is not None:
            self._refinement.count = 0
        if self.on_change is not None:
            self.on_change()

    def _frame(self, size: tuple[int, int], pixel_ratio: float, jitter: tuple[float, float] = (0.0, 0.0)) -> Frame:
        center, radius, reach = self._extent()
        view = replace(self._viewpoint, scene_center=center, scene_radius=radius, clip_radius=reach)
        red, green, blue = (float(value) for value in self._background[:3])
        light = 0.299 * red + 0.587 * green + 0.114 * blue > 0.5
        outline = (0.07, 0.08, 0.10) if light else (0.0, 0.0, 0.0)
        # Where a pixel is as large as an atom, outlines must not be all that is left.
        angstrom = self._viewpoint.angstrom_per_pixel(size[1] / pixel_ratio)
        thinnest = max(_OUTLINE_ANGSTROM / angstrom, 0.5)
        headlight = replace(self._headlight, outline=min(self._headlight.outline, thinnest))
        return Frame(view, headlight, size, pixel_ratio, (red, green, blue), outline, jitter)

    def _paint(
        self, frame: Frame, level: Level, *, only: str | None = None, exact: bool = False, clear_alpha: float = 1.0
    ) -> None:
        """Draw everything, or one slot only, into whatever is bound."""
        if self._painter is None:
            self._painter = Painter()
        bodies = {slot: body for slot, body in self._bodies.items() if only in (None, slot)}
        densities = [Density(body, self.pose(slot)) for slot, body in self._densities.items() if only in (None, slot)]
        picture = Picture(
            bodies, self._ghosts, self._pair_lines, self._axis, self._screw, densities, self._context_visible
        )
        triangles = self.draft_triangles if level == "draft" else self.triangles
        hurried = self.hurried and level == "draft"
        self._painter.draw(
            frame, picture, level=level, triangles=triangles, hurried=hurried, exact=exact, clear_alpha=clear_alpha
        )

    def _on_draw(self, event: Any) -> None:
        if not self._usable:
            return
        try:
            self.draw()
        except Exception as error:
            # vispy would hide it in its log and leave the view black.
            self._usable = False
            if self.on_error is None:
                raise
            self.on_error(error)

    def draw(self) -> None:
        """Draw into the canvas now, to the end: what fails on the card fails here."""
        width, height = (int(value) for value in self.canvas.physical_size)
        if width < 1 or height < 1:
            return
        ratio = float(self.canvas.pixel_scale)
        refining, self._refining = self._refining, None
        if refining is not None:
            if self._refinement is None or self._refinement.size != (width, height):
                self._forget_refinement()
                self._refinement = Refinement((width, height))
            if self._refinement.cold:
                # All at once would be one long paint.
                slot = self._refinement.cold.pop()
                self._refinement.warm(lambda: self._paint(self._frame((width, height), ratio), refining, only=slot))
                self._paint(self._frame((width, height), ratio), self._moving_level)
            else:
                self._refinement.add(lambda jitter: self._paint(self._frame((width, height), ratio, jitter), refining))
                self._refinement.show()
        elif self._refinement is not None and self.refinements and self._refinement.size == (width, height):
            self._refinement.show()  # nothing changed: what was drawn still holds
        else:
            self._paint(self._frame((width, height), ratio), self._moving_level)
        self.canvas.context.finish()

    @property
    def _moving_level(self) -> Level:
        return "fine" if self.draft_triangles >= self.triangles else "draft"

    @property
    def refinements(self) -> int:
        """How many pictures have been averaged since the last change."""
        return self._refinement.count if self._refinement is not None else 0

    def refine(self, level: Level = "fine") -> bool:
        """Let the next `draw` smooth the edges of a picture at rest a little more.

        Parameters
        ----------
        level : {"draft", "fine"}
            Detail of the meshes.

        Returns
        -------
        more : bool
            False if it is as smooth as it gets; nothing needs to be drawn then.
        """
        if self.refinements >= len(JITTER):
            return False
        self._refining = level
        return True

    def _forget_refinement(self) -> None:
        if self._refinement is not None:
            self._refinement.delete()
            self._refinement = None

    def render(
        self,
        size: tuple[int, int] | None = None,
        *,
        supersample: int = 2,
        transparent: bool = False,
    ) -> NDArray[np.uint8]:
        """Draw into memory.

        Parameters
        ----------
        size : tuple of int, optional
            Width and height in pixels; that of the canvas by default.
        supersample : int
            Pixels drawn for each one returned, along each axis: smooth edges on any card.
        transparent : bool
            Leave the background transparent.

        Returns
        -------
        picture : ndarray, shape=(height, width, 4), dtype=uint8
            Red, green, blue and alpha, not premultiplied.
        """
        width, height = size if size is not None else self.size
        inner = (width * supersample, height * supersample)
        ratio = supersample * height / self.size[1]
        self.canvas.set_current()
        color = gloo.Texture2D((inner[1], inner[0], 4), internalformat="rgba8")
        buffer = gloo.FrameBuffer(color, gloo.RenderBuffer((inner[1], inner[0])))
        with buffer:
            self._paint(self._frame(inner, ratio), "fine", exact=True, clear_alpha=0.0 if transparent else 1.0)
            pixels = np.asarray(gloo.read_pixels((0, 0, *inner), alpha=True))
        for thing in (buffer, color):
            thing.delete()
        return average_blocks(pixels, supersample)
