"""Smooth edges for a picture at rest, where the card is a processor and cannot afford them in motion.

The scene is drawn again and again, each time shifted by another fraction of a pixel, and the pictures are averaged as
they come: after eight of them edges look as with eightfold supersampling, and no single paint was long.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from vispy import gloo

__all__ = ["JITTER", "Refinement"]

# Halton points (bases 2 and 3) about the middle of the pixel: even already after the first few.
JITTER: tuple[tuple[float, float], ...] = tuple(
    (x - 0.5, y - 0.5)
    for x, y in (
        (1 / 2, 1 / 3),
        (1 / 4, 2 / 3),
        (3 / 4, 1 / 9),
        (1 / 8, 4 / 9),
        (5 / 8, 7 / 9),
        (3 / 8, 2 / 9),
        (7 / 8, 5 / 9),
        (1 / 16, 8 / 9),
    )
)

_VERTEX = """
attribute vec2 a_corner;
varying vec2 v_place;
void main() {
    v_place = a_corner * 0.5 + 0.5;
    gl_Position = vec4(a_corner, 0.0, 1.0);
}
"""
_FRAGMENT = """
uniform sampler2D u_picture;
uniform float u_weight;
varying vec2 v_place;
void main() {
    gl_FragColor = vec4(texture2D(u_picture, v_place).rgb, u_weight);
}
"""
_CORNERS = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], dtype=np.float32)


class Refinement:
    """An average of pictures of one size.

    Parameters
    ----------
    size : tuple of int
        Width and height in physical pixels.

    Attributes
    ----------
    count : int
        Pictures averaged so far; set it to 0 to begin again.
    cold : list of str
        Slots that should be drawn by `warm`, one in a paint, before the first `add`.
    """

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.count = 0
        self.cold = ["mobile", "target"]  # slots that were not drawn into it yet
        shape = (size[1], size[0], 4)
        self._picture = gloo.Texture2D(shape, interpolation="nearest")
        # Half floats: an average of bytes would stick at the first few pictures.
        self._average = gloo.Texture2D(shape, interpolation="nearest", internalformat="rgba16f")
        self._frame = gloo.FrameBuffer(self._picture, gloo.RenderBuffer(shape[:2]))
        self._sum = gloo.FrameBuffer(self._average)
        self._program = gloo.Program(_VERTEX, _FRAGMENT)
        self._program["a_corner"] = gloo.VertexBuffer(_CORNERS)

    def add(self, draw: Callable[[tuple[float, float]], None]) -> None:
        """Draw once more, shifted by the next jitter, into the average."""
        with self._frame:
            draw(JITTER[self.count % len(JITTER)])
        self.count += 1
        with self._sum:
            self._copy(self._picture, 1.0 / self.count)

    def warm(self, draw: Callable[[], None]) -> None:
        """Draw a part for nothing but to have its shaders compiled: a processor does so for every kind of target."""
        with self._frame:
            draw()

    def show(self) -> None:
        """Draw the average into whatever is bound."""
        self._copy(self._average, 1.0)

    def delete(self) -> None:
        """Give the memory on the card back."""
        for thing in (self._frame, self._sum, self._picture, self._average):
            thing.delete()

    def _copy(self, texture: gloo.Texture2D, weight: float) -> None:
        gloo.set_viewport(0, 0, *self.size)
        gloo.set_color_mask(True, True, True, True)
        gloo.set_state(
            depth_test=False,
            cull_face=False,
            blend=weight < 1.0,
            blend_func=("src_alpha", "one_minus_src_alpha", "one", "zero"),
        )
        self._program["u_picture"] = texture
        self._program["u_weight"] = weight
        self._program.draw("triangle_strip")
