"""What every drawable needs to know to draw one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from vispy import gloo

from lieapp.scene.camera import Viewpoint
from lieapp.scene.colors import HIGHLIGHT, rgba
from lieapp.scene.headlight import Headlight

__all__ = ["Frame", "Pass", "SceneProgram", "column_major", "enter_pass"]

Pass = Literal["outline", "depth", "color"]

STRIPE_PIXELS = 6.0
"""Width of a stripe and its gap in a hatching, in logical pixels along a row."""


def column_major(matrix: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return a matrix that acts as ``x' = M x`` the way gloo sends it: it transposes what it is given."""
    return np.ascontiguousarray(np.asarray(matrix).T, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Frame:
    """View, light and size of one picture.

    Attributes
    ----------
    viewpoint : Viewpoint
    headlight : Headlight
    size : tuple of int
        Width and height in physical pixels.
    pixel_ratio : float
        Physical pixels per logical one.
    background, outline_color : tuple of float
        Red, green and blue.
    jitter : tuple of float
        Shift of the picture in fractions of a physical pixel.
    """

    viewpoint: Viewpoint
    headlight: Headlight
    size: tuple[int, int]
    pixel_ratio: float
    background: tuple[float, float, float]
    outline_color: tuple[float, float, float]
    jitter: tuple[float, float] = (0.0, 0.0)

    def uniforms(self) -> dict[str, Any]:
        """Return the values that are the same for all drawables."""
        width, height = self.size
        projection = self.viewpoint.projection_matrix(width / max(height, 1))
        shift = np.eye(4)
        shift[0, 3] = 2 * self.jitter[0] / max(width, 1)
        shift[1, 3] = 2 * self.jitter[1] / max(height, 1)
        front, back = self.viewpoint.depth_range()
        # The cue starts a little behind the front, so that what is nearest keeps its full colour.
        begin = front + 0.25 * (back - front)
        return {
            "u_projection": column_major(shift @ projection),
            "u_viewport": (float(width), float(height)),
            "u_background": self.background,
            "u_fog": (begin, 1 / max(back - begin, 1e-3), self.headlight.depth_cue_over(back - front)),
            "u_highlight": tuple(float(value) for value in rgba(HIGHLIGHT)[:3]),
            "u_stripe": 1.0 / (STRIPE_PIXELS * self.pixel_ratio),
            "u_perspective": 1.0 if self.viewpoint.field_of_view > 0 else 0.0,
            **self.headlight.uniforms(),
        }


def enter_pass(kind: Pass, opacity: float) -> None:
    """Set the state of OpenGL for one pass over a layer.

    A translucent layer is drawn twice: first its depth alone, then the colour of what is nearest. So it looks like
    one thin sheet, whatever the order of its triangles.
    """
    translucent = opacity < 1.0
    gloo.set_state(
        depth_test=True,
        depth_func="lequal",
        blend=translucent,
        blend_func=("src_alpha", "one_minus_src_alpha", "one", "one_minus_src_alpha"),
        cull_face="front" if kind == "outline" else "back",
    )
    visible = kind != "depth"
    gloo.set_color_mask(visible, visible, visible, visible)
    gloo.set_depth_mask(True)


class SceneProgram:
    """The shaders of one kind of drawable, compiled once for each context."""

    shared: ClassVar[tuple[str, ...]] = ("u_projection", "u_viewport", "u_background", "u_fog")
    """Uniforms that come from the frame."""

    def __init__(self, vertex: str, fragment: str) -> None:
        self._program = gloo.Program(vertex, fragment)
        self.view = np.eye(4)
        self.background = (1.0, 1.0, 1.0)

    def begin(self, frame: Frame, uniforms: dict[str, Any]) -> None:
        """Take view and light of a frame, whose `Frame.uniforms` these are."""
        self.view = frame.viewpoint.view_matrix()
        self.background = frame.background
        for name in self.shared:
            self._program[name] = uniforms[name]
